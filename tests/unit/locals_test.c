/* Who exists in domains of ours, and what aliases stand for. */
#include <stdio.h>
#include <string.h>

#include "tests/support/locals_kit.h"
#include "tests/support/test.h"

/* "-" and the code, or the recipients, each with a blank behind it. */
static void
expand(struct locals_kit *f, const char *address, char *to, size_t size)
{
	struct envelope_rcpt rcpt = {address, "", 0};
	struct envelope out,
	    envelope = {.sender = "s@far.example", .rcpts = &rcpt, .nrcpts = 1};
	struct arena *arena = arena_new(1u << 20);
	struct inquiry inquiry = {0};
	struct err err = {0};
	size_t n = 0;

	to[0] = '\0';
	if (locals_known(f->locals, &inquiry, address, &err) != LOCALS_FINE ||
	    locals_expand(f->locals, &inquiry, &envelope, arena, &out, &err) !=
		LOCALS_FINE)
		(void)snprintf(to, size, "-%s", err.enhanced);
	else
		for (size_t i = 0; i < out.nrcpts; i++)
			n += (size_t)snprintf(
			    to + n, size - n, "%s ", out.rcpts[i].address);
	arena_free(&arena);
}

struct row {
	const char *rule, *address, *answer;
};

static void
look(const struct locals_world *world, const struct row *rows, size_t n)
{
	struct locals_kit f;

	locals_kit_open(&f, world);
	for (size_t i = 0; i < n; i++) {
		char answer[1000];

		expand(&f, rows[i].address, answer, sizeof(answer));
		if (strcmp(answer, rows[i].answer) != 0)
			fail_msg("%s: %s: %s", rows[i].rule, rows[i].address,
			    answer);
	}
	locals_kit_close(&f);
}

static const struct locals_world two = {LOCALS_KIT_A_B,
    "bob\nann+list\nteam: bob, ann+list, eve@far.example\n\"john doe\"\n",
    "twice: bob, BOB, eve@far.example, EVE@far.example\n"
    "bob+spam: trash\ntrash\nboss: bob\nabuse: boss, team, x@b.example\n",
    "x\ny: x+tag\n@b.example: x\n"};

static void
the_most_special_entry_answers(void **state)
{
	static const struct row rows[] = {
	    {"a mailbox", "bob@a.example", "bob@a.example "},
	    {"RFC 5321 2.4 without case", "BOB@a.example", "BOB@a.example "},
	    {"unknown", "eve@a.example", "-5.1.1"},
	    {"RFC 5233 1 an extension goes on to LMTP", "Bob+Shop@a.example",
		"Bob+Shop@a.example "},
	    {"an extension of nobody", "eve+shop@a.example", "-5.1.1"},
	    {"a name with a delimiter is a name", "ann+list@a.example",
		"ann+list@a.example "},
	    {"and its front is nobody", "ann@a.example", "-5.1.1"},
	    {"nor is its front with another", "ann+x@a.example", "-5.1.1"},
	    {"an alias of an extension comes first", "bob+spam@a.example",
		"trash@a.example "},
	    {"up to the first delimiter", "bob+spam+x@a.example",
		"bob+spam+x@a.example "},
	    {"nothing before the delimiter", "+bob@a.example", "-5.1.1"},
	    {"quotes are no part of a name", "\"bob+shop\"@a.example",
		"\"bob+shop\"@a.example "},
	    {"quoted", "\"john doe\"@a.example", "\"john doe\"@a.example "},
	    {"quoted, with an extension", "\"john doe+x\"@a.example",
		"\"john doe+x\"@a.example "},
	    {"an extension of an alias is dropped", "boss+now@a.example",
		"bob@a.example "},
	    {"aliases of aliases, once each", "abuse@a.example",
		"bob@a.example ann+list@a.example eve@far.example "
		"x@b.example "},
	    {"a Maildir is that of the user", "x+tag@b.example",
		"x@b.example "},
	    {"also behind an alias", "y@b.example", "x@b.example "},
	    {"everybody in the domain", "whoever@b.example", "x@b.example "},
	    {"RFC 5321 4.5.1", "postmaster@a.example", "admin@a.example "},
	    {"RFC 5321 4.5.1", "Postmaster", "admin@a.example "},
	    {"one mailbox, written in two ways", "twice@a.example",
		"bob@a.example eve@far.example EVE@far.example "},
	    {"not ours", "z+t@far.example", "z+t@far.example "},
	};

	(void)state;
	look(&two, rows, ROWS(rows));
}

static void
a_domain_has_its_own_ways(void **state)
{
	static const struct locals_world world = {
	    "domain \"a.example\" { deliver = \"lmtp:unix:/l\""
	    " recipients = \"/r\" delimiter = \"-\" case = keep }\n"
	    "domain \"b.example\" { deliver = \"maildir:/m/%u\""
	    " recipients = \"/b\" delimiter = \"\""
	    " catch_all = \"Bob-rest@a.example\" }\n"
	    "domain \"c.example\" { deliver = \"maildir:/m/%u\" }\n"
	    "domain \"d.example\" { deliver = \"maildir:/m/%u\""
	    " catch_all = \"all@d.example\" }\n"
	    "domain \"xn--bcher-kva.example\" { deliver = \"maildir:/m/%u\""
	    " catch_all = \"bob@far.example\" }\n",
	    "Bob\nbob: other@far.example\n", NULL, "x\n"};
	static const struct row rows[] = {
	    {"RFC 5321 2.4 with case", "Bob@a.example", "Bob@a.example "},
	    {"RFC 5321 2.4 somebody else", "bob@a.example",
		"other@far.example "},
	    {"RFC 5321 2.4 nobody", "BOB@a.example", "-5.1.1"},
	    {"the domain never has case", "Bob@A.EXAMPLE", "Bob@A.EXAMPLE "},
	    {"its own delimiter", "Bob-x@a.example", "Bob-x@a.example "},
	    {"and no other", "Bob+x@a.example", "-5.1.1"},
	    {"no delimiter, but a catch-all", "x+tag@b.example",
		"Bob-rest@a.example "},
	    {"who is there is not caught", "x@b.example", "x@b.example "},
	    {"caught, the postmaster too", "postmaster@b.example",
		"Bob-rest@a.example "},
	    {"everybody is there, with one Maildir", "Eve+x@c.example",
		"Eve@c.example "},
	    {"as is", "eve@c.example", "eve@c.example "},
	    {"everybody's mail in one", "eve@d.example", "all@d.example "},
	    {"his own, too", "all@d.example", "all@d.example "},
	    {"RFC 6531 3.2 a U-label is its A-label",
		"x@b\xc3\xbc"
		"cher.example",
		"bob@far.example "},
	};

	(void)state;
	look(&world, rows, ROWS(rows));
}

/* What check-config says of them. */
static const struct {
	const char *rule;
	struct locals_world world;
	const char *says; /* "": nothing is wrong */
} leads[] = {
    {"fine", {LOCALS_KIT_A_B, "bob\n", "a: bob\nb: a\n", "x: bob@a.example\n"},
	""},
    {"through two files", {LOCALS_KIT_A_B, "ann: bob\n", "bob: ann\n", ""},
	"/s:1: this alias leads to bob@a.example, which leads back"},
    {"through two domains",
	{LOCALS_KIT_A_B, "", "bob: x@b.example\n", "x: bob@a.example\n"},
	"/s:1: this alias leads to bob@a.example, which leads back"},
    {"through an extension",
	{LOCALS_KIT_A_B, "", "bob: x@b.example\n", "x: bob+loop@a.example\n"},
	"/s:1: this alias leads to bob@a.example, which leads back"},
    {"through everybody",
	{LOCALS_KIT_A_B, "", "@a.example: y@b.example\n",
	    "@b.example: z@a.example\n"},
	"leads back to itself"},
    {"a mailbox behind an alias is none",
	{LOCALS_KIT_A_B, "", "bob: bob@a.example, x@b.example\n",
	    "x: x@b.example\n"},
	""},
    {"too far",
	{LOCALS_KIT_A_B, "a0\n",
	    "a1: a0\na2: a1\na3: a2\na4: a3\na5: a4\na6: a5\n"
	    "a7: a6\na8: a7\na9: a8\nb0: a9\nb1: b0\nb2: b1\n"
	    "b3: b2\nb4: b3\nb5: b4\nb6: b5\nb7: b6\n",
	    ""},
	"/s:17: aliases lead further than 16 steps"},
    {"just not too far",
	{LOCALS_KIT_A_B, "a0\n",
	    "a1: a0\na2: a1\na3: a2\na4: a3\na5: a4\na6: a5\n"
	    "a7: a6\na8: a7\na9: a8\nb0: a9\nb1: b0\nb2: b1\n"
	    "b3: b2\nb4: b3\nb5: b4\nb6: b5\n",
	    ""},
	""},
    {"a target that is nobody",
	{LOCALS_KIT_A_B, "bob\n", "all: bob, eve, postmaster\n", ""},
	"warning: /s:1: \"eve@a.example\": there is no such "
	"recipient\n"},
    {"a domain is no user", {LOCALS_KIT_A_B, "bob\nB.Example: bob\n", "", ""},
	"/r:2: \"b.example\" is a domain: expected @b.example for everybody "
	"in it, or user@b.example\n"},
    {"nor a recipient", {LOCALS_KIT_A_B, "bob\nb.example\n", "", ""},
	"/r:2: \"b.example\" is a domain"},
    {"a user with dots",
	{LOCALS_KIT_A_B, "bob\njohn.doe: bob\nfar.example\n", "", ""}, ""},
    {"an address in a domain of others",
	{LOCALS_KIT_A_B, "bob\n", "x@far.example: bob@a.example\n", ""},
	"warning: /s:1: no domain \"far.example\" uses this file\n"},
    {"an address in a domain with another file",
	{LOCALS_KIT_A_B, "bob\n@b.example\n", "", ""},
	"warning: /r:2: no domain \"b.example\" uses this file\n"},
    {"a catch-all that comes back",
	{"domain \"a.example\" { deliver = discard"
	 " recipients = \"/r\" catch_all = \"x@b.example\" }\n"
	 "domain \"b.example\" { deliver = discard"
	 " recipients = \"/b\" }\n",
	    "bob\n", NULL, "x: nobody@a.example\n"},
	"/b:1: this alias leads to x@b.example, which leads back"},
};

static void
loops_through_several_files_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(leads); i++) {
		struct locals_kit f;
		int rc;

		locals_kit_open(&f, &leads[i].world);
		rc = locals_check(f.locals, &f.problems);
		assert_int_equal(buf_add(&f.problems, (struct span){"", 1}), 0);
		if (strstr(f.problems.p, leads[i].says) == NULL ||
		    (leads[i].says[0] == '\0') != (f.problems.p[0] == '\0') ||
		    (rc < 0) != (leads[i].says[0] != '\0' &&
				    strncmp(leads[i].says, "warning", 7) != 0))
			fail_msg("%s: %d %s", leads[i].rule, rc, f.problems.p);
		locals_kit_close(&f);
	}
}

#define SHARED                                      \
	"domain \"a.example\" { deliver = discard"  \
	" recipients = \"/r\" aliases = \"/s\" }\n" \
	"domain \"b.example\" { deliver = discard"  \
	" recipients = \"/r\" }\n"

static size_t
count(const struct buf *text, const char *word)
{
	const char *p = text->p, *end = text->p + text->n;
	size_t n = 0;

	while ((p = memmem(p, (size_t)(end - p), word, strlen(word))) != NULL) {
		n++;
		p++;
	}
	return n;
}

/* A file of two domains has two sets of entries, and each mistake once. */
static void
what_is_wrong_is_told_once(void **state)
{
	static const char list[] = "bob\nall: x@a.example, x@a.example, y\n";
	static const struct locals_world good = {
	    SHARED, list, "t: z@a.example\n", list};
	static const struct locals_world bad = {
	    SHARED, "no body\n", "a: |x\n", "no body\n"};
	struct locals_kit f;

	(void)state;
	locals_kit_open(&f, &good);
	assert_int_equal(locals_check(f.locals, &f.problems), 0);
	assert_int_equal(count(&f.problems, "\"x@a.example\""), 1);
	assert_int_equal(count(&f.problems, "\"y@a.example\""), 1);
	assert_int_equal(count(&f.problems, "\"y@b.example\""), 1);
	assert_int_equal(count(&f.problems, "\n"), 4);
	locals_free(&f.locals);
	buf_clear(&f.problems);
	bundle_replace(
	    f.bundle, "recipients", "a.example", span_of(bad.a_recipients));
	bundle_replace(
	    f.bundle, "aliases", "a.example", span_of(bad.a_aliases));
	bundle_replace(
	    f.bundle, "recipients", "b.example", span_of(bad.b_recipients));
	assert_int_equal(
	    locals_load(f.config, f.bundle, &f.locals, &f.problems), -1);
	assert_int_equal(count(&f.problems, "/r:1: \"no body\""), 1);
	assert_int_equal(count(&f.problems, "/s:1: \"|x\""), 1);
	assert_int_equal(count(&f.problems, "\n"), 2);
	locals_kit_close(&f);
}

/* Whoever has not been told of them is not drawn into them. */
static void
loops_end(void **state)
{
	static const struct locals_world world = {LOCALS_KIT_A_B, "",
	    "bob: x@b.example, ann\n"
	    "ann\n",
	    "x: bob@a.example\n"};
	static const struct row rows[] = {
	    {"RFC 5321 6.3", "bob@a.example", "-4.4.6"},
	    {"RFC 5321 6.3", "x@b.example", "-4.4.6"},
	    {"beside it", "ann@a.example", "ann@a.example "},
	};

	(void)state;
	look(&world, rows, ROWS(rows));
}

/* "address/notify/orcpt " of each recipient. */
static void
expand_dsn(struct locals_kit *f, unsigned notify, char *to, size_t size)
{
	struct envelope_rcpt rcpt = {
	    "abuse@a.example", "rfc822;o@x", (uint8_t)notify};
	struct envelope out,
	    envelope = {.sender = "s@x", .rcpts = &rcpt, .nrcpts = 1};
	struct arena *arena = arena_new(1u << 20);
	struct inquiry inquiry = {0};
	struct err err;
	size_t n = 0;

	assert_int_equal(
	    locals_expand(f->locals, &inquiry, &envelope, arena, &out, &err),
	    LOCALS_FINE);
	for (size_t i = 0; i < out.nrcpts; i++) {
		assert_string_equal(out.rcpts[i].orcpt, "rfc822;o@x");
		n += (size_t)snprintf(to + n, size - n, "%s/%u ",
		    out.rcpts[i].address, out.rcpts[i].notify);
	}
	arena_free(&arena);
}

/* RFC 3461 5.2.7.3 (c): all of NOTIFY but SUCCESS goes on to each of several;
 * who asked for that hears of the alias, once. */
static void
several_share_no_success(void **state)
{
	static const struct locals_world world = {LOCALS_KIT_A_B, "bob\n",
	    "abuse: team\nteam: bob, all, team\nall: bob, eve@far.example\n",
	    ""};
	static const struct {
		const char *rule;
		unsigned notify;
		const char *answer;
	} rows[] = {
	    {"not said", NOTIFY_DEFAULT,
		"bob@a.example/0 eve@far.example/0 team@a.example/0 "},
	    {"NEVER", NOTIFY_NEVER,
		"bob@a.example/1 eve@far.example/1 team@a.example/1 "},
	    {"without SUCCESS", NOTIFY_FAILURE | NOTIFY_DELAY,
		"bob@a.example/12 eve@far.example/12 team@a.example/12 "},
	    {"SUCCESS and FAILURE", NOTIFY_SUCCESS | NOTIFY_FAILURE,
		"team@a.example/18 bob@a.example/4 eve@far.example/4 "
		"team@a.example/4 "},
	    {"SUCCESS alone: nothing else is wanted", NOTIFY_SUCCESS,
		"team@a.example/18 bob@a.example/1 eve@far.example/1 "
		"team@a.example/1 "},
	};
	struct locals_kit f;

	(void)state;
	locals_kit_open(&f, &world);
	for (size_t i = 0; i < ROWS(rows); i++) {
		char answer[1000];

		expand_dsn(&f, rows[i].notify, answer, sizeof(answer));
		if (strcmp(answer, rows[i].answer) != 0)
			fail_msg("%s: %s", rows[i].rule, answer);
	}
	locals_kit_close(&f);
}

/* How many recipients come of an alias for so many; 0: refused. */
static size_t
expand_many(unsigned members, unsigned notify)
{
	struct locals_world world = {LOCALS_KIT_A_B, "", "", ""};
	struct envelope_rcpt rcpt = {"all@a.example", "", (uint8_t)notify};
	struct envelope out,
	    envelope = {.sender = "s@x", .rcpts = &rcpt, .nrcpts = 1};
	struct arena *arena = arena_new(1u << 20);
	struct inquiry inquiry = {0};
	struct locals_kit f;
	struct err err;
	struct buf text;
	size_t n = 0;

	buf_init(&text, 1 << 20);
	assert_int_equal(buf_add_str(&text, "all: m0@x.example"), 0);
	for (unsigned i = 1; i < members; i++)
		assert_int_equal(buf_printf(&text, ", m%u@x.example", i), 0);
	assert_int_equal(buf_add(&text, (struct span){"\n\0", 2}), 0);
	world.a_aliases = text.p;
	locals_kit_open(&f, &world);
	if (locals_expand(f.locals, &inquiry, &envelope, arena, &out, &err) ==
	    LOCALS_FINE)
		n = out.nrcpts;
	else
		assert_string_equal(err.enhanced, "4.3.0");
	locals_kit_close(&f);
	buf_free(&text);
	arena_free(&arena);
	return n;
}

/* RFC 3461 5.1: whether the sender wants to hear of it makes no difference. */
static void
to_be_told_is_not_one_too_many(void **state)
{
	(void)state;
	assert_int_equal(expand_many(1000, NOTIFY_DEFAULT), 1000);
	assert_int_equal(expand_many(1000, NOTIFY_SUCCESS), 1001);
	assert_int_equal(expand_many(1001, NOTIFY_DEFAULT), 0);
	assert_int_equal(expand_many(1001, NOTIFY_SUCCESS), 0);
}

/* A file of many aliases, each of which stands for the one before. */
static void
long_chains_are_told_of_in_time(void **state)
{
	struct locals_world world = {LOCALS_KIT_A_B, "", "", ""};
	struct locals_kit f;
	struct buf text;

	(void)state;
	buf_init(&text, 16 << 20);
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(buf_printf(&text, "u%u: u%u\n", i, i + 1), 0);
	assert_int_equal(buf_add(&text, (struct span){"u20000\n\0", 8}), 0);
	world.a_aliases = text.p;
	locals_kit_open(&f, &world);
	assert_int_equal(locals_check(f.locals, &f.problems), -1);
	locals_kit_close(&f);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_most_special_entry_answers),
	    cmocka_unit_test(a_domain_has_its_own_ways),
	    cmocka_unit_test(loops_through_several_files_are_found),
	    cmocka_unit_test(what_is_wrong_is_told_once),
	    cmocka_unit_test(loops_end),
	    cmocka_unit_test(several_share_no_success),
	    cmocka_unit_test(to_be_told_is_not_one_too_many),
	    cmocka_unit_test(long_chains_are_told_of_in_time),
	};

	return cmocka_run_group_tests_name("locals", tests, NULL, NULL);
}
