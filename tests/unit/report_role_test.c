/* The report role by its channels: a test plays supervisor and deliver. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "mta/domain.h"

#include "tests/support/report_stage.h"
#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

/* The fault has been met: the end is when it is tried again. */
static void
on_look(void *arg)
{
	struct stage *stage = arg;

	if (!stage->told)
		stage_tell(stage);
	if (stage->faults > 0) {
		timer_start(stage->timer, LOOK_MS);
		return;
	}
	channel_close(&stage->deliver);
	stage->role.ops->on_drain(stage->role.owner, 10000);
}

static void
what_cannot_be_forgotten_counts_nothing_twice(void **state)
{
	struct report_place *place = *state;
	struct stage stage = {.place = place, .faults = 1};

	stage_play(&stage, on_look);
	assert_int_equal(stage.faults, 0);
	assert_int_equal(
	    report_place_sql(place, "SELECT sum(successes) FROM counts"), 1);
}

/* True: nobody else gets it. */
static bool
is_locked(const struct report_place *place)
{
	int fd = open(report_place_path(place, "report.lock"), O_RDWR);
	bool locked = flock(fd, LOCK_EX | LOCK_NB) < 0;

	assert_true(fd >= 0);
	(void)close(fd);
	return locked;
}

static void
on_write_failed(void *arg)
{
	struct stage *stage = arg;

	if (!stage->told)
		stage_tell(stage);
	if (stage->write_faults > 0) {
		timer_start(stage->timer, LOOK_MS);
		return;
	}
	assert_true(is_locked(stage->place));
	channel_close(&stage->deliver);
	stage->role.ops->on_drain(stage->role.owner, 10000);
}

/* Else the process that is to follow would send what this one has noted. */
static void
a_write_that_fails_leaves_the_lock(void **state)
{
	struct report_place *place = *state;
	struct stage stage = {.place = place, .write_faults = 1};

	stage_play(&stage, on_write_failed);
	assert_int_equal(stage.write_faults, 0);
	assert_int_equal(
	    report_place_sql(place, "SELECT sum(successes) FROM counts"), 1);
	assert_false(is_locked(place));
}

static void
count_on(struct report_place *place, int64_t day)
{
	report_place_count(place, day, "a.example");
}

static void
count_one(struct report_place *place)
{
	count_on(place, REPORT_DAY);
}

static void
plan_one(struct report_place *place)
{
	static const char *const rua[] = {"r@b.example"};

	count_one(place);
	report_place_plan(place, REPORT_DAY, "a.example", rua, 1, 0);
}

/* The process before this one ends after the word has come. */
static void
on_word(void *arg)
{
	struct stage *stage = arg;
	struct ipc_reported word = {.ticket = "tlsrpt-20785-1-a.example",
	    .outcome = stage->outcome,
	    .why = ""};
	struct buf out;

	if (stage->told) {
		report_store_close(&stage->place->store);
		channel_close(&stage->deliver);
		stage->role.ops->on_drain(stage->role.owner, 10000);
		return;
	}
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_reported(&out, &word);
	stage_say(stage, IPC_REPORTED, &out);
	timer_start(stage->timer, 10 * LOOK_MS);
}

/* A report that arrived is not given up for want of a word. */
static void
a_word_waits_for_the_store(void **state)
{
	struct report_place *place = *state;
	struct stage stage = {
	    .place = place, .outcome = OUTCOME_RELAYED, .store_is_held = true};

	plan_one(place);
	stage_play(&stage, on_word);
	assert_int_equal(
	    report_place_sql(place, "SELECT state FROM tries"), REPORT_SENT);
}

/* Before we know that the queue has it: it is waited for as long as else. */
static void
a_first_word_that_comes_early_gives_all_the_time(void **state)
{
	struct report_place *place = *state;
	struct stage stage = {.place = place, .outcome = OUTCOME_RETRY};

	plan_one(place);
	stage_wall = SENT_DAY;
	stage_play(&stage, on_word);
	stage_wall = 0;
	assert_int_equal(
	    report_place_sql(place, "SELECT state FROM tries"), REPORT_QUEUED);
	assert_int_equal(report_place_sql(place, "SELECT next FROM tries"),
	    SENT_DAY + REPORT_QUEUED_S);
}

static void
on_lost(void *arg)
{
	struct stage *stage = arg;

	if (!stage->told) {
		stage_tell_of(stage, "a.example", 7);
		timer_start(stage->timer, LOOK_MS);
		return;
	}
	channel_close(&stage->deliver);
	stage->role.ops->on_drain(stage->role.owner, 100);
}

/* By their number, of whatever kinds they are. */
static void
sessions_that_are_lost_are_told(void **state)
{
	struct stage stage = {.place = *state, .write_faults = 99};

	stage_lost = 0;
	stage_play(&stage, on_lost);
	assert_int_equal(stage_lost, 7);
}

static void
on_refused(void *arg)
{
	struct stage *stage = arg;
	char domain[DOMAIN_MAX + 1];

	if (!stage->told) {
		memset(domain, 'a', DOMAIN_MAX);
		domain[DOMAIN_MAX] = '\0';
		stage_tell_of(stage, domain, 11);
		timer_start(stage->timer, LOOK_MS);
		return;
	}
	channel_close(&stage->deliver);
	stage->role.ops->on_drain(stage->role.owner, 100);
}

static void
what_is_not_taken_is_told(void **state)
{
	struct stage stage = {.place = *state};

	stage_lost = 0;
	stage_play(&stage, on_refused);
	assert_int_equal(stage_lost, 11);
}

static uint32_t spread_ms;
static unsigned faults; /* of the first calls to forget */

static void
play_sending(struct report_place *place, loop_fn *look)
{
	static const char *exclude[] = {"a.example", "0.example"};
	struct stage stage = {.place = place,
	    .faults = faults,
	    .look_ms = 2500,
	    .config = {.hostname = "mx.example",
		.reporting = {.send = true,
		    .spread_ms = spread_ms,
		    .exclude = exclude,
		    .nexclude = 2}}};
	struct kit kit;

	kit_open(&kit);
	stage.config.spool = kit.folder;
	stage_play(&stage, look);
	stage_wall = 0;
	stage_ahead_ms = 0;
	spread_ms = 0;
	faults = 0;
	kit_close(&kit);
}

/* For two ticks the clock is a year ahead. */
static void
on_clock(void *arg)
{
	struct stage *stage = arg;

	if (stage_wall != SENT_DAY) {
		stage_wall = SENT_DAY;
		timer_start(stage->timer, 2500);
		return;
	}
	stage->role.ops->on_drain(stage->role.owner, 10000);
}

static void
a_clock_set_back_has_its_days_again(void **state)
{
	struct report_place *place = *state;

	count_one(place);
	stage_wall = SENT_DAY + 365 * REPORT_DAY_S;
	play_sending(place, on_clock);
	assert_int_equal(
	    report_place_sql(place, "SELECT planned FROM domains"), 1);
}

/* It waits in the queue for as long as it may, from now on. */
static void
on_set_back(void *arg)
{
	struct stage *stage = arg;

	assert_int_equal(
	    report_place_sql(stage->place, "SELECT next FROM tries"),
	    stage_wall + REPORT_QUEUED_S);
	if (stage_wall != SENT_DAY) {
		stage->role.ops->on_drain(stage->role.owner, 10000);
		return;
	}
	stage_wall -= 60;
	timer_start(stage->timer, 2500);
}

/* By whom it was written, and by the clock of when, nobody knows. */
static void
what_a_clock_ahead_wrote_is_of_now(void **state)
{
	struct report_place *place = *state;
	struct report_try try = {.day = REPORT_DAY,
	    .domain = "a.example",
	    .rua = "r@b.example",
	    .next = SENT_DAY + 300 * REPORT_DAY_S};
	struct err err;

	plan_one(place);
	assert_int_equal(report_store_queued(place->store, &try, &err), 0);
	stage_wall = SENT_DAY;
	play_sending(place, on_set_back);
}

static void
on_end(void *arg)
{
	struct stage *stage = arg;

	stage->role.ops->on_drain(stage->role.owner, 10000);
}

/* It may have arrived: a word can be lost with the process that has it. */
static void
silence_of_the_queue_blames_no_place(void **state)
{
	struct report_place *place = *state;
	struct report_try try = {.day = REPORT_DAY,
	    .domain = "a.example",
	    .rua = "r@b.example",
	    .next = SENT_DAY - 1};
	struct err err;

	plan_one(place);
	assert_int_equal(report_store_queued(place->store, &try, &err), 0);
	stage_wall = SENT_DAY;
	play_sending(place, on_end);
	assert_int_equal(report_place_sql(place, "SELECT state FROM tries"),
	    REPORT_GIVEN_UP);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM troubles"), 0);
}

/* It is told of a session of the day before, behind where it has looked. */
static void
on_late_count(void *arg)
{
	struct stage *stage = arg;

	if (stage_ahead_ms == 0) {
		assert_int_equal(stage_plans, 1);
		(void)report_place_sql(stage->place,
		    "INSERT INTO domains (day, domain)"
		    " VALUES (20785, '0.example')");
		stage_ahead_ms = 595000;
		timer_start(stage->timer, 2500);
		return;
	}
	if (stage_ahead_ms == 595000) {
		assert_int_equal(stage_plans, 1);
		stage_ahead_ms = 600000;
		timer_start(stage->timer, 2500);
		return;
	}
	stage->role.ops->on_drain(stage->role.owner, 10000);
}

static void
what_is_counted_late_is_found(void **state)
{
	struct report_place *place = *state;

	count_one(place);
	stage_wall = SENT_DAY;
	stage_plans = 0;
	play_sending(place, on_late_count);
	assert_int_equal(stage_plans, 2);
	assert_int_equal(
	    report_place_sql(place, "SELECT sum(planned) FROM domains"), 2);
}

/* Its time comes only after another walk. */
static void
on_second_walk(void *arg)
{
	struct stage *stage = arg;

	if (stage_ahead_ms == 0) {
		assert_int_equal(stage_plans, 0);
		stage_ahead_ms = 600000;
		timer_start(stage->timer, 2500);
		return;
	}
	if (stage_wall == SENT_DAY - REPORT_DAY_S + REPORT_GRACE_S) {
		assert_int_equal(stage_plans, 0);
		stage_wall = SENT_DAY;
		timer_start(stage->timer, 2500);
		return;
	}
	stage->role.ops->on_drain(stage->role.owner, 10000);
}

static void
who_waits_is_not_found_twice(void **state)
{
	struct report_place *place = *state;

	count_one(place);
	stage_wall = SENT_DAY - REPORT_DAY_S + REPORT_GRACE_S;
	stage_plans = 0;
	spread_ms = 86400000;
	play_sending(place, on_second_walk);
	assert_int_equal(stage_plans, 1);
}

/* Two days are told by themselves, the others are the operator's. */
static void
days_while_it_was_away(void **state)
{
	struct report_place *place = *state;

	for (int64_t day = REPORT_DAY - 3; day <= REPORT_DAY; day++)
		count_on(place, day);
	stage_wall = SENT_DAY - REPORT_DAY_S + REPORT_GRACE_S;
	play_sending(place, on_end);
	assert_int_equal(report_place_sql(place,
			     "SELECT count(*) FROM domains WHERE planned"),
	    REPORT_DAYS_SENT);
	assert_int_equal(report_place_sql(place,
			     "SELECT min(day) FROM domains WHERE planned"),
	    REPORT_DAY - REPORT_DAYS_SENT + 1);
}

/* The first visit of the next day. */
static void
on_swept(void *arg)
{
	struct stage *stage = arg;

	if (stage_ahead_ms == 0) {
		assert_int_equal(stage->faults, 1);
		stage_ahead_ms = 3600000;
	} else if (stage_ahead_ms == 3600000) {
		assert_int_equal(stage->faults, 0);
		assert_int_equal(stage_sweeps, 0);
		stage_ahead_ms = 7200000;
	} else if (stage_ahead_ms == 7200000) {
		assert_int_equal(stage_sweeps, 1);
		assert_int_equal(report_place_sql(stage->place,
				     "SELECT count(*) FROM domains"),
		    1);
		stage_wall += REPORT_DAY_S;
		stage_ahead_ms = 10800000;
	} else {
		stage->role.ops->on_drain(stage->role.owner, 10000);
		return;
	}
	timer_start(stage->timer, 2500);
}

/* It is looked for once an hour, though nobody has anything to write. */
static void
what_is_old_is_forgotten_a_day_later(void **state)
{
	struct report_place *place = *state;

	count_on(place, REPORT_DAY - 40);
	stage_wall = SENT_DAY;
	stage_sweeps = 0;
	faults = 2;
	play_sending(place, on_swept);
	assert_int_equal(stage_sweeps, 2);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM domains"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_cannot_be_forgotten_counts_nothing_twice,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(a_word_waits_for_the_store,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(
		a_first_word_that_comes_early_gives_all_the_time,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(
		silence_of_the_queue_blames_no_place, report_place_set_up,
		report_place_tear_down),
	    cmocka_unit_test_setup_teardown(a_clock_set_back_has_its_days_again,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(what_a_clock_ahead_wrote_is_of_now,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(sessions_that_are_lost_are_told,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(what_is_not_taken_is_told,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(a_write_that_fails_leaves_the_lock,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(what_is_counted_late_is_found,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(who_waits_is_not_found_twice,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(days_while_it_was_away,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_old_is_forgotten_a_day_later, report_place_set_up,
		report_place_tear_down),
	};

	return cmocka_run_group_tests_name("report_role", tests, NULL, NULL);
}
