/*
 * Reports of other senders, as other projects keep them, read in place: the
 * totals are taken from the files.
 */
#include <stdio.h>
#include <string.h>

#include "reporting/report_read.h"
#include "reporting/report_read_json.h"

#include "tests/support/corpus.h"
#include "tests/support/test.h"

#define ODDS 8

struct expected {
	const char *file;
	const char *organization;
	const char *contact;
	const char *id;
	int64_t start, end;
	size_t npolicies, ndetails; /* of all policies */
	uint64_t successes, failures, sessions;
	enum report_policy_type type; /* of the first policy, and so on */
	const char *domain;
	size_t nstrings;
	const char *mx;
	enum report_oddity odds[ODDS];
	const char *mail_domain, *submitter, *from_domain;
};

#define COMPANY_X                                                            \
	.organization = "Company-X",                                         \
	.contact = "sts-reporting@company-x.example",                        \
	.id = "5065427c-23d3-47ca-b6e0-946ea0e8c4be", .start = 1459468800,   \
	.end = 1459555199, .npolicies = 1, .ndetails = 3, .successes = 5326, \
	.failures = 303, .sessions = 303, .type = POLICY_TYPE_STS,           \
	.domain = "company-y.example", .nstrings = 4,                        \
	.mx = "*.mail.company-y.example"
#define GOOGLE_WEEK                                                        \
	.organization = "Google Inc.",                                     \
	.contact = "smtp-tls-reporting@google.com",                        \
	.id = "2020-01-01T00:00:00Z_example.com", .start = 1577836800,     \
	.end = 1578441599, .npolicies = 1, .ndetails = 1, .successes = 23, \
	.failures = 1, .sessions = 1, .type = POLICY_TYPE_STS,             \
	.domain = "example.com", .nstrings = 4
#define EXAMPLE_NET                                                           \
	.mail_domain = "example.net", .submitter = "mail.sender.example.com", \
	.from_domain = "mail.sender.example.com"

static const struct expected bodies[] = {
    {.file = "mail-auth-rpt01.json", COMPANY_X},
    {.file = "mail-auth-rpt02.json",
	GOOGLE_WEEK,
	.odds = {ODD_WINDOW, ODD_MISSING}},
    {.file = "mail-auth-rpt03.json",
	.organization = "Google Inc.",
	.contact = "smtp-tls-reporting@google.com",
	.id = "2019-04-14T00:00:00Z_example.org",
	.start = 1555200000,
	.end = 1555286399,
	.npolicies = 2,
	.successes = 2,
	.type = POLICY_TYPE_NONE,
	.domain = "",
	.odds = {ODD_MISSING, ODD_POLICY_TYPE}},
    {.file = "parsedmarc-mail.ru.json",
	.organization = "Mail.ru",
	.contact = "tls_support@corp.mail.ru",
	.id = "b28254de-7b2e-be36-bb5c-4c3b92da8b25@mail.ru",
	.start = 1708560000,
	.end = 1708646400,
	.npolicies = 1,
	.ndetails = 2,
	.failures = 1,
	.sessions = 2,
	.type = POLICY_TYPE_STS,
	.domain = "example.com",
	.odds = {ODD_MISSING}},
    {.file = "parsedmarc-rfc8460.json", COMPANY_X, .odds = {ODD_LIST_TEXT}},
    {.file = "parsedmarc-smtp_tls.json",
	.organization = "Example Inc.",
	.contact = "smtp-tls-reporting@example.com",
	.id = "2024-01-09T00:00:00Z_example.com",
	.start = 1704758400,
	.end = 1704844799,
	.npolicies = 1,
	.ndetails = 2,
	.failures = 3,
	.sessions = 3,
	.type = POLICY_TYPE_STS,
	.domain = "example.com",
	.nstrings = 4,
	.odds = {ODD_MISSING}},
};

static const struct expected mails[] = {
    {.file = "mox-example.eml",
	.organization = "Google Inc.",
	.contact = "smtp-tls-reporting@google.com",
	.id = "2022-09-15T00:00:00Z_test.xmox.nl",
	.start = 1663200000,
	.end = 1663286399,
	.npolicies = 1,
	.successes = 3,
	.type = POLICY_TYPE_STS,
	.domain = "test.xmox.nl",
	.nstrings = 4,
	.mx = "komijn.test.xmox.nl",
	.mail_domain = "test.xmox.nl",
	.submitter = "google.com",
	.from_domain = "google.com"},
    {.file = "mox-microsoft.eml",
	.organization = "Microsoft Corporation",
	.contact = "tlsrpt-noreply@microsoft.com",
	.id = "133198585438131172+test.xmox.nl",
	.start = 1673308800,
	.end = 1673395199,
	.npolicies = 1,
	.successes = 2,
	.type = POLICY_TYPE_STS,
	.domain = "test.xmox.nl",
	.nstrings = 4,
	.odds = {ODD_DATE_ZONE, ODD_MISSING},
	.mail_domain = "test.xmox.nl",
	.submitter = "microsoft.com",
	.from_domain = "microsoft.com"},
    {.file = "parsedmarc-google.eml",
	.organization = "Google Inc.",
	.contact = "smtp-tls-reporting@google.com",
	.id = "2024-09-03T00:00:00Z_cardinalhealth.ca",
	.start = 1725321600,
	.end = 1725407999,
	.npolicies = 1,
	.successes = 48,
	.type = POLICY_TYPE_NONE,
	.domain = "cardinalhealth.ca",
	.mail_domain = "cardinalhealth.ca",
	.submitter = "google.com",
	.from_domain = "google.com"},
    /* RFC 8460 5.6: the report is about another domain than the mail says. */
    {.file = "stalwart-tls1.eml",
	COMPANY_X,
	EXAMPLE_NET,
	.odds = {ODD_SUBMITTER}},
    {.file = "stalwart-tls2.eml",
	GOOGLE_WEEK,
	EXAMPLE_NET,
	.odds = {ODD_PART_TYPE, ODD_WINDOW, ODD_MISSING, ODD_SUBMITTER}},
    {.file = "tlsrpt-be-rfc8460-gzip.eml",
	COMPANY_X,
	EXAMPLE_NET,
	.odds = {ODD_LIST_TEXT, ODD_SUBMITTER}},
};

static void
check_odds(const struct expected *row, const struct report_notes *notes)
{
	size_t n = 0;

	for (; n < ODDS && row->odds[n] != ODD_NOTHING; n++)
		if (report_note_of(notes, row->odds[n]) == NULL)
			fail_msg("%s: nobody noted \"%s\"", row->file,
			    report_oddity_name(row->odds[n]));
	if (n != notes->n)
		for (size_t i = 0; i < notes->n; i++)
			print_message("# %s: %s %s\n", row->file,
			    report_oddity_name(notes->list[i].what),
			    notes->list[i].where);
	assert_int_equal(n, notes->n);
}

static void
check_sums(const struct expected *row, const struct report *report)
{
	uint64_t successes = 0;
	uint64_t failures = 0;
	uint64_t sessions = 0;
	size_t ndetails = 0;

	for (size_t i = 0; i < report->npolicies; i++) {
		const struct report_policy *policy = &report->policies[i];

		successes += policy->successes;
		failures += policy->failures;
		ndetails += policy->ndetails;
		for (size_t k = 0; k < policy->ndetails; k++)
			sessions += policy->details[k].sessions;
	}
	assert_int_equal(report->npolicies, row->npolicies);
	assert_int_equal(ndetails, row->ndetails);
	assert_int_equal(successes, row->successes);
	assert_int_equal(failures, row->failures);
	assert_int_equal(sessions, row->sessions);
}

static void
check_report(const struct expected *row, const struct report_read *read)
{
	const struct report *report = &read->report;
	const struct report_policy *first = &report->policies[0];

	assert_string_equal(report->organization, row->organization);
	assert_string_equal(report->contact, row->contact);
	assert_string_equal(report->id, row->id);
	assert_int_equal(report->start, row->start);
	assert_int_equal(report->end, row->end);
	check_sums(row, report);
	assert_int_equal(first->type, row->type);
	assert_string_equal(first->domain, row->domain);
	assert_int_equal(first->nstrings, row->nstrings);
	assert_int_equal(first->nmx, row->mx != NULL);
	if (row->mx != NULL)
		assert_string_equal(first->mx[0], row->mx);
	check_odds(row, &read->notes);
}

static void
check_mail(const struct expected *row, const struct mime_mail *mail)
{
	assert_string_equal(mail->domain, row->mail_domain);
	assert_string_equal(mail->submitter, row->submitter);
	assert_string_equal(mail->from_domain, row->from_domain);
	assert_memory_equal(mail->subject, "Report Domain: ", 15);
	assert_non_null(strstr(mail->subject, row->submitter));
}

/* false: the corpus is not there. */
static bool
read_file(const char *folder, const struct expected *row)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_read read;
	struct err err = {0};
	struct buf file;
	char name[100];
	int rc;

	(void)snprintf(name, sizeof(name), "tlsrpt/%s/%s", folder, row->file);
	rc = corpus_read(name, &file);
	if (rc == 0) {
		print_message("# %s\n", row->file);
		rc = row->mail_domain == NULL
		         ? report_read_body(buf_span(&file), arena, &read, &err)
		         : report_read_mail(
			       buf_span(&file), arena, &read, &err);
		if (rc < 0)
			fail_msg("%s: %s", row->file, err.text);
		check_report(row, &read);
		if (row->mail_domain != NULL)
			check_mail(row, &read.mail);
	}
	buf_free(&file);
	arena_free(&arena);
	return rc == 0;
}

static void
bodies_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(bodies); i++)
		if (!read_file("reports-json", &bodies[i]))
			skip();
}

static void
mails_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(mails); i++)
		if (!read_file("reports-eml", &mails[i]))
			skip();
}

/* RFC 8460 B as printed: a text goes over two lines. */
static void
the_example_of_the_rfc_is_read(void **state)
{
	static const struct expected row = {.file = "RFC 8460 B",
	    COMPANY_X,
	    .odds = {ODD_CONTROL, ODD_LIST_TEXT}};
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_read read;
	struct err err = {0};
	struct buf file;
	const char *json;

	(void)state;
	if (corpus_read("tlsrpt/rfc8460-appendix-A-B.txt", &file) < 0) {
		buf_free(&file);
		arena_free(&arena);
		skip();
	}
	json = memchr(file.p, '{', file.n);
	assert_non_null(json);
	if (report_read_body(
		span_from(buf_span(&file), (size_t)(json - file.p)), arena,
		&read, &err) < 0)
		fail_msg("%s", err.text);
	check_report(&row, &read);
	buf_free(&file);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bodies_are_read),
	    cmocka_unit_test(mails_are_read),
	    cmocka_unit_test(the_example_of_the_rfc_is_read),
	};

	return cmocka_run_group_tests_name("report_corpus", tests, NULL, NULL);
}
