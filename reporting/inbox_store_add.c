/* One report more, and what makes room for it; see inbox_store.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "reporting/inbox_store_private.h"

#define DAY INT64_C(86400)
/* Nobody has more in a day. */
#define SESSIONS_MAX UINT64_C(1000000000000)

#define TEXT     WORDS(INBOX_TEXT)
#define WORDS(n) WORD(n)
#define WORD(n)  #n

/* Of a text of the report INBOX_TEXT characters, and of the signature all. */
static const char report_sql[] =
    "INSERT INTO reports (organization, id, contact, domain, signer, notes,"
    " start, end, received, successes, failures)"
    " VALUES (substr(?1, 1, " TEXT "), substr(?2, 1, " TEXT "),"
    " substr(?3, 1, " TEXT "), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    " ON CONFLICT DO NOTHING";

static const char count_sql[] =
    "INSERT INTO counts (policy_domain, result, mx, reason, report, type,"
    " sessions, failures) VALUES (substr(?1, 1, " TEXT "),"
    " substr(?2, 1, " TEXT "), substr(?3, 1, " TEXT "),"
    " substr(?4, 1, " TEXT "), ?5, ?6, ?7, ?8)";

/* Of old ones only: a clock that is behind must not cost everything. */
static const char forget_sql[] = "DELETE FROM reports WHERE received < ?1";

static const char crowd_sql[] =
    "DELETE FROM reports WHERE number IN (SELECT number FROM reports"
    " ORDER BY number DESC LIMIT -1 OFFSET ?1)";

static const char thin_sql[] =
    "DELETE FROM reports WHERE number <= (SELECT min(number) +"
    " (max(number) - min(number)) / 64 FROM reports)";

/* Far from where numbers of 64 bits end. */
static int64_t
number(uint64_t n)
{
	return n > SESSIONS_MAX ? (int64_t)SESSIONS_MAX : (int64_t)n;
}

static uint64_t
sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Texts first, as the statements have them. */
static bool
bind_all(struct db *db, sqlite3_stmt *stmt, const char *const *texts, int n,
    const int64_t *numbers, int nnumbers)
{
	bool good = stmt != NULL;

	for (int i = 0; good && i < n; i++)
		good = db_bind_text(db, stmt, 1 + i, texts[i]);
	for (int i = 0; good && i < nnumbers; i++)
		good = db_bind_number(db, stmt, 1 + n + i, numbers[i]);
	return good;
}

/* One row; its number, or 0 when it was there already or could not be. */
static int64_t
put_report(struct db *db, const struct report *report,
    const struct inbox_origin *origin)
{
	const char *texts[] = {report->organization, report->id,
	    report->contact, origin->domain, origin->signer, origin->notes};
	uint64_t successes = 0, failures = 0;
	sqlite3_stmt *stmt = db_prepare(db, report_sql);
	int64_t row = 0;

	for (size_t i = 0; i < report->npolicies; i++) {
		successes = sum(successes, report->policies[i].successes);
		failures = sum(failures, report->policies[i].failures);
	}
	int64_t numbers[] = {report->start, report->end, origin->received,
	    number(successes), number(failures)};
	if (bind_all(db, stmt, texts, 6, numbers, 5) &&
	    db_check(db, sqlite3_step(stmt)) && sqlite3_changes(db->sqlite) > 0)
		row = sqlite3_last_insert_rowid(db->sqlite);
	(void)sqlite3_finalize(stmt);
	return row;
}

/* The counts of one report. */
struct writing {
	struct db *db;
	sqlite3_stmt *stmt;
	int64_t row;
	size_t kinds; /* of failures, that are told apart */
};

static bool
put_count(struct writing *writing, const struct inbox_count *count)
{
	const char *texts[] = {count->policy_domain, count->result_type,
	    count->mx, count->reason_code};
	const int64_t numbers[] = {writing->row, (int64_t)count->type,
	    number(count->sessions), number(count->failures)};
	bool good = bind_all(
			writing->db, writing->stmt, texts, 4, numbers, 4) &&
	            db_check(writing->db, sqlite3_step(writing->stmt));

	(void)sqlite3_reset(writing->stmt);
	return good;
}

static int
by_kind(const void *a, const void *b)
{
	const struct report_failure *const *x = a, *const *y = b;
	int order = strcmp(inbox_result_type(*x), inbox_result_type(*y));

	if (order == 0)
		order = strcmp(
		    (*x)->receiving_mx_hostname, (*y)->receiving_mx_hostname);
	return order != 0 ? order
	                  : strcmp((*x)->failure_reason_code,
				(*y)->failure_reason_code);
}

/*
 * One row a kind: each address that sent has a detail of its own.  Of sessions
 * of too many kinds there is the number alone.
 */
static bool
put_kinds(struct writing *writing, const struct report_failure **details,
    size_t n, struct inbox_count *count, uint64_t *ret_left)
{
	bool good = true;

	*ret_left = 0;
	if (n > 0)
		qsort(details, n, sizeof(details[0]), by_kind);
	for (size_t i = 0; good && i < n; i++) {
		count->sessions = sum(count->sessions, details[i]->sessions);
		if (i + 1 < n && by_kind(&details[i], &details[i + 1]) == 0)
			continue;
		count->result_type = inbox_result_type(details[i]);
		count->mx = details[i]->receiving_mx_hostname;
		count->reason_code = details[i]->failure_reason_code;
		if (writing->kinds++ < INBOX_KINDS)
			good = put_count(writing, count);
		else
			*ret_left = sum(*ret_left, count->sessions);
		count->sessions = 0;
	}
	return good;
}

/*
 * Failures without a detail are failures all the same; details may add up to
 * more than all failures, since their kinds overlap (RFC 8460 4.3).
 */
static bool
put_failures(struct writing *writing, const struct report_policy *policy,
    struct inbox_count *count)
{
	const struct report_failure **details = mem_array(
	    policy->ndetails + 1, sizeof(details[0]));
	uint64_t told = 0, left;
	bool good;

	for (size_t i = 0; i < policy->ndetails; i++) {
		details[i] = &policy->details[i];
		told = sum(told, details[i]->sessions);
	}
	good = put_kinds(writing, details, policy->ndetails, count, &left);
	mem_free(details);
	if (told < policy->failures)
		left = sum(left, policy->failures - told);
	if (!good || left == 0)
		return good;
	count->result_type = INBOX_UNSPECIFIED;
	count->mx = count->reason_code = "";
	count->sessions = left;
	return put_count(writing, count);
}

static bool
put_policy(struct writing *writing, const struct report_policy *policy)
{
	struct inbox_count count = {.type = policy->type,
	    .policy_domain = policy->domain,
	    .result_type = "",
	    .mx = "",
	    .reason_code = "",
	    .sessions = policy->successes,
	    .failures = policy->failures};

	if (!put_count(writing, &count))
		return false;
	count.sessions = count.failures = 0;
	return put_failures(writing, policy, &count);
}

static bool
put_policies(struct db *db, int64_t row, const struct report *report)
{
	struct writing writing = {
	    .db = db, .stmt = db_prepare(db, count_sql), .row = row};
	bool good = writing.stmt != NULL;

	for (size_t i = 0; good && i < report->npolicies; i++)
		good = put_policy(&writing, &report->policies[i]);
	(void)sqlite3_finalize(writing.stmt);
	return good;
}

/* --- room ----------------------------------------------------------------- */

static bool
run_with(struct db *db, const char *sql, int64_t with)
{
	sqlite3_stmt *stmt = db_prepare(db, sql);
	bool good = stmt != NULL && db_bind_number(db, stmt, 1, with) &&
	            db_check(db, sqlite3_step(stmt));

	(void)sqlite3_finalize(stmt);
	return good;
}

static bool
forget_old(struct db *db, int64_t now)
{
	int64_t then;

	return db_sweep(db, now, &then) &&
	       (then == 0 || run_with(db, forget_sql, then - INBOX_DAYS * DAY));
}

static bool
is_nearly_full(struct db *db)
{
	int64_t pages, unused, most;

	return db_ask(db, "PRAGMA page_count", 0, &pages) &&
	       db_ask(db, "PRAGMA freelist_count", 0, &unused) &&
	       db_ask(db, "PRAGMA max_page_count", 0, &most) &&
	       pages - unused > most - most / 16;
}

/*
 * A file that is full must not stay so until its reports are old: whoever signs
 * some thousand large ones would keep all others out for a year.
 */
static bool
make_room(struct db *db)
{
	int gone = 1;

	while (gone > 0 && db->rc == SQLITE_OK && is_nearly_full(db)) {
		if (!db_run(db, thin_sql))
			return false;
		gone = sqlite3_changes(db->sqlite);
	}
	return db->rc == SQLITE_OK;
}

static bool
add_all(struct db *db, const struct report *report,
    const struct inbox_origin *origin, size_t most, enum inbox_added *ret)
{
	int64_t row;

	if (!db_run(db, inbox_safe_sql) || !db_run(db, "BEGIN IMMEDIATE") ||
	    !db_run(db, inbox_make_sql) || !db_run(db, inbox_senders_sql) ||
	    !make_room(db) || !forget_old(db, origin->received))
		return false;
	row = put_report(db, report, origin);
	*ret = row == 0 ? INBOX_KNOWN : INBOX_ADDED;
	return db->rc == SQLITE_OK &&
	       (row == 0 || (put_policies(db, row, report) &&
				inbox_put_senders(db, row, report))) &&
	       run_with(db, crowd_sql, (int64_t)most) && db_run(db, "COMMIT");
}

int
inbox_store_add(const struct inbox_store *store, const struct report *report,
    const struct inbox_origin *origin, enum inbox_added *ret, struct err *err)
{
	size_t most = store->reports == 0 ? INBOX_REPORTS : store->reports;
	struct db db = inbox_db(store);
	char path[DB_PATH_SIZE];
	int fd, rc = 0;

	*ret = INBOX_NOT;
	if (db_path(&db, ".db", path, err) < 0 || db_lock(&db, &fd, err) < 0)
		return -1;
	if (db_make_file(path, err) < 0)
		rc = -1;
	else if (!db_open(&db, path, INBOX_FORMAT) ||
		 !db_limit_size(&db, store->megabytes) ||
		 !add_all(&db, report, origin, most, ret))
		rc = inbox_fail(&db, err);
	if (rc < 0)
		*ret = INBOX_NOT;
	db_close(&db);
	(void)close(fd);
	return rc;
}
