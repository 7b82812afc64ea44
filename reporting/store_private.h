/* Private to reporting/store*.c: the open file and its statements. */
#pragma once
#include "base/db.h"
#include "reporting/store.h"

enum store_sql {
	SQL_POLICY_FIND = 0,
	SQL_POLICY_ADD,
	SQL_COUNT_UPDATE,
	SQL_COUNT_ADD,
	SQL_COUNT_ROOM,
	SQL_FAILURE_UPDATE,
	SQL_FAILURE_ADD,
	SQL_FAILURE_ROOM,
	SQL_FAILURE_HELOS,
	SQL_DOMAIN_FIND,
	SQL_DOMAIN_ADD,
	SQL_DOMAIN_ROOM,
	SQL_DOMAIN_NEXT,
	SQL_DOMAIN_COUNTED,
	SQL_LOAD_POLICIES,
	SQL_LOAD_FAILURES,
	SQL_PLANNED,
	SQL_PLAN,
	SQL_PLAN_TRY,
	SQL_DUE_MAILS,
	SQL_DUE_POSTS,
	SQL_NOTE,
	SQL_LIST,
	SQL_OVERDUE,
	SQL_QUEUED,
	SQL_HEARD,
	SQL_TROUBLE,
	SQL_TROUBLE_LOOK,
	SQL_TROUBLE_PUT,
	SQL_TROUBLE_DROP,
	SQL_DOUBT_PUT,
	SQL_DOUBT_DROP,
	SQL_WORD_PUT,
	SQL_WORD,
	SQL_WORD_DROP,
	SQL_BOUNCED,
	SQL_AGAIN_DOMAIN,
	SQL_AGAIN_TRIES,
	SQL_AGAIN_TROUBLES,
	SQL_AGAIN_DOUBTS,
	SQLS,
};

/* Of this day so many domains are known to be there. */
struct store_room {
	int64_t day;
	size_t domains;
};

struct report_store {
	struct db db;
	char *folder;
	struct report_store_setup setup;
	int lock;           /* -1: none */
	bool empty;         /* only_look, and there is nothing to look at */
	struct err damaged; /* why a file was set aside, until that is asked */
	sqlite3_stmt *stmts[SQLS];
	struct store_room rooms[2]; /* the last one asked for in front */
};

/* The statement, ready to be bound; NULL: what went wrong is in db.rc. */
sqlite3_stmt *report_db_stmt(struct report_store *store, enum store_sql sql);
/* Bound as it is, but never more than so many octets; NULL is "". */
bool report_db_bind_text(struct report_store *store, sqlite3_stmt *stmt, int i,
    const char *text, size_t most);
/* True: there is a row. */
bool report_db_step(struct report_store *store, sqlite3_stmt *stmt);
/* How many domains a day has is to be counted anew. */
void report_db_forget_rooms(struct report_store *store);
/* Run one that has no rows; how many it has changed. */
int report_db_run(struct report_store *store, sqlite3_stmt *stmt);

/*
 * 1: nothing has gone wrong yet; 0: there is no file to look at; -1.  After 1
 * comes report_db_end().
 */
int report_db_begin(struct report_store *store, bool write, struct err *err);
/*
 * 0: all of it is done.  -1: nothing is, and a file that is damaged is set
 * aside.
 */
int report_db_end(struct report_store *store, struct err *err);
