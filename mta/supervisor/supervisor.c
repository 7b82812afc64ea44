/*
 * Start, reload, stop.
 *
 *   start    sockets, spool, bundle; then queue, deliver, receive
 *   reload   the new configuration is checked whole before anything changes;
 *            new roles start beside the old ones, and only when all of them
 *            are ready the old ones finish; the queue role goes last, and its
 *            successor starts when it has gone
 *   stop     receive first, deliver second, queue last
 */
#include "mta/supervisor/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mta/load.h"
#include "mta/peers.h"
#include "mta/problems.h"
#include "mta/sandbox/sandbox.h"
#include "mta/supervisor/control.h"
#include "mta/supervisor/private.h"
#include "mta/supervisor/renewal.h"

#define PROBLEMS_MAX 65536
#define QUEUE_DRAIN  30000
#define PATIENCE_MS  60000

bool
supervisor_stopping(const struct supervisor *sup)
{
	return sup->phase >= PHASE_STOP_RECEIVE;
}

/* Those who finish deliveries have results for the queue role to the end. */
bool
supervisor_wants(const struct supervisor *sup, enum role_kind kind)
{
	return !supervisor_stopping(sup) ||
	       (kind == ROLE_QUEUE && sup->phase < PHASE_STOP_QUEUE);
}

static void
start_roles(struct supervisor *sup, struct generation *generation)
{
	const struct config *config = generation->config;

	/* First, so that those that deliver find it. */
	if (generation_has_report(config))
		child_start(sup, generation, ROLE_REPORT, 0);
	for (uint32_t i = 0; i < config->deliver_processes; i++)
		child_start(sup, generation, ROLE_DELIVER, i);
	for (uint32_t i = 0; i < config->receive_processes; i++)
		child_start(sup, generation, ROLE_RECEIVE, i);
	if (config->admin.naddresses > 0)
		child_start(sup, generation, ROLE_WEB, 0);
}

static size_t
count_kind(const struct supervisor *sup, enum role_kind kind)
{
	size_t n = 0;

	for (const struct child *c = sup->children; c != NULL; c = c->next)
		n += c->kind == kind;
	return n;
}

static void
drain_kind(struct supervisor *sup, enum role_kind kind, uint32_t ms)
{
	struct child *next;

	for (struct child *c = sup->children; c != NULL; c = next) {
		next = c->next;
		if (c->kind == kind)
			child_drain(c, ms);
	}
}

/* Less than a session may take: that is how a role knows it from a reload. */
static uint32_t
stop_time(const struct supervisor *sup)
{
	const struct config_timeouts *t = &sup->current->config->timeouts;

	return t->drain < t->session ? t->drain : t->session - 1;
}

/* Each phase ends when the last process of its kind has gone. */
static void
stop_step(struct supervisor *sup)
{
	uint32_t ms = stop_time(sup);

	if (sup->phase == PHASE_STOP_RECEIVE &&
	    count_kind(sup, ROLE_RECEIVE) == 0) {
		sup->phase = PHASE_STOP_DELIVER;
		drain_kind(sup, ROLE_DELIVER, ms);
	}
	if (sup->phase == PHASE_STOP_DELIVER &&
	    count_kind(sup, ROLE_DELIVER) == 0) {
		sup->phase = PHASE_STOP_QUEUE;
		drain_kind(sup, ROLE_REPORT, QUEUE_DRAIN);
		drain_kind(sup, ROLE_WEB, QUEUE_DRAIN);
		drain_kind(sup, ROLE_QUEUE, QUEUE_DRAIN);
	}
	if (sup->phase == PHASE_STOP_QUEUE && sup->children == NULL)
		loop_stop(sup->loop);
}

void
supervisor_child_gone(struct supervisor *sup)
{
	if (supervisor_stopping(sup))
		stop_step(sup);
	if (supervisor_wants(sup, ROLE_QUEUE) &&
	    count_kind(sup, ROLE_QUEUE) == 0)
		child_start(sup, sup->current, ROLE_QUEUE, 0);
}

/* Asked twice: at once.  What is acknowledged is on disk. */
static void
stop_now(struct supervisor *sup)
{
	sup->phase = PHASE_STOP_QUEUE;
	for (struct child *c = sup->children; c != NULL; c = c->next)
		child_kill(c);
	drain_kind(sup, ROLE_RECEIVE, 0);
	drain_kind(sup, ROLE_DELIVER, 0);
	drain_kind(sup, ROLE_REPORT, 0);
	drain_kind(sup, ROLE_WEB, 0);
	drain_kind(sup, ROLE_QUEUE, 0);
	stop_step(sup);
}

void
supervisor_stop(struct supervisor *sup)
{
	if (supervisor_stopping(sup)) {
		stop_now(sup);
		return;
	}
	log_event(LOG_LEVEL_INFO, "stopping", NULL);
	notify_systemd("STOPPING=1");
	sup->phase = PHASE_STOP_RECEIVE;
	sup->next = NULL;
	timer_stop(sup->patience);
	drain_kind(sup, ROLE_RECEIVE, stop_time(sup));
	stop_step(sup);
}

static void
drain_old(struct supervisor *sup, const struct generation *old)
{
	struct child *next;

	for (struct child *c = sup->children; c != NULL; c = next) {
		next = c->next;
		if (c->generation != old || c->state == CHILD_DRAINING)
			continue;
		child_drain(c, c->kind == ROLE_QUEUE
				   ? QUEUE_DRAIN
				   : old->config->timeouts.session);
	}
}

static void
reload_refused(struct supervisor *sup, const char *why)
{
	(void)text_copy(sup->reload_problem, sizeof(sup->reload_problem), why);
	text_make_printable(sup->reload_problem);
	log_event(LOG_LEVEL_ERROR, "reload-refused", sup->reload_problem);
}

/* What cannot change while mail is in flight. */
static const char *
cannot_reload(const struct config *old, const struct config *new)
{
	if (strcmp(old->spool, new->spool) != 0)
		return "spool: needs a restart";
	if (strcmp(old->state, new->state) != 0)
		return "state: needs a restart";
	if (strcmp(old->control, new->control) != 0)
		return "control: needs a restart";
	if ((old->user == NULL) != (new->user == NULL) ||
	    (old->user != NULL && strcmp(old->user, new->user) != 0))
		return "user: needs a restart, and the spool given to the "
		       "new account";
	return NULL;
}

/* A reload has come to its end; perhaps another was asked for meanwhile. */
static void
reload_done(struct supervisor *sup)
{
	sup->next = NULL;
	timer_stop(sup->patience);
	control_reloaded(sup->control);
	if (!sup->again)
		return;
	sup->again = false;
	supervisor_reload(sup, sup->again_forced);
}

void
supervisor_refuse(struct supervisor *sup, const char *why)
{
	reload_refused(sup, why);
	reload_done(sup);
}

static void
take_over(struct supervisor *sup)
{
	struct generation *old = sup->current;

	sup->current = sup->next;
	sup->reloaded = clock_wall();
	if (!sup->current->is_renewal)
		sup->reload_problem[0] = '\0';
	sockets_trim(sup);
	expiry_start(sup);
	renewal_taken(sup, old->bundle);
	/* Before they drain: what they tell last is for who stays. */
	child_take_counts(sup);
	drain_old(sup, old);
	if (count_kind(sup, ROLE_QUEUE) == 0)
		child_start(sup, sup->current, ROLE_QUEUE, 0);
	log_event(LOG_LEVEL_INFO, "reloaded", NULL);
	reload_done(sup);
}

/* Back to the sockets of the configuration that stays in force. */
static void
keep_sockets(struct supervisor *sup)
{
	struct err err;

	if (sockets_open(sup, sup->current->config, &err) == 0)
		sockets_trim(sup);
}

/* The new roles did not get ready: they end, the old ones never noticed. */
static void
on_patience(void *arg)
{
	struct supervisor *sup = arg;
	struct generation *failed = sup->next;
	uint32_t ms = failed->config->timeouts.drain;
	struct child *next;

	reload_refused(sup, "a role does not start with the new configuration; "
			    "its lines in the log say why");
	sup->next = NULL;
	for (struct child *c = sup->children; c != NULL; c = next) {
		next = c->next;
		if (c->generation == failed)
			child_drain(c, ms);
	}
	keep_sockets(sup);
	reload_done(sup);
}

/* From inside the start of a role: not at once. */
void
supervisor_child_hopeless(struct child *child)
{
	timer_start(child->supervisor->patience, 0);
}

static bool
all_running(const struct supervisor *sup, const struct generation *generation)
{
	for (const struct child *c = sup->children; c != NULL; c = c->next)
		if (c->generation == generation && c->state != CHILD_RUNNING)
			return false;
	return true;
}

/* Whoever typed the command looks at its errors, not at syslog. */
static void
tell_not_started(struct supervisor *sup, const char *why)
{
	log_event(LOG_LEVEL_ERROR, "not-started", why);
	if (sup->syslog && sup->launcher < 0)
		(void)fprintf(stderr, "danelawd: %s\n", why);
	notify_launcher(&sup->launcher, why);
}

void
supervisor_child_ready(struct supervisor *sup)
{
	control_ready(sup->control);
	if (supervisor_stopping(sup))
		return;
	if (sup->next != NULL && all_running(sup, sup->next))
		take_over(sup);
	if (sup->phase != PHASE_STARTING ||
	    child_find(sup, ROLE_QUEUE) == NULL ||
	    !all_running(sup, sup->current))
		return;
	sup->phase = PHASE_RUNNING;
	log_event(LOG_LEVEL_INFO, "started", NULL);
	renewal_taken(sup, NULL);
	notify_launcher(&sup->launcher, LAUNCHED);
	notify_systemd("READY=1");
}

void
supervisor_take(struct supervisor *sup, struct config *config,
    struct bundle *bundle, bool is_renewal)
{
	struct err err = {0};

	sup->next = generation_new(sup, config, bundle, &err);
	if (sup->next == NULL) {
		keep_sockets(sup);
		supervisor_refuse(sup, err.text);
		return;
	}
	sup->next->is_renewal = is_renewal;
	timer_start(sup->patience, PATIENCE_MS);
	start_roles(sup, sup->next);
}

void
supervisor_reload(struct supervisor *sup, bool force)
{
	struct config *config = NULL;
	struct bundle *bundle = NULL;
	struct buf problems;
	const char *why;

	if (supervisor_stopping(sup))
		return;
	if (sup->next != NULL || renewal_holds_reload(sup->renewal)) {
		sup->again_forced = force || (sup->again && sup->again_forced);
		sup->again = true;
		return;
	}
	control_reloads(sup->control);
	buf_init(&problems, PROBLEMS_MAX);
	if (load_configuration(sup->path, &config, &bundle, &problems) < 0) {
		supervisor_refuse(sup, problems_one_line(&problems));
		buf_free(&problems);
		return;
	}
	peers_check(config, &problems);
	problems_log_warnings(&problems);
	buf_free(&problems);
	why = cannot_reload(sup->current->config, config);
	if (why != NULL) {
		supervisor_refuse(sup, why);
		config_free(&config);
		bundle_free(&bundle);
		return;
	}
	renewal_admit(
	    sup, config, bundle, force ? RENEWAL_FORCED : RENEWAL_OF_RELOAD);
}

static void
on_hup(void *arg)
{
	supervisor_reload(arg, false);
}

static void
on_stop(void *arg)
{
	supervisor_stop(arg);
}

/* Sessions, deliveries and segments are descriptors: as many as we may. */
static void
raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* main() has held it back. */
static void
take_hangup(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int
supervisor_start(struct supervisor *sup, struct config *config,
    struct bundle *bundle, struct err *err)
{
	sup->current = generation_new(sup, config, bundle, err);
	if (sup->current == NULL)
		return -1;
	if (control_open(sup, sup->current->config->control,
		sup->current->account.uid, sup->current->account.gid,
		&sup->control, err) < 0)
		return -1;
	sup->patience = timer_new(sup->loop, on_patience, sup);
	sup->signals[0] = signal_new(sup->loop, SIGHUP, on_hup, sup);
	sup->signals[1] = signal_new(sup->loop, SIGTERM, on_stop, sup);
	sup->signals[2] = signal_new(sup->loop, SIGINT, on_stop, sup);
	take_hangup();
	dane_start(sup);
	expiry_start(sup);
	tickets_start(sup);
	renewal_start(sup);
	child_start(sup, sup->current, ROLE_QUEUE, 0);
	start_roles(sup, sup->current);
	return 0;
}

static void
supervisor_end(struct supervisor *sup)
{
	while (sup->children != NULL) {
		struct child *child = sup->children;

		sup->children = child->next;
		child_free(child);
	}
	control_close(&sup->control);
	dane_end(sup);
	expiry_end(sup);
	tickets_end(sup);
	renewal_end(sup);
	timer_free(&sup->patience);
	for (size_t i = 0; i < 3; i++)
		watch_free(&sup->signals[i]);
	sockets_close(sup);
	if (sup->launcher >= 0)
		(void)close(sup->launcher);
	loop_free(&sup->loop);
	generation_free(&sup->current);
}

int
supervisor_main(const char *path, struct config *config, struct bundle *bundle,
    bool syslog, int launcher)
{
	struct supervisor sup = {.path = path,
	    .syslog = syslog,
	    .launcher = launcher,
	    .started = clock_wall()};
	struct err err = {0};
	int status = EXIT_SUCCESS;

	raise_limits();
	(void)signal(SIGPIPE, SIG_IGN);
	sup.loop = loop_new();
	sup.began = loop_now(sup.loop);
	/* What it starts inherits that. */
	if (sandbox_confine(ROLE_SUPERVISOR, config, &sup.sandbox, &err) < 0 ||
	    supervisor_start(&sup, config, bundle, &err) < 0) {
		tell_not_started(&sup, err.text);
		status = EXIT_FAILURE;
	} else {
		loop_run(sup.loop);
		log_event(LOG_LEVEL_INFO, "stopped", NULL);
	}
	supervisor_end(&sup);
	return status;
}
