/* See store.h: the report of a day and domain, as it was counted. */
#include <string.h>

#include "base/text.h"
#include "reporting/result.h"
#include "reporting/store_private.h"

struct loading {
	struct report_store *store;
	struct arena *arena;
	int64_t day;
	const char *domain;
	bool full; /* the arena is */
};

static const char *
copy(struct loading *loading, sqlite3_stmt *stmt, int i)
{
	const char *text = db_text(stmt, i);
	const char *copied = arena_strndup(loading->arena, text, strlen(text));

	loading->full |= copied == NULL;
	return copied == NULL ? "" : copied;
}

static void *
array(struct loading *loading, size_t n, size_t size)
{
	void *list = arena_alloc(loading->arena, (n + 1) * size);

	loading->full |= list == NULL;
	return list;
}

/* How many rows the statement has, by its last column. */
static size_t
rows_of(sqlite3_stmt *stmt)
{
	return (size_t)sqlite3_column_int64(
	    stmt, sqlite3_column_count(stmt) - 1);
}

/* The lines of a text, each of which ends in LF. */
static const char *const *
lines(struct loading *loading, sqlite3_stmt *stmt, int i, size_t *ret_n)
{
	struct span text = span_of(db_text(stmt, i));
	size_t n = 0;
	const char **list;

	*ret_n = 0;
	for (size_t k = 0; k < text.n; k++)
		n += text.p[k] == '\n';
	list = array(loading, n, sizeof(*list));
	for (size_t k = 0; k < n && list != NULL; k++) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t length = (size_t)(end - text.p);

		list[k] = arena_strndup(loading->arena, text.p, length);
		if (list[k] == NULL) {
			loading->full = true;
			return NULL;
		}
		text = span_from(text, length + 1);
	}
	*ret_n = list == NULL ? 0 : n;
	return list;
}

static void
take_failure(
    struct loading *loading, sqlite3_stmt *stmt, struct report_failure *to)
{
	to->result_type = copy(loading, stmt, 0);
	to->result = tls_result_of(span_of(to->result_type));
	to->sending_mta_ip = copy(loading, stmt, 1);
	to->receiving_mx_hostname = copy(loading, stmt, 2);
	to->receiving_mx_helo = copy(loading, stmt, 3);
	to->receiving_ip = copy(loading, stmt, 4);
	to->additional_information = copy(loading, stmt, 5);
	to->failure_reason_code = copy(loading, stmt, 6);
	to->sessions = db_count(stmt, 7);
}

static void
take_failures(struct loading *loading, int64_t policy, struct report_policy *to)
{
	struct report_store *store = loading->store;
	sqlite3_stmt *stmt = report_db_stmt(store, SQL_LOAD_FAILURES);
	struct report_failure *list = NULL;
	size_t max = 0;

	if (stmt == NULL ||
	    !db_bind_number(&store->db, stmt, 1, loading->day) ||
	    !db_bind_text(&store->db, stmt, 2, loading->domain) ||
	    !db_bind_number(&store->db, stmt, 3, policy))
		return;
	while (!loading->full && report_db_step(store, stmt)) {
		if (list == NULL) {
			max = rows_of(stmt);
			list = array(loading, max, sizeof(*list));
		}
		if (list == NULL || to->ndetails == max)
			break;
		take_failure(loading, stmt, &list[to->ndetails++]);
	}
	to->details = list;
	(void)sqlite3_reset(stmt);
}

static void
take_policy(
    struct loading *loading, sqlite3_stmt *stmt, struct report_policy *to)
{
	to->type_text = copy(loading, stmt, 1);
	to->type = report_policy_type_of(span_of(to->type_text));
	to->domain = copy(loading, stmt, 2);
	to->strings = lines(loading, stmt, 3, &to->nstrings);
	to->mx = lines(loading, stmt, 4, &to->nmx);
	to->successes = db_count(stmt, 5);
	to->failures = db_count(stmt, 6);
	if (to->failures > 0)
		take_failures(loading, sqlite3_column_int64(stmt, 0), to);
}

static void
take_policies(struct loading *loading, struct report *to)
{
	struct report_store *store = loading->store;
	sqlite3_stmt *stmt = report_db_stmt(store, SQL_LOAD_POLICIES);
	struct report_policy *list = NULL;
	size_t max = 0;

	if (stmt == NULL ||
	    !db_bind_number(&store->db, stmt, 1, loading->day) ||
	    !db_bind_text(&store->db, stmt, 2, loading->domain))
		return;
	while (!loading->full && report_db_step(store, stmt)) {
		if (list == NULL) {
			max = rows_of(stmt);
			list = array(loading, max, sizeof(*list));
		}
		if (list == NULL || to->npolicies == max)
			break;
		take_policy(loading, stmt, &list[to->npolicies++]);
	}
	to->policies = list;
}

int
report_store_load(struct report_store *store, int64_t day, const char *domain,
    struct arena *arena, struct report *ret, struct err *err)
{
	struct loading loading = {
	    .store = store, .arena = arena, .day = day, .domain = domain};
	int rc = report_db_begin(store, false, err);

	*ret = (struct report){.organization = "",
	    .contact = "",
	    .id = "",
	    .start = day * REPORT_DAY_S,
	    .end = (day + 1) * REPORT_DAY_S - 1};
	if (rc <= 0)
		return rc;
	take_policies(&loading, ret);
	if (report_db_end(store, err) < 0)
		return -1;
	if (loading.full)
		return err_set(err, ERR_TEMP, "4.3.0",
		    "the report about %s is too large", domain);
	return ret->npolicies > 0 ? 1 : 0;
}
