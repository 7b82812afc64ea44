#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "mta/recipients.h"

#include "tests/support/test.h"

static struct recipients *
parse_good(struct span text)
{
	struct recipients *recipients = NULL;
	struct buf problems;

	buf_init(&problems, 4096);
	if (recipients_parse(text, "recipients", RECIPIENTS_FOLD, &recipients,
		&problems) < 0)
		fail_msg("%.*s", (int)problems.n, problems.p);
	assert_int_equal(problems.n, 0);
	buf_free(&problems);
	return recipients;
}

/* The answer as text: "-", "+" or the targets. */
static void
ask(const struct recipients *recipients, const char *address, char *to,
    size_t size)
{
	const char *const *targets = NULL;
	struct buf buf;

	buf_init(&buf, size - 1);
	switch (recipients_find(recipients, address, &targets)) {
	case RECIPIENT_UNKNOWN:
		assert_int_equal(buf_add_str(&buf, "-"), 0);
		break;
	case RECIPIENT_KNOWN:
		assert_null(targets);
		assert_int_equal(buf_add_str(&buf, "+"), 0);
		break;
	case RECIPIENT_ALIAS:
		for (; *targets != NULL; targets++)
			assert_int_equal(buf_printf(&buf, "%s ", *targets), 0);
		break;
	}
	memcpy(to, buf.p, buf.n);
	to[buf.n] = '\0';
	buf_free(&buf);
}

static const char file[] =
    "# who is here\n"
    "Alice\n"
    "bob@Example.org\t# only there\r\n"
    "  carol : dave@Elsewhere.example, Erin,\"x, y\"@example.org\n"
    "erin\n"
    "\n"
    "\"john doe\"\n"
    "\"fr\\ed\"@example.org\n"
    "@all.example\n"
    "@moved.example: Alice@example.org\n"
    "info: info@example.org, alice\n"
    "info@all.example\n"
    "j\xc3\xbcrgen\n"
    "a#b\n"
    "last: alice";

static void
addresses_are_found(void **state)
{
	static const struct {
		const char *address, *answer;
	} rows[] = {
	    {"alice@example.org", "+"},
	    {"ALICE@Anything.Example", "+"}, /* RFC 5321 2.4 */
	    {"\"alice\"@example.org", "+"},  /* RFC 5321 4.1.2 */
	    {"\"ali\\ce\"@example.org", "+"},
	    {"bob@example.org", "+"},
	    {"bob@example.net", "-"},
	    {"carol@example.org",
		"dave@elsewhere.example Erin \"x, y\"@example.org "},
	    {"\"John Doe\"@example.org", "+"},
	    {"fred@example.org", "+"},
	    {"nobody@all.example", "+"},
	    {"carol@all.example",
		"dave@elsewhere.example Erin \"x, y\"@example.org "},
	    {"info@all.example", "+"},
	    {"anyone@moved.example", "Alice@example.org "},
	    {"info@example.org", "info@example.org alice "},
	    {"j\xc3\xbcrgen@example.org", "+"}, /* RFC 6531 3.3 */
	    {"a#b@example.org", "+"},
	    {"last@example.org", "alice "},
	    {"nobody@example.org", "-"},
	    {"@all.example", "-"},
	    {"alice", "-"},
	    {"alice@", "-"},
	    {"", "-"},
	    {"@", "-"},
	    {"\"@example.org", "-"},
	    {"\"\"@all.example", "-"},
	    {"alice@ex ample.org", "-"},
	    {"a..b@all.example", "-"},
	    {"alice@[192.0.2.1]", "-"},
	};
	struct recipients *recipients = parse_good(span_of(file));

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char answer[256];

		ask(recipients, rows[i].address, answer, sizeof(answer));
		if (strcmp(answer, rows[i].answer) != 0)
			fail_msg("%s: %s", rows[i].address, answer);
	}
	recipients_free(&recipients);
	assert_null(recipients);
	recipients_free(&recipients);
}

static void
nobody_is_there_in_an_empty_file(void **state)
{
	struct recipients *recipients = parse_good(SPAN("\n  \n#\n"));
	char answer[16];

	(void)state;
	ask(recipients, "a@example.org", answer, sizeof(answer));
	assert_string_equal(answer, "-");
	recipients_free(&recipients);
	recipients = parse_good((struct span){NULL, 0});
	recipients_free(&recipients);
}

static void
very_long_addresses_are_nobody(void **state)
{
	struct recipients *recipients = parse_good(SPAN("@example.org\n"));
	char address[2000], answer[16];

	(void)state;
	memset(address, 'a', sizeof(address));
	memcpy(address + 255, "@example.org", 13);
	ask(recipients, address, answer, sizeof(answer));
	assert_string_equal(answer, "+");
	memset(address, 'a', sizeof(address));
	memcpy(address + 256, "@example.org", 13);
	ask(recipients, address, answer, sizeof(answer));
	assert_string_equal(answer, "-");
	memset(address, 'a', sizeof(address));
	address[sizeof(address) - 1] = '\0';
	ask(recipients, address, answer, sizeof(answer));
	assert_string_equal(answer, "-");
	recipients_free(&recipients);
}

static const struct {
	const char *text, *says;
} mistakes[] = {
    {"ok\nno body", "recipients:2: \"no body\": expected user, user@"},
    {"team bob", "1: \"team bob\": expected user, user@domain or @domain; "
		 "an alias has a colon behind its name and is one line"},
    {"a: b,\n  c,d\n", "2: \"c,d\": expected user, user@domain or @domain; an "
		       "alias has a colon"},
    {"a.\n", "1: \"a.\": expected user, user@domain or @domain\n"},
    {"a@b@c.example", "1: \"a@b@c.example\": expected user"},
    {"a@", "1: \"a@\": expected user"},
    {"@", "1: \"@\": expected user"},
    {"a@-x.example", "1: \"a@-x.example\""},
    {"a.", "1: \"a.\""},
    {"\"open", "1: \"\"open\": expected user"},
    {"\"a\"b\"", "expected user"},
    {"\"a\\\"", "expected user"},
    {"\"a\tb\"", "expected user"},
    {"\xff", "1: \"\\xff\": expected user"},
    {": b", "1: \"\": expected user"},
    {"a:", "1: \"\": expected a mail address or a local part"},
    {"a: b,,c", "1: \"\": expected a mail address"},
    {"a: b, c d", "1: \"c d\": expected a comma behind \"c\""},
    {"a: b@x.example\t \"d e\" f", "expected a comma behind "
				   "\"b@x.example\""},
    {"a: \"c d\" |x", "expected a mail address"},
    {"a: |c d", "1: \"|c d\": expected a mail address"},
    {"a: c d.", "1: \"c d.\": expected a mail address"},
    {"a: |/bin/sh", "1: \"|/bin/sh\": expected a mail address"},
    {"a: /dev/null", "1: \"/dev/null\": expected a mail address"},
    {"a: :include:/x", "expected a mail address"},
    {"a: \"|/bin/sh\"", "1: \"\"|/bin/sh\"\": expected a mail"},
    {"a: \"/dev/null\"", "expected a mail address"},
    {"a: \":include:/x\"", "expected a mail address"},
    {"a: @example.org", "1: \"@example.org\": expected a mail"},
    {"a\nb\nA\n", "3: comes twice, first in line 1"},
    {"a\n\"a\": b\n", "2: comes twice, first in line 1"},
    /* aliases back to themselves */
    {"a: b\nb: a\n", "2: this alias leads back to itself through "
		     "line 1"},
    {"a: x@far.example, b\nb: c\nc: d@far.example, a\n",
	"3: this alias leads back to itself through line 1"},
    {"a@x.example: b\nb: a@x.example\n", "leads back to itself"},
    {"a@x.example: b@x.example\nb: c\nc: b\n", "leads back"},
    {"@x.example: a@y.example\n@y.example: a@x.example\n",
	"leads back to itself"},
    {"a: b\nb: c\nc: b", "3: this alias leads back to itself through "
			 "line 2"},
};

static void
problems_name_the_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(mistakes); i++) {
		struct recipients *recipients = NULL;
		struct buf problems;

		buf_init(&problems, 4096);
		if (recipients_parse(span_of(mistakes[i].text), "recipients",
			RECIPIENTS_FOLD, &recipients, &problems) == 0)
			fail_msg("row %zu was taken", i);
		assert_int_equal(buf_add(&problems, (struct span){"", 1}), 0);
		if (strstr(problems.p, mistakes[i].says) == NULL)
			fail_msg("row %zu: %s", i, problems.p);
		assert_null(recipients);
		buf_free(&problems);
	}
}

static void
what_only_looks_like_a_loop_is_fine(void **state)
{
	static const char *const texts[] = {
	    "a: a\n",
	    "info: info@far.example\n",
	    "a: b@far.example\nb: a@far.example\n",
	    "a@x.example: a@y.example\na@y.example\n",
	    "@x.example: all@x.example\n",
	    "a: b, c\nb: d\nc: d\nd: e@far.example\n",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++) {
		struct recipients *recipients = parse_good(span_of(texts[i]));

		recipients_free(&recipients);
	}
}

/* A chain as long as the file must not eat the stack. */
static void
long_chains_and_many_entries_work(void **state)
{
	const unsigned n = 200000;
	struct recipients *recipients;
	struct buf text;
	char address[64], answer[64];

	(void)state;
	buf_init(&text, 64 << 20);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(buf_printf(&text, "u%u: u%u\n", i, i + 1), 0);
	assert_int_equal(buf_printf(&text, "u%u\n", n), 0);
	recipients = parse_good(buf_span(&text));
	(void)snprintf(address, sizeof(address), "u%u@example.org", n - 1);
	ask(recipients, address, answer, sizeof(answer));
	assert_string_equal(answer, "u200000 ");
	recipients_free(&recipients);
	buf_free(&text);
}

static void
too_much_is_refused(void **state)
{
	struct recipients *recipients = NULL;
	struct buf problems;
	size_t n = (64u << 20) + 1;
	char *text = mem_new(n);

	(void)state;
	buf_init(&problems, 4096);
	assert_int_equal(recipients_parse((struct span){text, n}, "r",
			     RECIPIENTS_FOLD, &recipients, &problems),
	    -1);
	assert_int_equal(recipients_parse(SPAN("a\0b\n"), "r", RECIPIENTS_FOLD,
			     &recipients, &problems),
	    -1);
	mem_free(text);
	buf_free(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_found),
	    cmocka_unit_test(nobody_is_there_in_an_empty_file),
	    cmocka_unit_test(very_long_addresses_are_nobody),
	    cmocka_unit_test(problems_name_the_line),
	    cmocka_unit_test(what_only_looks_like_a_loop_is_fine),
	    cmocka_unit_test(long_chains_and_many_entries_work),
	    cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests_name("recipients", tests, NULL, NULL);
}
