/* The report role by its channels: a test plays supervisor and deliver. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "mta/ipc_event.h"
#include "mta/net/channel.h"
#include "mta/net/loop.h"
#include "mta/role.h"

#include "tests/support/report_place.h"
#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

#define FD_SUPERVISOR 3
#define LOOK_MS       20u
#define SENT_DAY      ((REPORT_DAY + 2) * REPORT_DAY_S)

/* What a role is told and how its store behaves. */
struct stage {
	struct role role;
	struct config config;
	struct channel *deliver; /* our end; NULL: not yet, or closed */
	struct timer *timer;
	unsigned faults; /* this many calls to forget still fail */
	bool told;
	enum ipc_outcome outcome; /* of the word */
	struct report_place *place;
	unsigned look_ms;   /* the first look */
	bool store_is_held; /* by another, when the role begins */
};

static struct stage *on_stage;
static int64_t wall; /* 0: as it is */

int64_t __wrap_clock_wall(void);
int64_t __real_clock_wall(void);

int64_t
__wrap_clock_wall(void)
{
	return wall == 0 ? __real_clock_wall() : wall;
}

int __wrap_report_store_forget(
    struct report_store *store, int64_t day, struct err *err);
int __real_report_store_forget(
    struct report_store *store, int64_t day, struct err *err);

int
__wrap_report_store_forget(
    struct report_store *store, int64_t day, struct err *err)
{
	if (on_stage->faults == 0)
		return __real_report_store_forget(store, day, err);
	on_stage->faults--;
	return err_set(err, ERR_TEMP, "4.3.0", "database is locked");
}

static void
on_message(void *owner, uint16_t type, struct span payload, int fd)
{
	(void)owner;
	(void)type;
	(void)payload;
	(void)fd;
}

static void
on_closed(void *owner)
{
	(void)owner;
}

static const struct channel_ops deliver_ops = {on_message, on_closed};

/* By a process that delivers. */
static void
say(struct stage *stage, enum ipc_type type, struct buf *message)
{
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	stage->role.ops->on_peer(stage->role.owner,
	    &(struct ipc_peer){.kind = ROLE_DELIVER}, fds[0]);
	stage->deliver = channel_new(
	    stage->role.loop, fds[1], &deliver_ops, stage);
	channel_send(stage->deliver, type, buf_span(message));
	buf_free(message);
	stage->told = true;
}

/* One session. */
static void
tell(struct stage *stage)
{
	static const struct report_policy none = {
	    .type = POLICY_TYPE_NONE, .domain = "a.example"};
	const struct report_event event = {.day = clock_wall() / REPORT_DAY_S,
	    .domain = "a.example",
	    .policy = &none,
	    .sessions = 1};
	struct buf out;

	buf_init(&out, CHANNEL_MESSAGE_MAX);
	assert_int_equal(ipc_put_event(&out, &event), 0);
	say(stage, IPC_EVENT, &out);
}

/* The fault has been met: the end is when it is tried again. */
static void
on_look(void *arg)
{
	struct stage *stage = arg;

	if (!stage->told)
		tell(stage);
	if (stage->faults > 0) {
		timer_start(stage->timer, LOOK_MS);
		return;
	}
	channel_close(&stage->deliver);
	stage->role.ops->on_drain(stage->role.owner, 10000);
}

static void
take_supervisor_fd(int fds[2])
{
	assert_int_equal(channel_pair(fds), 0);
	if (fds[0] == FD_SUPERVISOR) {
		fds[0] = fds[1];
		fds[1] = FD_SUPERVISOR;
	} else if (fds[1] != FD_SUPERVISOR) {
		assert_int_equal(dup2(fds[1], FD_SUPERVISOR), FD_SUPERVISOR);
		(void)close(fds[1]);
	}
}

static void
play(struct stage *stage, loop_fn *look)
{
	int fds[2];

	/* The descriptor that the supervisor's has to have may be its lock. */
	report_store_close(&stage->place->store);
	take_supervisor_fd(fds);
	if (stage->store_is_held)
		assert_int_equal(
		    report_place_open(stage->place).kind, ERR_NONE);
	on_stage = stage;
	stage->config.state = stage->place->folder;
	stage->role.config = &stage->config;
	stage->role.loop = loop_new();
	stage->timer = timer_new(stage->role.loop, look, stage);
	timer_start(
	    stage->timer, stage->look_ms == 0 ? LOOK_MS : stage->look_ms);
	assert_int_equal(report_main(&stage->role), EXIT_SUCCESS);
	timer_free(&stage->timer);
	channel_close(&stage->role.supervisor);
	loop_free(&stage->role.loop);
	(void)close(fds[0]);
}

static void
what_cannot_be_forgotten_counts_nothing_twice(void **state)
{
	struct report_place *place = *state;
	struct stage stage = {.place = place, .faults = 1};

	play(&stage, on_look);
	assert_int_equal(stage.faults, 0);
	assert_int_equal(
	    report_place_sql(place, "SELECT sum(successes) FROM counts"), 1);
}

static void
count_one(struct report_place *place)
{
	static const struct report_policy none = {
	    .type = POLICY_TYPE_NONE, .domain = "a.example"};
	const struct report_event event = {.day = REPORT_DAY,
	    .domain = "a.example",
	    .policy = &none,
	    .sessions = 1};

	assert_int_equal(report_place_add(place, &event, 1), 0);
}

static void
plan_one(struct report_place *place)
{
	static const char *const rua[] = {"r@b.example"};
	const struct report_plan plan = {.day = REPORT_DAY,
	    .domain = "a.example",
	    .id = "an-id",
	    .rua = rua,
	    .nrua = 1};
	struct err err;

	count_one(place);
	assert_int_equal(report_store_plan(place->store, &plan, &err), 0);
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
	say(stage, IPC_REPORTED, &out);
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
	play(&stage, on_word);
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
	wall = SENT_DAY;
	play(&stage, on_word);
	wall = 0;
	assert_int_equal(
	    report_place_sql(place, "SELECT state FROM tries"), REPORT_QUEUED);
	assert_int_equal(report_place_sql(place, "SELECT next FROM tries"),
	    SENT_DAY + REPORT_QUEUED_S);
}

static void
play_sending(struct report_place *place, loop_fn *look)
{
	static const char *exclude[] = {"a.example"};
	struct stage stage = {.place = place,
	    .look_ms = 2500,
	    .config = {.hostname = "mx.example",
		.reporting = {
		    .send = true, .exclude = exclude, .nexclude = 1}}};
	struct kit kit;

	kit_open(&kit);
	stage.config.spool = kit.folder;
	play(&stage, look);
	wall = 0;
	kit_close(&kit);
}

/* For two ticks the clock is a year ahead. */
static void
on_clock(void *arg)
{
	struct stage *stage = arg;

	if (wall != SENT_DAY) {
		wall = SENT_DAY;
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
	wall = SENT_DAY + 365 * REPORT_DAY_S;
	play_sending(place, on_clock);
	assert_int_equal(
	    report_place_sql(place, "SELECT planned FROM domains"), 1);
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
	wall = SENT_DAY;
	play_sending(place, on_end);
	assert_int_equal(report_place_sql(place, "SELECT state FROM tries"),
	    REPORT_GIVEN_UP);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM troubles"), 0);
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
	};

	return cmocka_run_group_tests_name("report_role", tests, NULL, NULL);
}
