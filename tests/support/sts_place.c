/* See sts_place.h. */
#include "tests/support/sts_place.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

#include "tests/support/test.h"

int
place_set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	struct err err;

	(void)snprintf(
	    place->folder, sizeof(place->folder), "/tmp/danelaw-sts-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->arena = arena_new((size_t)64 << 20);
	assert_int_equal(
	    sts_store_open(place->folder, 5000, &place->store, &err), 0);
	*state = place;
	return 0;
}

int
place_tear_down(void **state)
{
	static const char *const names[] = {"sts.db", "sts.db-journal",
	    "sts.db.damaged", "sts.lock", "sts.db.new", "sts.db.new-journal"};
	struct place *place = *state;

	sts_store_close(&place->store);
	for (size_t i = 0; i < ROWS(names); i++)
		(void)unlink(place_path(place, names[i]));
	assert_int_equal(rmdir(place->folder), 0);
	arena_free(&place->arena);
	free(place);
	return 0;
}

const char *
place_path(const struct place *place, const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", place->folder, name);
	return path;
}

struct sts_entry
place_policy(
    struct place *place, int64_t fetched_at, const char *mode, size_t nmx)
{
	static char text[STS_POLICY_MAX];
	struct sts_entry entry = {.state = STS_ENTRY_POLICY,
	    .id = "20160831085700Z",
	    .fetched_at = fetched_at,
	    .expires_at = fetched_at + 7 * DAY,
	    .last_used = fetched_at + 1,
	    .last_try = fetched_at,
	    .tried_id = "20160831085700Z"};
	struct err err;
	int n = snprintf(text, sizeof(text),
	    "version: STSv1\nmode: %s\nmax_age: %d\n", mode, (int)(7 * DAY));

	for (size_t i = 0; i < nmx; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "mx: mx%zu.example.net\n", i);
	if (sts_policy_read((struct span){text, (size_t)n}, place->arena,
		&entry.policy, &err) < 0)
		fail_msg("no policy: %s", err.text);
	return entry;
}

struct sts_entry
place_entry(struct place *place, int64_t fetched_at)
{
	return place_policy(place, fetched_at, "enforce", 2);
}

void
place_put(
    struct place *place, const char *domain, const struct sts_entry *entry)
{
	struct err err;

	if (sts_store_put(place->store, domain, entry, &err) < 0)
		fail_msg("%s: not put: %s", domain, err.text);
}

struct sts_entry
place_get(struct place *place, const char *domain)
{
	struct sts_entry entry;
	struct err err;

	if (sts_store_get(place->store, domain, place->arena, &entry, &err) < 0)
		fail_msg("%s: not got: %s", domain, err.text);
	return entry;
}

struct err
place_get_fails(struct place *place, const char *domain)
{
	struct sts_entry entry = place_entry(place, NOW);
	struct err err = {0};

	if (sts_store_get(place->store, domain, place->arena, &entry, &err) !=
	    -1)
		fail_msg("%s: got", domain);
	assert_int_equal(entry.state, STS_ENTRY_UNKNOWN);
	assert_int_equal(entry.policy.mode, STS_MODE_UNKNOWN);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_true(err.text[0] != '\0');
	return err;
}

void
place_same(const struct sts_entry *a, const struct sts_entry *b)
{
	assert_int_equal(a->state, b->state);
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->tried_id, b->tried_id);
	assert_int_equal(a->fetched_at, b->fetched_at);
	assert_int_equal(a->expires_at, b->expires_at);
	assert_int_equal(a->last_used, b->last_used);
	assert_int_equal(a->last_try, b->last_try);
	assert_int_equal(a->failures, b->failures);
	assert_int_equal(a->policy.mode, b->policy.mode);
	assert_int_equal(a->policy.max_age, b->policy.max_age);
	assert_int_equal(a->policy.nmx, b->policy.nmx);
	for (size_t i = 0; i < a->policy.nmx; i++)
		assert_string_equal(a->policy.mx[i], b->policy.mx[i]);
	assert_true(span_eq(a->policy.text, b->policy.text));
}

void
place_sql(const struct place *place, const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(
	    sqlite3_open(place_path(place, "sts.db"), &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	(void)sqlite3_close(db);
}

void
place_write(const struct place *place, const char *text)
{
	FILE *file = fopen(place_path(place, "sts.db"), "we");

	assert_non_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
}
