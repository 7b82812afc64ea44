/*
 * The roles as processes: start, introduce to each other, restart, drain.
 *
 *   start > STARTING > ready > RUNNING > drain > DRAINING > exit: forgotten
 *              |                  |
 *              +---- exit --------+--> WAITING > back-off > start
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/net/channel.h"
#include "mta/net/process.h"
#include "mta/role.h"
#include "mta/supervisor/control.h"
#include "mta/supervisor/private.h"
#include "mta/supervisor/status.h"

#define BACKOFF_FIRST   100
#define BACKOFF_LONGEST 10000
#define STABLE_MS       60000
#define RESTARTS_MAX    3 /* of a role that a reload waits for */
#define ARGS            7
#define FDS_OWN         3 /* channel, bundle, page */
#define FDS_MAX         (FDS_OWN + ROLE_LISTEN_MAX)

static void child_run(struct child *child);
static void on_child_timer(void *arg);

const char *
child_state_name(enum child_state state)
{
	switch (state) {
	case CHILD_WAITING:
		return "waiting";
	case CHILD_STARTING:
		return "starting";
	case CHILD_RUNNING:
		return "running";
	case CHILD_DRAINING:
		return "draining";
	}
	return "unknown";
}

static void
log_child(const struct child *child, enum log_level level, const char *event,
    const char *detail)
{
	struct log_line line;

	log_begin(&line, level, event);
	log_str(&line, "child", role_kind_name(child->kind));
	log_u64(&line, "index", child->index);
	log_u64(&line, "generation", child->generation->number);
	if (child->process != NULL)
		log_i64(&line, "pid", process_pid(child->process));
	if (detail != NULL)
		log_str(&line, "reason", detail);
	log_end(&line);
}

struct child *
child_find(struct supervisor *sup, enum role_kind kind)
{
	struct child *other = NULL;

	for (struct child *c = sup->children; c != NULL; c = c->next) {
		if (c->kind != kind || c->channel == NULL ||
		    c->state == CHILD_DRAINING)
			continue;
		if (c->generation == sup->current)
			return c;
		if (other == NULL)
			other = c;
	}
	return other;
}

static void
send_peer(struct child *to, const struct child *peer, int fd)
{
	struct ipc_peer say = {
	    peer->kind, peer->index, (uint32_t)process_pid(peer->process)};
	struct buf out;

	buf_init(&out, 64);
	ipc_put_peer(&out, &say);
	channel_send_fd(to->channel, IPC_PEER, buf_span(&out), fd);
	buf_free(&out);
}

/* One channel between two roles.  Without it what a receive role accepts waits
 * until that, or the queue role, has ended: a reload ends both. */
static void
introduce(struct child *queue, struct child *other)
{
	int fds[2];

	if (channel_pair(fds) < 0) {
		log_child(other, LOG_LEVEL_ERROR, "no-channel",
		    "no descriptors left");
		return;
	}
	send_peer(queue, other, fds[0]);
	send_peer(other, queue, fds[1]);
}

static bool
knows_queue(const struct child *child)
{
	return child->kind == ROLE_RECEIVE || child->kind == ROLE_DELIVER ||
	       (child->kind == ROLE_REPORT &&
		   child->generation->config->reporting.send);
}

static bool
knows_report(const struct child *child)
{
	return child->kind == ROLE_DELIVER ||
	       (child->kind == ROLE_RECEIVE &&
		   config_counts_inbound(child->generation->config));
}

void
child_take_counts(struct supervisor *sup)
{
	struct child *report = child_find(sup, ROLE_REPORT);

	if (report == NULL)
		return;
	for (struct child *c = sup->children; c != NULL; c = c->next)
		if (knows_report(c) && c->channel != NULL)
			introduce(report, c);
}

/* Draining roles, too: their mail and their results still count. */
static void
introduce_all(struct child *queue)
{
	for (struct child *c = queue->supervisor->children; c != NULL;
	     c = c->next)
		if (knows_queue(c) && c->channel != NULL)
			introduce(queue, c);
	channel_send(queue->channel, IPC_PEERS_DONE, (struct span){NULL, 0});
}

static void
take_dnssec(struct child *child, const struct ipc_dnssec *said)
{
	child->dnssec = said->ability;
	(void)snprintf(child->dnssec_why, sizeof(child->dnssec_why), "%.*s",
	    (int)said->why.n, said->why.p);
}

static void
take_trouble(struct child *child, struct span said)
{
	(void)snprintf(child->trouble, sizeof(child->trouble), "%.*s",
	    (int)said.n, said.n == 0 ? "" : said.p);
	text_make_printable(child->trouble);
}

static void
on_child_message(void *arg, uint16_t type, struct span payload, int fd)
{
	struct child *child = arg;
	struct ipc_ask answer;
	struct ipc_dnssec dnssec;

	if (fd >= 0)
		(void)close(fd);
	if (type == IPC_READY && child->state == CHILD_STARTING) {
		child->state = CHILD_RUNNING;
		log_child(child, LOG_LEVEL_INFO, "role-ready", NULL);
		supervisor_child_ready(child->supervisor);
	} else if (type == IPC_ANSWER &&
		   (child->kind == ROLE_QUEUE || child->kind == ROLE_REPORT) &&
		   ipc_take_ask(payload, &answer) &&
		   child->supervisor->control != NULL) {
		control_answer(child->supervisor->control, &answer);
	} else if (type == IPC_DNSSEC && child->kind == ROLE_DELIVER &&
		   ipc_take_dnssec(payload, &dnssec)) {
		take_dnssec(child, &dnssec);
	} else if (type == IPC_ASK && child->kind == ROLE_WEB &&
		   ipc_take_ask(payload, &answer)) {
		meter_answer(child, &answer);
	} else if (type == IPC_REFUSALS && child->kind == ROLE_RECEIVE) {
		status_add_refusals(child->supervisor, payload);
	} else if (type == IPC_SANDBOX) {
		(void)ipc_take_sandbox(payload, &child->sandbox);
	} else if (type == IPC_TROUBLE && payload.n <= IPC_TEXT_MAX) {
		take_trouble(child, payload);
	}
}

/* The exit follows; a role without its channel is of no use. */
static void
on_child_closed(void *arg)
{
	struct child *child = arg;

	channel_close(&child->channel);
}

static const struct channel_ops child_channel_ops = {
    on_child_message, on_child_closed};

static void
forget(struct child *child)
{
	struct child **at = &child->supervisor->children;

	while (*at != child)
		at = &(*at)->next;
	*at = child->next;
	child_free(child);
}

void
child_free(struct child *child)
{
	struct generation *generation = child->generation;

	channel_close(&child->channel);
	process_free(&child->process);
	metrics_page_free(&child->page);
	timer_free(&child->timer);
	if (--generation->children == 0 &&
	    generation != child->supervisor->current &&
	    generation != child->supervisor->next)
		generation_free(&generation);
	mem_free(child);
}

static void
plan_restart(struct child *child)
{
	uint64_t lived = loop_now(child->supervisor->loop) - child->started;

	if (lived > STABLE_MS)
		child->backoff = BACKOFF_FIRST;
	child->state = CHILD_WAITING;
	child->restarts++;
	child->supervisor->meter.restarts[child->kind]++;
	if (child->generation == child->supervisor->next &&
	    child->restarts > RESTARTS_MAX)
		supervisor_child_hopeless(child);
	timer_start(child->timer, child->backoff);
	child->backoff = child->backoff * 2 > BACKOFF_LONGEST
	                     ? BACKOFF_LONGEST
	                     : child->backoff * 2;
}

static void
on_child_exit(void *arg, int64_t status, int signum)
{
	struct child *child = arg;
	struct supervisor *sup = child->supervisor;
	bool wanted = child->state != CHILD_DRAINING &&
	              supervisor_wants(sup, child->kind);
	char why[64];

	(void)snprintf(why, sizeof(why), "%s %" PRId64,
	    signum != 0 ? "signal" : "status",
	    signum != 0 ? (int64_t)signum : status);
	log_child(child,
	    wanted || signum != 0 || status != 0 ? LOG_LEVEL_ERROR
						 : LOG_LEVEL_INFO,
	    "role-ended", why);
	channel_close(&child->channel);
	process_free(&child->process);
	meter_add_gone(&sup->meter, child);
	timer_stop(child->timer);
	child->dnssec = DNS_UNTESTED;
	child->trouble[0] = '\0';
	child->sandbox = (struct ipc_sandbox){0};
	if (sup->control != NULL)
		control_lost(sup->control, child->kind);
	if (wanted)
		plan_restart(child);
	else
		forget(child);
	supervisor_child_gone(sup);
}

static const struct process_ops child_process_ops = {on_child_exit};

static size_t
gather_fds(
    const struct child *child, int channel_fd, int page_fd, int fds[FDS_MAX])
{
	size_t n = 0;

	fds[n++] = channel_fd;
	fds[n++] = generation_bundle(child->generation, child->kind);
	fds[n++] = page_fd;
	for (const struct listening *l = child->supervisor->listening;
	     l != NULL && n < FDS_MAX; l = l->next)
		if (l->wanted && l->kind == child->kind)
			fds[n++] = l->fd;
	return n;
}

static int
spawn_with(struct child *child, int channel_fd, int page_fd, struct err *err)
{
	char index[16], nfds[16];
	int fds[FDS_MAX];
	size_t n = gather_fds(child, channel_fd, page_fd, fds);
	const char *argv[ARGS] = {"danelawd", "--role",
	    role_kind_name(child->kind), index, nfds,
	    child->supervisor->syslog ? "syslog" : NULL, NULL};
	struct process_setup setup = {
	    .file = "/proc/self/exe",
	    .argv = argv,
	    .fds = fds,
	    .nfds = n,
	    .uid = child->generation->account.uid,
	    .gid = child->generation->account.gid,
	};

	(void)snprintf(index, sizeof(index), "%u", (unsigned)child->index);
	(void)snprintf(nfds, sizeof(nfds), "%zu", n - FDS_OWN);
	return process_start(child->supervisor->loop, &setup,
	    &child_process_ops, child, &child->process, err);
}

static int
spawn(struct child *child, int channel_fd, struct err *err)
{
	int page_fd, rc;

	if (metrics_page_new(&child->page, &page_fd, err) < 0)
		return -1;
	rc = spawn_with(child, channel_fd, page_fd, err);
	(void)close(page_fd);
	if (rc < 0)
		metrics_page_free(&child->page);
	return rc;
}

/* To those it has to do with, as far as they are there. */
static void
introduce_child(struct child *child)
{
	struct child *queue = child_find(child->supervisor, ROLE_QUEUE);
	struct child *report = child_find(child->supervisor, ROLE_REPORT);

	if (child->kind == ROLE_QUEUE)
		introduce_all(child);
	else if (knows_queue(child) && queue != NULL)
		introduce(queue, child);
	/* One that a reload starts has to wait: it may yet be refused, and could
	 * not write beside the one that has the store. */
	if (child == report)
		child_take_counts(child->supervisor);
	else if (knows_report(child) && report != NULL)
		introduce(report, child);
}

static void
child_run(struct child *child)
{
	struct supervisor *sup = child->supervisor;
	struct err err = {0};
	int fds[2];

	child->started = loop_now(sup->loop);
	if (channel_pair(fds) < 0) {
		log_child(child, LOG_LEVEL_ERROR, "role-not-started",
		    "no descriptors left");
		plan_restart(child);
		return;
	}
	if (spawn(child, fds[1], &err) < 0) {
		log_child(child, LOG_LEVEL_ERROR, "role-not-started", err.text);
		(void)close(fds[0]);
		(void)close(fds[1]);
		plan_restart(child);
		return;
	}
	(void)close(fds[1]);
	child->state = CHILD_STARTING;
	child->channel = channel_new(
	    sup->loop, fds[0], &child_channel_ops, child);
	/* Before it can hear of mail. */
	if (child->kind == ROLE_DELIVER)
		dane_tell(child);
	if (child->kind == ROLE_RECEIVE)
		tickets_tell(child);
	introduce_child(child);
}

static void
on_child_timer(void *arg)
{
	struct child *child = arg;

	if (child->state == CHILD_WAITING)
		child_run(child);
	else if (child->process != NULL) {
		log_child(child, LOG_LEVEL_WARN, "role-killed",
		    "it did not finish in time");
		process_kill(child->process, SIGKILL);
	}
}

void
child_start(struct supervisor *sup, struct generation *generation,
    enum role_kind kind, uint32_t index)
{
	struct child *child = mem_new(sizeof(*child));

	child->supervisor = sup;
	child->generation = generation;
	child->kind = kind;
	child->index = index;
	child->backoff = BACKOFF_FIRST;
	child->timer = timer_new(sup->loop, on_child_timer, child);
	child->next = sup->children;
	sup->children = child;
	generation->children++;
	child_run(child);
}

#define KILL_AFTER 5000

void
child_drain(struct child *child, uint32_t ms)
{
	struct buf out;

	if (child->process == NULL) {
		forget(child);
		return;
	}
	child->state = CHILD_DRAINING;
	timer_start(child->timer, (uint64_t)ms + KILL_AFTER);
	if (child->channel == NULL)
		return;
	buf_init(&out, 16);
	ipc_put_drain(&out, ms);
	channel_send(child->channel, IPC_DRAIN, buf_span(&out));
	buf_free(&out);
}

void
child_kill(struct child *child)
{
	if (child->process != NULL)
		process_kill(child->process, SIGKILL);
}
