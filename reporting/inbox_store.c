/* See inbox_store.h. */
#include "reporting/inbox_store.h"

#include <errno.h>
#include <unistd.h>

#include "reporting/inbox_store_private.h"

#define DAY    INT64_C(86400)
#define FORMAT INBOX_FORMAT

const char inbox_make_sql[] =
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

const char inbox_safe_sql[] = "PRAGMA journal_mode = TRUNCATE;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA foreign_keys = ON";

static const char *const drop_sql[] = {
    [INBOX_UNSIGNED] = "DELETE FROM reports WHERE signer = ''",
    [INBOX_ALL] = "DELETE FROM reports",
};

static const char reports_sql[] =
    "SELECT organization, contact, id, domain, signer, received, notes,"
    " start, end, successes, failures FROM reports WHERE end >= ?1"
    " ORDER BY end DESC, organization, id";

/*
 * The row of a policy comes before its failures.  These have a result, but for
 * rows of an older version: it kept failures of no kind without one, and then
 * such rows add up to more than the successes of their report.  What is not
 * surely the row of a policy there is a failure.
 */
#define LOOSE_SQL                                                      \
	"WITH loose AS MATERIALIZED (SELECT c.report FROM counts AS c" \
	" JOIN reports AS r ON r.number = c.report"                    \
	" WHERE r.start >= ?1 AND c.result = '' GROUP BY c.report"     \
	" HAVING total(c.sessions) > r.successes),"                    \
	" firsts(row) AS MATERIALIZED (SELECT min(rowid) FROM counts"  \
	" WHERE report IN (SELECT report FROM loose)"                  \
	" GROUP BY report, type, policy_domain) "
#define RESULT_SQL                                                   \
	"CASE WHEN c.result <> '' THEN c.result WHEN c.failures > 0" \
	" OR c.report NOT IN (SELECT report FROM loose)"             \
	" OR c.rowid IN (SELECT row FROM firsts) THEN ''"            \
	" ELSE '" INBOX_UNSPECIFIED "' END"

/* sum() fails where the sum is no number of 64 bits: whoever signs enough
 * reports would decide that none is read.  This one ends there. */
static const char counts_sql[] = LOOSE_SQL
    "SELECT r.domain, r.signer, r.organization, r.start / 86400, c.type,"
    " c.policy_domain, " RESULT_SQL ", c.mx, c.reason,"
    " CAST(total(c.sessions) AS INTEGER), CAST(total(c.failures) AS INTEGER)"
    " FROM counts AS c JOIN reports AS r ON r.number = c.report"
    " WHERE r.start >= ?1"
    " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
    " ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9";

struct db
inbox_db(const struct inbox_store *store)
{
	return (struct db){.folder = store->folder,
	    .name = "inbox",
	    .wait_ms = store->wait_ms};
}

const char *
inbox_result_type(const struct report_failure *failure)
{
	return failure->result_type[0] == '\0' ? INBOX_UNSPECIFIED
	                                       : failure->result_type;
}

int
inbox_fail(const struct db *db, struct err *err)
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

/* --- forgetting ----------------------------------------------------------- */

static bool
drop(struct db *db, enum inbox_forget which, uint64_t *ret)
{
	if (!db_run(db, inbox_safe_sql) || !db_run(db, "BEGIN IMMEDIATE") ||
	    !db_run(db, inbox_make_sql) || !db_run(db, drop_sql[which]))
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
	(void)inbox_fail(db, err);
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
	struct db db = inbox_db(store);
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

int
inbox_read_rows(const struct inbox_store *store, const char *sql, int64_t with,
    db_row_fn *fn, void *arg, struct err *err)
{
	struct db db = inbox_db(store);
	int rc = db_read(&db, FORMAT, sql, with, fn, arg, err);

	return rc < 0 && db.rc != SQLITE_OK ? inbox_fail(&db, err) : rc;
}

int
inbox_store_reports(const struct inbox_store *store, int64_t since,
    inbox_report_fn *fn, void *arg, struct err *err)
{
	struct reader reader = {.on_report = fn, .arg = arg};

	return inbox_read_rows(
	    store, reports_sql, since, tell_report, &reader, err);
}

int
inbox_store_counts(const struct inbox_store *store, int64_t since_day,
    inbox_count_fn *fn, void *arg, struct err *err)
{
	struct reader reader = {.on_count = fn, .arg = arg};

	return inbox_read_rows(
	    store, counts_sql, since_day * DAY, tell_count, &reader, err);
}
