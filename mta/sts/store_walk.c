/*
 * Many rows.  Nothing is locked while the callback has one: it may take its
 * time, and others would wait.
 */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "mta/sts/store_private.h"

#define BATCH 32

/* Rows that were read at once. */
struct batch {
	struct arena *arena;
	size_t n;
	struct {
		const char *domain;
		struct sts_entry entry;
	} rows[BATCH];
	/* What the last one had for a domain, readable or not. */
	char *last;
	int nlast;
	bool more;
	int rc; /* -1: one was unreadable, see *err */
};

/* --- every one ------------------------------------------------------------ */

static void
note_last(struct batch *batch, sqlite3_stmt *stmt)
{
	const void *domain = sqlite3_column_blob(stmt, 0);

	mem_free(batch->last);
	batch->nlast = sqlite3_column_bytes(stmt, 0);
	batch->last = mem_strndup(
	    domain == NULL ? "" : domain, (size_t)batch->nlast);
}

static void
take_row(struct batch *batch, sqlite3_stmt *stmt, struct err *err)
{
	struct err why;
	const char *domain;
	struct sts_entry entry;

	if (store_row_read(stmt, batch->arena, &domain, &entry, &why) == 0) {
		domain = arena_strndup(batch->arena, domain, strlen(domain));
		if (domain != NULL) {
			batch->rows[batch->n].domain = domain;
			batch->rows[batch->n++].entry = entry;
			return;
		}
		(void)err_set(&why, ERR_TEMP, "4.3.1", "sts.db: no room");
	}
	if (batch->rc == 0)
		*err = why;
	batch->rc = -1;
}

static int
read_batch(struct sts_store *store, struct batch *batch, struct err *err)
{
	sqlite3_stmt *stmt = store->stmts[SQL_NEXT];
	size_t n = 0;
	bool row = false;
	bool good = db_check(&store->db, sqlite3_bind_text(stmt, 1, batch->last,
					     batch->nlast, SQLITE_TRANSIENT)) &&
	            db_bind_number(&store->db, stmt, 2, BATCH);

	batch->n = 0;
	arena_reset(batch->arena);
	while (good && (good = store_take_step(store, SQL_NEXT, &row)) && row) {
		take_row(batch, stmt, err);
		note_last(batch, stmt);
		n++;
	}
	store_reset(store, SQL_NEXT);
	batch->more = n == BATCH;
	return good ? 0 : store_fail(store, err);
}

static int
walk(struct sts_store *store, struct batch *batch, sts_store_fn *fn, void *arg,
    struct err *err)
{
	do {
		int rc = store_ready(store, err);

		if (rc > 0)
			rc = read_batch(store, batch, err) < 0 ? -1 : 1;
		if (rc <= 0)
			return rc < 0 ? -1 : batch->rc;
		for (size_t i = 0; i < batch->n; i++)
			fn(batch->rows[i].domain, &batch->rows[i].entry, arg);
	} while (batch->more);
	return batch->rc;
}

int
sts_store_each(
    struct sts_store *store, sts_store_fn *fn, void *arg, struct err *err)
{
	struct batch *batch = mem_new(sizeof(*batch));
	int rc;

	batch->arena = arena_new(BATCH * (STS_POLICY_ARENA + 1024));
	batch->last = mem_strdup("");
	rc = walk(store, batch, fn, arg, err);
	arena_free(&batch->arena);
	mem_free(batch->last);
	mem_free(batch);
	return rc;
}

/* --- some ----------------------------------------------------------------- */

struct names {
	char **names;
	size_t n, room;
};

static void
add_name(struct names *names, const char *name)
{
	size_t size = sizeof(*names->names);

	if (names->n == names->room) {
		size_t room = names->room == 0 ? 16 : 2 * names->room;

		names->names = mem_grow(
		    names->names, names->room * size, room * size);
		names->room = room;
	}
	names->names[names->n++] = mem_strdup(name);
}

static void
free_names(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		mem_free(names->names[i]);
	mem_free(names->names);
}

/* Jitter only adds to the age of what is due. */
static bool
is_wanted(enum store_sql sql, const struct sts_entry *entry, int64_t now)
{
	return sql == SQL_MAYBE_OVER ? sts_cache_is_over(entry, now)
	                             : sts_cache_is_due(entry, now, 0);
}

/* What is unreadable is not among them. */
static int
gather(struct sts_store *store, enum store_sql sql, int64_t now, size_t most,
    struct names *names, struct err *err)
{
	sqlite3_stmt *stmt = store->stmts[sql];
	bool row = false, good = db_bind_number(&store->db, stmt, 1, now);

	while (good && names->n < most &&
	       (good = store_take_step(store, sql, &row)) && row) {
		struct sts_entry entry;
		struct err why;
		const char *domain;

		if (store_row_numbers(stmt, &domain, &entry, &why) == 0 &&
		    is_wanted(sql, &entry, now))
			add_name(names, domain);
	}
	store_reset(store, sql);
	return good ? 0 : store_fail(store, err);
}

static int
tell(struct sts_store *store, const char *domain, int64_t now, sts_store_fn *fn,
    void *arg, struct err *err)
{
	struct sts_entry entry;
	int rc = store_ready(store, err);

	if (rc > 0)
		rc = store_find(store, domain, store->scratch, &entry, err);
	else if (rc == 0)
		return 0;
	if (rc == 0 && sts_cache_is_due(&entry, now, 0))
		fn(domain, &entry, arg);
	arena_reset(store->scratch);
	return rc;
}

int
sts_store_each_old(struct sts_store *store, int64_t now, size_t most,
    sts_store_fn *fn, void *arg, struct err *err)
{
	struct names names = {0};
	int rc = store_ready(store, err);

	if (rc > 0)
		rc = gather(store, SQL_MAYBE_DUE, now, most, &names, err);
	for (size_t i = 0; i < names.n; i++) {
		struct err why;

		if (tell(store, names.names[i], now, fn, arg, &why) < 0 &&
		    rc == 0) {
			*err = why;
			rc = -1;
		}
	}
	free_names(&names);
	return rc;
}

/* --- and those that are over ---------------------------------------------- */

static int
sweep_rows(struct sts_store *store, int64_t now, const struct names *names,
    size_t *ret_n, struct err *err)
{
	struct db *db = &store->db;
	size_t n = 0;

	if (!db_run(db, "BEGIN IMMEDIATE"))
		return store_fail(store, err);
	for (size_t i = 0; i < names->n; i++) {
		struct sts_entry entry;
		bool row;
		int rc = store_find(
		    store, names->names[i], store->scratch, &entry, err);

		arena_reset(store->scratch);
		if (store->db.sqlite == NULL)
			return -1;
		/* It may have been fetched anew by now. */
		if (rc < 0 || !sts_cache_is_over(&entry, now))
			continue;
		if (!db_bind_text(
			db, store->stmts[SQL_FORGET], 1, names->names[i]) ||
		    !store_take_step(store, SQL_FORGET, &row))
			return store_fail(store, err);
		n += (size_t)sqlite3_changes(db->sqlite);
		store_reset(store, SQL_FORGET);
	}
	if (!db_run(db, "COMMIT"))
		return store_fail(store, err);
	*ret_n = n;
	return 0;
}

static int
sweep(struct sts_store *store, int64_t now, const struct names *names,
    size_t *ret_n, struct err *err)
{
	int fd, rc;

	if (db_lock(&store->db, &fd, err) < 0)
		return -1;
	rc = store_ready(store, err);
	if (rc > 0)
		rc = sweep_rows(store, now, names, ret_n, err);
	(void)close(fd);
	return rc;
}

int
sts_store_sweep(struct sts_store *store, int64_t now, size_t most,
    size_t *ret_n, struct err *err)
{
	struct names names = {0};
	int rc = store_ready(store, err);

	*ret_n = 0;
	if (rc > 0)
		rc = gather(store, SQL_MAYBE_OVER, now, most, &names, err);
	if (rc == 0 && names.n > 0)
		rc = sweep(store, now, &names, ret_n, err);
	free_names(&names);
	return rc;
}
