/* See inbox_store.h. */
#include "reporting/inbox_store.h"

#include <errno.h>
#include <unistd.h>

#include "base/db.h"

#define DAY    INT64_C(86400)
#define FORMAT 1
/* Nobody has more in a day. */
#define SESSIONS_MAX UINT64_C(1000000000000)

static const char make_sql[] =
    "CREATE TABLE IF NOT EXISTS reports ("
    " number INTEGER PRIMARY KEY, organization TEXT NOT NULL,"
    " id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,"
    " contact TEXT NOT NULL, domain TEXT NOT NULL, signer TEXT NOT NULL,"
    " received INTEGER NOT NULL, notes TEXT NOT NULL,"
    " successes INTEGER NOT NULL, failures INTEGER NOT NULL,"
    " UNIQUE (signer, organization, id, start, end)"
    ") STRICT;"
    "CREATE TABLE IF NOT EXISTS counts ("
    " report INTEGER NOT NULL REFERENCES reports ON DELETE CASCADE,"
    " type INTEGER NOT NULL, policy_domain TEXT NOT NULL,"
    " result TEXT NOT NULL, mx TEXT NOT NULL, reason TEXT NOT NULL,"
    " sessions INTEGER NOT NULL, failures INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX IF NOT EXISTS counts_of ON counts (report);"
    "CREATE INDEX IF NOT EXISTS reports_end ON reports (end);"
    "PRAGMA user_version = 1"; /* FORMAT */

static const char safe_sql[] = "PRAGMA journal_mode = TRUNCATE;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON";

static const char report_sql[] =
    "INSERT INTO reports (organization, id, contact, domain, signer, notes,"
    " start, end, received, successes, failures)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    " ON CONFLICT DO NOTHING";

static const char count_sql[] =
    "INSERT INTO counts (policy_domain, result, mx, reason, report, type,"
    " sessions, failures) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/* Of old ones only: a clock that is behind must not cost everything.  First, so
 * that a file which is full does not stay so. */
static const char forget_sql[] = "DELETE FROM reports WHERE received < ?1";

static const char crowd_sql[] =
    "DELETE FROM reports WHERE number IN (SELECT number FROM reports"
    " ORDER BY number DESC LIMIT -1 OFFSET ?1)";

static const char *const drop_sql[] = {
    [INBOX_UNSIGNED] = "DELETE FROM reports WHERE signer = ''",
    [INBOX_ALL] = "DELETE FROM reports",
};

static const char reports_sql[] =
    "SELECT organization, contact, id, domain, signer, received, notes,"
    " start, end, successes, failures FROM reports WHERE end >= ?1"
    " ORDER BY end DESC, organization, id";

static const char counts_sql[] =
    "SELECT r.domain, r.signer, r.organization, r.start / 86400, c.type,"
    " c.policy_domain, c.result, c.mx, c.reason, sum(c.sessions),"
    " sum(c.failures)"
    " FROM counts AS c JOIN reports AS r ON r.number = c.report"
    " WHERE r.start >= ?1"
    " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
    " ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9";

static struct db
db_of(const struct inbox_store *store)
{
	return (struct db){.folder = store->folder,
	    .name = "inbox",
	    .wait_ms = store->wait_ms};
}

/* -1; of a file that will never be better, what can be done about it. */
static int
fail(const struct db *db, struct err *err)
{
	struct err found;

	(void)db_fail(db, &found);
	if (!db_is_damaged(db->rc)) {
		*err = found;
		return -1;
	}
	return err_set(err, ERR_TEMP, "4.3.0",
	    "%.180s; \"danelaw report forget --all\" sets it aside",
	    found.text);
}

/* --- writing -------------------------------------------------------------- */

/* A sum of these has to be one, too, or SQLite gives up. */
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

static bool
put_count(struct db *db, sqlite3_stmt *stmt, int64_t row,
    const struct inbox_count *count)
{
	const char *texts[] = {count->policy_domain, count->result_type,
	    count->mx, count->reason_code};
	const int64_t numbers[] = {row, (int64_t)count->type,
	    number(count->sessions), number(count->failures)};
	bool good = bind_all(db, stmt, texts, 4, numbers, 4) &&
	            db_check(db, sqlite3_step(stmt));

	(void)sqlite3_reset(stmt);
	return good;
}

/*
 * Failures without a detail are failures all the same; details may add up to
 * more than all failures, since their kinds overlap (RFC 8460 4.3).
 */
static bool
put_policy(struct db *db, sqlite3_stmt *stmt, int64_t row,
    const struct report_policy *policy)
{
	struct inbox_count count = {.type = policy->type,
	    .policy_domain = policy->domain,
	    .result_type = "",
	    .mx = "",
	    .reason_code = "",
	    .sessions = policy->successes,
	    .failures = policy->failures};
	uint64_t told = 0;

	if (!put_count(db, stmt, row, &count))
		return false;
	count.failures = 0;
	for (size_t i = 0; i < policy->ndetails; i++) {
		const struct report_failure *detail = &policy->details[i];

		count.result_type = detail->result_type;
		count.mx = detail->receiving_mx_hostname;
		count.reason_code = detail->failure_reason_code;
		count.sessions = detail->sessions;
		told = sum(told, detail->sessions);
		if (!put_count(db, stmt, row, &count))
			return false;
	}
	if (told >= policy->failures)
		return true;
	count.result_type = "unspecified";
	count.mx = count.reason_code = "";
	count.sessions = policy->failures - told;
	return put_count(db, stmt, row, &count);
}

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
add_all(struct db *db, const struct report *report,
    const struct inbox_origin *origin, size_t most, enum inbox_added *ret)
{
	sqlite3_stmt *stmt = NULL;
	int64_t row;
	bool good;

	if (!db_run(db, safe_sql) || !db_run(db, "BEGIN IMMEDIATE") ||
	    !db_run(db, make_sql) ||
	    !run_with(db, forget_sql, origin->received - INBOX_DAYS * DAY))
		return false;
	row = put_report(db, report, origin);
	*ret = row == 0 ? INBOX_KNOWN : INBOX_ADDED;
	good = db->rc == SQLITE_OK;
	if (row != 0)
		stmt = db_prepare(db, count_sql);
	for (size_t i = 0; good && row != 0 && i < report->npolicies; i++)
		good = stmt != NULL &&
		       put_policy(db, stmt, row, &report->policies[i]);
	(void)sqlite3_finalize(stmt);
	return good && run_with(db, crowd_sql, (int64_t)most) &&
	       db_run(db, "COMMIT");
}

int
inbox_store_add(const struct inbox_store *store, const struct report *report,
    const struct inbox_origin *origin, enum inbox_added *ret, struct err *err)
{
	size_t most = store->reports == 0 ? INBOX_REPORTS : store->reports;
	struct db db = db_of(store);
	char path[DB_PATH_SIZE];
	int fd, rc = 0;

	*ret = INBOX_NOT;
	if (db_path(&db, ".db", path, err) < 0 || db_lock(&db, &fd, err) < 0)
		return -1;
	if (db_make_file(path, err) < 0)
		rc = -1;
	else if (!db_open(&db, path, FORMAT) ||
		 !db_limit_size(&db, store->megabytes) ||
		 !add_all(&db, report, origin, most, ret))
		rc = fail(&db, err);
	if (rc < 0)
		*ret = INBOX_NOT;
	db_close(&db);
	(void)close(fd);
	return rc;
}

/* --- forgetting ----------------------------------------------------------- */

static bool
drop(struct db *db, enum inbox_forget which, uint64_t *ret)
{
	if (!db_run(db, safe_sql) || !db_run(db, "BEGIN IMMEDIATE") ||
	    !db_run(db, make_sql) || !db_run(db, drop_sql[which]))
		return false;
	*ret = (uint64_t)sqlite3_changes(db->sqlite);
	return db_run(db, "COMMIT");
}

/* With the lock. */
static int
forget(struct db *db, const char *path, enum inbox_forget which,
    struct inbox_forgotten *ret, struct err *err)
{
	if (access(path, F_OK) < 0)
		return errno == ENOENT ? 0 : db_fail_path(path, err);
	if (db_open(db, path, FORMAT) && drop(db, which, &ret->reports)) {
		db_close(db);
		return 0;
	}
	(void)fail(db, err);
	db_close(db);
	ret->reports = 0;
	if (which != INBOX_ALL || !db_is_damaged(db->rc))
		return -1;
	ret->set_aside = true;
	return db_set_aside(db, err);
}

int
inbox_store_forget(const struct inbox_store *store, enum inbox_forget which,
    struct inbox_forgotten *ret, struct err *err)
{
	struct db db = db_of(store);
	char path[DB_PATH_SIZE];
	int fd, rc;

	*ret = (struct inbox_forgotten){0};
	if (db_path(&db, ".db", path, err) < 0 || db_lock(&db, &fd, err) < 0)
		return -1;
	rc = forget(&db, path, which, ret, err);
	(void)close(fd);
	return rc;
}

/* --- reading -------------------------------------------------------------- */

struct reader {
	inbox_report_fn *on_report;
	inbox_count_fn *on_count;
	void *arg;
};

static void
tell_report(sqlite3_stmt *stmt, void *arg)
{
	const struct reader *reader = arg;
	const struct inbox_report report = {
	    .organization = db_text(stmt, 0),
	    .contact = db_text(stmt, 1),
	    .id = db_text(stmt, 2),
	    .origin = {.domain = db_text(stmt, 3),
		.signer = db_text(stmt, 4),
		.received = sqlite3_column_int64(stmt, 5),
		.notes = db_text(stmt, 6)},
	    .start = sqlite3_column_int64(stmt, 7),
	    .end = sqlite3_column_int64(stmt, 8),
	    .successes = db_count(stmt, 9),
	    .failures = db_count(stmt, 10),
	};

	reader->on_report(&report, reader->arg);
}

static enum report_policy_type
type_at(sqlite3_stmt *stmt, int i)
{
	int type = sqlite3_column_int(stmt, i);

	return type < 0 || type > POLICY_TYPE_STS
	           ? POLICY_TYPE_OTHER
	           : (enum report_policy_type)type;
}

static void
tell_count(sqlite3_stmt *stmt, void *arg)
{
	const struct reader *reader = arg;
	const struct inbox_count count = {
	    .domain = db_text(stmt, 0),
	    .signer = db_text(stmt, 1),
	    .organization = db_text(stmt, 2),
	    .day = sqlite3_column_int64(stmt, 3),
	    .type = type_at(stmt, 4),
	    .policy_domain = db_text(stmt, 5),
	    .result_type = db_text(stmt, 6),
	    .mx = db_text(stmt, 7),
	    .reason_code = db_text(stmt, 8),
	    .sessions = db_count(stmt, 9),
	    .failures = db_count(stmt, 10),
	};

	reader->on_count(&count, reader->arg);
}

static int
read_all(const struct inbox_store *store, const char *sql, int64_t with,
    db_row_fn *fn, struct reader *reader, struct err *err)
{
	struct db db = db_of(store);
	int rc = db_read(&db, FORMAT, sql, with, fn, reader, err);

	return rc < 0 && db.rc != SQLITE_OK ? fail(&db, err) : rc;
}

int
inbox_store_reports(const struct inbox_store *store, int64_t since,
    inbox_report_fn *fn, void *arg, struct err *err)
{
	struct reader reader = {.on_report = fn, .arg = arg};

	return read_all(store, reports_sql, since, tell_report, &reader, err);
}

int
inbox_store_counts(const struct inbox_store *store, int64_t since_day,
    inbox_count_fn *fn, void *arg, struct err *err)
{
	struct reader reader = {.on_count = fn, .arg = arg};

	return read_all(
	    store, counts_sql, since_day * DAY, tell_count, &reader, err);
}
