#include "mta/net/loop.h"

#include <assert.h>

#include "base/mem.h"
#include "mta/net/uvloop.h"

struct timer {
	uv_timer_t uv;
	loop_fn *fn;
	void *arg;
};

/* A descriptor or a signal. */
struct watch {
	union {
		uv_handle_t handle;
		uv_poll_t poll;
		uv_signal_t signal;
	} uv;
	loop_fn *fn;
	void *arg;
};

struct work {
	uv_work_t uv;
	loop_fn *fn;
	loop_fn *done;
	void *arg;
};

struct loop *
loop_new(void)
{
	struct loop *loop = mem_new(sizeof(*loop));
	int rc = uv_loop_init(&loop->uv);

	assert(rc == 0);
	(void)rc;
	loop->uv.data = loop;
	return loop;
}

void
loop_run(struct loop *loop)
{
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void
loop_run_once(struct loop *loop)
{
	(void)uv_run(&loop->uv, UV_RUN_ONCE);
}

void
loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

void
loop_free(struct loop **loopp)
{
	struct loop *loop = *loopp;
	int rc;

	*loopp = NULL;
	if (loop == NULL)
		return;
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	rc = uv_loop_close(&loop->uv);
	assert(rc == 0);
	(void)rc;
	mem_free(loop);
}

uint64_t
loop_now(const struct loop *loop)
{
	return uv_now(&loop->uv);
}

void
loop_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct loop *loop = handle->loop->data;

	(void)suggested;
	*buf = uv_buf_init(loop->read, sizeof(loop->read));
}

struct timer *
timer_new(struct loop *loop, loop_fn *fn, void *arg)
{
	struct timer *timer = mem_new(sizeof(*timer));

	(void)uv_timer_init(&loop->uv, &timer->uv);
	timer->uv.data = timer;
	timer->fn = fn;
	timer->arg = arg;
	return timer;
}

static void
on_timer(uv_timer_t *uv)
{
	struct timer *timer = uv->data;
	struct loop *loop = uv->loop->data;

	loop->in_timer = true;
	timer->fn(timer->arg);
	loop->in_timer = false;
}

/*
 * libuv calls all timers that are due by its time, those too that were started
 * meanwhile: one that starts itself at once would keep the loop from all else.
 * So its time stands still, and a new one is due later than that.
 */
static uint64_t
after(const struct loop *loop, uint64_t ms)
{
	uint64_t now = uv_hrtime() / 1000000;
	uint64_t lag = now > uv_now(&loop->uv) ? now - uv_now(&loop->uv) : 0;

	if (ms > UINT64_MAX - lag)
		return ms;
	return ms + lag == 0 ? 1 : ms + lag;
}

void
timer_start(struct timer *timer, uint64_t ms)
{
	const struct loop *loop = timer->uv.loop->data;

	/* uv_now() may lag behind a long turn of the loop. */
	if (loop->in_timer)
		ms = after(loop, ms);
	else
		uv_update_time(timer->uv.loop);
	(void)uv_timer_start(&timer->uv, on_timer, ms, 0);
}

void
timer_stop(struct timer *timer)
{
	(void)uv_timer_stop(&timer->uv);
}

bool
timer_running(const struct timer *timer)
{
	return uv_is_active((const uv_handle_t *)&timer->uv) != 0;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

void
timer_free(struct timer **timerp)
{
	struct timer *timer = *timerp;

	*timerp = NULL;
	if (timer != NULL)
		uv_close((uv_handle_t *)&timer->uv, on_timer_closed);
}

static void
on_ready(uv_poll_t *uv, int status, int events)
{
	struct watch *watch = uv->data;

	(void)status;
	(void)events;
	watch->fn(watch->arg);
}

static void
on_signal(uv_signal_t *uv, int signum)
{
	struct watch *watch = uv->data;

	(void)signum;
	watch->fn(watch->arg);
}

struct watch *
watch_new(struct loop *loop, int fd, loop_fn *fn, void *arg)
{
	struct watch *watch = mem_new(sizeof(*watch));

	(void)uv_poll_init(&loop->uv, &watch->uv.poll, fd);
	watch->uv.poll.data = watch;
	watch->fn = fn;
	watch->arg = arg;
	(void)uv_poll_start(&watch->uv.poll, UV_READABLE, on_ready);
	return watch;
}

void
watch_want(struct watch *watch, bool readable, bool writable)
{
	int events = (readable ? UV_READABLE : 0) |
	             (writable ? UV_WRITABLE : 0);

	(void)uv_poll_start(&watch->uv.poll, events, on_ready);
}

struct watch *
signal_new(struct loop *loop, int signum, loop_fn *fn, void *arg)
{
	struct watch *watch = mem_new(sizeof(*watch));

	(void)uv_signal_init(&loop->uv, &watch->uv.signal);
	watch->uv.signal.data = watch;
	watch->fn = fn;
	watch->arg = arg;
	(void)uv_signal_start(&watch->uv.signal, on_signal, signum);
	return watch;
}

static void
on_watch_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

void
watch_free(struct watch **watchp)
{
	struct watch *watch = *watchp;

	*watchp = NULL;
	if (watch != NULL)
		uv_close(&watch->uv.handle, on_watch_closed);
}

static void
on_work(uv_work_t *uv)
{
	struct work *work = uv->data;

	work->fn(work->arg);
}

static void
on_work_done(uv_work_t *uv, int status)
{
	struct work *work = uv->data;
	loop_fn *done = work->done;
	void *arg = work->arg;

	(void)status; /* never cancelled */
	mem_free(work);
	done(arg);
}

void
work_run(struct loop *loop, loop_fn *fn, loop_fn *done, void *arg)
{
	struct work *work = mem_new(sizeof(*work));

	work->uv.data = work;
	work->fn = fn;
	work->done = done;
	work->arg = arg;
	(void)uv_queue_work(&loop->uv, &work->uv, on_work, on_work_done);
}
