/* See store_row.h. */
#include "mta/sts/store_row.h"

#include <string.h>

#include "base/text.h"
#include "dnssec/name.h"

/* The last second that can be written with four digits for its year. */
#define TIME_MAX INT64_C(253402300799)

enum column {
	COLUMN_DOMAIN = 0,
	COLUMN_ID,
	COLUMN_TEXT,
	COLUMN_FETCHED_AT,
	COLUMN_EXPIRES_AT,
	COLUMN_LAST_USED,
	COLUMN_LAST_TRY,
	COLUMN_TRIED_ID,
	COLUMN_FAILURES,
};

/* --- what can be ---------------------------------------------------------- */

/* RFC 8461 3.1: sts-id = 1*32(ALPHA / DIGIT); none is known without a record */
static bool
is_id(const char *id)
{
	for (size_t i = 0; id[i] != '\0'; i++)
		if (i == STS_ID_MAX || !text_is_alnum(id[i]))
			return false;
	return true;
}

static bool
is_time(int64_t wall)
{
	return wall >= 0 && wall <= TIME_MAX;
}

/* RFC 8461 3.2: it counts from its fetch, a year at most */
static bool
is_life(const struct sts_entry *entry)
{
	return entry->fetched_at > 0 &&
	       entry->expires_at >= entry->fetched_at &&
	       entry->expires_at - entry->fetched_at <= STS_MAX_AGE;
}

static bool
is_domain(const char *domain)
{
	char normal[DNS_NAME_SIZE];

	return dns_name_normal(domain, normal) && strcmp(domain, normal) == 0;
}

const char *
store_row_problem(const char *domain, const struct sts_entry *entry)
{
	if (!is_domain(domain))
		return "the domain is not in normal form";
	if (!is_id(entry->id) || !is_id(entry->tried_id))
		return "an id is none";
	if (!is_time(entry->fetched_at) || !is_time(entry->expires_at) ||
	    !is_time(entry->last_used) || !is_time(entry->last_try))
		return "a time is none";
	switch (entry->state) {
	case STS_ENTRY_UNKNOWN:
		break;
	case STS_ENTRY_EMPTY:
		return entry->fetched_at == 0 && entry->expires_at == 0 &&
		               entry->id[0] == '\0'
		           ? NULL
		           : "it is without a policy that was fetched";
	case STS_ENTRY_POLICY:
		return is_life(entry) ? NULL : "the policy's life is none";
	}
	return "nothing is known of it";
}

/* --- reading -------------------------------------------------------------- */

/* NULL: a NUL is in it, or it is none. */
static const char *
text_at(sqlite3_stmt *stmt, enum column column)
{
	const unsigned char *text = sqlite3_column_text(stmt, (int)column);

	if (text == NULL || strlen((const char *)text) !=
				(size_t)sqlite3_column_bytes(stmt, (int)column))
		return NULL;
	return (const char *)text;
}

static int
fail(const char *domain, const char *why, struct err *err)
{
	char shown[300];

	text_escape(span_of(domain), shown, sizeof(shown));
	return err_set(err, ERR_TEMP, "4.3.0",
	    "sts.db: the row of %.100s is unreadable: %.100s", shown, why);
}

static bool
id_at(sqlite3_stmt *stmt, enum column column, char to[STS_ID_MAX + 1])
{
	const char *text = text_at(stmt, column);

	return text != NULL && text_copy(to, STS_ID_MAX + 1, text);
}

int
store_row_numbers(sqlite3_stmt *stmt, const char **ret_domain,
    struct sts_entry *ret, struct err *err)
{
	const char *domain = text_at(stmt, COLUMN_DOMAIN), *why;
	sqlite3_int64 failures = sqlite3_column_int64(stmt, COLUMN_FAILURES);
	int type = sqlite3_column_type(stmt, COLUMN_TEXT);
	struct sts_entry entry = {
	    .state = type == SQLITE_NULL ? STS_ENTRY_EMPTY : STS_ENTRY_POLICY,
	    .fetched_at = sqlite3_column_int64(stmt, COLUMN_FETCHED_AT),
	    .expires_at = sqlite3_column_int64(stmt, COLUMN_EXPIRES_AT),
	    .last_used = sqlite3_column_int64(stmt, COLUMN_LAST_USED),
	    .last_try = sqlite3_column_int64(stmt, COLUMN_LAST_TRY),
	    .failures = (uint32_t)failures};

	*ret = (struct sts_entry){0};
	if (domain == NULL)
		return fail("?", "it has no domain", err);
	*ret_domain = domain;
	if (!id_at(stmt, COLUMN_ID, entry.id) ||
	    !id_at(stmt, COLUMN_TRIED_ID, entry.tried_id))
		return fail(domain, "an id is none", err);
	if (failures < 0 || failures > UINT32_MAX)
		return fail(domain, "a number is none", err);
	why = store_row_problem(domain, &entry);
	if (why != NULL)
		return fail(domain, why, err);
	*ret = entry;
	return 0;
}

int
store_row_read(sqlite3_stmt *stmt, struct arena *arena, const char **ret_domain,
    struct sts_entry *ret, struct err *err)
{
	struct sts_policy policy = {0};
	struct err why;
	struct span text;

	if (store_row_numbers(stmt, ret_domain, ret, err) < 0)
		return -1;
	if (ret->state == STS_ENTRY_EMPTY)
		return 0;
	text.p = sqlite3_column_blob(stmt, COLUMN_TEXT);
	text.n = (size_t)sqlite3_column_bytes(stmt, COLUMN_TEXT);
	if (sts_policy_read(text, arena, &policy, &why) < 0) {
		*ret = (struct sts_entry){0};
		return fail(*ret_domain, why.text, err);
	}
	ret->policy = policy;
	return 0;
}

/* --- writing -------------------------------------------------------------- */

static bool
bind_policy(struct db *db, sqlite3_stmt *stmt, const struct sts_entry *entry)
{
	const struct span *text = &entry->policy.text;

	if (entry->state != STS_ENTRY_POLICY)
		return db_check(db, sqlite3_bind_null(stmt, COLUMN_TEXT + 1));
	return db_check(db, sqlite3_bind_blob(stmt, COLUMN_TEXT + 1, text->p,
				(int)text->n, SQLITE_STATIC));
}

bool
store_row_bind(struct db *db, sqlite3_stmt *stmt, const char *domain,
    const struct sts_entry *entry)
{
	const struct {
		enum column column;
		int64_t number;
	} numbers[] = {{COLUMN_FETCHED_AT, entry->fetched_at},
	    {COLUMN_EXPIRES_AT, entry->expires_at},
	    {COLUMN_LAST_USED, entry->last_used},
	    {COLUMN_LAST_TRY, entry->last_try},
	    {COLUMN_FAILURES, entry->failures}};
	bool good = db_bind_text(db, stmt, COLUMN_DOMAIN + 1, domain) &&
	            db_bind_text(db, stmt, COLUMN_ID + 1, entry->id) &&
	            db_bind_text(
			db, stmt, COLUMN_TRIED_ID + 1, entry->tried_id) &&
	            bind_policy(db, stmt, entry);

	for (size_t i = 0; good && i < sizeof(numbers) / sizeof(*numbers); i++)
		good = db_bind_number(
		    db, stmt, (int)numbers[i].column + 1, numbers[i].number);
	return good;
}
