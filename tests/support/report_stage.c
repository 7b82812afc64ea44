#include "tests/support/report_stage.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#include "tests/support/test.h"

#define FD_SUPERVISOR 3

static struct stage *on_stage;
int64_t stage_wall;
uint64_t stage_ahead_ms;
unsigned stage_plans;
unsigned stage_sweeps;
uint64_t stage_lost;

int64_t __wrap_clock_wall(void);
int64_t __real_clock_wall(void);

int64_t
__wrap_clock_wall(void)
{
	return stage_wall == 0 ? __real_clock_wall() : stage_wall;
}

int __wrap_report_store_forget(
    struct report_store *store, int64_t now, int64_t days, struct err *err);
int __real_report_store_forget(
    struct report_store *store, int64_t now, int64_t days, struct err *err);

int
__wrap_report_store_forget(
    struct report_store *store, int64_t now, int64_t days, struct err *err)
{
	if (on_stage == NULL || on_stage->faults == 0) {
		stage_sweeps++;
		return __real_report_store_forget(store, now, days, err);
	}
	on_stage->faults--;
	return err_set(err, ERR_TEMP, "4.3.0", "database is locked");
}

int __wrap_report_store_add(struct report_store *store,
    const struct report_event *events, size_t n, uint64_t *ret_dropped,
    struct err *err);
int __real_report_store_add(struct report_store *store,
    const struct report_event *events, size_t n, uint64_t *ret_dropped,
    struct err *err);

int
__wrap_report_store_add(struct report_store *store,
    const struct report_event *events, size_t n, uint64_t *ret_dropped,
    struct err *err)
{
	if (on_stage == NULL || on_stage->write_faults == 0)
		return __real_report_store_add(
		    store, events, n, ret_dropped, err);
	on_stage->write_faults--;
	return err_set(err, ERR_TEMP, "4.3.0", "disk I/O error");
}

int __wrap_report_store_plan(struct report_store *store,
    const struct report_plan *plan, struct err *err);
int __real_report_store_plan(struct report_store *store,
    const struct report_plan *plan, struct err *err);

int
__wrap_report_store_plan(
    struct report_store *store, const struct report_plan *plan, struct err *err)
{
	stage_plans++;
	return __real_report_store_plan(store, plan, err);
}

uint64_t __wrap_clock_mono_ms(void);
uint64_t __real_clock_mono_ms(void);

uint64_t
__wrap_clock_mono_ms(void)
{
	return __real_clock_mono_ms() + stage_ahead_ms;
}

void __wrap_log_u64(struct log_line *line, const char *key, uint64_t number);
void __real_log_u64(struct log_line *line, const char *key, uint64_t number);

void
__wrap_log_u64(struct log_line *line, const char *key, uint64_t number)
{
	if (strcmp(key, "sessions") == 0)
		stage_lost += number;
	__real_log_u64(line, key, number);
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

void
stage_say(struct stage *stage, enum ipc_type type, struct buf *message)
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

void
stage_tell(struct stage *stage)
{
	stage_tell_of(stage, "a.example", 1);
}

void
stage_tell_of(struct stage *stage, const char *domain, uint64_t sessions)
{
	static const struct report_policy none = {
	    .type = POLICY_TYPE_NONE, .domain = "a.example"};
	const struct report_event event = {.day = clock_wall() / REPORT_DAY_S,
	    .domain = domain,
	    .policy = &none,
	    .sessions = sessions};
	struct buf out;

	buf_init(&out, CHANNEL_MESSAGE_MAX);
	assert_int_equal(ipc_put_event(&out, &event), 0);
	stage_say(stage, IPC_EVENT, &out);
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

void
stage_play(struct stage *stage, loop_fn *look)
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
	on_stage = NULL;
	timer_free(&stage->timer);
	channel_close(&stage->role.supervisor);
	loop_free(&stage->role.loop);
	(void)close(fds[0]);
}
