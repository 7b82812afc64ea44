/* The receive role: listeners, certificates, recipients, and its segment. */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/lookup/askers.h"
#include "mta/net/channel.h"
#include "mta/net/tls.h"
#include "mta/receive/filter.h"
#include "mta/receive/greylist.h"
#include "mta/receive/guard.h"
#include "mta/receive/private.h"
#include "mta/receive/screen.h"
#include "mta/receive/seen.h"
#include "mta/receive/tickets.h"

#define DRAIN_POLL_MS 100
#define TELL_MS       1000

static void
on_synced(void *arg, uint64_t segment, uint64_t end)
{
	struct receive *receive = arg;
	struct ipc_segment say = {segment, end};
	struct buf out;

	if (receive->queue == NULL)
		return; /* it is said again to the next, see on_peer() */
	buf_init(&out, 64);
	ipc_put_segment(&out, &say);
	channel_send(receive->queue, IPC_SEGMENT, buf_span(&out));
	buf_free(&out);
}

static void
on_queue_message(void *owner, uint16_t type, struct span payload, int fd)
{
	(void)owner;
	(void)type;
	(void)payload;
	(void)fd;
}

static void
on_queue_closed(void *owner)
{
	struct receive *receive = owner;

	channel_close(&receive->queue);
}

static const struct channel_ops queue_ops = {on_queue_message, on_queue_closed};

static void
take_report(struct receive *receive, int fd)
{
	if (receive->seen != NULL)
		receive_seen_peer(receive->seen, fd);
	else
		(void)close(fd);
}

static void
on_peer(void *owner, const struct ipc_peer *peer, int fd)
{
	struct receive *receive = owner;

	if (peer->kind == ROLE_REPORT) {
		take_report(receive, fd);
		return;
	}
	channel_close(&receive->queue);
	receive->queue = channel_new(
	    receive->role->loop, fd, &queue_ops, receive);
	intake_announce(receive->intake);
}

/* Drained when the last session has gone and the disk has nothing of ours. */
void
receive_session_ended(struct receive *receive)
{
	if (!receive->draining || receive->nsessions > 0)
		return;
	if (intake_busy(receive->intake))
		timer_start(receive->drain, DRAIN_POLL_MS);
	else
		loop_stop(receive->role->loop);
}

static void
drain_sessions(struct receive *receive, bool now)
{
	struct inbound *next;

	for (struct inbound *in = receive->sessions; in != NULL; in = next) {
		next = inbound_next(in);
		inbound_drain(in, now);
	}
}

static void
on_drain_deadline(void *arg)
{
	struct receive *receive = arg;

	timer_start(receive->drain, DRAIN_POLL_MS);
	drain_sessions(receive, true);
	receive_session_ended(receive);
}

static void
on_drain(void *owner, uint32_t ms)
{
	struct receive *receive = owner;

	receive->draining = true;
	receive->hurry = ms < receive->config->timeouts.session;
	doors_shut(receive->doors);
	pickup_drain(receive->pickup);
	timer_start(receive->drain, ms);
	if (receive->hurry)
		drain_sessions(receive, false);
	receive_session_ended(receive);
}

static void
on_ask(void *owner, const struct ipc_ask *ask)
{
	struct receive *receive = owner;
	struct buf out;

	buf_init(&out, 1024);
	if (buf_printf(&out, "{\"sessions\":%u,\"accepted\":%llu}",
		(unsigned)receive->nsessions,
		(unsigned long long)receive->accepted) == 0)
		role_answer(receive->role, ask->id, buf_span(&out), true);
	buf_free(&out);
}

static void
on_tickets(void *owner, int fd)
{
	struct receive *receive = owner;

	receive_tickets_seed(receive->tickets, fd);
}

static const struct role_ops receive_ops = {.on_peer = on_peer,
    .on_drain = on_drain,
    .on_ask = on_ask,
    .on_tickets = on_tickets};

static struct tls_pair
find_pair(const struct receive *receive, size_t i)
{
	const char *name = receive->config->certificates[i].name;
	const struct bundle *bundle = receive->role->bundle;

	return (struct tls_pair){name, bundle_find(bundle, "chain", name),
	    bundle_find(bundle, "key", name)};
}

static int
load_certificates(struct receive *receive, struct err *err)
{
	const struct config *config = receive->config;
	struct tls_pair *pairs = mem_array(
	    config->ncertificates, sizeof(*pairs));
	struct tls_server_setup setup = {.pairs = pairs,
	    .npairs = config->ncertificates,
	    .only_13 = config->tls_server.only_13,
	    .wide = config->tls_server.wide};
	size_t first = config_default_certificate(config);
	int rc = 0;

	for (size_t i = 0; i < config->ncertificates; i++)
		pairs[i] = find_pair(receive, i);
	if (first > 0) {
		struct tls_pair other = pairs[0];

		pairs[0] = pairs[first];
		pairs[first] = other;
	}
	receive->tickets = receive_tickets_new(receive);
	setup.tickets = receive_tickets_tls(receive->tickets);
	if (config->ncertificates > 0)
		rc = tls_server_new(&setup, &receive->tls, err);
	mem_free(pairs);
	bundle_forget(receive->role->bundle, "key");
	return rc;
}

static int
open_spool(struct receive *receive, struct err *err)
{
	const struct config_limits *limits = &receive->config->limits;
	struct intake_setup setup = {
	    .loop = receive->role->loop,
	    .spool = &receive->spool,
	    .memory = limits->memory,
	    .message_max = limits->message,
	    .on_synced = on_synced,
	    .arg = receive,
	};

	role_spool(receive->role, &receive->spool);
	return intake_new(&setup, &receive->intake, err);
}

/*
 * Our share of the limit, and no more than there are descriptors for: with
 * the last of them gone nobody is told 421, and no large message gets a file.
 */
static uint32_t
most_sessions(const struct config *config)
{
	uint32_t share = config->limits.sessions / config->receive_processes;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 < share)
		share = (uint32_t)(limit.rlim_cur / 2);
	return share == 0 ? 1 : share;
}

static void
on_tell(void *arg)
{
	struct receive *receive = arg;
	struct refusals refusals;

	timer_start(receive->tell, TELL_MS);
	room_look(receive);
	if (guard_tell(receive->guard, &refusals))
		role_tell_refusals(receive->role, &refusals);
}

static int
receive_start(struct receive *receive, struct err *err)
{
	struct role *role = receive->role;

	receive->guard = guard_new(
	    receive->config, most_sessions(receive->config));
	if (load_certificates(receive, err) < 0 ||
	    locals_new(receive->config, role->bundle, &receive->locals, err) <
		0 ||
	    open_spool(receive, err) < 0)
		return -1;
	if (config_asks(receive->config))
		receive->askers = askers_new(role->loop, receive->config);
	receive->greylist = greylist_new(receive->config);
	receive->screen = screen_new(receive, err);
	if (receive->screen == NULL && err->kind != ERR_NONE)
		return -1;
	receive->drain = timer_new(role->loop, on_drain_deadline, receive);
	receive->seen = receive_seen_new(receive);
	receive->filters = filters_new(receive);
	receive->doors = doors_open(receive);
	if (role->index == 0)
		receive->pickup = pickup_new(receive);
	receive->tell = timer_new(role->loop, on_tell, receive);
	timer_start(receive->tell, TELL_MS);
	role_ready(role, &receive_ops, receive);
	return 0;
}

static void
receive_end(struct receive *receive)
{
	doors_free(&receive->doors);
	channel_close(&receive->queue);
	timer_free(&receive->drain);
	timer_free(&receive->tell);
	pickup_free(&receive->pickup);
	receive_seen_free(&receive->seen);
	screen_free(&receive->screen);
	greylist_free(&receive->greylist);
	guard_free(&receive->guard);
	filters_free(&receive->filters);
	intake_free(&receive->intake);
	tls_server_free(&receive->tls);
	receive_tickets_free(&receive->tickets);
	askers_free(&receive->askers);
	locals_free(&receive->locals);
}

int
receive_main(struct role *role)
{
	struct receive receive = {.role = role, .config = role->config};
	struct err err = {0};
	int status = EXIT_SUCCESS;

	if (receive_start(&receive, &err) == 0) {
		loop_run(role->loop);
	} else {
		log_event(LOG_LEVEL_ERROR, "role-not-started", err.text);
		status = EXIT_FAILURE;
	}
	receive_end(&receive);
	return status;
}
