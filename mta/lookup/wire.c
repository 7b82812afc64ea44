/* See wire.h.  A lane is a connection; an ask is a question on its way. */
#include "mta/lookup/wire.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/lookup/engine.h"
#include "mta/net/conn.h"
#include "mta/net/loop.h"

#define LANES    4
#define OPEN_MAX 1000 /* questions at once */
#define IDLE_MS  (60u * 1000)
#define OUT_MAX  8192

struct wire_ask {
	struct wire *wire;
	struct wire_ask *next;
	struct lane *lane; /* NULL: it waits */
	said_fn *done;
	void *arg;
	struct timer *deadline;
	bool refused; /* there are too many */
	bool again;   /* a kept connection had gone; once */
	char key[RECIPIENTS_KEY];
};

struct lane {
	struct wire *wire;
	struct conn *conn;
	void *engine;
	struct wire_ask *ask;
	bool up;
	bool used; /* it has answered before */
};

struct wire {
	struct loop *loop;
	const struct config_lookup *by;
	const char *hostname;
	const struct engine_ops *ops;
	struct lane lanes[LANES];
	struct wire_ask *first; /* waiting */
	size_t nopen;
};

static void pump(struct wire *wire);

struct wire *
wire_new(
    struct loop *loop, const struct config_lookup *by, const char *hostname)
{
	struct wire *wire = mem_new(sizeof(*wire));

	wire->loop = loop;
	wire->by = by;
	wire->hostname = hostname;
	wire->ops = by->kind == LOOKUP_LMTP ? &verify_engine
	                                    : &socketmap_engine;
	for (size_t i = 0; i < LANES; i++)
		wire->lanes[i].wire = wire;
	return wire;
}

/* Out of the line, or off its lane. */
static void
unlink_ask(struct wire_ask *ask)
{
	struct wire_ask **at = &ask->wire->first;

	while (*at != NULL && *at != ask)
		at = &(*at)->next;
	if (*at != NULL)
		*at = ask->next;
	if (ask->lane != NULL)
		ask->lane->ask = NULL;
	ask->lane = NULL;
}

static void
free_ask(struct wire_ask *ask)
{
	unlink_ask(ask);
	ask->wire->nopen--;
	timer_free(&ask->deadline);
	mem_free(ask);
}

static void
close_lane(struct lane *lane)
{
	if (lane->conn != NULL)
		conn_abort(&lane->conn);
	if (lane->engine != NULL)
		lane->wire->ops->close(lane->engine);
	*lane = (struct lane){.wire = lane->wire, .ask = lane->ask};
}

/* The value is lent by the engine: it is told before anything else is asked. */
static void
settle(struct wire_ask *ask, const struct said *said)
{
	said_fn *done = ask->done;
	struct wire *wire = ask->wire;
	void *arg = ask->arg;

	free_ask(ask);
	done(arg, said);
	pump(wire);
}

static void
send_out(struct lane *lane, const struct buf *out)
{
	if (out->n > 0)
		conn_write(lane->conn, buf_span(out));
}

static void
begin(struct lane *lane)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	lane->wire->ops->ask(lane->engine, lane->ask->key, &out);
	send_out(lane, &out);
	buf_free(&out);
	conn_deadline(lane->conn, 0);
}

static void
on_up(void *arg)
{
	struct lane *lane = arg;

	lane->up = true;
	if (lane->ask != NULL)
		begin(lane);
	else
		conn_deadline(lane->conn, IDLE_MS);
}

static void
on_data(void *arg, struct span bytes)
{
	struct lane *lane = arg;
	struct wire_ask *ask = lane->ask;
	struct said said;
	struct buf out;
	enum engine_step step;

	buf_init(&out, OUT_MAX);
	step = lane->wire->ops->feed(lane->engine, bytes, &out, &said);
	send_out(lane, &out);
	buf_free(&out);
	if (step == ENGINE_MORE)
		return;
	lane->used = true;
	if (ask != NULL)
		unlink_ask(ask);
	/* Only an answer that leaves the connection open has a value. */
	if (step == ENGINE_ANSWERED)
		conn_deadline(lane->conn, IDLE_MS);
	else
		close_lane(lane);
	if (ask != NULL)
		settle(ask, &said);
}

static void
on_drained(void *arg)
{
	(void)arg;
}

/* Idle for long. */
static void
on_deadline(void *arg)
{
	close_lane(arg);
}

static void
on_down(void *arg, const struct err *err)
{
	struct lane *lane = arg;
	struct wire_ask *ask = lane->ask;
	bool kept = lane->used;
	struct said said;

	if (ask != NULL)
		unlink_ask(ask);
	close_lane(lane);
	if (ask == NULL) {
		pump(lane->wire);
		return;
	}
	/* A server may close what rests: that is no answer. */
	if (kept && !ask->again) {
		ask->again = true;
		ask->next = lane->wire->first;
		lane->wire->first = ask;
		pump(lane->wire);
		return;
	}
	said_fail(&said, "4.4.1", "who knows of recipients cannot be asked: %s",
	    err->text);
	settle(ask, &said);
}

static const struct conn_ops lane_ops = {
    .on_up = on_up,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

static void
connect_lane(struct lane *lane)
{
	const struct config_lookup *by = lane->wire->by;
	struct net_address to = {0};

	/* What the configuration has let through is an address. */
	if (by->path != NULL)
		(void)net_address_unix(by->path, &to);
	else
		(void)net_address_ip(by->ip, by->port, &to);
	lane->engine = lane->wire->ops->open(by, lane->wire->hostname);
	lane->conn = conn_connect(lane->wire->loop, &to, NULL, &lane_ops, lane);
}

/* One that rests, else one that is not there yet. */
static struct lane *
free_lane(struct wire *wire)
{
	struct lane *found = NULL;

	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &wire->lanes[i];

		if (lane->ask != NULL)
			continue;
		if (lane->conn != NULL)
			return lane;
		found = lane;
	}
	return found;
}

static void
pump(struct wire *wire)
{
	struct lane *lane;

	while (wire->first != NULL && (lane = free_lane(wire)) != NULL) {
		struct wire_ask *ask = wire->first;

		wire->first = ask->next;
		ask->next = NULL;
		ask->lane = lane;
		lane->ask = ask;
		if (lane->conn == NULL)
			connect_lane(lane);
		else if (lane->up)
			begin(lane);
	}
}

static void
on_late(void *arg)
{
	struct wire_ask *ask = arg;
	struct lane *lane = ask->lane;
	struct said said;

	if (ask->refused)
		said_fail(&said, "4.3.2",
		    "too many wait to hear whether recipients exist");
	else
		said_fail(&said, "4.4.2",
		    "who knows of recipients did not answer in time");
	unlink_ask(ask);
	if (lane != NULL)
		close_lane(lane);
	settle(ask, &said);
}

struct wire_ask *
wire_ask(struct wire *wire, const char *key, said_fn *done, void *arg)
{
	struct wire_ask *ask = mem_new(sizeof(*ask));
	struct wire_ask **at = &wire->first;

	ask->wire = wire;
	ask->done = done;
	ask->arg = arg;
	ask->refused = wire->nopen >= OPEN_MAX;
	(void)text_copy(ask->key, sizeof(ask->key), key);
	wire->nopen++;
	ask->deadline = timer_new(wire->loop, on_late, ask);
	timer_start(ask->deadline, ask->refused ? 0 : wire->by->timeout_ms);
	if (ask->refused)
		return ask;
	while (*at != NULL)
		at = &(*at)->next;
	*at = ask;
	pump(wire);
	return ask;
}

void
wire_cancel(struct wire_ask *ask)
{
	struct wire *wire = ask->wire;
	struct lane *lane = ask->lane;

	unlink_ask(ask);
	/* An answer that comes now would be taken for that of the next. */
	if (lane != NULL)
		close_lane(lane);
	free_ask(ask);
	pump(wire);
}

void
wire_free(struct wire **wirep)
{
	struct wire *wire = *wirep;

	if (wire == NULL)
		return;
	*wirep = NULL;
	for (size_t i = 0; i < LANES; i++)
		close_lane(&wire->lanes[i]);
	mem_free(wire);
}
