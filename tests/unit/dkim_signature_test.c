/* The DKIM-Signature field, one claim after the other. */
#include <stdio.h>

#include "reporting/dkim_signature.h"

#include "tests/support/test.h"

#define BH32  "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define OTHER "; " BH32 "; b=AAAA"
#define NAMES "d=example.org; s=sel; h=From"
#define GOOD  "v=1; a=rsa-sha256; " NAMES OTHER
#define NOW   1000
#define L63   "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz1"

/* With a DKIM_PASS why is NULL. */
static const struct {
	const char *tags;
	enum dkim_verdict verdict;
	const char *why;
} rows[] = {
    {GOOD, DKIM_PASS, NULL},
    {GOOD ";", DKIM_PASS, NULL},
    {GOOD "; z=From:x|To:y; unheard=of", DKIM_PASS, NULL},
    /* RFC 6376 3.2 */
    {GOOD "; s=sel", DKIM_PERMERROR, "twice"},
    {GOOD "; x", DKIM_PERMERROR, "no \"=\""},
    /* RFC 6376 6.1.1: v= */
    {"a=rsa-sha256; " NAMES OTHER, DKIM_PERMERROR, "v= is not 1"},
    {"v=2; a=rsa-sha256; " NAMES OTHER, DKIM_PERMERROR, "v= is not 1"},
    {"v=1.0; a=rsa-sha256; " NAMES OTHER, DKIM_PERMERROR, "v= is not 1"},
    {"v=01; a=rsa-sha256; " NAMES OTHER, DKIM_PERMERROR, "v= is not 1"},
    /* RFC 6376 3.3.4, RFC 8301 3.1, RFC 8463 3 */
    {"v=1; a=ed25519-sha256; " NAMES OTHER, DKIM_PASS, NULL},
    {"v=1; a=rsa-sha1; " NAMES OTHER, DKIM_FAIL, "RFC 8301 3.1"},
    {"v=1; a=rsa-sha512; " NAMES OTHER, DKIM_NEUTRAL, "a= is unknown"},
    {"v=1; a=ed25519-sha1; " NAMES OTHER, DKIM_NEUTRAL, "a= is unknown"},
    {"v=1; a=RSA-SHA256; " NAMES OTHER, DKIM_NEUTRAL, "a= is unknown"},
    {"v=1; a=rsa; " NAMES OTHER, DKIM_NEUTRAL, "a= is unknown"},
    {"v=1; a=; " NAMES OTHER, DKIM_PERMERROR, "no a="},
    {"v=1; " NAMES OTHER, DKIM_PERMERROR, "no a="},
    /* RFC 6376 3.4 */
    {GOOD "; c=simple/simple", DKIM_PASS, NULL},
    {GOOD "; c=nowsp", DKIM_NEUTRAL, "c= is unknown"},
    {GOOD "; c=relaxed/nowsp", DKIM_NEUTRAL, "c= is unknown"},
    {GOOD "; c=Relaxed/relaxed", DKIM_NEUTRAL, "c= is unknown"},
    {GOOD "; c=relaxed/", DKIM_NEUTRAL, "c= is unknown"},
    {GOOD "; c=relaxed/simple/simple", DKIM_NEUTRAL, "c= is unknown"},
    {GOOD "; c=", DKIM_NEUTRAL, "c= is unknown"},
    /* RFC 6376 3.5: q= */
    {GOOD "; q=dns/txt", DKIM_PASS, NULL},
    {GOOD "; q=x/y : dns/txt", DKIM_PASS, NULL},
    {GOOD "; q=dns", DKIM_NEUTRAL, "q= is unknown"},
    {GOOD "; q=x/y", DKIM_NEUTRAL, "q= is unknown"},
    /* RFC 6376 3.5: d= and s= */
    {"v=1; a=rsa-sha256; d=ex.org; s=a.b_c; h=From" OTHER, DKIM_PASS, NULL},
    {"v=1; a=rsa-sha256; d=org; s=sel; h=From" OTHER, DKIM_PERMERROR,
	"d= is missing"},
    {"v=1; a=rsa-sha256; d=.org; s=sel; h=From" OTHER, DKIM_PERMERROR,
	"d= is missing"},
    {"v=1; a=rsa-sha256; d=ex.org.; s=sel; h=From" OTHER, DKIM_PERMERROR,
	"d= is missing"},
    {"v=1; a=rsa-sha256; d=ex..org; s=sel; h=From" OTHER, DKIM_PERMERROR,
	"d= is missing"},
    {"v=1; a=rsa-sha256; d=-ex.org; s=sel; h=From" OTHER, DKIM_PERMERROR,
	"d= is missing"},
    {"v=1; a=rsa-sha256; d=\xc3\xa4.org; s=sel; h=From" OTHER, DKIM_PERMERROR,
	"d= is missing"},
    {"v=1; a=rsa-sha256; d=a\\101.org; s=sel; h=From" OTHER, DKIM_PERMERROR,
	"d= is missing"},
    {"v=1; a=rsa-sha256; d=" L63 "a.org; s=sel; h=From" OTHER, DKIM_PERMERROR,
	"d= is missing"},
    {"v=1; a=rsa-sha256; d=; s=sel; h=From" OTHER, DKIM_PERMERROR,
	"d= is missing"},
    {"v=1; a=rsa-sha256; s=sel; h=From" OTHER, DKIM_PERMERROR, "d= is missing"},
    {"v=1; a=rsa-sha256; d=ex.org; h=From" OTHER, DKIM_PERMERROR,
	"s= is missing"},
    {"v=1; a=rsa-sha256; d=ex.org; s=; h=From" OTHER, DKIM_PERMERROR,
	"s= is missing"},
    {"v=1; a=rsa-sha256; d=ex.org; s=a b; h=From" OTHER, DKIM_PERMERROR,
	"s= is missing"},
    /* RFC 6376 3.5: bh= and b= */
    {"v=1; a=rsa-sha256; " NAMES "; b=AAAA", DKIM_PERMERROR, "bh= is missing"},
    {"v=1; a=rsa-sha256; " NAMES "; bh=; b=AAAA", DKIM_PERMERROR,
	"bh= is missing"},
    {"v=1; a=rsa-sha256; " NAMES "; bh=AAAA; b=AAAA", DKIM_PERMERROR,
	"bh= is missing"},
    {"v=1; a=rsa-sha256; " NAMES "; " BH32, DKIM_PERMERROR, "b= is missing"},
    {"v=1; a=rsa-sha256; " NAMES "; b=; " BH32, DKIM_PERMERROR,
	"b= is missing"},
    {"v=1; a=rsa-sha256; " NAMES "; b=A!AA; " BH32, DKIM_PERMERROR,
	"b= is missing"},
    /* RFC 6376 3.5, 6.1.1: h= */
    {"v=1; a=rsa-sha256; d=ex.org; s=sel" OTHER, DKIM_PERMERROR,
	"h= is missing"},
    {"v=1; a=rsa-sha256; d=ex.org; s=sel; h=" OTHER, DKIM_PERMERROR,
	"h= is missing"},
    {"v=1; a=rsa-sha256; d=ex.org; s=sel; h=From:" OTHER, DKIM_PERMERROR,
	"h= is missing"},
    {"v=1; a=rsa-sha256; d=ex.org; s=sel; h=From:a b" OTHER, DKIM_PERMERROR,
	"h= is missing"},
    {"v=1; a=rsa-sha256; d=ex.org; s=sel; h=To:Date" OTHER, DKIM_PERMERROR,
	"without From"},
    {"v=1; a=rsa-sha256; d=ex.org; s=sel; h=To : fROM" OTHER, DKIM_PASS, NULL},
    /* RFC 6376 6.1.1: i=; RFC 6376 2.11: blanks in it */
    {GOOD "; i=@example.org", DKIM_PASS, NULL},
    {GOOD "; i=joe@sub.Example.ORG", DKIM_PASS, NULL},
    {GOOD "; i=\"a@b\"@sub.example.org", DKIM_PASS, NULL},
    {GOOD "; i=joe=40x@a.b.example\r\n .org", DKIM_PASS, NULL},
    {GOOD "; i=@example.com", DKIM_PERMERROR, "i= is not in d="},
    {GOOD "; i=@org", DKIM_PERMERROR, "i= is not in d="},
    {GOOD "; i=@badexample.org", DKIM_PERMERROR, "i= is not in d="},
    {GOOD "; i=@example.org@example.com", DKIM_PERMERROR, "i= is not in d="},
    {GOOD "; i=example.org", DKIM_PERMERROR, "i= is not in d="},
    {GOOD "; i=", DKIM_PERMERROR, "i= is not in d="},
    {GOOD "; i=joe@", DKIM_PERMERROR, "i= is not in d="},
    /* RFC 6376 3.5: l= */
    {GOOD "; l=0", DKIM_PASS, NULL},
    {GOOD "; l=0000000000000000000000000000000000000000000000000000000000000"
	  "000000000000001",
	DKIM_PASS, NULL},
    {GOOD "; l=0000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000001",
	DKIM_PERMERROR, "l= is no number"},
    {GOOD "; l=", DKIM_PERMERROR, "l= is no number"},
    {GOOD "; l=-1", DKIM_PERMERROR, "l= is no number"},
    {GOOD "; l=1 0", DKIM_PERMERROR, "l= is no number"},
    /* RFC 6376 3.5: t= and x= */
    {GOOD "; t=999999999999", DKIM_PASS, NULL},
    {GOOD "; t=0999999999999", DKIM_PERMERROR, "t= is no time"},
    {GOOD "; t=", DKIM_PERMERROR, "t= is no time"},
    {GOOD "; t=x", DKIM_PERMERROR, "t= is no time"},
    {GOOD "; x=1000", DKIM_PASS, NULL},
    {GOOD "; x=999", DKIM_POLICY, "expired"},
    {GOOD "; t=10; x=1001", DKIM_PASS, NULL},
    {GOOD "; t=1001; x=1001", DKIM_PERMERROR, "not after t="},
    {GOOD "; t=1002; x=1001", DKIM_PERMERROR, "not after t="},
    {GOOD "; x=-1", DKIM_PERMERROR, "x= is no time"},
    {GOOD "; x=9999999999999", DKIM_PERMERROR, "x= is no time"},
};

static struct dkim_finding
read_tags(const char *tags, int64_t now, struct dkim_signature *ret)
{
	static char field[DKIM_FIELD_MAX + 1000];

	(void)snprintf(field, sizeof(field), "DKIM-Signature: %s", tags);
	return dkim_signature_read(span_of(field), now, ret);
}

static void
fields_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dkim_signature signature;
		struct dkim_finding finding = read_tags(
		    rows[i].tags, NOW, &signature);

		if (finding.verdict != rows[i].verdict ||
		    (rows[i].why == NULL
			    ? finding.why[0] != '\0'
			    : strstr(finding.why, rows[i].why) == NULL))
			fail_msg("%s: %s, %s", rows[i].tags,
			    dkim_verdict_name(finding.verdict), finding.why);
	}
}

static void
its_values_are_kept(void **state)
{
	struct dkim_signature s;

	(void)state;
	assert_int_equal(
	    read_tags(" v=1; a=ed25519-sha256; c=relaxed; b = A\r\n AAA ; "
		      "d=Example.ORG; s=Sel; i=x@Sub.Example.org; t=12; "
		      "l=18446744073709551616; h=From:\r\n To; " BH32,
		NOW, &s)
		.verdict,
	    DKIM_PASS);
	assert_int_equal(s.algorithm, DKIM_ED25519_SHA256);
	assert_int_equal(s.header, DKIM_RELAXED);
	/* RFC 6376 3.5: "c=relaxed" is relaxed/simple */
	assert_int_equal(s.body, DKIM_SIMPLE);
	assert_string_equal(s.domain, "example.org");
	assert_string_equal(s.selector, "sel");
	assert_string_equal(s.identity, "sub.example.org");
	assert_true(span_eq(s.names, SPAN("From:\r\n To")));
	assert_int_equal(s.nbytes, 3);
	assert_int_equal(s.body_hash[0], 0xe3);
	assert_true(s.has_length);
	assert_true(s.length == UINT64_MAX);
	assert_int_equal(s.signed_at, 12);
	/* RFC 6376 3.5: b= with all blanks around its value is empty */
	assert_true(span_eq(s.before_b,
	    SPAN("DKIM-Signature:  v=1; a=ed25519-sha256; c=relaxed; b =")));
	assert_int_equal(s.after_b.p[0], ';');
	assert_int_equal(s.after_b.p[2], 'd');
}

static void
nothing_said_is_simple_and_the_domain_itself(void **state)
{
	struct dkim_signature s;

	(void)state;
	assert_int_equal(read_tags(GOOD, NOW, &s).verdict, DKIM_PASS);
	assert_int_equal(s.header, DKIM_SIMPLE);
	assert_int_equal(s.body, DKIM_SIMPLE);
	assert_string_equal(s.identity, "example.org");
	assert_false(s.has_length);
	assert_int_equal(
	    read_tags(GOOD "; c=simple/relaxed", NOW, &s).verdict, DKIM_PASS);
	assert_int_equal(s.header, DKIM_SIMPLE);
	assert_int_equal(s.body, DKIM_RELAXED);
}

/* RFC 6376 6.1.1: without a clock nothing with an end is good */
static void
without_a_clock_all_have_expired(void **state)
{
	struct dkim_signature s;

	(void)state;
	assert_int_equal(
	    read_tags(GOOD "; x=999999999999", 0, &s).verdict, DKIM_POLICY);
	assert_int_equal(
	    read_tags(GOOD "; x=999999999999", -1, &s).verdict, DKIM_POLICY);
	assert_int_equal(read_tags(GOOD, 0, &s).verdict, DKIM_PASS);
}

/* RFC 6376 3.5: lengths are looked at */
static void
fields_and_lists_are_not_without_end(void **state)
{
	static char tags[DKIM_FIELD_MAX + 100];
	static char names[4 * DKIM_NAMES_MAX + 100];
	struct dkim_signature s;
	size_t room = DKIM_FIELD_MAX - strlen("DKIM-Signature: ");

	(void)state;
	(void)snprintf(tags, sizeof(tags), "%s; z=", GOOD);
	memset(tags + strlen(tags), 'a', room - strlen(tags));
	assert_int_equal(read_tags(tags, NOW, &s).verdict, DKIM_PASS);
	tags[room] = 'a';
	assert_int_equal(read_tags(tags, NOW, &s).verdict, DKIM_PERMERROR);

	(void)snprintf(names, sizeof(names), "From");
	for (size_t i = 1; i < DKIM_NAMES_MAX; i++)
		(void)snprintf(names + strlen(names),
		    sizeof(names) - strlen(names), ":To");
	(void)snprintf(tags, sizeof(tags),
	    "v=1; a=rsa-sha256; d=ex.org; s=sel; h=%s" OTHER, names);
	assert_int_equal(read_tags(tags, NOW, &s).verdict, DKIM_PASS);
	(void)snprintf(tags, sizeof(tags),
	    "v=1; a=rsa-sha256; d=ex.org; s=sel; h=%s:To" OTHER, names);
	assert_int_equal(read_tags(tags, NOW, &s).verdict, DKIM_PERMERROR);
}

/* Of what is refused the names are said where they can be read. */
static void
names_are_kept_of_what_is_refused(void **state)
{
	struct dkim_signature s;

	(void)state;
	assert_int_equal(
	    read_tags("v=9; d=Ex.org; s=S", NOW, &s).verdict, DKIM_PERMERROR);
	assert_string_equal(s.domain, "ex.org");
	assert_string_equal(s.selector, "s");
	assert_int_equal(
	    read_tags("v=1; d=org; s=S", NOW, &s).verdict, DKIM_PERMERROR);
	assert_string_equal(s.domain, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_judged),
	    cmocka_unit_test(its_values_are_kept),
	    cmocka_unit_test(nothing_said_is_simple_and_the_domain_itself),
	    cmocka_unit_test(without_a_clock_all_have_expired),
	    cmocka_unit_test(fields_and_lists_are_not_without_end),
	    cmocka_unit_test(names_are_kept_of_what_is_refused),
	};

	return cmocka_run_group_tests_name("dkim_signature", tests, NULL, NULL);
}
