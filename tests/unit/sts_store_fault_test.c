/* MTA-STS policies on disk: damaged, or not where it was. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/sts_place.h"
#include "tests/support/test.h"

static void
count(const char *domain, const struct sts_entry *entry, void *arg)
{
	size_t *n = arg;

	assert_true(domain[0] != '\0');
	assert_true(entry->state != STS_ENTRY_UNKNOWN);
	(*n)++;
}

static void
put_many(struct place *place, int n)
{
	char domain[32];

	for (int i = 0; i < n; i++) {
		struct sts_entry entry = place_entry(place, NOW);

		(void)snprintf(domain, sizeof(domain), "d%04d.example", i);
		place_put(place, domain, &entry);
	}
}

static int
reset(const struct place *place)
{
	struct err err;
	int rc = sts_store_reset(place->folder, 1000, &err);

	if (rc < 0)
		fail_msg("no reset: %s", err.text);
	return rc;
}

/* --- damage --------------------------------------------------------------- */

/* All but the first page, where the schema is. */
static void
spoil_pages(struct place *place)
{
	static const char junk[4096] = {[0] = 'x', [4095] = 'y'};
	int fd = open(place_path(place, "sts.db"), O_WRONLY | O_CLOEXEC);

	for (off_t at = 4096; at < lseek(fd, 0, SEEK_END); at += 4096)
		assert_int_equal(pwrite(fd, junk, 4096, at), 4096);
	(void)close(fd);
}

static void
do_damage(struct place *place, int how)
{
	static const char *const texts[] = {
	    "", "this is no database", "SQLite format 3"};
	static const char *const sql[] = {"PRAGMA user_version = 2",
	    "DROP TABLE policies",
	    "ALTER TABLE policies RENAME COLUMN text TO body",
	    "ALTER TABLE policies RENAME TO others;"
	    "CREATE VIEW policies AS SELECT * FROM others"};

	if (how < (int)ROWS(texts)) {
		place_write(place, texts[how]);
		return;
	}
	how -= (int)ROWS(texts);
	if (how < (int)ROWS(sql)) {
		place_sql(place, sql[how]);
		return;
	}
	how -= (int)ROWS(sql);
	if (how == 0)
		assert_int_equal(
		    truncate(place_path(place, "sts.db"), 8192), 0);
	else
		spoil_pages(place);
}

#define DAMAGES 9

static struct stat
stat_of(const struct place *place, const char *name)
{
	struct stat st;

	if (stat(place_path(place, name), &st) < 0)
		fail_msg("%s is not there", name);
	return st;
}

/* Nothing that is asked of it is answered, and nothing done to it. */
static void
all_fails(struct place *place)
{
	struct sts_entry entry = place_entry(place, NOW + 1);
	struct stat before = stat_of(place, "sts.db"), after;
	struct err err = {0};
	size_t n = 0;

	err = place_get_fails(place, "d0009.example");
	if (strstr(err.text, "sts.db") == NULL)
		fail_msg("not told which: %s", err.text);
	(void)place_get_fails(place, "none.example");
	assert_int_equal(
	    sts_store_put(place->store, "d0009.example", &entry, &err), -1);
	assert_int_equal(sts_store_each(place->store, count, &n, &err), -1);
	assert_int_equal(
	    sts_store_each_old(place->store, NOW + 3 * DAY, 9, count, &n, &err),
	    -1);
	assert_int_equal(
	    sts_store_sweep(place->store, NOW + 99 * DAY, 9, &n, &err), -1);
	assert_int_equal(
	    sts_store_forget(place->store, "d0009.example", &n, &err), -1);
	after = stat_of(place, "sts.db");
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(access(place_path(place, "sts.db.damaged"), F_OK), -1);
}

static void
what_is_damaged_is_not_no_policy(void **state)
{
	struct place *place = *state;

	for (int i = 0; i < DAMAGES; i++) {
		struct sts_store *other;
		struct stat before;
		struct err err;

		put_many(place, 50);
		do_damage(place, i);
		/* Whoever has whole pages in memory may go by them. */
		if (i < DAMAGES - 2)
			all_fails(place);
		/* By one that has just come, too. */
		assert_int_equal(
		    sts_store_open(place->folder, 50, &other, &err),
		    i == DAMAGES - 1 ? 0 : -1);
		sts_store_close(&place->store);
		place->store = other;
		all_fails(place);

		before = stat_of(place, "sts.db");
		if (reset(place) != 1)
			fail_msg("%d: not kept", i);
		assert_int_equal(
		    stat_of(place, "sts.db.damaged").st_ino, before.st_ino);
		assert_int_equal(
		    place_get(place, "d0009.example").state, STS_ENTRY_EMPTY);
		put_many(place, 2);
		assert_int_equal(reset(place), 0);
		assert_int_equal(
		    unlink(place_path(place, "sts.db.damaged")), 0);
	}
}

static void
a_mended_file_is_read_again(void **state)
{
	struct place *place = *state;

	put_many(place, 3);
	place_sql(place, "PRAGMA user_version = 7");
	(void)place_get_fails(place, "d0001.example");
	place_sql(place, "PRAGMA user_version = 1");
	assert_int_equal(
	    place_get(place, "d0001.example").state, STS_ENTRY_POLICY);
}

/* One row is bad, and the others are as good as before. */
static void
an_unreadable_row_is_not_no_policy(void **state)
{
	static const char *const damage[] = {
	    "text = x''",
	    "text = x'00'",
	    "text = CAST('version: STSv1' AS BLOB)",
	    "text = zeroblob(65537)",
	    "text = zeroblob(2000000)",
	    "text = NULL",
	    "id = 'not an id'",
	    "id = 'a' || char(0) || 'b'",
	    "id = 'abcdefghijklmnopqrstuvwxyz0123456'",
	    "tried_id = '\"'",
	    "fetched_at = 0",
	    "fetched_at = -1",
	    "fetched_at = fetched_at + 700000",
	    "expires_at = expires_at + 31557600",
	    "expires_at = 9223372036854775807",
	    "last_used = -9223372036854775807",
	    "last_try = 253402300800",
	    "failures = -1",
	    "failures = 4294967296",
	};
	struct place *place = *state;
	char sql[200];
	struct err err;
	size_t n;

	for (size_t i = 0; i < ROWS(damage); i++) {
		bool wide = strstr(damage[i], "2000000") != NULL;

		put_many(place, 5);
		/* Nobody would miss it. */
		place_sql(place, "UPDATE policies SET last_try = 1701000000");
		(void)snprintf(sql, sizeof(sql),
		    "UPDATE policies SET %s WHERE domain = 'd0002.example'",
		    damage[i]);
		place_sql(place, sql);
		err = place_get_fails(place, "d0002.example");
		if (!wide && strstr(err.text, "d0002.example") == NULL)
			fail_msg("%s: not told which: %s", damage[i], err.text);
		assert_int_equal(
		    place_get(place, "d0003.example").state, STS_ENTRY_POLICY);
		n = 0;
		err = (struct err){0};
		if (sts_store_each(place->store, count, &n, &err) != -1)
			fail_msg("%s: it is among all", damage[i]);
		assert_true(err.text[0] != '\0');
		if (!wide)
			assert_int_equal(n, 4);
		/* Time goes by, and it is there still. */
		(void)sts_store_sweep(
		    place->store, NOW + 999 * DAY, SIZE_MAX, &n, &err);
		(void)place_get_fails(place, "d0002.example");
		assert_int_equal(reset(place), 1);
	}
}

/* What is fetched anew, or forgotten, needs nothing of what was there. */
static void
an_unreadable_row_can_be_mended(void **state)
{
	struct place *place = *state;
	struct sts_entry entry = place_entry(place, NOW + 1), got;
	struct err err;
	size_t n;

	put_many(place, 2);
	place_sql(place, "UPDATE policies SET text = x'01'");
	place_put(place, "d0000.example", &entry);
	got = place_get(place, "d0000.example");
	place_same(&got, &entry);
	assert_int_equal(
	    sts_store_forget(place->store, "d0001.example", &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(
	    place_get(place, "d0001.example").state, STS_ENTRY_EMPTY);
}

/* Whoever can write the file has no say over what is run. */
static void
a_trigger_in_the_file_is_not_run(void **state)
{
	struct place *place = *state;
	struct sts_entry entry = place_entry(place, NOW + 1), got;

	put_many(place, 1);
	place_sql(place, "CREATE TRIGGER t AFTER INSERT ON policies BEGIN"
			 " DELETE FROM policies; END");
	place_put(place, "d0000.example", &entry);
	got = place_get(place, "d0000.example");
	place_same(&got, &entry);
}

/* --- the place ------------------------------------------------------------ */

static void
a_folder_that_is_away_is_not_no_policy(void **state)
{
	struct place *place = *state;
	struct sts_entry entry = place_entry(place, NOW);
	struct sts_store *other;
	struct err err = {0}, why;
	char away[80];
	int got, opened;

	put_many(place, 1);
	(void)snprintf(away, sizeof(away), "%s.away", place->folder);
	assert_int_equal(rename(place->folder, away), 0);
	got = sts_store_get(
	    place->store, "d0000.example", place->arena, &entry, &err);
	opened = sts_store_open(place->folder, 10, &other, &why);
	/* Back, whatever was said: it has to be removed. */
	assert_int_equal(rename(away, place->folder), 0);
	assert_int_equal(got, -1);
	assert_int_equal(entry.state, STS_ENTRY_UNKNOWN);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_non_null(strstr(err.text, place->folder));
	assert_int_equal(opened, -1);
	assert_int_equal(
	    place_get(place, "d0000.example").state, STS_ENTRY_POLICY);
	sts_store_close(&place->store);
	place->store = other;
	assert_int_equal(
	    place_get(place, "d0000.example").state, STS_ENTRY_POLICY);
}

static void
a_link_to_elsewhere_is_no_file_of_ours(void **state)
{
	struct place *place = *state;
	struct sts_entry entry = place_entry(place, NOW);
	char elsewhere[80];
	struct err err;

	put_many(place, 1);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s.db", place->folder);
	assert_int_equal(rename(place_path(place, "sts.db"), elsewhere), 0);
	assert_int_equal(symlink(elsewhere, place_path(place, "sts.db")), 0);
	(void)place_get_fails(place, "d0000.example");
	assert_int_equal(
	    sts_store_put(place->store, "d0000.example", &entry, &err), -1);
	assert_int_equal(unlink(elsewhere), 0);
}

/* One who has it open sees that another file is in its place. */
static void
a_replaced_file_is_opened_anew(void **state)
{
	struct place *place = *state;
	struct sts_store *other;
	struct sts_entry entry = place_entry(place, NOW);
	struct err err;

	assert_int_equal(sts_store_open(place->folder, 1000, &other, &err), 0);
	put_many(place, 2);
	assert_int_equal(unlink(place_path(place, "sts.db")), 0);
	assert_int_equal(
	    place_get(place, "d0000.example").state, STS_ENTRY_EMPTY);
	assert_int_equal(
	    sts_store_put(other, "d0001.example", &entry, &err), 0);
	assert_int_equal(
	    place_get(place, "d0000.example").state, STS_ENTRY_EMPTY);
	assert_int_equal(
	    place_get(place, "d0001.example").state, STS_ENTRY_POLICY);
	assert_int_equal(unlink(place_path(place, "sts.db")), 0);
	assert_int_equal(
	    sts_store_put(other, "d0000.example", &entry, &err), 0);
	place_put(place, "d0002.example", &entry);
	assert_int_equal(
	    place_get(place, "d0000.example").state, STS_ENTRY_POLICY);
	sts_store_close(&other);
}

static void
a_reset_forgets_everything(void **state)
{
	struct place *place = *state;
	size_t n = 0;
	struct err err;

	assert_int_equal(reset(place), 0);
	put_many(place, 40);
	assert_int_equal(reset(place), 0);
	assert_int_equal(sts_store_each(place->store, count, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(access(place_path(place, "sts.db.damaged"), F_OK), -1);
	put_many(place, 1);
}

/* What a change that was cut short leaves beside the file. */
static void
leave_journal(struct place *place)
{
	static char journal[1 << 20];
	sqlite3 *db;
	ssize_t n;
	int fd;

	assert_int_equal(
	    sqlite3_open(place_path(place, "sts.db"), &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db,
		"PRAGMA cache_size = 1; BEGIN; UPDATE policies SET id = 'b'",
		NULL, NULL, NULL),
	    SQLITE_OK);
	fd = open(place_path(place, "sts.db-journal"), O_RDONLY | O_CLOEXEC);
	n = read(fd, journal, sizeof(journal));
	assert_true(n > 4096 && n < (ssize_t)sizeof(journal));
	(void)close(fd);
	(void)sqlite3_close(db);
	fd = open(place_path(place, "sts.db-journal"),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, journal, (size_t)n), n);
	(void)close(fd);
}

/* Whoever removes the file by hand, or has no time to finish a reset. */
static void
the_journal_of_another_file_is_not_played(void **state)
{
	struct place *place = *state;
	struct sts_entry entry = place_entry(place, NOW + 1), got;
	size_t n = 0;
	struct err err;

	put_many(place, 40);
	leave_journal(place);
	assert_int_equal(unlink(place_path(place, "sts.db")), 0);
	place_put(place, "new.example", &entry);
	got = place_get(place, "new.example");
	place_same(&got, &entry);
	assert_int_equal(sts_store_each(place->store, count, &n, &err), 0);
	assert_int_equal(n, 1);
}

int
main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
	    T(what_is_damaged_is_not_no_policy),
	    T(a_mended_file_is_read_again),
	    T(an_unreadable_row_is_not_no_policy),
	    T(an_unreadable_row_can_be_mended),
	    T(a_trigger_in_the_file_is_not_run),
	    T(a_folder_that_is_away_is_not_no_policy),
	    T(a_link_to_elsewhere_is_no_file_of_ours),
	    T(a_replaced_file_is_opened_anew),
	    T(a_reset_forgets_everything),
	    T(the_journal_of_another_file_is_not_played),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
