#include <string.h>

#include "base/mem.h"
#include "mta/config.h"

#include "tests/support/config.h"
#include "tests/support/test.h"

#define LABEL "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz0123"

/* Each row: what is wrong, and what the complaint must say. */
static const struct {
	const char *text;
	const char *says;
} wrong[] = {
    /* missing */
    {"", "danelaw.conf:1: hostname is missing\n"
	 "danelaw.conf:1: spool is missing\n"
	 "danelaw.conf:1: no listen block; expected"},
    {LEAST "domain \"a.example\" {\n\n}", "4: domain \"a.example\": deliver "
					  "is missing"},
    {HOST SPOOL "\nlisten \"x\" { address = {} }",
	"4: listen \"x\": address is missing"},
    {LEAST "certificate \"c\" { chain = \"/c\" }",
	"4: certificate \"c\": key is missing"},
    {LEAST "route \"*\" {}", "4: route \"*\": via is missing"},
    {LEAST "resolver {\n stub \"x.example\" { }\n}",
	"5: stub \"x.example\": server is missing"},
    {LEAST "milter \"m\" {}", "4: milter \"m\": address is missing"},
    {LEAST "milter \"m\" { address = \"/run/x\" }",
	"4: milter \"m\": address: \"/run/x\": expected unix:/PATH of at most "
	"107 octets or inet:ADDRESS:PORT"},
    {LEAST "milter \"m\" { address = \"unix:run/x\" }", "expected unix:/PATH"},
    {LEAST "milter \"m\" { address = \"inet:127.0.0.1\" }",
	"expected unix:/PATH"},
    {LEAST "milter \"m\" { address = \"inet:host:25\" }",
	"expected unix:/PATH"},
    {LEAST "milter \"m\" { address = \"unix:/x\" on_failure = discard }",
	"\"discard\": expected tempfail, accept or reject"},
    {LEAST "milter \"m\" { address = \"unix:/x\" }\n"
	   "milter \"m\" { address = \"unix:/y\" }",
	"5: milter \"m\" comes twice, first in line 4"},
    /* unknown */
    {LEAST "hostnam = x", "4: unknown key \"hostnam\"; expected one of "
			  "hostname, spool,"},
    {LEAST "listen \"y\" {\nadress = {} }",
	"5: unknown key \"adress\"; expected one of address"},
    {LEAST "bogus \"y\" { }", "4: unknown key \"bogus\""},
    {LEAST "resolver { server = {} }",
	"expected one of trust_anchor, root_hints, timeout, self_test, "
	"self_test_interval, track_anchor, anchor_holddown, stub, forward\n"},
    {LEAST "domain \"a.example\" {}\ndomain \"b.example\" {}\n"
	   "domain \"a.example\" {}",
	"6: domain \"a.example\" comes twice, first in line 4"},
    {LEAST "include = \"/etc/passwd\"", "unknown key \"include\""},
    {LEAST "include(\"/etc/passwd\")", "unexpected \"(\""},
    /* twice */
    {LEAST HOST, "4: hostname is set twice, first in line 1"},
    {LEAST "limits { hops = 100 }\nlimits { hops = 101 }",
	"5: hops is set twice, first in line 4"},
    {LEAST "relay { from = {} }\nrelay { from = {\"::1\"} from = {\"::2\"} }",
	"5: from is set twice, first in line 5"},
    {LEAST "domain \"a.example\" { deliver = discard }\n"
	   "domain \"A.example\" { deliver = discard }",
	"5: domain \"A.example\" comes twice, first in line 4"},
    {LEAST "domain \"a.example\" { deliver = discard }\n"
	   "domain \"b.example\" { deliver = discard }\n"
	   "domain \"a.example\" { deliver = discard }",
	"6: domain \"a.example\" comes twice, first in line 4"},
    {LEAST LISTEN, "listen \"mx\" comes twice, first in line 3"},
    {LEAST "listen \"b\" { address = \"[0::0]:25\" }",
	"4: listen address \"[::]:25\" comes twice, first in line 3"},
    {LEAST "route \"*\" { via = \"\" }\nroute \"*\" { via = \"\" }",
	"5: route \"*\" comes twice"},
    {LEAST "resolver { stub \".\" { server = \"::1\" }\n"
	   "stub \".\" { server = \"::1\" } }",
	"5: stub \".\" comes twice"},
    {LEAST "certificate \"c\" { chain = \"/c\" key = \"/k\" }\n"
	   "certificate \"c\" { chain = \"/c\" key = \"/k\" }",
	"5: certificate \"c\" comes twice"},
    /* values */
    {SPOOL LISTEN "hostname = localhost",
	"3: hostname: \"localhost\": "
	"expected a fully qualified domain name"},
    {SPOOL LISTEN "hostname = \"mx_1.example\"", "expected a fully qualified"},
    /* RFC 6531 3.7.1: what is said in EHLO and its reply is ASCII */
    {SPOOL LISTEN "hostname = \"m\xc3\xbcller.example\"",
	"expected a fully qualified"},
    /* RFC 5321 2.3.4: hosts have names */
    {SPOOL LISTEN "hostname = \"192.0.2.1\"", "expected a fully qualified"},
    {SPOOL LISTEN "hostname = \"[192.0.2.1]\"", "expected a fully qualified"},
    {HOST LISTEN "spool = spool", "3: spool: \"spool\": expected an absolute"},
    {HOST LISTEN "spool = \"\"", "3: spool: \"\": expected an absolute"},
    {HOST SPOOL "listen \"m\" { address = {\"0.0.0.0\"} }",
	"3: listen \"m\": address: \"0.0.0.0\": expected ADDRESS:PORT"},
    {LEAST "listen \"m\" { address = \"mx.example:25\" }", "ADDRESS:PORT"},
    {LEAST "listen \"m\" { address = \"::1:25\" }", "ADDRESS:PORT"},
    {LEAST "listen \"m\" { address = \"[::1]\" }", "ADDRESS:PORT"},
    {LEAST "listen \"m\" { address = \"[::1:25\" }", "ADDRESS:PORT"},
    {LEAST "listen \"m\" { address = \"127.0.0.1:0\" }", "ADDRESS:PORT"},
    {LEAST "listen \"m\" { address = \"127.0.0.1:65536\" }", "ADDRESS:PORT"},
    {LEAST "mx_port = 0", "mx_port: \"0\": expected a number of 1 to 65535"},
    {LEAST "mx_port = 25s", "expected a number of 1 to 65535"},
    {LEAST "log = file", "log: \"file\": expected \"stderr\" or \"syslog\""},
    {LEAST "user = \"a b\"", "expected the name of a user"},
    {LEAST "user = ''", "user: \"\": expected the name of a user"},
    {LEAST "user = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "name of a user"},
    {LEAST "control = \"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
	"at most 107"},
    /* RFC 5321 4.5.3.1.1: a local part has at most 64 octets */
    {LEAST "postmaster = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	   "aaaaaaaaaaaaaaaaaaa@example.org\"",
	"expected a mail address"},
    {LEAST "listen \"m\" { address = "
	   "\"[1111:2222:3333:4444:5555:6666:7777:888:99.1.1.1]:25\" }",
	"ADDRESS:PORT"},
    {LEAST "listen \"m\" { address = "
	   "\"[1111:2222:3333:4444:5555:6666:7777:8888:9.1.1]:25\" }",
	"ADDRESS:PORT"},
    {LEAST "postmaster = \"nobody\"", "expected a mail address"},
    {LEAST "postmaster = \"a..b@example.org\"", "expected a mail address"},
    {LEAST "source = {\"192.0.2.1\", \"192.0.2.2\"}",
	"source: \"192.0.2.2\": expected an IP address, at most one"},
    {LEAST "domain \"a.example\" { deliver = \"x\" }",
	"4: domain \"a.example\": deliver: \"x\": expected mx:DOMAIN, smtp:"},
    {LEAST "domain \"a.example\" { deliver = \"\" }", "expected mx:DOMAIN"},
    {LEAST "domain \"a b\" { deliver = discard }",
	"4: domain \"a b\": expected a domain"},
    {LEAST "domain \"a.example\" { deliver = discard\ntls_reports = x }",
	"5: domain \"a.example\": tls_reports: expected deliver = maildir:"},
    {LEAST "domain \"a.example\" { deliver = \"mx:b.example\"\n"
	   "tls_reports = x }",
	"5: domain \"a.example\": tls_reports: expected deliver = maildir:"},
    {LEAST "domain \"a.example\" { deliver = \"lmtp:b:24\"\n"
	   "tls_reports = {\"x@a.example\"} }",
	"5: domain \"a.example\": tls_reports: \"x@a.example\": expected what "
	"stands before the @"},
    {LEAST "domain \"a.example\" { deliver = \"lmtp:b:24\"\n"
	   "tls_reports = {\"a/b\"} }",
	"tls_reports: \"a/b\": expected what stands before the @"},
    {LEAST "domain \"a.example\" { deliver = discard recipients = \"x\" }",
	"recipients: \"x\": expected \"file:\" and an absolute path"},
    {LEAST "domain \"a.example\" { deliver = discard delimiter = \"a\" }",
	"delimiter: \"a\": expected one of + - _ = # ."},
    {LEAST "domain \"a.example\" { deliver = discard\n"
	   "aliases = \"lookup:x\" }",
	"5: domain \"a.example\": aliases: expected the name of a lookup"},
    {LEAST "domain \"a.example\" { deliver = discard\nverify = lmtp }",
	"5: domain \"a.example\": verify: expected deliver = lmtp:unix:"},
    {LEAST "domain \"a.example\" { deliver = \"lmtp:b.example:24\"\n"
	   "verify = lmtp }",
	"5: domain \"a.example\": verify: expected deliver = lmtp:unix:"},
    {LEAST "domain \"a.example\" { deliver = \"lmtp:unix:/l\"\n"
	   "verify = lmtp recipients = \"/r\" }",
	"5: domain \"a.example\": recipients: expected this or verify"},
    {LEAST "lookup \"x\" { source = \"sqlite:/d\" }",
	"4: lookup \"x\": query: expected with sqlite:"},
    {LEAST "lookup \"x\" { source = \"sqlite:/d\" query = \"select 1\" }",
	"query: \"select 1\": expected one statement of SQL with one"},
    {LEAST "lookup \"x\" { source = \"socketmap:unix:/s:m\"\n"
	   "query = \"select ?\" }",
	"5: lookup \"x\": query: expected with sqlite: only"},
    {LEAST "lookup \"x\" { source = \"socketmap:unix:/s\" }",
	"source: \"socketmap:unix:/s\": expected \"sqlite:/PATH\""},
    {LEAST "lookup \"x\" { source = \"socketmap:inet:localhost:1:m\" }",
	"expected \"sqlite:/PATH\""},
    {LEAST "lookup \"x\" { source = \"ldap:x\" }", "expected \"sqlite:/PATH\""},
    {LEAST "lookup \"\" { source = \"socketmap:unix:/s:m\" }",
	"expected a name of 1 to 64"},
    {LEAST "tls \"*.example\" { level = dane }",
	"4: tls \"*.example\": expected \"example.org\""},
    {LEAST "tls \"a.example\" { level = strict }",
	"4: tls \"a.example\": level: \"strict\": expected none, "
	"opportunistic, "
	"encrypt, verify, secure or dane"},
    {LEAST "tls \"a.example\" { reason = \"x\" }",
	"4: tls \"a.example\": expected level, enforcement or requiretls"},
    {LEAST "requiretls = maybe",
	"4: requiretls: \"maybe\": expected enforce, encrypt, opportunistic "
	"or off"},
    {LEAST "tls_required = no",
	"4: tls_required: \"no\": expected \"honour\" or \"ignore\""},
    {LEAST "tls \"a.example\" { level = dane  match = {\"b.example\"} }",
	"4: tls \"a.example\": match: expected level = verify or secure"},
    {LEAST "tls \"a.example\" { level = dane  until = \"2027-02-30\" }",
	"until: \"2027-02-30\": expected a day as"},
    {LEAST "tls \"a.example\" { level = dane  until = \"27-02-30xx\" }",
	"until: \"27-02-30xx\": expected a day as"},
    {LEAST "tls \"a.example\" { level = dane  reason = \"a\tb\" }",
	"4: a control character in a string"},
    {LEAST "tls \"a.example\" { level = verify  match = {\"*.b.example\"} }",
	"match: \"*.b.example\": expected a name as"},
    {LEAST "enforcement = dry",
	"4: enforcement: \"dry\": expected enforce or audit"},
    {LEAST "tls \"a.example\" { level = dane }\n"
	   "tls \"a.example\" { level = none }",
	"5: tls \"a.example\" comes twice"},
    {LEAST "route \"*.example\" { via = \"\" }",
	"4: route \"*.example\": expected \"example.org\""},
    {LEAST "relay { from = {\"10.0.0.1/8\"} }",
	"4: relay: from: \"10.0.0.1/8\": expected an address prefix"},
    {LEAST "resolver { timeout = 5x }", "expected a time of 100ms to 1h"},
    {LEAST "resolver { timeout = 10ms }", "expected a time of 100ms to 1h"},
    {LEAST "resolver { timeout = 99999999999999999999s }", "expected a time"},
    {LEAST "resolver { timeout = 18446744073709551615d }", "expected a time"},
    {LEAST "resolver { stub \"x\" { server = \"ns.example\" } }",
	"4: stub \"x\": server: \"ns.example\": expected ADDRESS or"},
    {LEAST "resolver { stub \"x\" { server = \"::1\" insecure = maybe } }",
	"expected ADDRESS"},
    {LEAST "resolver { forward \"x y\" { server = \"[::1]\" } }",
	"4: forward \"x y\": expected a zone"},
    /* RFC 5321 4.5.3.1.7, RFC 5321 4.5.3.1.8, RFC 5321 4.5.3.1.6 */
    {LEAST "limits { message = 63K }", "expected a size of 64K to 4G"},
    {LEAST "limits { recipients = 99 }", "expected a number of 100 to 1000"},
    /* No job takes more. */
    {LEAST "limits { recipients = 1001 }", "expected a number of 100 to"},
    {LEAST "limits { text_line = 999 }", "expected a size of 1000 to 64M"},
    {LEAST "limits { text_line = 1k }", "expected a size of 1000 to 64M"},
    /* RFC 8996 4, RFC 8996 5 */
    {LEAST "tls_server { minimum = 1.1 }",
	"4: tls_server: minimum: \"1.1\": expected \"1.2\" or \"1.3\""},
    {LEAST "tls_server { ciphers = \"ALL:aNULL\" }",
	"expected \"modern\" or \"wide\""},
    {LEAST "tls_server { tickets = 2 }", "expected yes or no"},
    {LEAST "tls_server { require = {\"192.0.2.1/24\"} }",
	"4: tls_server: require: \"192.0.2.1/24\": expected an address prefix"},
    {LEAST "tls_server { require = {\"192.0.2.0/24\"} }",
	"4: tls_server: require: expected a certificate block"},
    {LEAST "tls_server { ticket_lifetime = 59s }",
	"expected a time of 1m to 1d"},
    {LEAST "limits { hops = -1 }", "expected a number of 10 to 1000"},
    {LEAST "retry { first = 500ms }", "expected a time of 1s to 1d"},
    {LEAST "reporting { spread = 25h }", "expected a time of 0 to 1d"},
    {LEAST "reporting { size = 1023 }", "expected a size of 1K to 1G"},
    {LEAST "reporting { exclude = {\"*.b.example\"} }",
	"4: reporting: exclude: \"*.b.example\": expected a domain as"},
    {LEAST "reporting { copies = {\"a@b.example\", \"b.example\"} }",
	"4: reporting: copies: \"b.example\": expected a mail address as"},
    {LEAST "reporting { failures_only = maybe }", "expected yes or no"},
    {LEAST "reporting { contact = \"b.example\" }",
	"4: reporting: contact: \"b.example\": expected a mail address as"},
    {LEAST "reporting { dkim \"a b\" { key = /k } }",
	"4: dkim \"a b\": expected a selector: letters, digits,"},
    {LEAST "reporting { dkim \"a..b\" { key = /k } }",
	"4: dkim \"a..b\": expected a selector"},
    {LEAST "reporting { dkim { key = /k } }",
	"4: a name in quotes expected behind dkim"},
    {LEAST "reporting { dkim x { domain = localhost key = /k } }",
	"4: dkim \"x\": domain: \"localhost\": expected a fully qualified"},
    {LEAST "reporting { dkim x { key = k } }",
	"4: dkim \"x\": key: \"k\": expected an absolute path"},
    {LEAST "reporting {\n dkim x { } }", "5: dkim \"x\": key is missing"},
    {LEAST "reporting { dkim x { selector = y key = /k } }",
	"unknown key \"selector\"; expected one of domain, key\n"},
    {LEAST "dkim x { key = /k }", "4: unknown key \"dkim\""},
    /* rules between keys */
    {LEAST "reporting {\nsend = yes dkim x { key = /k } }",
	"5: reporting: send: expected collect = yes beside it\n"},
    {LEAST "reporting { collect = yes\nsend = yes }",
	"5: reporting: send: expected dkim \"SELECTOR\" { key = "},
    {LEAST "reporting {\n contact = \"a@localhost\"\n dkim x { key = /k } }",
	"5: reporting: contact: \"a@localhost\": expected an address of a "
	"fully qualified domain"},
    {LEAST "postmaster = \"a@lan\"\nreporting { collect = yes send = yes }",
	"5: reporting: contact: \"a@lan\": expected an address of a fully"},
    /* RFC 8460 3: by the reporting domain */
    {LEAST "reporting { contact = \"a@b.example\"\n"
	   "dkim x { key = /k }\n"
	   "dkim y { domain = \"mail.b.example\" key = /k }\n"
	   "dkim z { domain = \"B.example\" key = /k } }",
	"danelaw.conf:6: dkim \"y\": domain: \"mail.b.example\": expected "
	"\"b.example\", the domain of contact\n"},
    {LEAST "reporting { dkim \"x\" { domain = \"example.org\" key = /k } }",
	"4: dkim \"x\": domain: \"example.org\": expected "
	"\"mx1.example.org\""},
    {LEAST "reporting { dkim \"x\" { key = /k }\n dkim \"X\" { key = /l } }",
	"5: dkim \"X\" comes twice, first in line 4"},
    {LEAST "reporting { dkim a { key = /k } dkim b { key = /k }\n"
	   "dkim c { key = /k } dkim d { key = /k }\ndkim e { key = /k } }",
	"danelaw.conf:6: reporting: expected at most 4 dkim blocks\n"},
    {LEAST "reporting {\ncopies = {\"a@b.c\", \"b@b.c\", \"c@b.c\", "
	   "\"d@b.c\", \"e@b.c\"} }",
	"5: reporting: copies: expected at most 4 addresses\n"},
    {LEAST "reporting { dkim \"" LABEL "." LABEL "." LABEL "." LABEL
	   "\" { key = /k } }",
	"SELECTOR._domainkey.DOMAIN is longer than 253 octets\n"},
    {LEAST "retry {\n first = 2h\n longest = 1h }",
	"6: retry: longest: expected no less than first"},
    {LEAST "retry { lifetime = 1m }", "lifetime: expected no less than first"},
    {LEAST "retry { warn = 5d }", "warn: expected less than lifetime"},
    {LEAST "limits { segment = 1M inline_message = 1M }",
	"segment: expected at least twice inline_message"},
    {HOST LISTEN "spool = \"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
	"3: control: the socket"},
    /* shape */
    {HOST SPOOL "listen { address = \"[::]:25\" }",
	"3: a name in quotes expected behind listen"},
    {HOST "spool \"/x\"", "2: \"=\" expected behind spool"},
    {HOST "limits = 3", "2: \"{\" expected behind limits"},
    {HOST "spool =", "premature end of file"},
    {LEAST "limits {\n\n", "4: this block has no end"},
    {LEAST "}", "4: \"}\" without a \"{\""},
    {LEAST "a { b { c { d { e { } } } } }", "more than 4 deep"},
    {"hostname = \"mx1.example.org;\n" SPOOL, "1: this string has no end"},
    {"hostname = \"mx1", "1: this string has no end"},
    {"hostname = 'mx1\\", "1: this string has no end"},
    {LEAST "/* never ends", "4: this comment has no end"},
    {HOST "spool = \"/x\";", "2: unexpected \";\""},
    {"hostname = \"${HOME}\"", "1: \"${\" in a string"},
    {"hostname = ${HOME}", "1: unexpected \"$\""},
    {"hostname = \"a\\nb\"", "1: a backslash in a string"},
    {"hostname = \"a\tb\"", "1: a control character"},
    {"\"listen='\" = x", "1: a string where a key was expected"},
    {"a = b \"limits|hops\" = 3", "1: a string where a key was expected"},
    {"limits|hops = 3", "1: unexpected \"|\""},
    {"hostname += x", "1: unexpected \"+\""},
    {"h\xc3\xb6st = x", "1: unexpected \"\\xc3\""},
};

static void
problems_name_line_key_and_expectation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(wrong); i++) {
		char problems[8192];
		struct config *config = parse(
		    wrong[i].text, problems, sizeof(problems));

		if (config != NULL)
			fail_msg("row %zu was taken: %s", i, wrong[i].text);
		if (strstr(problems, wrong[i].says) == NULL)
			fail_msg("row %zu wants \"%s\", got %s", i,
			    wrong[i].says, problems);
	}
}

static void
all_problems_come_at_once(void **state)
{
	char problems[4096];

	(void)state;
	assert_null(parse("hostname = x\nspool = y\nmx_port = z\n"
			  "limits { hops = 1 }\nretry { warn = 9d }\n"
			  "domain \"a.example\" { deliver = nowhere }\n",
	    problems, sizeof(problems)));
	assert_non_null(strstr(problems, "danelaw.conf:1: hostname: \"x\""));
	assert_non_null(strstr(problems, "danelaw.conf:2: spool: \"y\""));
	assert_non_null(strstr(problems, "danelaw.conf:3: mx_port: \"z\""));
	assert_non_null(strstr(problems, "danelaw.conf:4: limits: hops: "));
	assert_non_null(strstr(problems, "danelaw.conf:5: retry: warn: "));
	assert_non_null(strstr(problems, "danelaw.conf:6: domain \"a.example"));
	assert_non_null(strstr(problems, "no listen block"));
}

/* What an unknown key says does not hide what comes behind it. */
static void
unknown_keys_do_not_end_the_reading(void **state)
{
	static const char *const says[] = {
	    "conf:4: unknown key \"one\"; expected one of hostname,",
	    "conf:4: user: \"a b\": expected the name of a user",
	    "conf:5: unknown key \"two\"",
	    "conf:7: unknown key \"three\"",
	    "conf:9: unknown key \"five\"",
	    "conf:9: mx_port: \"0\": expected",
	    "conf:10: unknown key \"six\"; expected one of message,",
	    "conf:10: limits: errors: \"0\": expected",
	    "conf:11: unknown key \"rcpts\"; expected one of deliver,",
	    "conf:12: unknown key \"seven\"",
	    "conf:13: log: \"nowhere\": expected",
	};
	static const char text[] = LEAST
	    "one = x user = \"a b\"\n"
	    "two = { a,\n \"b\" }\n"
	    "three { limits { hops = 1 }\n four = 5 }\n"
	    "five \"x\" { } mx_port = 0\n"
	    "limits { six = 7 errors = 0 }\n"
	    "domain \"a\" { deliver = discard rcpts = \"x\" }\n"
	    "seven = ''\n"
	    "log = nowhere\n";
	char problems[8192];

	(void)state;
	assert_null(parse(text, problems, sizeof(problems)));
	for (size_t i = 0; i < ROWS(says); i++)
		if (strstr(problems, says[i]) == NULL)
			fail_msg("\"%s\" is not in: %s", says[i], problems);
	assert_null(strstr(problems, "four"));
	assert_null(strstr(problems, "conf:7: limits"));
	assert_null(
	    parse("two = { a, \"b\", {} }\n", problems, sizeof(problems)));
}

/* libConfuse keeps its scanner's state between parses. */
static void
a_bad_text_does_not_spoil_the_next(void **state)
{
	char problems[8192];

	(void)state;
	for (size_t i = 0; i < ROWS(wrong); i++) {
		struct config *config;

		assert_null(parse(wrong[i].text, problems, sizeof(problems)));
		config = parse_good(LEAST);
		config_free(&config);
	}
}

static void
many_problems_stay_in_bounds(void **state)
{
	struct config *config = NULL;
	struct buf problems, text;

	(void)state;
	buf_init(&problems, 200);
	buf_init(&text, 1 << 20);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(buf_add(&text, SPAN("mx_port = 0\n")), 0);
	assert_int_equal(
	    config_parse(buf_span(&text), "f", &config, &problems), -1);
	assert_true(problems.n <= 200);
	buf_free(&problems);
	buf_init(&problems, 0);
	assert_int_equal(
	    config_parse(buf_span(&text), "f", &config, &problems), -1);
	assert_null(config);
	buf_free(&problems);
	buf_free(&text);
}

static void
nul_and_size_are_refused(void **state)
{
	struct config *config = NULL;
	struct buf problems;
	size_t n = 9 << 20;
	char *large = mem_new(n);

	(void)state;
	buf_init(&problems, 4096);
	assert_int_equal(
	    config_parse(SPAN(LEAST "user = a\0b"), "f", &config, &problems),
	    -1);
	assert_int_equal(config_parse(SPAN(LEAST "user = \"a\0b\""), "f",
			     &config, &problems),
	    -1);
	memset(large, ' ', n);
	assert_int_equal(
	    config_parse((struct span){large, n}, "f", &config, &problems), -1);
	assert_int_equal(
	    config_parse((struct span){NULL, 0}, "f", &config, &problems), -1);
	assert_null(config);
	mem_free(large);
	buf_free(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(problems_name_line_key_and_expectation),
	    cmocka_unit_test(all_problems_come_at_once),
	    cmocka_unit_test(unknown_keys_do_not_end_the_reading),
	    cmocka_unit_test(a_bad_text_does_not_spoil_the_next),
	    cmocka_unit_test(many_problems_stay_in_bounds),
	    cmocka_unit_test(nul_and_size_are_refused),
	};

	return cmocka_run_group_tests_name(
	    "config_problems", tests, NULL, NULL);
}
