/* Whose a report is, by its signatures. */
#include <stdio.h>
#include <string.h>

#include "reporting/dkim_report.h"

#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

#define NAMES                                \
	"TLS-Report-Domain: example.com\r\n" \
	"TLS-Report-Submitter: example.org\r\n"
#define MESSAGE KIT_FROM NAMES "\r\nreport\r\n"
#define ALL     "h=From:TLS-Report-Domain:TLS-Report-Submitter; "
#define REST    "v=1; a=ed25519-sha256; s=sel; bh=@bh; b=@b"
#define OWN     "d=example.org; " ALL REST
#define TYPED   "d=example.org; h=From:Content-Type; " REST
#define TYPE    "Content-Type: text/plain\r\n"

#define UNSIGNED "neither Content-Type nor the fields"

/* RFC 8460 3, 5.3; without a reason it is vouched for. */
static const struct {
	const char *tags;
	const char *record; /* tags of it; NULL: it cannot be looked up */
	const char *message;
	const char *reporter;
	const char *why;
} rows[] = {
    {OWN, "", MESSAGE, "example.org", NULL},
    {OWN, "s=tlsrpt; ", MESSAGE, "example.org", NULL},
    {OWN, "s=*; ", MESSAGE, "Example.ORG", NULL},
    {OWN, "s=email; ", MESSAGE, "example.org", "this service"},
    {OWN, "t=s; ", MESSAGE, "example.org", NULL},
    {OWN, "t=y; ", MESSAGE, "example.org", "being tested"},
    {OWN, "t=s:y; s=tlsrpt; ", MESSAGE, "example.org", "being tested"},
    {OWN, NULL, MESSAGE, "example.org", "looked up"},
    {OWN "; l=8", "", MESSAGE, "example.org", "l= leaves room"},
    {OWN "; l=0", "", MESSAGE, "example.org", "l= leaves room"},
    {OWN "; x=999", "", MESSAGE, "example.org", "expired"},
    /* strictly: neither above nor below */
    {OWN, "", MESSAGE, "sub.example.org", "by the reporting domain"},
    {OWN, "", MESSAGE, "org", "by the reporting domain"},
    {OWN, "", MESSAGE, "badexample.org", "by the reporting domain"},
    {OWN "; i=@sub.example.org", "", MESSAGE, "sub.example.org",
	"by the reporting domain"},
    {OWN, "", MESSAGE, "example.com", "by the reporting domain"},
    {OWN, "", MESSAGE, "", "no domain"},
    {OWN, "", MESSAGE, "a b", "no domain"},
    /* RFC 8460 5.3: both, and each of that name; or the Content-Type */
    {"d=example.org; h=From; " REST, "", MESSAGE, "example.org", UNSIGNED},
    {"d=example.org; h=From:TLS-Report-Domain; " REST, "", MESSAGE,
	"example.org", UNSIGNED},
    {"d=example.org; h=From:TLS-Report-Submitter; " REST, "", MESSAGE,
	"example.org", UNSIGNED},
    {OWN, "", KIT_FROM NAMES NAMES "\r\n", "example.org", UNSIGNED},
    {OWN, "", KIT_FROM "\r\n", "example.org", UNSIGNED},
    {TYPED, "", KIT_FROM TYPE "\r\n", "example.org", NULL},
    {TYPED, "", KIT_FROM TYPE NAMES NAMES "\r\n", "example.org", NULL},
    {TYPED, "", KIT_FROM TYPE TYPE "\r\n", "example.org", UNSIGNED},
    {TYPED, "", KIT_FROM "\r\n", "example.org", UNSIGNED},
    {"d=example.org; h=From:tls-report-submitter:tls-report-domain; " REST, "",
	MESSAGE, "example.org", NULL},
};

static struct dkim_verifier *
verify(const struct kit_keys *keys, struct span text, const char *record)
{
	const struct dkim_verify_setup setup = {KIT_NOW, DKIM_REPORT_SERVICE};
	struct dkim_verifier *v = kit_verifier(&setup, text, 100);

	while (dkim_verifier_question(v) != NULL) {
		if (record == NULL)
			dkim_verifier_answer(v, &(struct dns_answer){0});
		else
			dkim_verifier_answer_text(
			    v, span_of(kit_record(keys->ed25519, record)));
	}
	return v;
}

/* As far as these have one signature each. */
static bool
is_own(const struct dkim_verifier *v, const struct dkim_report *report,
    const char *reporter)
{
	return report->signature < dkim_verifier_count(v) &&
	       strcasecmp(dkim_verifier_result(v, report->signature)->domain,
		   reporter) == 0;
}

static void
reports_are_judged(void **state)
{
	const struct kit_keys *keys = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dkim_report report;
		struct dkim_verifier *v;
		struct buf text;

		buf_init(&text, 10000);
		kit_claim(&text, keys->ed25519, rows[i].tags, rows[i].message);
		v = verify(keys, buf_span(&text), rows[i].record);
		report = dkim_report_judge(v, rows[i].reporter);
		if (report.vouched != (rows[i].why == NULL) ||
		    report.is_own != is_own(v, &report, rows[i].reporter) ||
		    (rows[i].why == NULL
			    ? report.why[0] != '\0'
			    : strstr(report.why, rows[i].why) == NULL))
			fail_msg(
			    "row %zu: %d, %s", i, report.vouched, report.why);
		dkim_verifier_free(&v);
		buf_free(&text);
	}
}

static void
what_was_not_signed_or_not_asked_is_ignored(void **state)
{
	const struct dkim_verify_setup setup = {KIT_NOW, DKIM_REPORT_SERVICE};
	const struct kit_keys *keys = *state;
	struct dkim_verifier *v = verify(keys, span_of(MESSAGE), "");
	struct buf text;

	assert_false(dkim_report_judge(v, "example.org").vouched);
	assert_non_null(strstr(
	    dkim_report_judge(v, "example.org").why, "there is no signature"));
	dkim_verifier_free(&v);
	buf_init(&text, 10000);
	kit_claim(&text, keys->ed25519, OWN, MESSAGE);
	v = kit_verifier(&setup, buf_span(&text), 100);
	assert_false(dkim_report_judge(v, "example.org").vouched);
	dkim_verifier_free(&v);
	buf_free(&text);
}

/* RFC 6376 6.1: bad ones beside a good one do no harm, in any order */
static void
one_good_signature_is_enough(void **state)
{
	static const char *const others[] = {"DKIM-Signature: junk\r\n",
	    "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=x; h=From; "
	    "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA\r\n",
	    "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=From; "
	    "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA\r\n"};
	const struct kit_keys *keys = *state;

	for (size_t i = 0; i < ROWS(others); i++) {
		struct dkim_report report;
		struct dkim_verifier *v;
		struct buf text;

		buf_init(&text, 10000);
		assert_int_equal(buf_add_str(&text, others[i]), 0);
		kit_claim(&text, keys->ed25519, OWN, MESSAGE);
		v = verify(keys, buf_span(&text), "");
		report = dkim_report_judge(v, "example.org");
		assert_true(report.vouched);
		assert_int_equal(report.signature, 1);
		dkim_verifier_free(&v);
		buf_free(&text);
	}
}

/* What is said is what is wrong with the reporter's own, first or last. */
static void
the_reporters_own_signature_is_spoken_of(void **state)
{
	static const char foreign[] =
	    "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=From; "
	    "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA\r\n";
	const struct kit_keys *keys = *state;

	for (size_t i = 0; i < 2; i++) {
		struct dkim_verifier *v;
		struct buf text;

		buf_init(&text, 10000);
		if (i == 0)
			assert_int_equal(buf_add_str(&text, foreign), 0);
		kit_claim(&text, keys->ed25519, OWN "; x=999",
		    i == 0 ? MESSAGE
			   : "DKIM-Signature: d=a.example; s=b\r\n" MESSAGE);
		v = verify(keys, buf_span(&text), "");
		assert_int_equal(dkim_verifier_count(v), 2);
		assert_non_null(
		    strstr(dkim_report_judge(v, "example.org").why, "expired"));
		dkim_verifier_free(&v);
		buf_free(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reports_are_judged),
	    cmocka_unit_test(what_was_not_signed_or_not_asked_is_ignored),
	    cmocka_unit_test(one_good_signature_is_enough),
	    cmocka_unit_test(the_reporters_own_signature_is_spoken_of),
	};

	return cmocka_run_group_tests_name(
	    "dkim_report", tests, kit_keys_make, kit_keys_drop);
}
