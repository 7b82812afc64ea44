/* See inbox_store_senders.h. */
#include "reporting/inbox_store_senders.h"

#include <string.h>

#include "reporting/inbox_store_private.h"

#define DAY_S INT64_C(86400)
/* Nobody has more in a day. */
#define SESSIONS_MAX UINT64_C(1000000000000)

#define TEXT     WORDS(INBOX_TEXT)
#define WORDS(n) WORD(n)
#define WORD(n)  #n

/* A file that an older version has made gets it with the next report. */
const char inbox_senders_sql[] =
    "CREATE TABLE IF NOT EXISTS senders ("
    " report INTEGER NOT NULL REFERENCES reports ON DELETE CASCADE,"
    " result TEXT NOT NULL, address BLOB NOT NULL, mx TEXT NOT NULL,"
    " receiver TEXT NOT NULL, sessions INTEGER NOT NULL,"
    " PRIMARY KEY (report, result, address, mx, receiver)"
    ") STRICT, WITHOUT ROWID";

static const char put_sql[] =
    "INSERT INTO senders (report, result, address, mx, receiver, sessions)"
    " VALUES (?1, substr(?2, 1, " TEXT "), ?3, substr(?4, 1, " TEXT "),"
    " substr(?5, 1, " TEXT "), ?6)"
    " ON CONFLICT DO UPDATE SET sessions = sessions + excluded.sessions";

static const char has_sql[] = "SELECT count(*) FROM sqlite_schema"
			      " WHERE name = 'senders' AND ?1 = 0";

static const char list_sql[] =
    "SELECT r.domain, CASE s.result WHEN '' THEN '" INBOX_UNSPECIFIED
    "' ELSE s.result END,"
    " CASE r.signer WHEN '' THEN r.organization ELSE r.signer END AS reporter,"
    " r.start, r.end, s.address, s.mx, s.receiver, s.sessions,"
    " r.signer <> ''"
    " FROM senders AS s JOIN reports AS r ON r.number = s.report"
    " WHERE r.start >= ?1"
    " ORDER BY 1, 2, 10, 3, s.sessions DESC, s.address, r.start";

/* --- writing -------------------------------------------------------------- */

static bool
put_sender(struct db *db, sqlite3_stmt *stmt, int64_t number,
    const struct report_failure *failure,
    const uint8_t address[INBOUND_ADDRESS])
{
	uint64_t sessions = failure->sessions < SESSIONS_MAX ? failure->sessions
	                                                     : SESSIONS_MAX;
	bool good = db_bind_number(db, stmt, 1, number) &&
	            db_bind_text(db, stmt, 2, inbox_result_type(failure)) &&
	            db_check(db, sqlite3_bind_blob(stmt, 3, address,
				     INBOUND_ADDRESS, SQLITE_STATIC)) &&
	            db_bind_text(db, stmt, 4, failure->receiving_mx_hostname) &&
	            db_bind_text(db, stmt, 5, failure->receiving_ip) &&
	            db_bind_number(db, stmt, 6, (int64_t)sessions) &&
	            db_check(db, sqlite3_step(stmt));

	(void)sqlite3_reset(stmt);
	return good;
}

/* Of so many addresses and hosts as of kinds of failures. */
static bool
put_policy(struct db *db, sqlite3_stmt *stmt, int64_t number,
    const struct report_policy *policy, size_t *n)
{
	uint8_t address[INBOUND_ADDRESS];
	bool good = true;

	for (size_t i = 0; good && i < policy->ndetails; i++) {
		const struct report_failure *failure = &policy->details[i];

		if (*n == INBOX_KINDS ||
		    !inbound_address_read(failure->sending_mta_ip, address))
			continue;
		(*n)++;
		good = put_sender(db, stmt, number, failure, address);
	}
	return good;
}

bool
inbox_put_senders(struct db *db, int64_t number, const struct report *report)
{
	sqlite3_stmt *stmt = db_prepare(db, put_sql);
	bool good = stmt != NULL;
	size_t n = 0;

	for (size_t i = 0; good && i < report->npolicies; i++)
		good = put_policy(db, stmt, number, &report->policies[i], &n);
	(void)sqlite3_finalize(stmt);
	return good;
}

/* --- reading -------------------------------------------------------------- */

struct reader {
	inbox_sender_fn *fn;
	void *arg;
};

static void
tell_sender(sqlite3_stmt *stmt, void *arg)
{
	const struct reader *reader = arg;
	int64_t start = sqlite3_column_int64(stmt, 3);
	int64_t end = sqlite3_column_int64(stmt, 4);
	struct inbox_sender sender = {.domain = db_text(stmt, 0),
	    .result_type = db_text(stmt, 1),
	    .reporter = db_text(stmt, 2),
	    .first_day = start / DAY_S,
	    .last_day = (end > start ? end - 1 : start) / DAY_S,
	    .mx = db_text(stmt, 6),
	    .receiver = db_text(stmt, 7),
	    .sessions = db_count(stmt, 8),
	    .vouched = sqlite3_column_int(stmt, 9) != 0};
	const void *address = sqlite3_column_blob(stmt, 5);

	if (address == NULL || sqlite3_column_bytes(stmt, 5) != INBOUND_ADDRESS)
		return;
	memcpy(sender.address, address, INBOUND_ADDRESS);
	reader->fn(&sender, reader->arg);
}

static void
take_number(sqlite3_stmt *stmt, void *arg)
{
	int64_t *n = arg;

	*n = sqlite3_column_int64(stmt, 0);
}

int
inbox_store_senders(const struct inbox_store *store, int64_t since_day,
    inbox_sender_fn *fn, void *arg, struct err *err)
{
	struct reader reader = {fn, arg};
	int64_t tables = 0;

	if (inbox_read_rows(store, has_sql, 0, take_number, &tables, err) < 0)
		return -1;
	if (tables == 0)
		return 0;
	return inbox_read_rows(
	    store, list_sql, since_day * DAY_S, tell_sender, &reader, err);
}
