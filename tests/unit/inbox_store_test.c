/* Reports that came in, kept: once each, and counted truly. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporting/inbox_store.h"

#include "tests/support/test.h"

#define NOW INT64_C(1795953600) /* 2026-11-29, noon or so */
#define DAY INT64_C(86400)

struct room {
	char folder[64];
	struct inbox_store store;
};

static int
set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));

	assert_non_null(room);
	(void)snprintf(
	    room->folder, sizeof(room->folder), "/tmp/danelaw-inbox-XXXXXX");
	assert_non_null(mkdtemp(room->folder));
	room->store = (struct inbox_store){
	    .folder = room->folder, .wait_ms = 1000};
	*state = room;
	return 0;
}

static void
path_of(const struct room *room, const char *name, char to[128])
{
	(void)snprintf(to, 128, "%s/%s", room->folder, name);
}

static int
tear_down(void **state)
{
	static const char *const names[] = {
	    "inbox.db", "inbox.db-journal", "inbox.lock", "inbox.db.damaged"};
	struct room *room = *state;
	char path[128];

	for (size_t i = 0; i < ROWS(names); i++) {
		path_of(room, names[i], path);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(room->folder), 0);
	free(room);
	return 0;
}

/* --- reports -------------------------------------------------------------- */

static const struct report_failure details[] = {
    {RESULT_CERTIFICATE_EXPIRED, "certificate-expired", "192.0.2.1",
	"mx1.example.org", "", "", 3, "", "X509_V_ERR_CERT_HAS_EXPIRED"},
    {RESULT_CERTIFICATE_EXPIRED, "certificate-expired", "192.0.2.2",
	"mx1.example.org", "", "", 4, "", "X509_V_ERR_CERT_HAS_EXPIRED"},
    {RESULT_STARTTLS_NOT_SUPPORTED, "starttls-not-supported", "192.0.2.1",
	"mx2.example.org", "", "", 5, "", ""},
    {RESULT_STARTTLS_NOT_SUPPORTED, "starttls-not-supported", "192.0.2.1",
	"mx3.example.org", "", "", 1, "", ""},
};

static const struct report_policy policies[] = {
    {.type = POLICY_TYPE_STS,
	.type_text = "sts",
	.domain = "example.org",
	.successes = 100,
	.failures = 21, /* of which 8 have no detail */
	.details = details,
	.ndetails = ROWS(details)},
    {.type = POLICY_TYPE_TLSA,
	.type_text = "tlsa",
	.domain = "mx1.example.org",
	.successes = 7},
};

static struct report
report_of(const char *organization, const char *id, int64_t days_ago)
{
	int64_t start = NOW / DAY * DAY - days_ago * DAY;

	return (struct report){.organization = organization,
	    .contact = "tls@reporter.example",
	    .id = id,
	    .start = start,
	    .end = start + DAY - 1,
	    .policies = policies,
	    .npolicies = ROWS(policies)};
}

static const struct inbox_origin origin = {
    "example.org", "reporter.example", NOW, ""};

static enum inbox_added
add_from(struct room *room, const struct report *report,
    const struct inbox_origin *from)
{
	enum inbox_added added = INBOX_NOT;
	struct err err = {0};

	if (inbox_store_add(&room->store, report, from, &added, &err) < 0)
		fail_msg("%s", err.text);
	return added;
}

static enum inbox_added
add(struct room *room, const struct report *report)
{
	return add_from(room, report, &origin);
}

/* --- what comes back ------------------------------------------------------ */

struct seen {
	size_t n;
	char text[8192];
};

static void
see_report(const struct inbox_report *report, void *arg)
{
	struct seen *seen = arg;
	size_t at = strlen(seen->text);

	seen->n++;
	(void)snprintf(seen->text + at, sizeof(seen->text) - at,
	    "%s %s %s %s %d/%d;", report->organization, report->id,
	    report->origin.domain, report->origin.signer,
	    (int)report->successes, (int)report->failures);
}

static void
see_count(const struct inbox_count *count, void *arg)
{
	struct seen *seen = arg;
	size_t at = strlen(seen->text);

	seen->n++;
	(void)snprintf(seen->text + at, sizeof(seen->text) - at,
	    "%s %s %d %s %s %s %d/%d;", count->signer, count->organization,
	    (int)(NOW / DAY - count->day), count->policy_domain,
	    count->result_type, count->mx, (int)count->sessions,
	    (int)count->failures);
}

static struct seen
reports_of(struct room *room, int64_t since)
{
	struct seen seen = {0};
	struct err err = {0};

	if (inbox_store_reports(&room->store, since, see_report, &seen, &err) <
	    0)
		fail_msg("%s", err.text);
	return seen;
}

static struct seen
counts_of(struct room *room, int64_t since_day)
{
	struct seen seen = {0};
	struct err err = {0};

	if (inbox_store_counts(
		&room->store, since_day, see_count, &seen, &err) < 0)
		fail_msg("%s", err.text);
	return seen;
}

/* --- tests ---------------------------------------------------------------- */

static void
without_a_file_there_is_nothing(void **state)
{
	struct room *room = *state;

	assert_int_equal(reports_of(room, 0).n, 0);
	assert_int_equal(counts_of(room, 0).n, 0);
}

static void
a_report_comes_back(void **state)
{
	struct room *room = *state;
	struct report report = report_of("Reporter", "id-1", 1);
	struct seen seen;

	assert_int_equal(add(room, &report), INBOX_ADDED);
	seen = reports_of(room, 0);
	assert_string_equal(
	    seen.text, "Reporter id-1 example.org reporter.example 107/21;");
	seen = counts_of(room, 0);
	/* Kinds and hosts add up; what has no detail is failed all the same. */
	assert_string_equal(seen.text,
	    "reporter.example Reporter 1 mx1.example.org   7/0;"
	    "reporter.example Reporter 1 example.org   100/21;"
	    "reporter.example Reporter 1 example.org certificate-expired "
	    "mx1.example.org 7/0;"
	    "reporter.example Reporter 1 example.org starttls-not-supported "
	    "mx2.example.org 5/0;"
	    "reporter.example Reporter 1 example.org starttls-not-supported "
	    "mx3.example.org 1/0;"
	    "reporter.example Reporter 1 example.org unspecified  8/0;");
}

/* RFC 8460 4.4: who reported, by which id, over what time */
static void
the_same_report_counts_once(void **state)
{
	struct room *room = *state;
	struct report report = report_of("Reporter", "id-1", 1);
	struct report other_id = report_of("Reporter", "id-2", 1);
	struct report other_day = report_of("Reporter", "id-1", 2);
	struct report other_org = report_of("Another", "id-1", 1);

	assert_int_equal(add(room, &report), INBOX_ADDED);
	assert_int_equal(add(room, &report), INBOX_KNOWN);
	assert_int_equal(reports_of(room, 0).n, 1);
	assert_int_equal(counts_of(room, 0).n, 6);
	assert_int_equal(add(room, &other_id), INBOX_ADDED);
	assert_int_equal(add(room, &other_day), INBOX_ADDED);
	assert_int_equal(add(room, &other_org), INBOX_ADDED);
	assert_int_equal(reports_of(room, 0).n, 4);
}

/* Whoever signs can say of himself what he wants: it is no other's report. */
static void
nobody_takes_the_place_of_another(void **state)
{
	struct room *room = *state;
	struct report report = report_of("Reporter", "id-1", 1);
	struct inbox_origin forger = origin, nobody = origin;
	struct seen seen;

	forger.signer = "forger.example";
	nobody.signer = "";
	assert_int_equal(add_from(room, &report, &forger), INBOX_ADDED);
	assert_int_equal(add_from(room, &report, &nobody), INBOX_ADDED);
	assert_int_equal(add(room, &report), INBOX_ADDED);
	assert_int_equal(add(room, &report), INBOX_KNOWN);
	assert_int_equal(add_from(room, &report, &forger), INBOX_KNOWN);
	assert_int_equal(reports_of(room, 0).n, 3);
	seen = counts_of(room, 0);
	assert_int_equal(seen.n, 18);
	assert_non_null(strstr(seen.text, "reporter.example Reporter 1 "));
	assert_non_null(strstr(seen.text, "forger.example Reporter 1 "));
}

static void
since_when(void **state)
{
	struct room *room = *state;
	struct report old = report_of("Reporter", "old", 9);
	struct report new = report_of("Reporter", "new", 1);
	struct seen seen;

	(void)add(room, &old);
	(void)add(room, &new);
	seen = reports_of(room, 0);
	assert_true(strstr(seen.text, "new") < strstr(seen.text, "old"));
	seen = reports_of(room, NOW - 5 * DAY);
	assert_int_equal(seen.n, 1);
	assert_non_null(strstr(seen.text, "new"));
	assert_int_equal(counts_of(room, NOW / DAY - 5).n, 6);
	assert_int_equal(counts_of(room, NOW / DAY - 9).n, 12);
}

static void
see_huge(const struct inbox_report *report, void *arg)
{
	(void)arg;
	assert_true(report->successes == UINT64_C(1000000000000));
	assert_true(report->failures == UINT64_C(1000000000000));
}

static void
numbers_have_an_end(void **state)
{
	static const struct report_policy huge[] = {
	    {.type = POLICY_TYPE_STS,
		.type_text = "sts",
		.domain = "example.org",
		.successes = UINT64_MAX,
		.failures = UINT64_MAX},
	    {.type = POLICY_TYPE_STS,
		.type_text = "sts",
		.domain = "example.org",
		.successes = UINT64_MAX,
		.failures = 1},
	};
	struct room *room = *state;
	struct report report = report_of("Reporter", "huge", 1);
	struct err err;

	report.policies = huge;
	report.npolicies = ROWS(huge);
	assert_int_equal(add(room, &report), INBOX_ADDED);
	assert_true(
	    inbox_store_reports(&room->store, 0, see_huge, NULL, &err) == 0);
}

static int
rows_of(const struct room *room)
{
	sqlite3 *sqlite = NULL;
	sqlite3_stmt *stmt = NULL;
	char path[128];
	int n = -1;

	path_of(room, "inbox.db", path);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite,
			     "SELECT count(*) FROM counts", -1, &stmt, NULL),
	    SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(sqlite);
	return n;
}

static void
old_ones_go(void **state)
{
	struct room *room = *state;
	struct report report = report_of("Reporter", "old", 500);
	struct inbox_origin then = origin;
	enum inbox_added added;
	struct err err;

	then.received = NOW - 500 * DAY;
	assert_int_equal(
	    inbox_store_add(&room->store, &report, &then, &added, &err), 0);
	assert_int_equal(reports_of(room, 0).n, 1);
	report = report_of("Reporter", "new", 1);
	(void)add(room, &report);
	assert_int_equal(reports_of(room, 0).n, 1);
	assert_int_equal(counts_of(room, 0).n, 6);
	/* The counts of the others are gone, not only out of sight. */
	assert_int_equal(rows_of(room), 7);
}

static void
the_file_is_ours_alone(void **state)
{
	struct room *room = *state;
	struct report report = report_of("Reporter", "id-1", 1);
	struct stat file;
	char path[128];

	(void)add(room, &report);
	path_of(room, "inbox.db", path);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
}

static struct inbox_forgotten
forget(struct room *room, enum inbox_forget which)
{
	struct inbox_forgotten forgotten = {.reports = 99};
	struct err err = {0};

	if (inbox_store_forget(&room->store, which, &forgotten, &err) < 0)
		fail_msg("%s", err.text);
	return forgotten;
}

static void
what_nobody_signed_is_forgotten(void **state)
{
	struct room *room = *state;
	struct report one = report_of("Reporter", "id-1", 1);
	struct report two = report_of("Reporter", "id-2", 1);
	struct inbox_origin nobody = origin;

	nobody.signer = "";
	assert_int_equal(forget(room, INBOX_UNSIGNED).reports, 0);
	(void)add_from(room, &one, &nobody);
	(void)add_from(room, &two, &nobody);
	(void)add(room, &one);
	assert_int_equal(forget(room, INBOX_UNSIGNED).reports, 2);
	assert_string_equal(reports_of(room, 0).text,
	    "Reporter id-1 example.org reporter.example 107/21;");
	assert_int_equal(rows_of(room), 7);
	assert_int_equal(add_from(room, &one, &nobody), INBOX_ADDED);
	assert_int_equal(forget(room, INBOX_ALL).reports, 2);
	assert_int_equal(reports_of(room, 0).n, 0);
	assert_int_equal(rows_of(room), 0);
	assert_int_equal(add(room, &one), INBOX_ADDED);
}

static void
damage(const struct room *room)
{
	char path[128];
	FILE *file;

	path_of(room, "inbox.db", path);
	file = fopen(path, "we");
	assert_non_null(file);
	(void)fputs("this is no database, whatever it is called", file);
	(void)fclose(file);
}

/* Only who wants to lose all of it loses it. */
static void
what_is_damaged_is_set_aside(void **state)
{
	struct room *room = *state;
	struct report report = report_of("Reporter", "id-1", 1);
	struct inbox_forgotten forgotten;
	struct err err = {0};
	char path[128];

	damage(room);
	assert_int_equal(
	    inbox_store_forget(&room->store, INBOX_UNSIGNED, &forgotten, &err),
	    -1);
	assert_false(forgotten.set_aside);
	assert_non_null(strstr(err.text, "forget --all"));
	forgotten = forget(room, INBOX_ALL);
	assert_true(forgotten.set_aside);
	assert_int_equal(forgotten.reports, 0);
	path_of(room, "inbox.db.damaged", path);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(reports_of(room, 0).n, 0);
	assert_int_equal(add(room, &report), INBOX_ADDED);
	assert_false(forget(room, INBOX_ALL).set_aside);
}

static void
what_is_no_database_is_said(void **state)
{
	struct room *room = *state;
	struct report report = report_of("Reporter", "id-1", 1);
	enum inbox_added added = INBOX_ADDED;
	struct err err = {0};

	damage(room);
	assert_int_equal(
	    inbox_store_add(&room->store, &report, &origin, &added, &err), -1);
	assert_int_equal(added, INBOX_NOT);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_non_null(strstr(err.text, "inbox.db"));
	assert_non_null(strstr(err.text, "forget --all"));
	err.text[0] = '\0';
	assert_int_equal(
	    inbox_store_reports(&room->store, 0, see_report, NULL, &err), -1);
	assert_non_null(strstr(err.text, "forget --all"));
}

static void
of_too_many_the_oldest_go(void **state)
{
	static const char *const ids[] = {"one", "two", "three", "four"};
	struct room *room = *state;

	room->store.reports = 3;
	for (size_t i = 0; i < ROWS(ids); i++) {
		struct report report = report_of("Reporter", ids[i], 1);

		assert_int_equal(add(room, &report), INBOX_ADDED);
		assert_int_equal(
		    reports_of(room, 0).n, i + 1 < ROWS(ids) ? i + 1 : 3);
	}
	for (size_t i = ROWS(ids); i-- > 0;) {
		struct report report = report_of("Reporter", ids[i], 1);

		assert_int_equal(
		    add(room, &report), i > 0 ? INBOX_KNOWN : INBOX_ADDED);
	}
}

/* It is full: nothing is lost, more is refused, until old ones go. */
static void
the_file_has_an_end(void **state)
{
	static char long_id[65536];
	struct room *room = *state;
	struct inbox_origin later = origin;
	struct report report = report_of("Reporter", long_id, 1);
	enum inbox_added added = INBOX_NOT;
	struct err err = {0};
	size_t n = 0;

	room->store.megabytes = 1;
	memset(long_id, 'x', sizeof(long_id) - 1);
	while (n < 32 && inbox_store_add(
			     &room->store, &report, &origin, &added, &err) == 0)
		long_id[n++] = 'y';
	assert_in_range(n, 2, 16);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(added, INBOX_NOT);
	later.received += (INBOX_DAYS + 1) * DAY;
	assert_int_equal(add_from(room, &report, &later), INBOX_ADDED);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(without_a_file_there_is_nothing),
	    CASE(a_report_comes_back),
	    CASE(the_same_report_counts_once),
	    CASE(nobody_takes_the_place_of_another),
	    CASE(since_when),
	    CASE(numbers_have_an_end),
	    CASE(old_ones_go),
	    CASE(the_file_is_ours_alone),
	    CASE(of_too_many_the_oldest_go),
	    CASE(the_file_has_an_end),
	    CASE(what_nobody_signed_is_forgotten),
	    CASE(what_is_damaged_is_set_aside),
	    CASE(what_is_no_database_is_said),
	};

	return cmocka_run_group_tests_name("inbox_store", tests, NULL, NULL);
}
