#include "mta/role.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/load.h"
#include "mta/metrics.h"
#include "mta/net/channel.h"
#include "mta/net/tls.h"
#include "mta/refusal.h"
#include "mta/sandbox/sandbox.h"
#include "queue/spool.h"

#define FD_SUPERVISOR 3
#define FD_BUNDLE     4
#define FD_METRICS    5
#define FD_LISTEN     6
#define ORPHAN_MS     10000

static bool
role_dispatch(
    struct role *role, enum ipc_type type, struct span payload, int fd)
{
	struct ipc_peer peer;
	struct ipc_ask ask;
	struct ipc_dane dane;
	uint32_t ms;

	if (type == IPC_PEER && fd >= 0 && role->ops->on_peer != NULL &&
	    ipc_take_peer(payload, &peer)) {
		role->ops->on_peer(role->owner, &peer, fd);
		return true;
	}
	if (type == IPC_TICKETS && fd >= 0 && role->ops->on_tickets != NULL) {
		role->ops->on_tickets(role->owner, fd);
		return true;
	}
	if (fd >= 0)
		(void)close(fd);
	if (type == IPC_PEERS_DONE && role->ops->on_peers_done != NULL)
		role->ops->on_peers_done(role->owner);
	else if (type == IPC_DRAIN && ipc_take_drain(payload, &ms))
		role->ops->on_drain(role->owner, ms);
	else if (type == IPC_ASK && role->ops->on_ask != NULL &&
		 ipc_take_ask(payload, &ask))
		role->ops->on_ask(role->owner, &ask);
	else if (type == IPC_ANSWER && role->ops->on_answer != NULL &&
		 ipc_take_ask(payload, &ask))
		role->ops->on_answer(role->owner, &ask);
	else if (type == IPC_DANE && role->ops->on_dane != NULL &&
		 ipc_take_dane(payload, &dane))
		role->ops->on_dane(role->owner, &dane);
	else if (type == IPC_STS && role->ops->on_sts != NULL)
		role->ops->on_sts(role->owner, payload);
	else
		return type == IPC_PEERS_DONE;
	return true;
}

static void
on_supervisor_message(void *arg, uint16_t type, struct span payload, int fd)
{
	struct role *role = arg;
	struct log_line line;

	if (role_dispatch(role, (enum ipc_type)type, payload, fd))
		return;
	log_begin(&line, LOG_LEVEL_ERROR, "bad-message");
	log_str(&line, "from", "supervisor");
	log_u64(&line, "type", type);
	log_end(&line);
}

static void
on_supervisor_closed(void *arg)
{
	struct role *role = arg;
	struct log_line line;

	uint32_t ms = role->config->timeouts.drain;

	/* A gate whose answer nobody waits for any more is told so. */
	if (role->kind == ROLE_GATE)
		log_begin(&line, LOG_LEVEL_DEBUG, "gate-cancelled");
	else
		log_begin(&line, LOG_LEVEL_WARN, "supervisor-gone");
	log_end(&line);
	channel_close(&role->supervisor);
	/* Another daemon may be waiting for the spool. */
	role->ops->on_drain(role->owner, ms < ORPHAN_MS ? ms : ORPHAN_MS);
}

static const struct channel_ops supervisor_ops = {
    on_supervisor_message, on_supervisor_closed};

static void
tell_sandbox(struct role *role)
{
	struct buf out;

	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_sandbox(&out, &role->sandbox);
	channel_send(role->supervisor, IPC_SANDBOX, buf_span(&out));
	buf_free(&out);
}

void
role_ready(struct role *role, const struct role_ops *ops, void *owner)
{
	role->ops = ops;
	role->owner = owner;
	role->supervisor = channel_new(
	    role->loop, FD_SUPERVISOR, &supervisor_ops, role);
	tell_sandbox(role);
	channel_send(role->supervisor, IPC_READY, (struct span){NULL, 0});
}

void
role_answer(struct role *role, uint64_t id, struct span text, bool last)
{
	struct ipc_ask answer = {id, last, text};
	struct buf out;

	if (role->supervisor == NULL)
		return;
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_ask(&out, &answer);
	channel_send(role->supervisor, IPC_ANSWER, buf_span(&out));
	buf_free(&out);
}

void
role_tell_dnssec(struct role *role, const struct ipc_dnssec *dnssec)
{
	struct buf out;

	if (role->supervisor == NULL)
		return;
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_dnssec(&out, dnssec);
	channel_send(role->supervisor, IPC_DNSSEC, buf_span(&out));
	buf_free(&out);
}

void
role_tell_refusals(struct role *role, const struct refusals *refusals)
{
	struct buf out;

	if (role->supervisor == NULL)
		return;
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	refusals_put(&out, refusals);
	channel_send(role->supervisor, IPC_REFUSALS, buf_span(&out));
	buf_free(&out);
}

void
role_tell_trouble(struct role *role, const char *text)
{
	if (role->supervisor != NULL)
		channel_send(role->supervisor, IPC_TROUBLE, span_of(text));
}

void
role_spool(const struct role *role, struct spool *ret_spool)
{
	const struct config_limits *limits = &role->config->limits;

	*ret_spool = (struct spool){
	    .segment_size = limits->segment,
	    .body_max = limits->inline_message,
	    /* There zero means the default; here it means all of the disk. */
	    .reserve = limits->space == 0 ? 1 : limits->space,
	};
	(void)text_copy(
	    ret_spool->path, sizeof(ret_spool->path), role->config->spool);
	spool_defaults(ret_spool);
}

static void
ignore_signals(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* the terminal's; we are told to stop */
	(void)signal(SIGTERM, SIG_IGN);
}

static int
run_role(struct role *role)
{
	switch (role->kind) {
	case ROLE_RECEIVE:
		return receive_main(role);
	case ROLE_QUEUE:
		return queue_main(role);
	case ROLE_DELIVER:
		return deliver_main(role);
	case ROLE_REPORT:
		return report_main(role);
	case ROLE_WEB:
		return web_main(role);
	case ROLE_GATE:
		return gate_main(role);
	case ROLE_NONE:
	case ROLE_SUPERVISOR:
		break;
	}
	return EXIT_FAILURE;
}

static int
load_role(struct role *role)
{
	struct buf problems;
	struct err err;
	int rc;

	if (bundle_read(FD_BUNDLE, &role->bundle, &err) < 0) {
		(void)fprintf(stderr, "danelawd: %s\n", err.text);
		return -1;
	}
	buf_init(&problems, 65536);
	rc = load_bundled(role->bundle, &role->config, &problems);
	if (rc < 0)
		(void)fprintf(stderr, "%.*s", (int)problems.n, problems.p);
	buf_free(&problems);
	return rc;
}

/* Libraries have read their configuration; from now on by the rules. */
static int
confine(struct role *role)
{
	struct err err;

	if (role->config->sandbox != SANDBOX_OFF)
		tls_prepare();
	if (sandbox_confine(role->kind, role->config, &role->sandbox, &err) ==
	    0)
		return 0;
	log_event(LOG_LEVEL_ERROR, "role-not-started", err.text);
	return -1;
}

static int
run_confined(struct role *role)
{
	int status;

	role->loop = loop_new();
	status = run_role(role);
	channel_close(&role->supervisor);
	loop_free(&role->loop);
	return status;
}

int
role_main(enum role_kind kind, uint32_t index, size_t nfds, bool syslog)
{
	struct role role = {.kind = kind, .index = index};
	int fds[ROLE_LISTEN_MAX];
	char name[32];
	int status;

	if (nfds > ROLE_LISTEN_MAX)
		return EXIT_FAILURE;
	for (size_t i = 0; i < nfds; i++)
		fds[i] = FD_LISTEN + (int)i;
	role.fds = fds;
	role.nfds = nfds;
	sandbox_harden();
	ignore_signals();
	if (!metrics_use(FD_METRICS))
		return EXIT_FAILURE;
	if (load_role(&role) < 0)
		return EXIT_FAILURE;
	(void)snprintf(
	    name, sizeof(name), "%s-%u", role_kind_name(kind), (unsigned)index);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	log_setup(name,
	    role.config->log_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
	    role.config->log_json, syslog || role.config->log_syslog);
	status = confine(&role) < 0 ? EXIT_FAILURE : run_confined(&role);
	config_free(&role.config);
	bundle_free(&role.bundle);
	return status;
}
