/* Counts of deliveries on disk: added, bounded, damaged, interrupted. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mta/audit_store.h"

#include "tests/support/test.h"

#define DAY  INT64_C(20000)
#define NOW  (DAY * AUDIT_DAY_S + 3600)
#define SEEN 64

struct place {
	char folder[64];
	struct audit_store store;
	struct audit_table *table;
};

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	(void)snprintf(
	    place->folder, sizeof(place->folder), "/tmp/danelaw-audit-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->store = (struct audit_store){
	    .folder = place->folder, .wait_ms = 5000};
	place->table = audit_table_new(1000);
	*state = place;
	return 0;
}

static const char *
path_of(const struct place *place, const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", place->folder, name);
	return path;
}

static int
tear_down(void **state)
{
	static const char *const names[] = {
	    "audit.db", "audit.db-journal", "audit.db.damaged", "audit.lock"};
	struct place *place = *state;

	for (size_t i = 0; i < ROWS(names); i++)
		(void)unlink(path_of(place, names[i]));
	assert_int_equal(rmdir(place->folder), 0);
	audit_table_free(&place->table);
	free(place);
	return 0;
}

static void
count_at(struct place *place, const char *destination, const char *host,
    enum audit_end end, int64_t now)
{
	struct audit_key key = {
	    destination, host, "tls", end == AUDIT_ALLOWED ? "" : "the reason"};

	audit_count(place->table, &key, end, now);
}

/* What is in the table goes to disk; its reason when a file was damaged. */
static struct err
store_at(struct place *place, int64_t now)
{
	struct err damaged, err = {0};

	if (audit_store_add(&place->store, place->table, now, &damaged, &err) <
	    0)
		fail_msg("not added: %s", err.text);
	audit_table_free(&place->table);
	place->table = audit_table_new(1000);
	return damaged;
}

struct seen {
	size_t n;
	struct {
		char text[200]; /* destination host reason */
		uint64_t counts[AUDIT_ENDS];
		struct audit_sums sums;
	} rows[SEEN];
	uint64_t counts[AUDIT_ENDS];
};

static void
see(const struct audit_row *row, const struct audit_sums *sums, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->n < SEEN);
	(void)snprintf(seen->rows[seen->n].text,
	    sizeof(seen->rows[seen->n].text), "%s %s %s", row->key.destination,
	    row->key.host, row->key.reason);
	memcpy(seen->rows[seen->n].counts, row->counts, sizeof(row->counts));
	seen->rows[seen->n++].sums = *sums;
	for (size_t i = 0; i < AUDIT_ENDS; i++)
		seen->counts[i] += row->counts[i];
}

static struct seen
look_since(const struct place *place, int64_t day)
{
	struct seen seen = {0};
	struct err err;

	if (audit_store_read(&place->store, day, see, &seen, &err) < 0)
		fail_msg("not read: %s", err.text);
	return seen;
}

static void
it_adds_up_worst_first(void **state)
{
	struct place *place = *state;
	struct seen seen = look_since(place, 0);
	struct stat st;

	assert_int_equal(seen.n, 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 9; i++)
			count_at(place, "mx:fine", "a", AUDIT_ALLOWED, NOW);
		count_at(place, "mx:bad", "b1", AUDIT_ALLOWED, NOW + 1);
		count_at(place, "mx:bad", "b2", AUDIT_WOULD_REFUSE, NOW + 2);
		count_at(place, "mx:bad", "b2", AUDIT_REFUSED, NOW + 3);
		count_at(place, "mx:worse", "c", AUDIT_WOULD_REFUSE, NOW);
		count_at(place, "mx:worse", "c", AUDIT_WOULD_REFUSE, NOW);
		count_at(place, "mx:worse", "c", AUDIT_REFUSED, NOW);
		assert_int_equal(store_at(place, NOW).kind, ERR_NONE);
	}
	seen = look_since(place, 0);
	assert_int_equal(seen.n, 4);
	assert_string_equal(seen.rows[0].text, "mx:worse c the reason");
	assert_string_equal(seen.rows[1].text, "mx:bad b2 the reason");
	assert_string_equal(seen.rows[2].text, "mx:bad b1 ");
	assert_string_equal(seen.rows[3].text, "mx:fine a ");
	assert_int_equal(seen.rows[0].counts[AUDIT_WOULD_REFUSE], 4);
	assert_int_equal(seen.rows[0].counts[AUDIT_REFUSED], 2);
	assert_int_equal(seen.rows[3].counts[AUDIT_ALLOWED], 18);
	assert_int_equal(seen.rows[1].sums.counts[AUDIT_REFUSED], 2);
	assert_int_equal(seen.rows[1].sums.counts[AUDIT_WOULD_REFUSE], 2);
	assert_int_equal(seen.rows[1].sums.counts[AUDIT_ALLOWED], 2);
	assert_int_equal(seen.rows[1].sums.first, NOW + 1);
	assert_int_equal(seen.rows[1].sums.last, NOW + 3);
	assert_int_equal(stat(path_of(place, "audit.db"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
days_are_told_apart_and_forgotten(void **state)
{
	struct place *place = *state;
	struct seen seen;

	for (int day = 0; day < 3; day++)
		count_at(place, "d", "h", AUDIT_ALLOWED,
		    NOW + (int64_t)day * AUDIT_DAY_S);
	(void)store_at(place, NOW + INT64_C(2) * AUDIT_DAY_S);
	assert_int_equal(look_since(place, DAY).counts[AUDIT_ALLOWED], 3);
	assert_int_equal(look_since(place, DAY + 1).counts[AUDIT_ALLOWED], 2);
	assert_int_equal(look_since(place, DAY + 3).n, 0);

	count_at(place, "e", "h", AUDIT_ALLOWED,
	    NOW + (int64_t)AUDIT_DAYS * AUDIT_DAY_S);
	(void)store_at(place, NOW + (int64_t)AUDIT_DAYS * AUDIT_DAY_S);
	seen = look_since(place, 0);
	assert_int_equal(seen.counts[AUDIT_ALLOWED], 3);

	/* A clock that is behind for once costs nothing. */
	count_at(place, "f", "h", AUDIT_ALLOWED, NOW);
	(void)store_at(place, NOW);
	seen = look_since(place, 0);
	assert_int_equal(seen.counts[AUDIT_ALLOWED], 4);
}

static void
a_day_has_a_limit(void **state)
{
	struct place *place = *state;
	char name[16];
	struct seen seen;

	place->store.rows_a_day = 8;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 10; i++) {
			(void)snprintf(name, sizeof(name), "a%d", i);
			count_at(place, name, "h", AUDIT_ALLOWED, NOW);
			(void)snprintf(name, sizeof(name), "r%d", i);
			count_at(place, name, "h", AUDIT_REFUSED, NOW);
		}
		(void)store_at(place, NOW);
		seen = look_since(place, 0);
		assert_true(seen.n <= 9);
		assert_int_equal(seen.counts[AUDIT_ALLOWED], 10 * (round + 1));
		assert_int_equal(seen.counts[AUDIT_REFUSED], 10 * (round + 1));
	}
	count_at(place, "tomorrow", "h", AUDIT_ALLOWED, NOW + AUDIT_DAY_S);
	(void)store_at(place, NOW + AUDIT_DAY_S);
	seen = look_since(place, DAY + 1);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.rows[0].text, "tomorrow h ");
}

static void
write_garbage(const struct place *place)
{
	FILE *file = fopen(path_of(place, "audit.db"), "we");

	for (int i = 0; i < 1000; i++)
		(void)fputs("this is no database. ", file);
	(void)fclose(file);
}

static void
run_sql(const struct place *place, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(
	    sqlite3_open(path_of(place, "audit.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

/* All but the first page, where the schema is. */
static void
spoil_pages(struct place *place)
{
	static const char junk[4096] = {[0] = 'x', [4095] = 'y'};
	char name[16];
	int fd;

	for (int i = 0; i < 900; i++) {
		(void)snprintf(name, sizeof(name), "a%d", i);
		count_at(place, name, "h", AUDIT_REFUSED, NOW);
	}
	(void)store_at(place, NOW);
	fd = open(path_of(place, "audit.db"), O_WRONLY);
	for (off_t at = 4096; at < lseek(fd, 0, SEEK_END); at += 4096)
		assert_int_equal(pwrite(fd, junk, 4096, at), 4096);
	(void)close(fd);
}

/* Whoever can write the file has no say over what is run. */
static void
a_trigger_in_the_file_is_not_run(void **state)
{
	struct place *place = *state;

	count_at(place, "d", "h", AUDIT_ALLOWED, NOW);
	assert_int_equal(store_at(place, NOW).kind, ERR_NONE);
	run_sql(place, "CREATE TRIGGER t AFTER UPDATE ON deliveries BEGIN"
		       " DELETE FROM deliveries; END");
	count_at(place, "d", "h", AUDIT_ALLOWED, NOW);
	assert_int_equal(store_at(place, NOW).kind, ERR_NONE);
	assert_int_equal(look_since(place, 0).counts[AUDIT_ALLOWED], 2);
}

static void
what_is_damaged_is_set_aside(void **state)
{
	struct place *place = *state;
	struct err err = {0};
	struct seen seen = {0};

	for (int i = 0; i < 5; i++) {
		if (i == 0)
			write_garbage(place);
		else if (i == 1)
			run_sql(place, "PRAGMA user_version = 7");
		else if (i == 2)
			run_sql(place,
			    "PRAGMA user_version = 1; DROP TABLE deliveries;"
			    "CREATE TABLE deliveries (day)");
		else if (i == 3)
			spoil_pages(place);
		else
			run_sql(place,
			    "DROP TABLE deliveries;"
			    "CREATE VIEW deliveries AS SELECT 1 AS day");
		assert_int_equal(
		    audit_store_read(&place->store, 0, see, &seen, &err), -1);
		assert_int_equal(seen.n, 0);
		count_at(place, "d", "h", AUDIT_ALLOWED, NOW);
		err = store_at(place, NOW);
		if (err.kind == ERR_NONE)
			fail_msg("%d: nobody was told", i);
		assert_non_null(strstr(err.text, "audit.db: "));
		assert_int_equal(
		    access(path_of(place, "audit.db.damaged"), F_OK), 0);
		assert_int_equal(unlink(path_of(place, "audit.db.damaged")), 0);
		assert_int_equal(look_since(place, 0).counts[AUDIT_ALLOWED], 1);
		count_at(place, "d", "h", AUDIT_ALLOWED, NOW);
		assert_int_equal(store_at(place, NOW).kind, ERR_NONE);
	}
}

static void
nothing_is_added_while_another_writes(void **state)
{
	struct place *place = *state;
	struct err damaged, err = {0};
	int fd = open(path_of(place, "audit.lock"), O_RDWR | O_CREAT, 0600);

	assert_int_equal(flock(fd, LOCK_EX), 0);
	place->store.wait_ms = 30;
	count_at(place, "d", "h", AUDIT_ALLOWED, NOW);
	assert_int_equal(
	    audit_store_add(&place->store, place->table, NOW, &damaged, &err),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(look_since(place, 0).n, 0);
	(void)close(fd);
	(void)store_at(place, NOW);
	assert_int_equal(look_since(place, 0).n, 1);
}

#define WRITERS 4
#define TIMES   25

static void *
add_often(void *arg)
{
	const struct place *place = arg;
	static const struct audit_key key = {"d", "h", "tls", ""};

	for (int i = 0; i < TIMES; i++) {
		struct audit_table *table = audit_table_new(8);
		struct err damaged, err;

		audit_count(table, &key, AUDIT_ALLOWED, NOW);
		while (audit_store_add(
			   &place->store, table, NOW, &damaged, &err) < 0)
			;
		audit_table_free(&table);
	}
	return NULL;
}

static void
several_writers_lose_nothing(void **state)
{
	struct place *place = *state;
	pthread_t threads[WRITERS];

	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, add_often, place), 0);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(
	    look_since(place, 0).counts[AUDIT_ALLOWED], WRITERS * TIMES);
}

/* Both rows are of one delivery: one without the other is half a write. */
static void
a_writer_that_is_killed_leaves_all_or_nothing(void **state)
{
	struct place *place = *state;
	uint64_t before = 0;

	for (int i = 0; i < 12; i++) {
		struct seen seen;
		pid_t child = fork();

		if (child == 0)
			for (;;) {
				count_at(place, "a", "h", AUDIT_ALLOWED, NOW);
				count_at(place, "b", "h", AUDIT_REFUSED, NOW);
				(void)store_at(place, NOW);
			}
		(void)usleep(15000 + 7000 * (useconds_t)i);
		(void)kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		seen = look_since(place, 0);
		assert_int_equal(
		    seen.counts[AUDIT_ALLOWED], seen.counts[AUDIT_REFUSED]);
		assert_true(seen.counts[AUDIT_ALLOWED] >= before);
		before = seen.counts[AUDIT_ALLOWED];
	}
	assert_true(before > 0);
	assert_int_equal(access(path_of(place, "audit.db.damaged"), F_OK), -1);
}

static void
a_reset_forgets_even_what_is_damaged(void **state)
{
	struct place *place = *state;
	struct err err;

	assert_int_equal(audit_store_reset(&place->store, &err), 0);
	count_at(place, "d", "h", AUDIT_ALLOWED, NOW);
	(void)store_at(place, NOW);
	assert_int_equal(audit_store_reset(&place->store, &err), 0);
	assert_int_equal(look_since(place, 0).n, 0);
	write_garbage(place);
	assert_int_equal(audit_store_reset(&place->store, &err), 0);
	assert_int_equal(look_since(place, 0).n, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(it_adds_up_worst_first),
	    T(days_are_told_apart_and_forgotten),
	    T(a_day_has_a_limit),
	    T(a_trigger_in_the_file_is_not_run),
	    T(what_is_damaged_is_set_aside),
	    T(nothing_is_added_while_another_writes),
	    T(several_writers_lose_nothing),
	    T(a_writer_that_is_killed_leaves_all_or_nothing),
	    T(a_reset_forgets_even_what_is_damaged),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
