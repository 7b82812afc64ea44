/* See store.h: the file, and what every call does with it. */
#include "reporting/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "reporting/store_private.h"

/* In the file's user_version. */
#define FORMAT 1

/* 1: the place is an https URI; 0: an address. */
#define BY_POST "(lower(substr(rua, 1, 6)) = 'https:')"

static const char make_sql[] =
    "CREATE TABLE IF NOT EXISTS policies ("
    " id INTEGER PRIMARY KEY,"
    " domain TEXT NOT NULL, type TEXT NOT NULL,"
    " strings TEXT NOT NULL, mx TEXT NOT NULL,"
    " UNIQUE (domain, type, strings, mx)) STRICT;"
    "CREATE TABLE IF NOT EXISTS domains ("
    " day INTEGER NOT NULL, domain TEXT NOT NULL,"
    " planned INTEGER NOT NULL DEFAULT 0, id TEXT NOT NULL DEFAULT '',"
    " PRIMARY KEY (day, domain)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS counts ("
    " day INTEGER NOT NULL, domain TEXT NOT NULL, policy INTEGER NOT NULL,"
    " successes INTEGER NOT NULL, failures INTEGER NOT NULL,"
    " PRIMARY KEY (day, domain, policy)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS failures ("
    " day INTEGER NOT NULL, domain TEXT NOT NULL, policy INTEGER NOT NULL,"
    " result TEXT NOT NULL, sender TEXT NOT NULL, mx TEXT NOT NULL,"
    " helo TEXT NOT NULL, receiver TEXT NOT NULL, more TEXT NOT NULL,"
    " reason TEXT NOT NULL, sessions INTEGER NOT NULL,"
    " PRIMARY KEY (day, domain, policy, result, sender, mx, helo, receiver,"
    "  more, reason)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS tries ("
    " day INTEGER NOT NULL, domain TEXT NOT NULL, rua TEXT NOT NULL,"
    " number INTEGER NOT NULL, state INTEGER NOT NULL,"
    " tries INTEGER NOT NULL, next INTEGER NOT NULL, why TEXT NOT NULL,"
    " PRIMARY KEY (day, domain, rua)) STRICT, WITHOUT ROWID;"
    "DROP INDEX IF EXISTS due;"
    "CREATE INDEX IF NOT EXISTS due_by"
    " ON tries (" BY_POST ", next) WHERE state = 0;"
    "CREATE INDEX IF NOT EXISTS queued ON tries (next) WHERE state = 3;"
    "DROP TABLE IF EXISTS places;"
    "CREATE TABLE IF NOT EXISTS troubles ("
    " domain TEXT NOT NULL, rua TEXT NOT NULL, failures INTEGER NOT NULL,"
    " until INTEGER NOT NULL,"
    " PRIMARY KEY (domain, rua)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS doubts ("
    " domain TEXT NOT NULL, rua TEXT NOT NULL, until INTEGER NOT NULL,"
    " PRIMARY KEY (domain, rua)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS words ("
    " word TEXT PRIMARY KEY, sent INTEGER NOT NULL, day INTEGER NOT NULL,"
    " domain TEXT NOT NULL, rua TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1"; /* FORMAT */

/* It is open for long; what is committed is on disk. */
static const char safe_sql[] = "PRAGMA journal_mode = TRUNCATE;"
			       "PRAGMA synchronous = FULL";

/* In this state, whose time has come; each has an index of its own. */
#define TRIES_BY(state)                                                    \
	"SELECT t.day, t.domain, d.id, t.rua, t.number, t.state, t.tries," \
	" t.next, t.why"                                                   \
	" FROM tries AS t JOIN domains AS d USING (day, domain)"           \
	" WHERE t.state = " state " AND t.next <= ?1"                      \
	" ORDER BY t.next, t.day, t.domain, t.number LIMIT ?2"

/* The order of parameters is that of who binds them. */
static const char *const sqls[SQLS] = {
    [SQL_POLICY_FIND] = "SELECT id FROM policies WHERE domain = ?1"
			" AND type = ?2 AND strings = ?3 AND mx = ?4",
    [SQL_POLICY_ADD] = "INSERT INTO policies (domain, type, strings, mx)"
		       " VALUES (?1, ?2, ?3, ?4)",
    [SQL_COUNT_UPDATE] = "UPDATE counts SET successes = successes + ?4,"
			 " failures = failures + ?5"
			 " WHERE day = ?1 AND domain = ?2 AND policy = ?3",
    [SQL_COUNT_ADD] = "INSERT INTO counts"
		      " (day, domain, policy, successes, failures)"
		      " VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_COUNT_ROOM] = "SELECT count(*) FROM counts"
		       " WHERE day = ?1 AND domain = ?2",
    [SQL_FAILURE_UPDATE] =
	"UPDATE failures SET sessions = sessions + ?11"
	" WHERE day = ?1 AND domain = ?2 AND policy = ?3 AND result = ?4"
	" AND sender = ?5 AND mx = ?6 AND helo = ?7 AND receiver = ?8"
	" AND more = ?9 AND reason = ?10",
    [SQL_FAILURE_HELOS] =
	"SELECT count(*) FROM failures WHERE day = ?1 AND domain = ?2"
	" AND policy = ?3 AND result = ?4 AND sender = ?5 AND mx = ?6"
	" AND helo <> '' AND helo <> ?7 AND ?8 = receiver AND ?9 = more"
	" AND ?10 = reason",
    [SQL_FAILURE_ADD] =
	"INSERT INTO failures (day, domain, policy, result, sender, mx, helo,"
	" receiver, more, reason, sessions)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [SQL_FAILURE_ROOM] = "SELECT count(*) FROM failures"
			 " WHERE day = ?1 AND domain = ?2",
    [SQL_DOMAIN_FIND] = "SELECT 1 FROM domains"
			" WHERE day = ?1 AND domain = ?2",
    [SQL_DOMAIN_ADD] = "INSERT INTO domains (day, domain) VALUES (?1, ?2)",
    [SQL_DOMAIN_ROOM] = "SELECT count(*) FROM domains WHERE day = ?1",
    [SQL_DOMAIN_NEXT] = "SELECT domain FROM domains"
			" WHERE day = ?1 AND domain > ?2 AND planned = 0"
			" ORDER BY domain LIMIT 1",
    [SQL_DOMAIN_COUNTED] = "SELECT domain FROM domains"
			   " WHERE day = ?1 AND domain > ?2"
			   " ORDER BY domain LIMIT 1",
    [SQL_LOAD_POLICIES] =
	"SELECT p.id, p.type, p.domain, p.strings, p.mx, c.successes,"
	" c.failures, count(*) OVER ()"
	" FROM counts AS c JOIN policies AS p ON p.id = c.policy"
	" WHERE c.day = ?1 AND c.domain = ?2"
	" ORDER BY p.type, p.domain, p.strings, p.mx",
    [SQL_LOAD_FAILURES] =
	"SELECT result, sender, mx, helo, receiver, more, reason, sessions,"
	" count(*) OVER ()"
	" FROM failures WHERE day = ?1 AND domain = ?2 AND policy = ?3"
	" ORDER BY sessions DESC, result, mx, receiver, sender, helo, more,"
	" reason",
    [SQL_PLANNED] = "SELECT planned FROM domains"
		    " WHERE day = ?1 AND domain = ?2",
    [SQL_PLAN] = "UPDATE domains SET planned = 1, id = ?3"
		 " WHERE day = ?1 AND domain = ?2 AND planned = 0",
    [SQL_PLAN_TRY] =
	"INSERT INTO tries"
	" (day, domain, rua, number, state, tries, next, why)"
	" VALUES (?1, ?2, ?3, (SELECT coalesce(max(number), 0) + 1"
	"  FROM tries WHERE day = ?1 AND domain = ?2), 0, 0, ?4, '')"
	" ON CONFLICT (day, domain, rua) DO UPDATE"
	" SET state = 0, tries = 0, next = ?4, why = ''"
	" WHERE state = 2",
    [SQL_DUE_MAILS] = TRIES_BY("0 AND " BY_POST " = 0"),
    [SQL_DUE_POSTS] = TRIES_BY("0 AND " BY_POST " = 1"),
    [SQL_NOTE] = "UPDATE tries SET state = ?4, tries = ?5, next = ?6,"
		 " why = ?7 WHERE day = ?1 AND domain = ?2 AND rua = ?3",
    [SQL_LIST] = "SELECT t.day, t.domain, d.id, t.rua, t.number, t.state,"
		 " t.tries, t.next, t.why"
		 " FROM tries AS t JOIN domains AS d USING (day, domain)"
		 " WHERE (t.day, t.domain, t.number) > (?1, ?2, ?3)"
		 " ORDER BY t.day, t.domain, t.number LIMIT ?4",
    [SQL_OVERDUE] = TRIES_BY("3"),
    [SQL_QUEUED] = "UPDATE tries SET state = 3, next = ?4"
		   " WHERE day = ?1 AND domain = ?2 AND rua = ?3"
		   " AND state = 0",
    [SQL_HEARD] = "UPDATE tries SET state = ?4, why = ?5,"
		  " next = iif(state = 0, ?6, next)"
		  " WHERE day = ?1 AND domain = ?2 AND number = ?3"
		  " AND (state IN (0, 3)"
		  "  OR (state = 2 AND next = -1 AND ?4 = 1)) RETURNING rua",
    [SQL_TROUBLE] = "SELECT failures, until, coalesce((SELECT until FROM doubts"
		    "  WHERE domain = ?1 AND rua = ?2), 0)"
		    " FROM troubles WHERE domain = ?1 AND rua = ?2",
    [SQL_TROUBLE_LOOK] = "SELECT failures, until, 0 FROM troubles"
			 " WHERE domain = ?1 AND rua = ?2",
    [SQL_TROUBLE_PUT] = "INSERT INTO troubles (domain, rua, failures, until)"
			" VALUES (?1, ?2, ?3, ?4)"
			" ON CONFLICT (domain, rua) DO UPDATE"
			" SET failures = ?3, until = ?4",
    [SQL_TROUBLE_DROP] = "DELETE FROM troubles"
			 " WHERE domain = ?1 AND rua = ?2",
    [SQL_DOUBT_PUT] = "INSERT INTO doubts (domain, rua, until)"
		      " VALUES (?1, ?2, ?3)"
		      " ON CONFLICT (domain, rua) DO UPDATE SET until = ?3",
    [SQL_DOUBT_DROP] = "DELETE FROM doubts WHERE domain = ?1 AND rua = ?2",
    [SQL_WORD_PUT] = "INSERT OR REPLACE INTO words"
		     " (word, sent, day, domain, rua)"
		     " VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_WORD] = "SELECT day, domain, rua FROM words WHERE word = ?1",
    [SQL_WORD_DROP] = "DELETE FROM words WHERE word = ?1",
    [SQL_BOUNCED] = "UPDATE tries SET state = 2, why = ?4, next = 0"
		    " WHERE day = ?1 AND domain = ?2 AND rua = ?3",
    [SQL_AGAIN_DOMAIN] = "UPDATE domains SET planned = 0"
			 " WHERE day = ?1 AND domain = ?2",
    [SQL_AGAIN_TRIES] = "UPDATE tries SET tries = 0, next = ?3"
			" WHERE day = ?1 AND domain = ?2 AND state = 0",
    [SQL_AGAIN_TROUBLES] = "DELETE FROM troubles WHERE domain = ?1",
    [SQL_AGAIN_DOUBTS] = "DELETE FROM doubts WHERE domain = ?1",
};

/* --- statements ----------------------------------------------------------- */

sqlite3_stmt *
report_db_stmt(struct report_store *store, enum store_sql sql)
{
	sqlite3_stmt **stmt = &store->stmts[sql];

	if (store->db.rc != SQLITE_OK)
		return NULL;
	if (*stmt == NULL)
		*stmt = db_prepare(&store->db, sqls[sql]);
	if (*stmt != NULL)
		(void)sqlite3_reset(*stmt);
	return *stmt;
}

bool
report_db_bind_text(struct report_store *store, sqlite3_stmt *stmt, int i,
    const char *text, size_t most)
{
	size_t n = text == NULL ? 0 : strnlen(text, most);

	return db_check(
	    &store->db, sqlite3_bind_text(stmt, i, n == 0 ? "" : text, (int)n,
			    SQLITE_STATIC));
}

bool
report_db_step(struct report_store *store, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	return db_check(&store->db, rc) && rc == SQLITE_ROW;
}

int
report_db_run(struct report_store *store, sqlite3_stmt *stmt)
{
	(void)report_db_step(store, stmt);
	(void)sqlite3_reset(stmt);
	return store->db.rc == SQLITE_OK ? sqlite3_changes(store->db.sqlite)
	                                 : 0;
}

static void
drop_stmts(struct report_store *store)
{
	for (int i = 0; i < SQLS; i++) {
		(void)sqlite3_finalize(store->stmts[i]);
		store->stmts[i] = NULL;
	}
}

static void
reset_stmts(struct report_store *store)
{
	for (int i = 0; i < SQLS; i++)
		if (store->stmts[i] != NULL) {
			(void)sqlite3_reset(store->stmts[i]);
			(void)sqlite3_clear_bindings(store->stmts[i]);
		}
}

void
report_db_forget_rooms(struct report_store *store)
{
	for (size_t i = 0; i < 2; i++)
		store->rooms[i].day = INT64_MIN;
}

/* --- the file ------------------------------------------------------------- */

static void
close_file(struct report_store *store)
{
	drop_stmts(store);
	db_close(&store->db);
	report_db_forget_rooms(store);
}

/* Open, and as it has to be. */
static int
open_once(struct report_store *store, const char *path, struct err *err)
{
	bool good = db_open(&store->db, path, FORMAT) &&
	            (store->setup.only_look ||
			(db_limit_size(&store->db, store->setup.megabytes) &&
			    db_run(&store->db, safe_sql) &&
			    db_run(&store->db, "BEGIN IMMEDIATE") &&
			    db_run(&store->db, make_sql) &&
			    db_run(&store->db, "COMMIT")));

	if (good)
		return 0;
	(void)db_fail(&store->db, err);
	close_file(store);
	return -1;
}

/* For what is in err; that is what it says, or why it could not be done. */
static int
set_aside(struct report_store *store, struct err *err)
{
	struct err found = *err;

	if (db_set_aside(&store->db, err) < 0)
		return -1;
	store->damaged = found;
	return 0;
}

static int
open_to_write(struct report_store *store, struct err *err)
{
	char path[DB_PATH_SIZE];

	if (db_path(&store->db, ".db", path, err) < 0 ||
	    db_make_file(path, err) < 0)
		return -1;
	if (open_once(store, path, err) == 0)
		return 0;
	if (!db_is_damaged(store->db.rc))
		return -1;
	if (set_aside(store, err) < 0 || db_make_file(path, err) < 0)
		return -1;
	return open_once(store, path, err);
}

/* Who only looks leaves it where it is. */
static int
say_damaged(int rc, struct err *err)
{
	struct err found = *err;

	if (!db_is_damaged(rc))
		return -1;
	return err_set(err, found.kind, found.enhanced,
	    "%.180s; danelawd sets it aside when it next writes to it",
	    found.text);
}

/* One that was made a moment ago has nothing in it yet. */
static int
open_to_look(struct report_store *store, struct err *err)
{
	int64_t tables = 0;
	char path[DB_PATH_SIZE];

	if (db_path(&store->db, ".db", path, err) < 0)
		return -1;
	store->empty = access(path, F_OK) < 0 && errno == ENOENT;
	if (store->empty)
		return 0;
	if (open_once(store, path, err) < 0)
		return say_damaged(store->db.rc, err);
	store->empty = db_ask(&store->db, "SELECT count(*) FROM sqlite_schema",
			   0, &tables) &&
	               tables == 0;
	return store->db.rc == SQLITE_OK ? 0 : db_fail(&store->db, err);
}

/* What it has to be for who has the lock, or has none. */
static int
open_file(struct report_store *store, struct err *err)
{
	return store->setup.only_look ? open_to_look(store, err)
	                              : open_to_write(store, err);
}

struct report_store *
report_store_open(const struct report_store_setup *setup,
    struct err *ret_damaged, struct err *err)
{
	struct report_store *store = mem_new(sizeof(*store));
	int rc;

	store->folder = mem_strdup(setup->folder);
	store->setup = *setup;
	store->lock = -1;
	report_db_forget_rooms(store);
	store->db = (struct db){.folder = store->folder,
	    .name = "report",
	    .wait_ms = setup->wait_ms};
	if (!setup->only_look && db_lock(&store->db, &store->lock, err) < 0)
		rc = -1;
	else
		rc = open_file(store, err);
	(void)report_store_damaged(store, ret_damaged);
	if (rc < 0)
		report_store_close(&store);
	return store;
}

int
report_store_reopen(struct report_store *store, struct err *err)
{
	close_file(store);
	return open_file(store, err);
}

bool
report_store_damaged(struct report_store *store, struct err *ret)
{
	*ret = store->damaged;
	store->damaged = (struct err){.kind = ERR_NONE};
	return ret->kind != ERR_NONE;
}

void
report_store_close(struct report_store **store)
{
	if (*store == NULL)
		return;
	close_file(*store);
	if ((*store)->lock >= 0)
		(void)close((*store)->lock);
	mem_free((*store)->folder);
	mem_free(*store);
	*store = NULL;
}

/* --- calls ---------------------------------------------------------------- */

int
report_db_begin(struct report_store *store, bool write, struct err *err)
{
	store->db.rc = SQLITE_OK;
	if (write && store->setup.only_look)
		return err_set(err, ERR_BUG, "4.3.0", "opened to look only");
	/* It was set aside by the call before, or could not be opened anew. */
	if (!store->empty && store->db.sqlite == NULL &&
	    open_file(store, err) < 0)
		return -1;
	if (store->empty)
		return 0;
	if (db_run(&store->db, write ? "BEGIN IMMEDIATE" : "BEGIN"))
		return 1;
	return report_db_end(store, err);
}

static int
fail(struct report_store *store, struct err *err)
{
	int rc = store->db.rc;

	(void)db_fail(&store->db, err);
	/* Some of what goes wrong has rolled back by itself. */
	(void)sqlite3_exec(store->db.sqlite, "ROLLBACK", NULL, NULL, NULL);
	report_db_forget_rooms(store);
	if (store->setup.only_look)
		return say_damaged(rc, err);
	if (!db_is_damaged(rc))
		return -1;
	close_file(store);
	if (set_aside(store, err) == 0)
		(void)err_wrap(err, "set aside as damaged");
	return -1;
}

int
report_db_end(struct report_store *store, struct err *err)
{
	reset_stmts(store);
	if (store->db.rc == SQLITE_OK && db_run(&store->db, "COMMIT"))
		return 0;
	return fail(store, err);
}

const char *
report_state_name(enum report_state state)
{
	switch (state) {
	case REPORT_DUE:
		return "due";
	case REPORT_SENT:
		return "sent";
	case REPORT_GIVEN_UP:
		return "given-up";
	case REPORT_QUEUED:
		return "queued";
	}
	return "?";
}
