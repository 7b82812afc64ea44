/*
 * The queue role: the index of what is queued, who works on what, and the
 * journal of what became of it.  The spool is the truth; all that other
 * processes say are hints.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/net/channel.h"
#include "mta/queue/private.h"
#include "queue/listing.h"

#define TEND_MS     1000
#define PATIENCE_MS 5000
#define SCANS       3

static void
log_peer(const struct peer *peer, enum log_level level, const char *event)
{
	struct log_line line;

	log_begin(&line, level, event);
	log_str(&line, "peer", role_kind_name(peer->is.kind));
	log_u64(&line, "index", peer->is.index);
	log_u64(&line, "pid", peer->is.pid);
	log_end(&line);
}

void
log_trouble(const char *event, const struct err *err)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_ERROR, event);
	log_str(&line, "dsn", err->enhanced);
	log_str(&line, "reason", err->text);
	log_end(&line);
}

/* Take in what is durable; the number of another segment ends the last. */
static void
scan(struct queue_role *q, struct ipc_segment *last, struct ipc_segment now)
{
	struct err err;

	if (last->number != now.number)
		q->scans = SCANS;
	*last = now;
	if (queue_scan(q->queue, now.number, now.end, &err) == 0)
		return;
	log_trouble("scan-failed", &err);
	q->scans = SCANS;
}

/* Into segments of its own: what comes in, and reports. */
static bool
writes_mail(const struct peer *peer)
{
	return peer->is.kind == ROLE_RECEIVE || peer->is.kind == ROLE_REPORT;
}

static void
on_segment(struct queue_role *q, struct peer *peer, struct span payload)
{
	struct ipc_segment segment;

	if (!ipc_take_segment(payload, &segment))
		return;
	scan(q, &peer->segment, segment);
	dispatch(q);
}

static int
again(struct queue_role *q, const struct ipc_segment *last, struct err *err)
{
	return last->number == 0
	           ? 0
	           : queue_scan(q->queue, last->number, last->end, err);
}

/*
 * What the hints did not say, or what the disk did not let us read: segments
 * whose writer has gone or went on to the next.  More than once, because the
 * writer's lock may outlive its channel for a moment.
 */
static void
scan_rest(struct queue_role *q)
{
	struct err err;
	bool failed;

	if (q->scans == 0)
		return;
	q->scans--;
	failed = queue_scan_all(q->queue, &err) < 0 ||
	         again(q, &q->segment, &err) < 0;
	for (struct peer *p = q->peers; !failed && p != NULL; p = p->next)
		failed = again(q, &p->segment, &err) < 0;
	if (!failed)
		return;
	log_trouble("scan-failed", &err);
	q->scans = SCANS;
}

static void
on_held(struct queue_role *q, struct peer *peer, struct span payload)
{
	struct ipc_held held;

	if (!ipc_take_held(payload, &held))
		return;
	if (held.nrcpts > 0) {
		peer->jobs++;
		(void)queue_lease(q->queue, held.message, held.rcpts,
		    held.nrcpts, peer->owner);
	}
	if (!held.last)
		return;
	peer->told = true;
	dispatch(q);
}

static void
on_result(struct queue_role *q, struct peer *peer, struct span payload)
{
	if (ipc_take_result(payload, q->result)) {
		settle_result(q, peer, q->result);
		journal_pump(q);
		dispatch(q);
	} else {
		log_peer(peer, LOG_LEVEL_ERROR, "bad-message");
	}
}

static void
on_peer_message(void *owner, uint16_t type, struct span payload, int fd)
{
	struct peer *peer = owner;
	struct queue_role *q = peer->q;

	if (fd >= 0)
		(void)close(fd);
	if (q->stopped)
		return; /* it will be said to the next queue role */
	if (type == IPC_SEGMENT && writes_mail(peer))
		on_segment(q, peer, payload);
	else if (type == IPC_HELD && peer->is.kind == ROLE_DELIVER)
		on_held(q, peer, payload);
	else if (type == IPC_RESULT && peer->is.kind == ROLE_DELIVER)
		on_result(q, peer, payload);
	else if (type == IPC_DRAINING && peer->is.kind == ROLE_DELIVER)
		peer->draining = true;
	else
		log_peer(peer, LOG_LEVEL_ERROR, "bad-message");
}

static void
peer_free(struct peer *peer)
{
	struct peer **at = &peer->q->peers;

	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	channel_close(&peer->channel);
	mem_free(peer);
}

/* Its process is gone: what it had is due again, what it wrote is there. */
static void
on_peer_closed(void *owner)
{
	struct peer *peer = owner;
	struct queue_role *q = peer->q;

	if (writes_mail(peer)) {
		q->scans = SCANS;
		scan_rest(q);
	}
	/* One that drains was cut short by us, and died of nothing it had. */
	if (peer->is.kind == ROLE_DELIVER && peer->draining)
		(void)queue_release(q->queue, peer->owner);
	else if (peer->is.kind == ROLE_DELIVER)
		(void)queue_died(q->queue, peer->owner, clock_wall());
	log_peer(peer, LOG_LEVEL_DEBUG, "peer-gone");
	peer_free(peer);
	dispatch(q);
	queue_role_idle(q);
}

static const struct channel_ops peer_ops = {on_peer_message, on_peer_closed};

static void
on_peer(void *owner, const struct ipc_peer *is, int fd)
{
	struct queue_role *q = owner;
	struct peer *peer = mem_new(sizeof(*peer));
	struct peer **end = &q->peers;

	peer->q = q;
	peer->is = *is;
	peer->fresh = q->peers_done;
	peer->owner = ++q->owners;
	/* In the order of their numbers, so that a lane stays with one. */
	while (*end != NULL && (*end)->is.index <= is->index)
		end = &(*end)->next;
	peer->next = *end;
	*end = peer;
	peer->channel = channel_new(q->role->loop, fd, &peer_ops, peer);
	if (is->kind == ROLE_REPORT)
		removed_tell(q);
	timer_start(q->patience, PATIENCE_MS);
}

static void
on_peers_done(void *owner)
{
	struct queue_role *q = owner;

	q->peers_done = true;
	dispatch(q);
}

/* A deliver role that says nothing must not stop all the others. */
static void
on_patience(void *arg)
{
	struct queue_role *q = arg;

	queue_role_idle(q);
	for (struct peer *p = q->peers; p != NULL; p = p->next) {
		if (p->is.kind != ROLE_DELIVER || p->told)
			continue;
		log_peer(p, LOG_LEVEL_WARN, "peer-silent");
		p->told = true;
	}
	dispatch(q);
}

static void
on_due(void *arg)
{
	dispatch(arg);
}

static void
tell_levels(const struct queue_role *q)
{
	struct queue_counts c;

	queue_count(q->queue, &c);
	metrics_set(METRIC_QUEUE_MESSAGES, c.messages);
	metrics_set(METRIC_QUEUE_WAITING, c.waiting);
	metrics_set(METRIC_QUEUE_READY, c.ready);
	metrics_set(METRIC_QUEUE_LEASED, c.leased);
	metrics_set(METRIC_QUEUE_HELD, c.held);
	metrics_set(METRIC_QUEUE_SEGMENT_OCTETS, c.segment_bytes);
	metrics_set(METRIC_QUEUE_JOURNAL_OCTETS, c.journal_bytes);
}

/* What waits by the wall clock would wait for it to catch up. */
static void
mind_clock(struct queue_role *q)
{
	int64_t back = clock_set_back(&q->watch, clock_wall(), clock_mono_ms());
	struct log_line line;

	if (back == 0)
		return;
	log_begin(&line, LOG_LEVEL_WARN, "clock-set-back");
	log_i64(&line, "seconds", back);
	log_end(&line);
	queue_set_back(q->queue, back);
}

static void
on_tend(void *arg)
{
	struct queue_role *q = arg;

	timer_start(q->tend, TEND_MS);
	tell_levels(q);
	if (q->draining) {
		queue_role_idle(q);
		return;
	}
	mind_clock(q);
	scan_rest(q);
	journal_pump(q);
	dispatch(q);
	space_tend(q);
}

/*
 * Whoever drains us has waited for the deliver processes, or will introduce
 * them to another queue role; without a supervisor nobody else will ever hear
 * of their results.
 */
static bool
has_orphans(const struct queue_role *q)
{
	if (q->role->supervisor != NULL || !timer_running(q->patience))
		return false;
	for (const struct peer *p = q->peers; p != NULL; p = p->next)
		if (p->is.kind == ROLE_DELIVER)
			return true;
	return false;
}

/* Draining ends when nothing of ours is on its way to the disk. */
void
queue_role_idle(struct queue_role *q)
{
	if (!q->draining || q->settling || q->stopped || has_orphans(q) ||
	    intake_busy(q->intake))
		return;
	q->settling = true;
	if (bounces_settle(q))
		journal_pump(q);
	q->settling = false;
	if (q->batch != NULL || space_busy(q) || intake_busy(q->intake))
		return;
	q->stopped = true;
	loop_stop(q->role->loop);
}

static void
on_drain(void *owner, uint32_t ms)
{
	struct queue_role *q = owner;

	q->draining = true;
	/* Otherwise the disk takes what it takes. */
	if (q->role->supervisor == NULL)
		timer_start(q->patience, ms + PATIENCE_MS);
	journal_pump(q);
	queue_role_idle(q);
}

static void
on_ask(void *owner, const struct ipc_ask *ask)
{
	struct queue_role *q = owner;

	if (!q->stopped)
		ask_answer(q, ask);
}

static const struct role_ops queue_role_ops = {
    .on_peer = on_peer,
    .on_peers_done = on_peers_done,
    .on_drain = on_drain,
    .on_ask = on_ask,
};

static void
on_synced(void *arg, uint64_t segment, uint64_t end)
{
	struct queue_role *q = arg;

	scan(q, &q->segment, (struct ipc_segment){segment, end});
}

static int
queue_start(struct queue_role *q, struct err *err)
{
	struct intake_setup intake = {
	    .loop = q->role->loop,
	    .spool = &q->spool,
	    .memory = q->config->limits.memory,
	    .into_reserve = true,
	    .on_synced = on_synced,
	    .arg = q,
	};

	/* Whatever is computed from here on is by this clock. */
	mind_clock(q);
	if (config_asks(q->config))
		q->askers = askers_new(q->role->loop, q->config);
	if (locals_new(q->config, q->role->bundle, &q->locals, err) < 0 ||
	    queue_role_open(q, err) < 0 ||
	    intake_new(&intake, &q->intake, err) < 0)
		return -1;
	q->due = timer_new(q->role->loop, on_due, q);
	q->tend = timer_new(q->role->loop, on_tend, q);
	q->patience = timer_new(q->role->loop, on_patience, q);
	q->result = mem_new(sizeof(*q->result));
	timer_start(q->tend, TEND_MS);
	role_ready(q->role, &queue_role_ops, q);
	return 0;
}

static void
queue_end(struct queue_role *q)
{
	while (q->peers != NULL)
		peer_free(q->peers);
	while (q->acks != NULL) {
		struct ack *ack = q->acks;

		q->acks = ack->next;
		mem_free(ack);
	}
	bounces_free(q);
	timer_free(&q->due);
	timer_free(&q->tend);
	timer_free(&q->patience);
	removed_forget(q);
	mem_free(q->result);
	intake_free(&q->intake);
	askers_free(&q->askers);
	locals_free(&q->locals);
	reader_free(&q->reader);
	queue_close(&q->queue);
	if (q->lock >= 0)
		(void)close(q->lock);
}

int
queue_main(struct role *role)
{
	struct queue_role q = {
	    .role = role, .config = role->config, .lock = -1};
	struct err err = {0};
	int status = EXIT_SUCCESS;

	if (queue_start(&q, &err) == 0) {
		loop_run(role->loop);
	} else {
		log_trouble("role-not-started", &err);
		status = EXIT_FAILURE;
	}
	queue_end(&q);
	return status;
}
