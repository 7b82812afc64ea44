/* See store.h: places that do not take reports, and what comes back. */
#include "base/text.h"
#include "reporting/store_private.h"

static bool
bind_place(struct report_store *store, sqlite3_stmt *stmt, const char *domain,
    const char *rua)
{
	return stmt != NULL && db_bind_text(&store->db, stmt, 1, domain) &&
	       db_bind_text(&store->db, stmt, 2, rua);
}

/* An older daemon made the file, and whoever only looks adds no table. */
static bool
has_troubles(struct report_store *store)
{
	int64_t n = 0;

	return db_ask(&store->db,
		   "SELECT count(*) FROM sqlite_schema"
		   " WHERE type = 'table' AND name = 'troubles'",
		   0, &n) &&
	       n > 0;
}

int
report_store_trouble(struct report_store *store, const char *domain,
    const char *rua, struct report_trouble *ret, struct err *err)
{
	bool look = store->setup.only_look;
	int rc = report_db_begin(store, false, err);
	sqlite3_stmt *stmt = NULL;

	*ret = (struct report_trouble){.failures = 0};
	if (rc <= 0)
		return rc;
	if (!look || has_troubles(store))
		stmt = report_db_stmt(
		    store, look ? SQL_TROUBLE_LOOK : SQL_TROUBLE);
	if (bind_place(store, stmt, domain, rua) &&
	    report_db_step(store, stmt)) {
		ret->failures = (uint32_t)sqlite3_column_int64(stmt, 0);
		ret->until = sqlite3_column_int64(stmt, 1);
		ret->doubted = sqlite3_column_int64(stmt, 2);
	}
	return report_db_end(store, err);
}

int
report_store_put_trouble(struct report_store *store, const char *domain,
    const char *rua, const struct report_trouble *trouble, struct err *err)
{
	bool drop = trouble->failures == 0, sure = trouble->doubted == 0;
	int rc = report_db_begin(store, true, err);
	struct db *db = &store->db;
	sqlite3_stmt *stmt;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, drop ? SQL_TROUBLE_DROP : SQL_TROUBLE_PUT);
	if (bind_place(store, stmt, domain, rua) &&
	    (drop || (db_bind_number(db, stmt, 3, trouble->failures) &&
			 db_bind_number(db, stmt, 4, trouble->until))))
		(void)report_db_run(store, stmt);
	stmt = report_db_stmt(store, sure ? SQL_DOUBT_DROP : SQL_DOUBT_PUT);
	if (bind_place(store, stmt, domain, rua) &&
	    (sure || db_bind_number(db, stmt, 3, trouble->doubted)))
		(void)report_db_run(store, stmt);
	return report_db_end(store, err);
}

/* --- what comes back ------------------------------------------------------ */

int
report_store_put_word(struct report_store *store, const char *word,
    int64_t today, const struct report_try *try, struct err *err)
{
	struct db *db = &store->db;
	int rc = report_db_begin(store, true, err);
	sqlite3_stmt *stmt;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_WORD_PUT);
	if (stmt != NULL && db_bind_text(db, stmt, 1, word) &&
	    db_bind_number(db, stmt, 2, today) &&
	    db_bind_number(db, stmt, 3, try->day) &&
	    db_bind_text(db, stmt, 4, try->domain) &&
	    db_bind_text(db, stmt, 5, try->rua))
		(void)report_db_run(store, stmt);
	return report_db_end(store, err);
}

int
report_store_word(struct report_store *store, const char *word,
    struct report_returned *ret, struct err *err)
{
	struct db *db = &store->db;
	int rc = report_db_begin(store, false, err);
	sqlite3_stmt *stmt;
	bool found = false;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_WORD);
	if (stmt != NULL && db_bind_text(db, stmt, 1, word) &&
	    report_db_step(store, stmt)) {
		ret->day = sqlite3_column_int64(stmt, 0);
		found = (text_copy(ret->domain, sizeof(ret->domain),
			     db_text(stmt, 1)) &&
			    text_copy(ret->rua, sizeof(ret->rua),
				db_text(stmt, 2))) ||
		        db_check(db, SQLITE_MISMATCH);
	}
	return report_db_end(store, err) < 0 ? -1 : found;
}

int
report_store_bounced(struct report_store *store, const char *word,
    const struct report_returned *returned, const char *why, struct err *err)
{
	struct db *db = &store->db;
	int rc = report_db_begin(store, true, err);
	sqlite3_stmt *stmt;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_BOUNCED);
	if (stmt != NULL && db_bind_number(db, stmt, 1, returned->day) &&
	    db_bind_text(db, stmt, 2, returned->domain) &&
	    db_bind_text(db, stmt, 3, returned->rua) &&
	    report_db_bind_text(store, stmt, 4, why, REPORT_STORE_WORDS))
		(void)report_db_run(store, stmt);
	stmt = report_db_stmt(store, SQL_WORD_DROP);
	if (stmt != NULL && db_bind_text(db, stmt, 1, word))
		(void)report_db_run(store, stmt);
	return report_db_end(store, err);
}
