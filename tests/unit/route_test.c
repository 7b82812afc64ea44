/* From an address to a destination, and who may send to whom. */
#include <string.h>

#include "mta/locals.h"
#include "mta/receive/private.h"
#include "mta/route.h"

#include "tests/support/test.h"

static const char text[] =
    "hostname = \"mx.example.org\"\n"
    "spool = \"/var/spool/danelaw\"\n"
    "postmaster = \"admin@example.org\"\n"
    "listen \"mx\" { address = {\"127.0.0.1:2525\"} }\n"
    "domain \"example.org\" { deliver = \"maildir:/mail/%d/%u\"\n"
    "    recipients = \"file:/etc/danelaw/recipients\"\n"
    "    tls_reports = {\"bob\", \"tls-reports\"} }\n"
    "domain \"xn--bcher-kva.example\" { deliver = \"discard\" }\n"
    "route \"routed.example\" { via = \"smtp:inner.example:587\" }\n"
    "relay { from = {\"192.0.2.0/24\"} }\n";

static const char people[] = "bob\n"
			     "sales: bob, ann@elsewhere.example\n"
			     "loop-free: sales\n";

static struct config *
parse(void)
{
	struct config *config = NULL;
	struct buf problems;

	buf_init(&problems, 10000);
	if (config_parse(span_of(text), "test.conf", &config, &problems) < 0)
		fail_msg("%.*s", (int)problems.n, problems.p);
	buf_free(&problems);
	return config;
}

static void
addresses_have_one_destination(void **state)
{
	static const struct {
		const char *address, *key;
	} rows[] = {
	    {"bob@example.org", "maildir:/mail/example.org/bob"},
	    {"BOB@EXAMPLE.ORG", "maildir:/mail/example.org/bob"},
	    {"50%off@example.org", "maildir:/mail/example.org/50%%off"},
	    {"\"../evil\"@example.org", ""},
	    {"postmaster", "maildir:/mail/example.org/admin"},
	    {"x@routed.example", "smtp:inner.example:587"},
	    {"x@far.example", "mx:far.example"},
	    {"x@[192.0.2.1]", "smtp:[192.0.2.1]:25"},
	    {"x@b\xc3\xbc"
	     "cher.example",
		"discard"},
	    {"x@m\xc3\xbcnchen.example", "mx:xn--mnchen-3ya.example"},
	    {"x@\xff.example", ""},
	};
	struct config *config = parse();

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char key[TARGET_TEXT_MAX];

		route_key(config, rows[i].address, key);
		if (strcmp(key, rows[i].key) != 0)
			fail_msg("%s: %s", rows[i].address, key);
	}
	config_free(&config);
}

static void
addresses_for_reports_are_known(void **state)
{
	static const struct {
		const char *address;
		bool is;
	} rows[] = {
	    {"bob@example.org", true},
	    {"TLS-Reports@Example.ORG", true},
	    {"ann@example.org", false},
	    {"bobby@example.org", false},
	    {"tls@example.org", false},
	    {"bob@xn--bcher-kva.example", false},
	    {"bob@far.example", false},
	    {"bob", false},
	    {"postmaster", false},
	};
	struct config *config = parse();

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (route_is_for_reports(config, rows[i].address) != rows[i].is)
			fail_msg("%s", rows[i].address);
	config_free(&config);
}

struct fixture {
	struct config *config;
	struct bundle *bundle;
	struct receive receive;
};

static void
set_up(struct fixture *f)
{
	struct err err;

	*f = (struct fixture){.config = parse(), .bundle = bundle_new()};
	bundle_add(f->bundle, "recipients", "example.org", span_of(people));
	f->receive.config = f->config;
	if (locals_new(f->config, f->bundle, &f->receive.locals, &err) < 0)
		fail_msg("%s", err.text);
}

static void
tear_down(struct fixture *f)
{
	locals_free(&f->receive.locals);
	bundle_free(&f->bundle);
	config_free(&f->config);
}

static void
recipients_are_judged(void **state)
{
	static const struct {
		const char *rule, *client, *address, *code;
	} rows[] = {
	    {"known", "198.51.100.1", "bob@example.org", ""},
	    {"an alias", "198.51.100.1", "sales@example.org", ""},
	    {"RFC 5321 3.3 unknown", "198.51.100.1", "eve@example.org",
		"5.1.1"},
	    {"RFC 5321 4.5.1 postmaster exists in every domain", "198.51.100.1",
		"PostMaster@example.org", ""},
	    {"RFC 5321 4.5.1 postmaster without a domain", "198.51.100.1",
		"postmaster", ""},
	    {"not a postmaster", "198.51.100.1", "postmasters@example.org",
		"5.1.1"},
	    {"relaying denied", "198.51.100.1", "x@far.example", "5.7.1"},
	    {"relaying for our own", "192.0.2.77", "x@far.example", ""},
	    {"unknown is unknown for our own, too", "192.0.2.77",
		"eve@example.org", "5.1.1"},
	    {"RFC 6531 3.2 U-labels are the same domain", "198.51.100.1",
		"x@b\xc3\xbc"
		"cher.example",
		""},
	    {"a domain that is none", "198.51.100.1", "x@\xff.example",
		"5.7.1"},
	};
	struct fixture f;

	(void)state;
	set_up(&f);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct inquiry inquiry = {0};
		struct err err = {0};
		int rc = rules_recipient(&f.receive, &inquiry, rows[i].client,
		    rows[i].address, &err);

		if ((rc == 0) != (rows[i].code[0] == '\0') ||
		    strcmp(err.enhanced, rows[i].code) != 0)
			fail_msg(
			    "%s: %s %s", rows[i].rule, err.enhanced, err.text);
	}
	tear_down(&f);
}

static void
aliases_stand_for_people(void **state)
{
	struct envelope_rcpt rcpts[] = {
	    {"loop-free@example.org", "", NOTIFY_FAILURE},
	    {"bob@example.org", "", 0},
	    {"postmaster@example.org", "", 0},
	    {"Postmaster@elsewhere.example", "", 0},
	};
	struct envelope envelope = {.rcpts = rcpts, .nrcpts = 4}, out;
	struct arena *arena = arena_new(1u << 20);
	struct fixture f;
	struct inquiry inquiry = {0};
	struct err err;

	(void)state;
	set_up(&f);
	assert_int_equal(locals_expand(f.receive.locals, &inquiry, &envelope,
			     arena, &out, &err),
	    LOCALS_FINE);
	assert_int_equal(out.nrcpts, 4);
	assert_string_equal(out.rcpts[0].address, "bob@example.org");
	assert_int_equal(out.rcpts[0].notify, NOTIFY_FAILURE);
	assert_string_equal(out.rcpts[1].address, "ann@elsewhere.example");
	assert_string_equal(out.rcpts[2].address, "admin@example.org");
	/* RFC 5321 4.5.1 is about our domains. */
	assert_string_equal(
	    out.rcpts[3].address, "Postmaster@elsewhere.example");
	tear_down(&f);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_have_one_destination),
	    cmocka_unit_test(addresses_for_reports_are_known),
	    cmocka_unit_test(recipients_are_judged),
	    cmocka_unit_test(aliases_stand_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
