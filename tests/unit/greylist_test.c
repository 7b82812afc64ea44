/* Who is put off, for how long, and who is not any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/db.h"
#include "mta/receive/greylist.h"

#include "tests/support/config.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

#define NOW 1000000

static void
a_triple_is_judged(void **state)
{
	static const struct config_greylist config = {
	    .delay = 300, .window = 3000, .keep = 30000};
	static const struct {
		const char *rule;
		struct grey_row row;
		enum grey_verdict verdict;
		int64_t wait;
	} rows[] = {
	    {"new", {0, 0, false}, GREY_NEW, 300},
	    {"at once", {NOW, NOW, false}, GREY_EARLY, 300},
	    {"early", {NOW - 299, NOW - 299, false}, GREY_EARLY, 1},
	    {"late enough", {NOW - 300, NOW - 300, false}, GREY_PASS, 0},
	    {"last moment", {NOW - 3000, NOW - 3000, false}, GREY_PASS, 0},
	    {"too late", {NOW - 3001, NOW - 3001, false}, GREY_NEW, 300},
	    {"passed", {NOW - 9000, NOW - 30000, true}, GREY_PASS, 0},
	    {"passed long ago", {NOW - 90000, NOW - 30001, true}, GREY_NEW,
		300},
	    {"from the future", {NOW + 1, NOW + 1, false}, GREY_NEW, 300},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t wait = 0;
		enum grey_verdict verdict = greylist_judge(
		    &config, &rows[i].row, NOW, &wait);

		if (verdict != rows[i].verdict ||
		    (verdict != GREY_PASS && wait != rows[i].wait))
			fail_msg("%s: %d %lld", rows[i].rule, (int)verdict,
			    (long long)wait);
	}
}

static void
neighbours_are_one_network(void **state)
{
	char text[64];

	(void)state;
	assert_true(greylist_network("192.0.2.129", text));
	assert_string_equal(text, "192.0.2.0/24");
	assert_true(greylist_network("2001:db8:1:2:3::1", text));
	assert_string_equal(text, "2001:db8:1:2::/64");
	assert_false(greylist_network("/run/socket", text));
}

struct place {
	char folder[64];
	struct config *config;
};

static void
place_make(struct place *place, const char *more)
{
	char text[1024];

	(void)snprintf(place->folder, sizeof(place->folder),
	    "/tmp/danelaw-greylist-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	(void)snprintf(text, sizeof(text),
	    LEAST "state = \"%s\"\ndefence { greylist { enabled = yes "
		  "delay = 300s window = 3000s keep = 30000s %s } }\n",
	    place->folder, more);
	place->config = parse_good(text);
}

static void
place_end(struct place *place)
{
	config_free(&place->config);
	tree_remove(place->folder);
}

static bool
passes(struct greylist *greylist, const char *client, const char *sender,
    const char *rcpt, int64_t now)
{
	struct err err = {0};
	int rc = greylist_ask(greylist, client, sender, rcpt, now, &err);

	if (rc == 0 && err.kind != ERR_NONE)
		fail_msg("%s", err.text);
	if (rc < 0)
		assert_string_equal(err.enhanced, "4.7.1");
	return rc == 0;
}

/* RFC 6647: over a restart, from a neighbour, in other case */
static void
who_comes_again_is_taken(void **state)
{
	struct place place;
	struct greylist *one, *two;

	(void)state;
	place_make(&place, "allow_after = 2");
	one = greylist_new(place.config);
	two = greylist_new(place.config); /* another process */
	assert_false(passes(one, "192.0.2.1", "a@x", "b@y", NOW));
	assert_false(passes(two, "192.0.2.1", "a@x", "b@y", NOW + 299));
	assert_false(passes(two, "192.0.2.1", "a@x", "c@y", NOW + 300));
	assert_false(passes(two, "192.0.3.1", "a@x", "b@y", NOW + 300));
	assert_true(passes(two, "192.0.2.9", "A@x", "B@y", NOW + 300));
	greylist_free(&one);
	one = greylist_new(place.config);
	assert_true(passes(one, "192.0.2.1", "a@x", "b@y", NOW + 20000));
	/* A second pass, and the network is known. */
	assert_false(passes(one, "192.0.2.1", "new@x", "b@y", NOW + 20000));
	assert_true(passes(one, "192.0.2.1", "new@x", "b@y", NOW + 20300));
	assert_true(passes(two, "192.0.2.7", "other@x", "z@y", NOW + 20301));
	assert_true(passes(two, "192.0.2.7", "more@x", "z@y", NOW + 50300));
	assert_false(passes(two, "192.0.2.7", "late@x", "z@y", NOW + 50301));
	greylist_free(&one);
	greylist_free(&two);
	place_end(&place);
}

static void
without_room_nobody_is_put_off(void **state)
{
	struct place place;
	struct greylist *greylist;
	char sender[32];
	unsigned off = 0;

	(void)state;
	place_make(&place, "rows = 1000");
	greylist = greylist_new(place.config);
	for (unsigned i = 0; i < 1100; i++) {
		(void)snprintf(sender, sizeof(sender), "%u@x", i);
		off += !passes(greylist, "192.0.2.1", sender, "b@y", NOW);
	}
	assert_int_equal(off, 1000);
	assert_false(passes(greylist, "192.0.2.1", "0@x", "b@y", NOW + 100));
	/* What is old makes room. */
	assert_false(
	    passes(greylist, "192.0.2.1", "2000@x", "b@y", NOW + 3001));
	greylist_free(&greylist);
	place_end(&place);
}

static void
a_file_that_cannot_be_used_puts_nobody_off(void **state)
{
	struct place place;
	struct greylist *greylist;
	struct err err;
	char path[128];
	FILE *f;

	(void)state;
	place_make(&place, "");
	(void)snprintf(path, sizeof(path), "%s/greylist.db", place.folder);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs("this is no database, but long enough to be taken "
			  "for one that is damaged, which it is, too",
			f) >= 0);
	(void)fclose(f);
	greylist = greylist_new(place.config);
	/* Damaged: set aside, and all are new. */
	assert_false(passes(greylist, "192.0.2.1", "a@x", "b@y", NOW));
	greylist_free(&greylist);

	tree_remove(place.folder);
	greylist = greylist_new(place.config);
	assert_int_equal(
	    greylist_ask(greylist, "192.0.2.1", "a@x", "b@y", NOW, &err), 0);
	assert_int_equal(err.kind, ERR_TEMP);
	/* Told once a minute, not at each recipient. */
	assert_int_equal(
	    greylist_ask(greylist, "192.0.2.1", "a@x", "b@y", NOW + 1, &err),
	    0);
	assert_int_equal(err.kind, ERR_NONE);
	greylist_free(&greylist);
	config_free(&place.config);
}

/* Whoever has the file for itself: nobody is put off, and the loop waits for
 * no more than a moment, and then hardly at all. */
static void
a_busy_file_is_not_waited_for(void **state)
{
	struct place place;
	struct greylist *greylist;
	struct db other = {.wait_ms = 5000};
	char path[128];
	struct err err;
	uint64_t began;

	(void)state;
	place_make(&place, "");
	greylist = greylist_new(place.config);
	assert_false(passes(greylist, "192.0.2.1", "a@x", "b@y", NOW));
	(void)snprintf(path, sizeof(path), "%s/greylist.db", place.folder);
	assert_true(db_open(&other, path, 1));
	assert_true(db_run(&other, "BEGIN EXCLUSIVE"));
	began = clock_mono_ms();
	for (int i = 0; i < 20; i++) {
		assert_int_equal(greylist_ask(greylist, "192.0.2.1", "a@x",
				     "b@y", NOW + i, &err),
		    0);
		assert_int_equal(err.kind, ERR_TEMP);
	}
	/* 50 ms each would be 1000. */
	assert_true(clock_mono_ms() - began < 500);
	assert_true(db_run(&other, "COMMIT"));
	db_close(&other);
	assert_false(passes(greylist, "192.0.2.1", "a@x", "b@y", NOW + 20));
	greylist_free(&greylist);
	place_end(&place);
}

/* Another process is about to be done: that is worth a moment. */
static void
a_moment_is_waited(void **state)
{
	struct place place;
	struct greylist *greylist;
	struct db other = {.wait_ms = 5000};
	char path[128];
	struct err err;
	uint64_t began;

	(void)state;
	place_make(&place, "");
	greylist = greylist_new(place.config);
	assert_false(passes(greylist, "192.0.2.1", "a@x", "b@y", NOW));
	(void)snprintf(path, sizeof(path), "%s/greylist.db", place.folder);
	assert_true(db_open(&other, path, 1));
	assert_true(db_run(&other, "BEGIN EXCLUSIVE"));
	began = clock_mono_ms();
	assert_int_equal(
	    greylist_ask(greylist, "192.0.2.1", "a@x", "b@y", NOW, &err), 0);
	assert_true(clock_mono_ms() - began >= 5);
	db_close(&other);
	greylist_free(&greylist);
	place_end(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_triple_is_judged),
	    cmocka_unit_test(neighbours_are_one_network),
	    cmocka_unit_test(who_comes_again_is_taken),
	    cmocka_unit_test(without_room_nobody_is_put_off),
	    cmocka_unit_test(a_file_that_cannot_be_used_puts_nobody_off),
	    cmocka_unit_test(a_busy_file_is_not_waited_for),
	    cmocka_unit_test(a_moment_is_waited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
