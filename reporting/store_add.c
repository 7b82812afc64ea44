/* See store.h: sessions are counted. */
#include <string.h>

#include "base/buf.h"
#include "reporting/result.h"
#include "reporting/store_private.h"

#define DOMAINS_A_DAY 200000
/* failure-reason-code of what there was no room to tell apart */
#define OTHERS "further failures, without their details"
/* In the place of lines for which there is no room. */
#define CUT "..."

/* What is told of a failure, in the order of the statements. */
#define WORDS 7
#define HELO  3 /* among them */

/* One event on its way into the file. */
struct adding {
	struct report_store *store;
	struct buf strings, mx;
	uint64_t dropped;
};

static sqlite3_int64
number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (sqlite3_int64)n;
}

/* --- policies ------------------------------------------------------------- */

/* Lines, until there is no more room. */
static void
join(const char *const *list, size_t n, struct buf *to)
{
	buf_clear(to);
	for (size_t i = 0; i < n; i++) {
		size_t need = strlen(list[i]) + 1;

		if (to->limit - to->n < need + sizeof(CUT)) {
			(void)!buf_add_str(to, CUT "\n");
			return;
		}
		(void)!buf_printf(to, "%s\n", list[i]);
	}
}

static bool
bind_policy(struct adding *adding, sqlite3_stmt *stmt, const char *domain,
    const char *type)
{
	struct db *db = &adding->store->db;

	return db_bind_text(db, stmt, 1, domain) &&
	       db_bind_text(db, stmt, 2, type) &&
	       db_check(db, sqlite3_bind_text(stmt, 3,
				adding->strings.n == 0 ? "" : adding->strings.p,
				(int)adding->strings.n, SQLITE_STATIC)) &&
	       db_check(db, sqlite3_bind_text(stmt, 4,
				adding->mx.n == 0 ? "" : adding->mx.p,
				(int)adding->mx.n, SQLITE_STATIC));
}

/* 0: there is none yet. */
static int64_t
find_policy(struct adding *adding, const char *domain, const char *type)
{
	struct report_store *store = adding->store;
	sqlite3_stmt *stmt = report_db_stmt(store, SQL_POLICY_FIND);
	int64_t id = 0;

	if (stmt != NULL && bind_policy(adding, stmt, domain, type) &&
	    report_db_step(store, stmt))
		id = sqlite3_column_int64(stmt, 0);
	if (stmt != NULL)
		(void)sqlite3_reset(stmt);
	return id;
}

static int64_t
have_policy(struct adding *adding, const char *domain, const char *type)
{
	struct report_store *store = adding->store;
	int64_t id = find_policy(adding, domain, type);
	sqlite3_stmt *stmt;

	if (id != 0)
		return id;
	stmt = report_db_stmt(store, SQL_POLICY_ADD);
	if (stmt == NULL || !bind_policy(adding, stmt, domain, type) ||
	    report_db_run(store, stmt) == 0)
		return 0;
	return sqlite3_last_insert_rowid(store->db.sqlite);
}

/* --- room ----------------------------------------------------------------- */

static bool
bind_place(struct report_store *store, sqlite3_stmt *stmt,
    const struct report_event *event)
{
	return db_bind_number(&store->db, stmt, 1, event->day) &&
	       db_bind_text(&store->db, stmt, 2, event->domain);
}

/* The number that a statement says of the day and domain. */
static int64_t
ask(struct report_store *store, enum store_sql sql,
    const struct report_event *event)
{
	sqlite3_stmt *stmt = report_db_stmt(store, sql);
	int64_t n = 0;

	if (stmt != NULL && bind_place(store, stmt, event) &&
	    report_db_step(store, stmt))
		n = sqlite3_column_int64(stmt, 0);
	if (stmt != NULL)
		(void)sqlite3_reset(stmt);
	return n;
}

/* Two days take turns where what comes late is put off to the next. */
static size_t *
domains_of(struct report_store *store, int64_t day)
{
	struct store_room *room = store->rooms, last = room[0];
	sqlite3_stmt *stmt;

	if (room->day == day)
		return &room->domains;
	room[0] = room[1];
	room[1] = last;
	if (room->day == day)
		return &room->domains;
	*room = (struct store_room){.day = day};
	stmt = report_db_stmt(store, SQL_DOMAIN_ROOM);
	if (stmt != NULL && db_bind_number(&store->db, stmt, 1, day) &&
	    report_db_step(store, stmt))
		room->domains = (size_t)sqlite3_column_int64(stmt, 0);
	if (stmt != NULL)
		(void)sqlite3_reset(stmt);
	return &room->domains;
}

/* False: there is no room for one more. */
static bool
have_domain(struct report_store *store, const struct report_event *event)
{
	size_t max = store->setup.domains_a_day == 0
	                 ? DOMAINS_A_DAY
	                 : store->setup.domains_a_day;
	sqlite3_stmt *stmt;
	size_t *domains;

	if (ask(store, SQL_DOMAIN_FIND, event) != 0)
		return true;
	domains = domains_of(store, event->day);
	if (*domains >= max)
		return false;
	stmt = report_db_stmt(store, SQL_DOMAIN_ADD);
	if (stmt != NULL && bind_place(store, stmt, event))
		*domains += (size_t)report_db_run(store, stmt);
	return true;
}

/* --- counts --------------------------------------------------------------- */

static bool
count_with(struct report_store *store, enum store_sql sql,
    const struct report_event *event, int64_t policy)
{
	struct db *db = &store->db;
	sqlite3_stmt *stmt = report_db_stmt(store, sql);
	sqlite3_int64 sessions = number(event->sessions);

	return stmt != NULL && bind_place(store, stmt, event) &&
	       db_bind_number(db, stmt, 3, policy) &&
	       db_bind_number(
		   db, stmt, 4, event->failed == NULL ? sessions : 0) &&
	       db_bind_number(
		   db, stmt, 5, event->failed == NULL ? 0 : sessions) &&
	       report_db_run(store, stmt) > 0;
}

static const char *
type_of(const struct report_policy *policy)
{
	return policy->type == POLICY_TYPE_OTHER
	           ? policy->type_text
	           : report_policy_type_name(policy->type);
}

/*
 * The policy under which it is counted, which may be one without a text; 0:
 * there is no room for the domain, or it cannot be.
 */
static int64_t
count_new(struct adding *adding, const struct report_event *event)
{
	struct report_store *store = adding->store;
	const char *type = type_of(event->policy);
	const char *domain = event->policy->domain;
	int64_t id;

	if (!have_domain(store, event))
		return 0;
	if (ask(store, SQL_COUNT_ROOM, event) >= REPORT_STORE_POLICIES) {
		buf_clear(&adding->strings);
		buf_clear(&adding->mx);
		domain = event->domain;
	}
	id = have_policy(adding, domain, type);
	if (id != 0 && !count_with(store, SQL_COUNT_UPDATE, event, id))
		(void)count_with(store, SQL_COUNT_ADD, event, id);
	return id;
}

/* --- failures ------------------------------------------------------------- */

/* The failure, ready to be bound to the number of its sessions; NULL. */
static sqlite3_stmt *
bind_failure(struct report_store *store, enum store_sql sql,
    const struct report_event *event, int64_t policy,
    const char *const words[WORDS])
{
	sqlite3_stmt *stmt = report_db_stmt(store, sql);
	bool good = stmt != NULL && bind_place(store, stmt, event) &&
	            db_bind_number(&store->db, stmt, 3, policy);

	for (int i = 0; good && i < WORDS; i++)
		good = report_db_bind_text(
		    store, stmt, 4 + i, words[i], REPORT_STORE_WORDS);
	return good ? stmt : NULL;
}

static bool
fail_with(struct report_store *store, enum store_sql sql,
    const struct report_event *event, int64_t policy,
    const char *const words[WORDS])
{
	sqlite3_stmt *stmt = bind_failure(store, sql, event, policy, words);

	return stmt != NULL &&
	       db_bind_number(
		   &store->db, stmt, 4 + WORDS, number(event->sessions)) &&
	       report_db_run(store, stmt) > 0;
}

/* Is there no more to be told by the name a host greets with? */
static bool
has_many_names(struct report_store *store, const struct report_event *event,
    int64_t policy, const char *const words[WORDS])
{
	sqlite3_stmt *stmt = bind_failure(
	    store, SQL_FAILURE_HELOS, event, policy, words);
	bool many = stmt != NULL && report_db_step(store, stmt) &&
	            sqlite3_column_int64(stmt, 0) >= REPORT_STORE_HELOS;

	if (stmt != NULL)
		(void)sqlite3_reset(stmt);
	return many;
}

static void
add_failure(struct report_store *store, const struct report_event *event,
    int64_t policy)
{
	const struct report_failure *failed = event->failed;
	const char *result = failed->result == RESULT_OTHER
	                         ? failed->result_type
	                         : tls_result_name(failed->result);
	const char *words[WORDS] = {result, failed->sending_mta_ip,
	    failed->receiving_mx_hostname, failed->receiving_mx_helo,
	    failed->receiving_ip, failed->additional_information,
	    failed->failure_reason_code};
	const char *const others[WORDS] = {result, "", "", "", "", "", OTHERS};

	if (fail_with(store, SQL_FAILURE_UPDATE, event, policy, words))
		return;
	if (has_many_names(store, event, policy, words)) {
		words[HELO] = "";
		if (fail_with(store, SQL_FAILURE_UPDATE, event, policy, words))
			return;
	}
	if (ask(store, SQL_FAILURE_ROOM, event) < REPORT_STORE_FAILURES) {
		(void)fail_with(store, SQL_FAILURE_ADD, event, policy, words);
		return;
	}
	if (!fail_with(store, SQL_FAILURE_UPDATE, event, policy, others))
		(void)fail_with(store, SQL_FAILURE_ADD, event, policy, others);
}

/* --- days ----------------------------------------------------------------- */

/*
 * The clock was set back, or this is told of late: who has had the report of
 * the day hears of it in the next.
 */
static int64_t
day_of(struct report_store *store, const struct report_event *event)
{
	struct report_event one = *event;

	while (one.day < event->day + REPORT_STORE_LATE &&
	       ask(store, SQL_PLANNED, &one) != 0)
		one.day++;
	return one.day;
}

/* --- events --------------------------------------------------------------- */

static void
add_event(struct adding *adding, const struct report_event *told)
{
	struct report_store *store = adding->store;
	const struct report_policy *policy = told->policy;
	const struct report_event one = {.day = day_of(store, told),
	    .domain = told->domain,
	    .policy = policy,
	    .failed = told->failed,
	    .sessions = told->sessions};
	const struct report_event *event = &one;
	int64_t id;

	join(policy->strings, policy->nstrings, &adding->strings);
	join(policy->mx, policy->nmx, &adding->mx);
	id = find_policy(adding, policy->domain, type_of(policy));
	if (id == 0 || !count_with(store, SQL_COUNT_UPDATE, event, id))
		id = count_new(adding, event);
	if (id != 0 && event->failed != NULL)
		add_failure(store, event, id);
	if (id == 0)
		adding->dropped += event->sessions;
}

int
report_store_add(struct report_store *store, const struct report_event *events,
    size_t n, uint64_t *ret_dropped, struct err *err)
{
	struct adding adding = {.store = store};
	int rc = report_db_begin(store, true, err);

	*ret_dropped = 0;
	if (rc <= 0)
		return rc;
	buf_init(&adding.strings, REPORT_STORE_TEXT);
	buf_init(&adding.mx, REPORT_STORE_TEXT);
	for (size_t i = 0; i < n && store->db.rc == SQLITE_OK; i++)
		add_event(&adding, &events[i]);
	rc = report_db_end(store, err);
	buf_free(&adding.strings);
	buf_free(&adding.mx);
	if (rc == 0)
		*ret_dropped = adding.dropped;
	return rc;
}
