/* See inbound.h. */
#include "mta/report/inbound.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/ipc_inbound.h"
#include "mta/role.h"
#include "reporting/inbound_store.h"

#define WRITE_MS 2000u
#define AGAIN_MS 30000u
/* Without a session, too: so long ago the time is told that was counted. */
#define BEAT_MS  300000u
#define WAIT_MS  2000u
#define SEEN_MAX 65536u
#define DAY_S    86400

struct counting {
	struct role *role;
	struct timer *timer, *beat;
	struct ipc_inbound heard; /* as it comes */
	struct inbound_seen *seen;
	size_t n;
	uint64_t untold;
	int64_t written; /* seconds: so far nothing is missing */
	bool failing;    /* and that has been said */
};

static struct inbound_store
store_of(const struct role *role)
{
	return (struct inbound_store){
	    .folder = role->config->state, .wait_ms = WAIT_MS};
}

static void
say_failed(struct counting *counting, const struct err *err)
{
	if (!counting->failing)
		log_event(LOG_LEVEL_WARN, "inbound-not-written", err->text);
	counting->failing = true;
}

static int
write_now(struct counting *counting)
{
	const struct inbound_store store = store_of(counting->role);
	int64_t now = clock_wall();
	struct inbound_batch batch = {.untold = counting->untold,
	    .from = counting->written,
	    .to = now,
	    .days = counting->role->config->reporting.inbound_days};
	struct err err;

	counting->n = inbound_merge(counting->seen, counting->n);
	batch.seen = counting->seen;
	batch.n = counting->n;
	if (inbound_store_add(&store, &batch, &err) < 0) {
		say_failed(counting, &err);
		return -1;
	}
	if (counting->failing)
		log_event(LOG_LEVEL_INFO, "inbound-written", NULL);
	counting->failing = false;
	counting->written = now;
	counting->n = 0;
	counting->untold = 0;
	return 0;
}

static void
on_time(void *arg)
{
	struct counting *counting = arg;

	if (write_now(counting) < 0)
		timer_start(counting->timer, AGAIN_MS);
}

static void
on_beat(void *arg)
{
	struct counting *counting = arg;

	(void)write_now(counting);
	timer_start(counting->beat, BEAT_MS);
}

/* Of many sessions few kinds may be left; else the disk has to take them. */
static void
make_room(struct counting *counting)
{
	if (counting->n + IPC_INBOUND_MAX <= SEEN_MAX)
		return;
	counting->n = inbound_merge(counting->seen, counting->n);
	if (counting->n > SEEN_MAX / 2 && !counting->failing)
		(void)write_now(counting);
}

bool
counting_take(struct counting *counting, struct span payload)
{
	struct ipc_inbound *heard;

	if (counting == NULL)
		return true;
	heard = &counting->heard;
	if (!ipc_take_inbound(payload, heard))
		return false;
	make_room(counting);
	counting->untold += heard->untold;
	for (size_t i = 0; i < heard->n; i++)
		if (counting->n < SEEN_MAX)
			counting->seen[counting->n++] = heard->seen[i];
		else
			counting->untold += heard->seen[i].sessions;
	if (!timer_running(counting->timer))
		timer_start(counting->timer, WRITE_MS);
	return true;
}

/* --- life ----------------------------------------------------------------- */

static void
forget_all(struct role *role)
{
	const struct inbound_store store = store_of(role);
	struct err err;

	if (inbound_store_remove(&store, &err) < 0)
		log_event(LOG_LEVEL_WARN, "inbound-not-forgotten", err.text);
}

struct counting *
counting_new(struct role *role)
{
	struct counting *counting;

	if (!config_counts_inbound(role->config)) {
		forget_all(role);
		return NULL;
	}
	counting = mem_new(sizeof(*counting));
	counting->role = role;
	counting->seen = mem_array(SEEN_MAX, sizeof(counting->seen[0]));
	counting->timer = timer_new(role->loop, on_time, counting);
	counting->beat = timer_new(role->loop, on_beat, counting);
	counting->written = clock_wall();
	timer_start(counting->beat, 0);
	return counting;
}

void
counting_free(struct counting **countingp)
{
	struct counting *counting = *countingp;

	*countingp = NULL;
	if (counting == NULL)
		return;
	(void)write_now(counting);
	timer_free(&counting->timer);
	timer_free(&counting->beat);
	mem_free(counting->seen);
	mem_free(counting);
}
