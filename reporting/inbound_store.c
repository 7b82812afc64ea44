/* See inbound_store.h: what is written. */
#include "reporting/inbound_store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "reporting/inbound_store_private.h"

#define DAY_S     INT64_C(86400)
#define MEGABYTES 512

static const char make_sql[] =
    "CREATE TABLE IF NOT EXISTS seen ("
    " day INTEGER NOT NULL, address BLOB NOT NULL, outcome INTEGER NOT NULL,"
    " alert INTEGER NOT NULL, sessions INTEGER NOT NULL,"
    " PRIMARY KEY (day, address, outcome, alert)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS room ("
    " day INTEGER NOT NULL, sort INTEGER NOT NULL, network BLOB NOT NULL,"
    " taken INTEGER NOT NULL,"
    " PRIMARY KEY (day, sort, network)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS days ("
    " day INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " gap INTEGER NOT NULL, untold INTEGER NOT NULL) STRICT;"
    "PRAGMA user_version = 1"; /* INBOUND_FORMAT */

/* A second that is lost with the power is no loss: but it is all, or not. */
static const char safe_sql[] = "PRAGMA journal_mode = TRUNCATE;"
			       "PRAGMA synchronous = NORMAL";

static const char *const forget_sqls[] = {
    "DELETE FROM seen WHERE day < ?1",
    "DELETE FROM room WHERE day < ?1",
    "DELETE FROM days WHERE day < ?1",
};

enum {
	SQL_COUNT,
	SQL_ROOM,
	SQL_BEFORE,
	SQL_ADD,
	SQL_TAKE,
	SQL_DAY,
	SQL_UNTOLD,
	SQLS,
};

static const char *const sqls[SQLS] = {
    [SQL_COUNT] = "UPDATE seen SET sessions = sessions + ?5"
		  " WHERE day = ?1 AND address = ?2 AND outcome = ?3"
		  " AND alert = ?4",
    [SQL_ROOM] = "SELECT taken FROM room"
		 " WHERE day = ?1 AND sort = ?2 AND network = ?3",
    [SQL_BEFORE] = "SELECT 1 FROM seen"
		   " WHERE day = ?1 - 1 AND address = ?2 LIMIT 1",
    [SQL_ADD] = "INSERT INTO seen (day, address, outcome, alert, sessions)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_TAKE] = "INSERT INTO room (day, sort, network, taken)"
		 " VALUES (?1, ?2, ?3, 1)"
		 " ON CONFLICT DO UPDATE SET taken = taken + 1",
    [SQL_DAY] = "INSERT INTO days (day, first, last, gap, untold)"
		" VALUES (?1, ?2, ?3, 0, 0) ON CONFLICT (day) DO UPDATE SET"
		" gap = gap + CASE WHEN excluded.first - last > ?4"
		"  THEN excluded.first - last ELSE 0 END,"
		" last = max(last, excluded.last)",
    [SQL_UNTOLD] = "UPDATE days SET untold = untold + ?2 WHERE day = ?1",
};

struct adding {
	struct db *db;
	sqlite3_stmt *stmts[SQLS];
	int64_t rows;
	uint64_t untold;
};

/* --- statements ----------------------------------------------------------- */

static bool
prepare_all(struct adding *adding)
{
	for (int i = 0; i < SQLS; i++)
		adding->stmts[i] = db_prepare(adding->db, sqls[i]);
	return adding->db->rc == SQLITE_OK;
}

static void
finalize_all(struct adding *adding)
{
	for (int i = 0; i < SQLS; i++)
		(void)sqlite3_finalize(adding->stmts[i]);
}

static bool
bind_blob(struct db *db, sqlite3_stmt *stmt, int i, const uint8_t *p, size_t n)
{
	return db_check(
	    db, n == 0 ? sqlite3_bind_zeroblob(stmt, i, 0)
		       : sqlite3_bind_blob(stmt, i, p, (int)n, SQLITE_STATIC));
}

/* How many rows it has changed; *ret: the number of the row it says, if any. */
static int
run(struct adding *adding, sqlite3_stmt *stmt, int64_t *ret)
{
	int rc = sqlite3_step(stmt);
	bool good = db_check(adding->db, rc);

	if (rc == SQLITE_ROW && ret != NULL)
		*ret = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_reset(stmt);
	return good ? sqlite3_changes(adding->db->sqlite) : 0;
}

/* --- room ----------------------------------------------------------------- */

/* 1: TLS was tried. */
static int
sort_of(enum inbound_outcome outcome)
{
	switch (outcome) {
	case INBOUND_MAIL_PLAIN:
	case INBOUND_PLAIN:
	case INBOUND_NOT_OFFERED:
	case INBOUND_TURNED_AWAY:
		return 0;
	case INBOUND_BROKEN:
	case INBOUND_MAIL_TLS:
	case INBOUND_TLS:
	case INBOUND_ALERT:
	case INBOUND_VERSION:
	case INBOUND_CIPHER:
	case INBOUND_DROPPED:
	case INBOUND_SLOW:
	case INBOUND_OUTCOMES:
		break;
	}
	return 1;
}

/* The octets that name the network: a /16 of IPv4, a /32 of IPv6. */
static size_t
network_of(const uint8_t address[INBOUND_ADDRESS])
{
	return inbound_address_is_v4(address) ? INBOUND_ADDRESS - 2 : 4;
}

static bool
bind_room(struct adding *adding, sqlite3_stmt *stmt,
    const struct inbound_seen *seen, size_t network)
{
	return db_bind_number(adding->db, stmt, 1, seen->day) &&
	       db_bind_number(adding->db, stmt, 2, sort_of(seen->outcome)) &&
	       bind_blob(adding->db, stmt, 3, seen->address, network);
}

/* Of a network, or with no octet of all. */
static bool
has_room(struct adding *adding, const struct inbound_seen *seen, size_t network,
    int64_t most)
{
	sqlite3_stmt *stmt = adding->stmts[SQL_ROOM];
	int64_t taken = 0;

	if (!bind_room(adding, stmt, seen, network))
		return false;
	(void)run(adding, stmt, &taken);
	return taken < most;
}

static bool
was_here_before(struct adding *adding, const struct inbound_seen *seen)
{
	sqlite3_stmt *stmt = adding->stmts[SQL_BEFORE];
	int64_t found = 0;

	if (db_bind_number(adding->db, stmt, 1, seen->day) &&
	    bind_blob(
		adding->db, stmt, 2, seen->address, sizeof(seen->address)))
		(void)run(adding, stmt, &found);
	return found != 0;
}

/* The last quarter is for those who come every day. */
static bool
may_have_room(struct adding *adding, const struct inbound_seen *seen)
{
	int64_t share = adding->rows / 10;

	if (!has_room(adding, seen, network_of(seen->address), share))
		return false;
	return has_room(adding, seen, 0, adding->rows - adding->rows / 4) ||
	       (has_room(adding, seen, 0, adding->rows) &&
		   was_here_before(adding, seen));
}

static void
take_room(
    struct adding *adding, const struct inbound_seen *seen, size_t network)
{
	sqlite3_stmt *stmt = adding->stmts[SQL_TAKE];

	if (bind_room(adding, stmt, seen, network))
		(void)run(adding, stmt, NULL);
}

/* --- sessions ------------------------------------------------------------- */

static int
run_with(
    struct adding *adding, sqlite3_stmt *stmt, const struct inbound_seen *seen)
{
	struct db *db = adding->db;

	if (!db_bind_number(db, stmt, 1, seen->day) ||
	    !bind_blob(db, stmt, 2, seen->address, sizeof(seen->address)) ||
	    !db_bind_number(db, stmt, 3, (int64_t)seen->outcome) ||
	    !db_bind_number(db, stmt, 4, seen->alert) ||
	    !db_bind_number(db, stmt, 5, seen->sessions))
		return 0;
	return run(adding, stmt, NULL);
}

static void
add_seen(struct adding *adding, const struct inbound_seen *seen)
{
	if (run_with(adding, adding->stmts[SQL_COUNT], seen) > 0)
		return;
	if (!may_have_room(adding, seen)) {
		adding->untold += seen->sessions;
		return;
	}
	(void)run_with(adding, adding->stmts[SQL_ADD], seen);
	take_room(adding, seen, 0);
	take_room(adding, seen, network_of(seen->address));
}

/* --- days ----------------------------------------------------------------- */

static void
add_day(struct adding *adding, int64_t day, int64_t from, int64_t to)
{
	sqlite3_stmt *stmt = adding->stmts[SQL_DAY];
	int64_t start = day * DAY_S;
	int64_t end = start + DAY_S - 1;

	if (db_bind_number(adding->db, stmt, 1, day) &&
	    db_bind_number(adding->db, stmt, 2, from > start ? from : start) &&
	    db_bind_number(adding->db, stmt, 3, to < end ? to : end) &&
	    db_bind_number(adding->db, stmt, 4, INBOUND_GAP))
		(void)run(adding, stmt, NULL);
}

static void
add_untold(struct adding *adding, int64_t day)
{
	sqlite3_stmt *stmt = adding->stmts[SQL_UNTOLD];
	uint64_t untold = adding->untold < INT32_MAX ? adding->untold
	                                             : INT32_MAX;

	if (untold > 0 && db_bind_number(adding->db, stmt, 1, day) &&
	    db_bind_number(adding->db, stmt, 2, (int64_t)untold))
		(void)run(adding, stmt, NULL);
}

/* A clock that was set ends the time of which nothing is missing. */
static int64_t
start_of(const struct inbound_batch *batch)
{
	return batch->from > batch->to || batch->to - batch->from > DAY_S
	           ? batch->to
	           : batch->from;
}

static void
add_all(struct adding *adding, const struct inbound_batch *batch)
{
	int64_t from = start_of(batch);
	int64_t day = batch->to / DAY_S;

	adding->untold = batch->untold;
	if (from / DAY_S < day)
		add_day(adding, day - 1, from, batch->to);
	add_day(adding, day, from, batch->to);
	for (size_t i = 0; i < batch->n && adding->db->rc == SQLITE_OK; i++)
		add_seen(adding, &batch->seen[i]);
	add_untold(adding, day);
}

static void
forget(struct db *db, int64_t now, int64_t days)
{
	int64_t then;

	if (!db_sweep(db, now, &then) || then == 0)
		return;
	for (size_t i = 0; i < sizeof(forget_sqls) / sizeof(forget_sqls[0]);
	     i++) {
		sqlite3_stmt *stmt = db_prepare(db, forget_sqls[i]);

		if (stmt != NULL &&
		    db_bind_number(db, stmt, 1, then / DAY_S - days))
			(void)db_check(db, sqlite3_step(stmt));
		(void)sqlite3_finalize(stmt);
	}
}

/* --- the file ------------------------------------------------------------- */

struct db
inbound_store_db(const struct inbound_store *store)
{
	return (struct db){.folder = store->folder,
	    .name = "inbound",
	    .wait_ms = store->wait_ms};
}

static bool
write_batch(struct db *db, const struct inbound_batch *batch, size_t rows)
{
	struct adding adding = {
	    .db = db, .rows = (int64_t)(rows == 0 ? INBOUND_ROWS : rows)};

	if (!db_limit_size(db, MEGABYTES) || !db_run(db, safe_sql) ||
	    !db_run(db, "BEGIN IMMEDIATE") || !db_run(db, make_sql))
		return false;
	/* First, so that a file which is full does not stay so. */
	forget(db, batch->to, batch->days);
	if (prepare_all(&adding))
		add_all(&adding, batch);
	finalize_all(&adding);
	return db->rc == SQLITE_OK && db_run(db, "COMMIT");
}

int
inbound_store_add(const struct inbound_store *store,
    const struct inbound_batch *batch, struct err *err)
{
	struct db db = inbound_store_db(store);
	char path[DB_PATH_SIZE];
	struct err aside;
	int fd, rc = 0;

	if (db_path(&db, ".db", path, err) < 0 || db_lock(&db, &fd, err) < 0)
		return -1;
	if (db_make_file(path, err) < 0)
		rc = -1;
	else if (!db_open(&db, path, INBOUND_FORMAT) ||
		 !write_batch(&db, batch, store->rows))
		rc = db_fail(&db, err);
	db_close(&db);
	if (rc < 0 && db_is_damaged(db.rc))
		(void)db_set_aside(&db, &aside);
	(void)close(fd);
	return rc;
}

int
inbound_store_remove(const struct inbound_store *store, struct err *err)
{
	struct db db = inbound_store_db(store);
	char path[DB_PATH_SIZE];
	int fd, rc;

	if (db_path(&db, ".db", path, err) < 0)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (db_lock(&db, &fd, err) < 0)
		return -1;
	rc = db_remove(&db, err);
	(void)close(fd);
	return rc;
}
