/* See audit_store_db.h. */
#include "mta/audit_store_db.h"

/* The first thing that goes wrong is what is told. */
bool
audit_db_check(struct audit_db *db, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return true;
	if (db->rc == SQLITE_OK)
		db->rc = rc;
	return false;
}

int
audit_db_fail(const struct audit_db *db, struct err *err)
{
	bool known = db->sqlite != NULL &&
	             sqlite3_errcode(db->sqlite) == (db->rc & 0xff);
	const char *more = known ? sqlite3_errmsg(db->sqlite) : "";

	return err_set(err, ERR_TEMP, "4.3.0", "%s/audit.db: %s%s%.200s",
	    db->store->folder, sqlite3_errstr(db->rc),
	    more[0] == '\0' ? "" : ": ", more);
}

/* SQLITE_ERROR: the tables are not ours; SQLITE_SCHEMA is never one's fault. */
bool
audit_db_is_damaged(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_ERROR:
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
		return true;
	default:
		return false;
	}
}

bool
audit_db_run(struct audit_db *db, const char *sql)
{
	return audit_db_check(
	    db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
}

sqlite3_stmt *
audit_db_prepare(struct audit_db *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;

	(void)audit_db_check(
	    db, sqlite3_prepare_v2(db->sqlite, sql, -1, &stmt, NULL));
	return stmt;
}

/* One number that a statement with one parameter says. */
bool
audit_db_ask(struct audit_db *db, const char *sql, int64_t with, int64_t *ret)
{
	sqlite3_stmt *stmt = audit_db_prepare(db, sql);
	bool found = stmt != NULL &&
	             (sqlite3_bind_parameter_count(stmt) == 0 ||
			 audit_db_check(
			     db, sqlite3_bind_int64(stmt, 1, with))) &&
	             audit_db_check(db, sqlite3_step(stmt));

	if (found)
		*ret = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return found;
}

/* Whoever can write the file has no say over what is run. */
bool
audit_db_open(struct audit_db *db, const char *path)
{
	int64_t format = 0;

	if (!audit_db_check(db, sqlite3_open_v2(path, &db->sqlite,
				    SQLITE_OPEN_READWRITE, NULL)))
		return false;
	(void)sqlite3_db_config(
	    db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(
	    db->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(
	    db->sqlite, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	(void)sqlite3_busy_timeout(db->sqlite, (int)db->store->wait_ms);
	if (!audit_db_run(db, "PRAGMA cell_size_check = ON;"
			      "PRAGMA temp_store = MEMORY") ||
	    !audit_db_ask(db, "PRAGMA user_version", 0, &format))
		return false;
	return format == 0 || format == AUDIT_DB_FORMAT ||
	       audit_db_check(db, SQLITE_FORMAT);
}

void
audit_db_close(struct audit_db *db)
{
	(void)sqlite3_finalize(db->update);
	(void)sqlite3_finalize(db->insert);
	/* What is not committed is rolled back. */
	(void)sqlite3_close(db->sqlite);
	db->update = db->insert = NULL;
	db->sqlite = NULL;
}
