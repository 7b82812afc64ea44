/* See store.h: reports, their places, and what became of them. */
#include <string.h>

#include "base/text.h"
#include "reporting/store_private.h"

static bool
bind_place(struct report_store *store, sqlite3_stmt *stmt, int64_t day,
    const char *domain)
{
	return stmt != NULL && db_bind_number(&store->db, stmt, 1, day) &&
	       db_bind_text(&store->db, stmt, 2, domain);
}

/* 1, 0 or -1; the text in `to` is whole, or it is no domain of ours. */
int
report_store_next(struct report_store *store, enum report_which which,
    int64_t day, const char *after, char *to, size_t size, struct err *err)
{
	int rc = report_db_begin(store, false, err);
	sqlite3_stmt *stmt;
	bool found = false;

	to[0] = '\0';
	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store,
	    which == REPORT_COUNTED ? SQL_DOMAIN_COUNTED : SQL_DOMAIN_NEXT);
	if (bind_place(store, stmt, day, after) && report_db_step(store, stmt))
		found = text_copy(to, size, db_text(stmt, 0)) ||
		        db_check(&store->db, SQLITE_MISMATCH);
	return report_db_end(store, err) < 0 ? -1 : found;
}

static bool
plan_try(struct report_store *store, const struct report_plan *plan, size_t i)
{
	struct db *db = &store->db;
	sqlite3_stmt *stmt = report_db_stmt(store, SQL_PLAN_TRY);

	if (!bind_place(store, stmt, plan->day, plan->domain) ||
	    !db_bind_text(db, stmt, 3, plan->rua[i]) ||
	    !db_bind_number(db, stmt, 4, plan->first))
		return false;
	(void)report_db_run(store, stmt);
	return db->rc == SQLITE_OK;
}

int
report_store_plan(
    struct report_store *store, const struct report_plan *plan, struct err *err)
{
	int rc = report_db_begin(store, true, err);
	sqlite3_stmt *stmt;
	bool now;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_PLAN);
	now = bind_place(store, stmt, plan->day, plan->domain) &&
	      db_bind_text(&store->db, stmt, 3, plan->id) &&
	      report_db_run(store, stmt) > 0;
	for (size_t i = 0; now && i < plan->nrua; i++)
		now = plan_try(store, plan, i);
	return report_db_end(store, err);
}

int
report_store_planned(struct report_store *store, int64_t day,
    const char *domain, struct err *err)
{
	int rc = report_db_begin(store, false, err);
	sqlite3_stmt *stmt;
	bool planned;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_PLANNED);
	planned = bind_place(store, stmt, day, domain) &&
	          report_db_step(store, stmt) &&
	          sqlite3_column_int64(stmt, 0) != 0;
	return report_db_end(store, err) < 0 ? -1 : planned;
}

static enum report_state
state_of(sqlite3_int64 n)
{
	switch (n) {
	case REPORT_DUE:
		return REPORT_DUE;
	case REPORT_SENT:
		return REPORT_SENT;
	case REPORT_QUEUED:
		return REPORT_QUEUED;
	default:
		return REPORT_GIVEN_UP;
	}
}

static void
tell(sqlite3_stmt *stmt, report_try_fn *fn, void *arg)
{
	struct report_try try = {.day = sqlite3_column_int64(stmt, 0),
	    .domain = db_text(stmt, 1),
	    .id = db_text(stmt, 2),
	    .rua = db_text(stmt, 3),
	    .number = (unsigned)sqlite3_column_int64(stmt, 4),
	    .state = state_of(sqlite3_column_int64(stmt, 5)),
	    .tries = (uint32_t)sqlite3_column_int64(stmt, 6),
	    .next = sqlite3_column_int64(stmt, 7),
	    .why = db_text(stmt, 8)};

	fn(&try, arg);
}

static int
tell_by(struct report_store *store, enum store_sql sql, int64_t now,
    size_t most, report_try_fn *fn, void *arg, struct err *err)
{
	int rc = report_db_begin(store, false, err);
	sqlite3_stmt *stmt;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, sql);
	if (stmt != NULL && db_bind_number(&store->db, stmt, 1, now) &&
	    db_bind_number(&store->db, stmt, 2, (int64_t)most))
		while (report_db_step(store, stmt))
			tell(stmt, fn, arg);
	return report_db_end(store, err);
}

int
report_store_due(struct report_store *store, enum report_way way, int64_t now,
    size_t most, report_try_fn *fn, void *arg, struct err *err)
{
	enum store_sql sql = way == REPORT_BY_POST ? SQL_DUE_POSTS
	                                           : SQL_DUE_MAILS;

	return tell_by(store, sql, now, most, fn, arg, err);
}

int
report_store_overdue(struct report_store *store, int64_t now, size_t most,
    report_try_fn *fn, void *arg, struct err *err)
{
	return tell_by(store, SQL_OVERDUE, now, most, fn, arg, err);
}

int
report_store_list(struct report_store *store, const struct report_try *behind,
    size_t most, report_try_fn *fn, void *arg, struct err *err)
{
	int rc = report_db_begin(store, false, err);
	struct db *db = &store->db;
	sqlite3_stmt *stmt;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_LIST);
	if (bind_place(store, stmt, behind->day, behind->domain) &&
	    db_bind_number(db, stmt, 3, behind->number) &&
	    db_bind_number(db, stmt, 4, (int64_t)most))
		while (report_db_step(store, stmt))
			tell(stmt, fn, arg);
	return report_db_end(store, err);
}

int
report_store_note(
    struct report_store *store, const struct report_try *try, struct err *err)
{
	struct db *db = &store->db;
	int rc = report_db_begin(store, true, err);
	sqlite3_stmt *stmt;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_NOTE);
	if (bind_place(store, stmt, try->day, try->domain) &&
	    db_bind_text(db, stmt, 3, try->rua) &&
	    db_bind_number(db, stmt, 4, try->state) &&
	    db_bind_number(db, stmt, 5, try->tries) &&
	    db_bind_number(db, stmt, 6, try->next) &&
	    report_db_bind_text(store, stmt, 7, try->why, REPORT_STORE_WORDS))
		(void)report_db_run(store, stmt);
	return report_db_end(store, err);
}

/* --- what the mail queue tells -------------------------------------------- */

int
report_store_queued(
    struct report_store *store, const struct report_try *try, struct err *err)
{
	int rc = report_db_begin(store, true, err);
	sqlite3_stmt *stmt;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_QUEUED);
	if (bind_place(store, stmt, try->day, try->domain) &&
	    db_bind_text(&store->db, stmt, 3, try->rua) &&
	    db_bind_number(&store->db, stmt, 4, try->next))
		(void)report_db_run(store, stmt);
	return report_db_end(store, err);
}

int
report_store_heard(struct report_store *store, const struct report_try *try,
    char *ret_rua, size_t size, struct err *err)
{
	struct db *db = &store->db;
	int rc = report_db_begin(store, true, err);
	sqlite3_stmt *stmt;
	bool found = false;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_HEARD);
	if (bind_place(store, stmt, try->day, try->domain) &&
	    db_bind_number(db, stmt, 3, try->number) &&
	    db_bind_number(db, stmt, 4, try->state) &&
	    report_db_bind_text(store, stmt, 5, try->why, REPORT_STORE_WORDS) &&
	    db_bind_number(db, stmt, 6, try->next) &&
	    report_db_step(store, stmt))
		found = text_copy(ret_rua, size, db_text(stmt, 0)) ||
		        db_check(db, SQLITE_MISMATCH);
	return report_db_end(store, err) < 0 ? -1 : found;
}

/* --- once more ------------------------------------------------------------ */

int
report_store_again(struct report_store *store, int64_t day, const char *domain,
    int64_t now, struct err *err)
{
	static const enum store_sql forget[] = {
	    SQL_AGAIN_TROUBLES, SQL_AGAIN_DOUBTS};
	struct db *db = &store->db;
	int rc = report_db_begin(store, true, err);
	sqlite3_stmt *stmt;
	bool found;

	if (rc <= 0)
		return rc;
	stmt = report_db_stmt(store, SQL_AGAIN_DOMAIN);
	found = bind_place(store, stmt, day, domain) &&
	        report_db_run(store, stmt) > 0;
	stmt = report_db_stmt(store, SQL_AGAIN_TRIES);
	if (found && bind_place(store, stmt, day, domain) &&
	    db_bind_number(db, stmt, 3, now))
		(void)report_db_run(store, stmt);
	for (size_t i = 0; found && i < sizeof(forget) / sizeof(forget[0]);
	     i++) {
		stmt = report_db_stmt(store, forget[i]);
		if (stmt != NULL && db_bind_text(db, stmt, 1, domain))
			(void)report_db_run(store, stmt);
	}
	return report_db_end(store, err) < 0 ? -1 : found;
}
