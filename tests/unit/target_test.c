#include <string.h>

#include "mta/domain.h"
#include "mta/target.h"

#include "tests/support/test.h"

#define LABEL63 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
texts_become_canonical(void **state)
{
	static const struct {
		const char *text;
		enum target_kind kind;
		const char *canonical;
	} rows[] = {
	    {"mx:Example.ORG", TARGET_MX, "mx:example.org"},
	    {"MX:localhost", TARGET_MX, "mx:localhost"},
	    {"smtp:mail.Example.net", TARGET_SMTP, "smtp:mail.example.net:25"},
	    {"smtp:mail.example.net:2525", TARGET_SMTP,
		"smtp:mail.example.net:2525"},
	    {"smtp:192.0.2.1", TARGET_SMTP, "smtp:[192.0.2.1]:25"},
	    {"smtp:192.0.2.1:26", TARGET_SMTP, "smtp:[192.0.2.1]:26"},
	    {"smtp:[192.0.2.1]:26", TARGET_SMTP, "smtp:[192.0.2.1]:26"},
	    {"smtp:[2001:DB8:0::1]:26", TARGET_SMTP, "smtp:[2001:db8::1]:26"},
	    {"smtp:[::1]", TARGET_SMTP, "smtp:[::1]:25"},
	    /* RFC 2033 5: LMTP does not live on port 25 */
	    {"lmtp:[::1]", TARGET_LMTP_TCP, "lmtp:[::1]:24"},
	    {"lmtp:inner.example:2400", TARGET_LMTP_TCP,
		"lmtp:inner.example:2400"},
	    {"lmtp:unix:/run/dovecot/lmtp", TARGET_LMTP_UNIX,
		"lmtp:unix:/run/dovecot/lmtp"},
	    {"maildir:/var/mail/%d/%u", TARGET_MAILDIR,
		"maildir:/var/mail/%d/%u"},
	    {"maildir:/var/mail/100%%", TARGET_MAILDIR,
		"maildir:/var/mail/100%%"},
	    {"discard", TARGET_DISCARD, "discard"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct target target = {0}, again = {0};
		char text[TARGET_TEXT_MAX], twice[TARGET_TEXT_MAX];
		struct err err;

		if (target_parse(span_of(rows[i].text), &target, &err) < 0)
			fail_msg("%s", err.text);
		target_text(&target, text);
		assert_string_equal(text, rows[i].canonical);
		assert_int_equal(target.kind, rows[i].kind);
		assert_int_equal(target_parse(span_of(text), &again, &err), 0);
		target_text(&again, twice);
		assert_string_equal(twice, text);
	}
}

static const struct {
	const char *text, *expected;
} nonsense[] = {
    {"", "expected mx:DOMAIN"},
    {"example.org", "expected mx:DOMAIN"},
    {"http://example.org", "expected mx:DOMAIN"},
    {"mx:", "expected a domain"},
    {"mx:a..b", "expected a domain"},
    {"mx:-a.example", "expected a domain"},
    {"mx:a-.example", "expected a domain"},
    {"mx:a.example-", "expected a domain"},
    {"mx:192.0.2.1", "expected a domain"},
    {"mx:example.org.", "expected a domain"},
    {"mx:ex\xc3\xa4mple.org", "expected a domain"},
    {"mx:" LABEL63 "a.example", "expected a domain"},
    {"mx:" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63 ".b",
	"expected a domain"},
    {"smtp:", "expected HOST:PORT"},
    {"smtp::25", "expected HOST:PORT"},
    {"smtp:host:", "expected a port"},
    {"smtp:host:0", "expected a port"},
    {"smtp:host:65536", "expected a port"},
    {"smtp:host:25x", "expected a port"},
    {"smtp:2001:db8::1", "expected a port"},
    {"smtp:[2001:db8::1", "expected a port"},
    {"smtp:[]:25", "expected HOST:PORT"},
    {"smtp:[nonsense]:25", "expected HOST:PORT"},
    {"smtp:[::1]x:25", "expected HOST:PORT"},
    {"smtp:[1111:2222:3333:4444:5555:6666:177.177.177.1777]",
	"expected HOST:PORT"}, /* 46 octets */
    {"lmtp:/run/lmtp", "\"lmtp:/run/lmtp\": expected "
		       "lmtp:unix:/run/lmtp for a socket"},
    {"lmtp://host:24", "expected HOST:PORT"},
    {"lmtp:/", "expected HOST:PORT"},
    {"lmtp:unix:", "expected an absolute path"},
    {"lmtp:unix", "expected an absolute path"},
    {"lmtp:unix:run/lmtp", "expected an absolute path"},
    {"lmtp:unix:/" LABEL63 LABEL63, "at most 107"},
    {"maildir:mail", "expected an absolute path"},
    {"maildir:/" LABEL63 LABEL63 LABEL63 LABEL63 "aaa", "at most 255"},
    {"maildir:/var/%x", "expected %u"},
    {"maildir:/var/%", "expected %u"},
    {"maildir:/var/\n", "expected an absolute path"},
    {"maildir:/var/\xff", "expected an absolute path"},
    {"discarded", "expected discard alone"},
    {"report-bounces", "expected mx:DOMAIN"},
    {"expanded", "expected mx:DOMAIN"},
};

static void
nonsense_is_refused_with_what_was_expected(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(nonsense); i++) {
		struct target target = {.kind = TARGET_DISCARD};
		struct err err = {0};

		if (target_parse(span_of(nonsense[i].text), &target, &err) == 0)
			fail_msg("\"%s\" was taken", nonsense[i].text);
		if (strstr(err.text, nonsense[i].expected) == NULL)
			fail_msg("\"%s\": %s", nonsense[i].text, err.text);
		assert_int_equal(err.kind, ERR_PERM);
		assert_int_equal(target.kind, TARGET_DISCARD);
	}
}

static void
nul_ends_nothing(void **state)
{
	struct target target;
	struct err err;

	(void)state;
	assert_int_equal(
	    target_parse(SPAN("smtp:192.0.2.1\0:25"), &target, &err), -1);
	assert_int_equal(target_parse(SPAN("mx:a\0.org"), &target, &err), -1);
	assert_int_equal(
	    target_parse(SPAN("maildir:/a\0/b"), &target, &err), -1);
}

/* Whatever is the key of a destination reads back as itself. */
static void
what_no_configuration_says_is_a_key(void **state)
{
	struct target target = {.kind = TARGET_REPORT_BOUNCES}, got;
	char text[TARGET_TEXT_MAX];
	struct err err;

	(void)state;
	target_text(&target, text);
	assert_int_equal(target_of_key(text, &got, &err), 0);
	assert_int_equal(got.kind, TARGET_REPORT_BOUNCES);
	/* RFC 3461 5.2.7.3 */
	target.kind = TARGET_EXPANDED;
	target_text(&target, text);
	assert_int_equal(target_of_key(text, &got, &err), 0);
	assert_int_equal(got.kind, TARGET_EXPANDED);
	assert_int_equal(target_of_key("mx:a.example", &got, &err), 0);
	assert_int_equal(got.kind, TARGET_MX);
	assert_int_equal(target_of_key("report-bounce", &got, &err), -1);
}

static void
every_kind_has_a_name(void **state)
{
	struct target zero = {0};
	char text[TARGET_TEXT_MAX] = "x";

	(void)state;
	target_text(&zero, text);
	assert_string_equal(text, "");
	assert_string_equal(target_kind_name(TARGET_NONE), "none");
	for (unsigned k = TARGET_MX; k <= TARGET_EXPANDED; k++)
		assert_string_not_equal(
		    target_kind_name((enum target_kind)k), "none");
}

static void
qualified_names_have_a_dot(void **state)
{
	(void)state;
	assert_true(domain_is_qualified(SPAN("mx1.example.org")));
	assert_true(domain_is_qualified(SPAN("xn--bcher-kva.example")));
	assert_false(domain_is_qualified(SPAN("localhost")));
	assert_false(domain_is_qualified(SPAN("mx1.")));
	assert_false(domain_is_qualified(SPAN(".example")));
	assert_false(domain_is_qualified(SPAN("mx1.42")));
	assert_false(domain_is_qualified(SPAN("mx_1.example")));
}

/* RFC 1035 2.3.4: 253 octets as text. */
static void
domains_have_a_longest(void **state)
{
	static const char longest[] = LABEL63 "." LABEL63 "." LABEL63
					      "." LABEL63;
	char folded[DOMAIN_MAX];

	(void)state;
	assert_true(domain_fold((struct span){longest + 2, 253}, folded));
	assert_int_equal(strlen(folded), 253);
	assert_false(domain_fold((struct span){longest + 1, 254}, folded));
	assert_false(domain_fold(span_of(longest), folded));
	assert_false(domain_fold((struct span){NULL, 0}, folded));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_become_canonical),
	    cmocka_unit_test(nonsense_is_refused_with_what_was_expected),
	    cmocka_unit_test(nul_ends_nothing),
	    cmocka_unit_test(what_no_configuration_says_is_a_key),
	    cmocka_unit_test(every_kind_has_a_name),
	    cmocka_unit_test(qualified_names_have_a_dot),
	    cmocka_unit_test(domains_have_a_longest),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
