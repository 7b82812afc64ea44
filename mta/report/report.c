/*
 * The report role: what sessions came to, from the processes that deliver,
 * into the store, twice a second; and reports out of it (send.c).
 *
 *   deliver > EVENT > batch > timer > store
 *   deliver > REPORTED > words > timer > heard.c > store
 *
 * And reports of others, from mail; see inbox.h.  And what sessions of others
 * with us came to; see inbound.h.
 *
 * It has nothing else to do, so it waits for the disk itself.  What cannot be
 * written is kept within bounds and tried again; the log tells.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/ipc_event.h"
#include "mta/net/channel.h"
#include "mta/report/inbound.h"
#include "mta/report/inbox.h"
#include "mta/report/private.h"

#define WRITE_MS      500u
#define AGAIN_MS      10000u
#define DRAIN_POLL_MS 100u
#define WAIT_MS       2000u /* for the process before this one */
#define EVENTS_MAX    100000u
#define BATCH_ARENA   ((size_t)64 << 20)
#define KEPT_DAYS     30
/* Also where it failed: what is new is written meanwhile. */
#define SWEEP_MS 3600000u

struct source { /* a process that delivers or receives */
	struct source *next;
	struct report_role *report;
	struct channel *channel;
};

/* --- the log -------------------------------------------------------------- */

static void
say_lost(struct report_role *report)
{
	struct log_line line;

	if (report->lost == 0)
		return;
	log_begin(&line, LOG_LEVEL_WARN, "report-lost");
	log_u64(&line, "sessions", report->lost);
	log_end(&line);
	report->lost = 0;
}

/* --- writing -------------------------------------------------------------- */

int
report_open_store(struct report_role *report, struct err *err)
{
	const struct report_store_setup setup = {
	    .folder = report->role->config->state, .wait_ms = WAIT_MS};
	struct err damaged = {.kind = ERR_NONE};
	int rc = 0;

	if (report->store == NULL)
		report->store = report_store_open(&setup, &damaged, err);
	else if (report->suspect)
		rc = report_store_reopen(report->store, err);
	/* Or a call has found that, since the last one that asked. */
	if (damaged.kind == ERR_NONE && report->store != NULL)
		(void)report_store_damaged(report->store, &damaged);
	if (damaged.kind != ERR_NONE)
		log_event(LOG_LEVEL_ERROR, "report-damaged", damaged.text);
	if (report->store == NULL || rc < 0)
		return -1;
	report->suspect = false;
	return 0;
}

/* RFC 8460 5.5: whatever was not sent within a day or two will not be. */
int
report_forget_old(struct report_role *report, struct err *err)
{
	uint64_t clock = clock_mono_ms();

	if (clock < report->sweep)
		return 0;
	report->sweep = clock + SWEEP_MS;
	return report_store_forget(
		   report->store, clock_wall(), KEPT_DAYS, err) < 0
	           ? -1
	           : 1;
}

static int
write_batch(struct report_role *report, struct err *err)
{
	uint64_t dropped = 0;

	/* First what may be done again: after the add comes nothing that fails. */
	if (report_open_store(report, err) < 0 ||
	    report_forget_old(report, err) < 0 ||
	    report_write_words(report, err) < 0)
		return -1;
	if (report_store_add(
		report->store, report->events, report->n, &dropped, err) < 0) {
		/* It may be damaged, or replaced: begin anew next time.  The
		 * lock stays ours: what is noted is nobody else's to send. */
		report->suspect = true;
		return -1;
	}
	report->lost += dropped;
	return 0;
}

static void
forget_batch(struct report_role *report)
{
	report->n = 0;
	arena_reset(report->arena);
}

static void
write_now(struct report_role *report)
{
	struct err err = {.kind = ERR_NONE};

	if (report->n == 0 && report->words == NULL)
		return;
	if (!report_went(
		report, REPORT_COUNTS, write_batch(report, &err), &err)) {
		timer_start(report->timer, AGAIN_MS);
		return;
	}
	forget_batch(report);
	say_lost(report);
}

static void
on_time(void *arg)
{
	write_now(arg);
}

/* --- events --------------------------------------------------------------- */

static void
write_soon(struct report_role *report)
{
	if (!timer_running(report->timer))
		timer_start(report->timer, WRITE_MS);
}

static void
take_event(struct report_role *report, struct span payload)
{
	const struct report_event *event = NULL;

	if (report->n < EVENTS_MAX)
		event = ipc_take_event(payload, report->arena);
	if (event == NULL) {
		/* Too many, or nothing we would send. */
		report->lost += ipc_event_sessions(payload);
	} else {
		report->events[report->n++] = *event;
	}
	write_soon(report);
}

/* While the process before this one has the store, what is said is kept. */
void
report_take_word(
    struct report_role *report, enum report_teller teller, struct span payload)
{
	if (report_heard(report, teller, payload))
		write_soon(report);
}

void
report_role_idle(struct report_role *report)
{
	if (!report->draining || report->sources != NULL ||
	    (report->sender != NULL && sender_busy(report->sender)))
		return;
	write_now(report);
	loop_stop(report->role->loop);
}

static void
drop_source(struct source *source)
{
	struct source **at = &source->report->sources;

	while (*at != source)
		at = &(*at)->next;
	*at = source->next;
	channel_close(&source->channel);
	mem_free(source);
}

static void
on_message(void *owner, uint16_t type, struct span payload, int fd)
{
	const struct source *source = owner;

	if (fd >= 0)
		(void)close(fd);
	if (type == IPC_EVENT)
		take_event(source->report, payload);
	else if (type == IPC_REPORTED)
		report_take_word(source->report, REPORT_DELIVERER, payload);
	else if (type != IPC_INBOUND ||
		 !counting_take(source->report->counting, payload))
		log_event(LOG_LEVEL_ERROR, "bad-message", "of a report");
}

static void
on_closed(void *owner)
{
	struct source *source = owner;
	struct report_role *report = source->report;

	drop_source(source);
	report_role_idle(report);
}

static const struct channel_ops source_ops = {on_message, on_closed};

/* --- the supervisor ------------------------------------------------------- */

static void
take_queue(struct report_role *report, int fd)
{
	if (report->sender != NULL)
		sender_peer(report->sender, fd);
	else
		(void)close(fd);
}

static void
on_peer(void *owner, const struct ipc_peer *peer, int fd)
{
	struct report_role *report = owner;
	struct source *source;

	if (peer->kind == ROLE_QUEUE) {
		take_queue(report, fd);
		return;
	}
	source = mem_new(sizeof(*source));
	source->report = report;
	source->channel = channel_new(
	    report->role->loop, fd, &source_ops, source);
	source->next = report->sources;
	report->sources = source;
}

/* Those that deliver end first, and what they said last is still to come. */
static void
on_drain(void *owner, uint32_t ms)
{
	struct report_role *report = owner;

	report->draining = true;
	if (report->sender != NULL)
		sender_drain(report->sender);
	inbox_free(&report->inbox);
	returns_free(&report->returns);
	timer_start(report->drain, ms);
	report_role_idle(report);
}

static void
on_drain_deadline(void *arg)
{
	struct report_role *report = arg;

	while (report->sources != NULL)
		drop_source(report->sources);
	/* What is on its way to the disk takes what it takes. */
	timer_start(report->drain, DRAIN_POLL_MS);
	report_role_idle(report);
}

static void
on_ask(void *owner, const struct ipc_ask *ask)
{
	report_ask(owner, ask);
}

static const struct role_ops report_ops = {
    .on_peer = on_peer, .on_drain = on_drain, .on_ask = on_ask};

/* --- life ----------------------------------------------------------------- */

static void
report_end(struct report_role *report)
{
	for (size_t i = 0; i < report->n; i++)
		report->lost += report->events[i].sessions;
	say_lost(report);
	while (report->sources != NULL)
		drop_source(report->sources);
	sender_free(&report->sender);
	inbox_free(&report->inbox);
	counting_free(&report->counting);
	returns_free(&report->returns);
	timer_free(&report->timer);
	timer_free(&report->drain);
	report_store_close(&report->store);
	report_forget_words(report);
	arena_free(&report->arena);
	mem_free(report->events);
}

static void
on_inbox_trouble(void *owner, const char *text)
{
	report_tell_trouble(owner, REPORT_TAKING, text);
}

int
report_main(struct role *role)
{
	struct report_role report = {.role = role, .began = clock_mono_ms()};
	int status = EXIT_SUCCESS;
	struct err err;
	const struct inbox_setup inbox = {.loop = role->loop,
	    .config = role->config,
	    .on_trouble = on_inbox_trouble,
	    .owner = &report};

	report.arena = arena_new(BATCH_ARENA);
	report.events = mem_array(EVENTS_MAX, sizeof(report.events[0]));
	report.timer = timer_new(role->loop, on_time, &report);
	report.drain = timer_new(role->loop, on_drain_deadline, &report);
	report.sender = sender_new(&report, &err);
	if (err.kind == ERR_NONE) {
		report.counting = counting_new(role);
		role_ready(role, &report_ops, &report);
		if (config_takes_reports(role->config))
			report.inbox = inbox_new(&inbox);
		if (report.sender != NULL)
			report.returns = returns_new(&report);
		loop_run(role->loop);
	} else {
		log_event(LOG_LEVEL_ERROR, "role-not-started", err.text);
		status = EXIT_FAILURE;
	}
	report_end(&report);
	return status;
}
