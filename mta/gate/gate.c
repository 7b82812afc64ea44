/* The life of the gate: read the question, look, judge, answer, end. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/anchor.h"
#include "mta/gate/private.h"
#include "mta/ipc_gate.h"
#include "mta/net/channel.h"
#include "mta/net/https.h"
#include "mta/resolver.h"

#define ARENA_MAX ((size_t)64 << 20)
#define FILE_SIZE 1024

/* --- the question --------------------------------------------------------- */

static void
read_chains(struct gate *gate)
{
	const struct config *config = gate->config;
	const struct bundle *bundle = gate->role->bundle;

	gate->chains = mem_array(
	    config->ncertificates + 1, sizeof(gate->chains[0]));
	for (size_t i = 0; i < config->ncertificates; i++) {
		const char *name = config->certificates[i].name;
		struct gate_chain *chain = &gate->chains[gate->nchains];

		if (!ipc_take_gate_memory(
			bundle_find(bundle, "gate", name), &chain->memory))
			continue;
		chain->certificate = &config->certificates[i];
		chain->new = bundle_find(bundle, "chain", name);
		chain->old = bundle_find(bundle, "old", name);
		gate->nchains++;
	}
}

static void
read_domains(struct gate *gate)
{
	const struct config *config = gate->config;
	struct log_line line;

	gate->ndomains = config->ndomains;
	if (gate->ndomains > GATE_DOMAINS_MAX) {
		gate->ndomains = GATE_DOMAINS_MAX;
		log_begin(&line, LOG_LEVEL_WARN, "gate-limit");
		log_str(&line, "what", "domains");
		log_u64(&line, "most", GATE_DOMAINS_MAX);
		log_end(&line);
	}
	gate->domains = mem_array(gate->ndomains + 1, sizeof(gate->domains[0]));
	for (size_t i = 0; i < gate->ndomains; i++) {
		struct gate_domain *domain = &gate->domains[i];

		domain->gate = gate;
		domain->name = config->domains[i].name;
		(void)text_copy(
		    domain->why, sizeof(domain->why), GATE_NO_ANSWER);
	}
}

/* --- the answers ---------------------------------------------------------- */

static void
answer(struct gate *gate)
{
	struct ipc_gate *say = mem_new(sizeof(*say));
	struct buf out;

	for (size_t i = 0; i < gate->nchains; i++) {
		(void)text_copy(say->name, sizeof(say->name),
		    gate->chains[i].certificate->name);
		gate_judge(gate, &gate->chains[i], &say->verdict);
		buf_init(&out, CHANNEL_MESSAGE_MAX);
		ipc_put_gate(&out, say);
		if (gate->role->supervisor != NULL)
			channel_send(
			    gate->role->supervisor, IPC_GATE, buf_span(&out));
		buf_free(&out);
	}
	mem_free(say);
	loop_stop(gate->role->loop);
}

static void
on_facts(struct gate *gate)
{
	timer_stop(gate->timer);
	answer(gate);
}

static void
on_names(struct gate *gate)
{
	gate_gather_hosts(gate);
	gate_look_for_facts(gate, on_facts);
}

/* What was not answered by now is not known. */
static void
on_timeout(void *arg)
{
	struct gate *gate = arg;

	if (gate->hosts == NULL)
		gate_gather_hosts(gate);
	gate_stop_looking(gate);
	answer(gate);
}

/* --- life ----------------------------------------------------------------- */

/* RFC 5011: what the tests of the first deliver process have learnt. */
static bool
find_anchor(const struct gate *gate, char to[FILE_SIZE])
{
	const struct config *config = gate->config;
	const char *anchor = config->resolver.trust_anchor;
	char from[FILE_SIZE];
	struct err err;

	if (anchor == NULL || !config->resolver.track_anchor ||
	    dns_anchor_open(anchor, config->state, "gate", to, FILE_SIZE,
		&err) == ANCHOR_NONE)
		return false;
	return !dns_anchor_find(
		   anchor, config->state, "0-test", from, sizeof(from)) ||
	       dns_anchor_copy(from, to, &err) == 0;
}

static int
open_dns(struct gate *gate, struct err *err)
{
	struct resolver_setup setup;
	char anchor[FILE_SIZE];

	resolver_setup_make(gate->config, &setup);
	/* RFC 7671 8.1: others may keep it for longer than we would. */
	setup.dns.ttl_max = DNS_TTL_MAX;
	if (find_anchor(gate, anchor)) {
		setup.dns.anchor_state = anchor;
		setup.dns.anchor_holddown = gate->config->resolver
		                                .anchor_holddown;
	}
	gate->dns = dns_new(&setup.dns, err);
	resolver_setup_free(&setup);
	return gate->dns == NULL ? -1 : 0;
}

/* One with the authorities of the system, even if there are none. */
static int
open_clients(struct gate *gate, struct err *err)
{
	struct tls_client_setup setup = {.ca_file = NULL};

	if (tls_client_new(&setup, &gate->clients[0], err) < 0)
		return -1;
	setup.ca_file = gate->config->ca_file;
	return setup.ca_file == NULL
	           ? 0
	           : tls_client_new(&setup, &gate->clients[1], err);
}

static void
on_dns(void *arg)
{
	struct gate *gate = arg;

	dns_process(gate->dns);
}

static void
on_peer(void *owner, const struct ipc_peer *peer, int fd)
{
	(void)owner;
	(void)peer;
	(void)close(fd);
}

static void
on_drain(void *owner, uint32_t ms)
{
	struct gate *gate = owner;

	(void)ms;
	loop_stop(gate->role->loop);
}

static void
on_ask(void *owner, const struct ipc_ask *ask)
{
	(void)owner;
	(void)ask;
}

static const struct role_ops gate_ops = {
    .on_peer = on_peer, .on_drain = on_drain, .on_ask = on_ask};

static void
gate_end(struct gate *gate)
{
	gate_stop_looking(gate);
	https_free(&gate->https);
	watch_free(&gate->watch);
	timer_free(&gate->timer);
	dns_free(&gate->dns);
	tls_client_free(&gate->clients[0]);
	tls_client_free(&gate->clients[1]);
	for (size_t i = 0; i < gate->nhosts; i++)
		mem_free((void *)(uintptr_t)gate->hosts[i].name);
	for (size_t i = 0; i < gate->ndomains; i++)
		arena_free(&gate->domains[i].arena);
	mem_free(gate->hosts);
	mem_free(gate->domains);
	mem_free(gate->chains);
	arena_free(&gate->arena);
}

int
gate_main(struct role *role)
{
	struct gate gate = {.role = role, .config = role->config};
	struct err err;
	int status = EXIT_SUCCESS;

	gate.arena = arena_new(ARENA_MAX);
	if (open_clients(&gate, &err) < 0 || open_dns(&gate, &err) < 0) {
		log_event(LOG_LEVEL_ERROR, "gate-failed", err.text);
		status = EXIT_FAILURE;
	} else {
		role_ready(role, &gate_ops, &gate);
		gate.watch = watch_new(
		    role->loop, dns_fd(gate.dns), on_dns, &gate);
		gate.timer = timer_new(role->loop, on_timeout, &gate);
		timer_start(gate.timer, role->config->renewal.timeout_ms);
		read_chains(&gate);
		read_domains(&gate);
		gate_look_for_mx(&gate, on_names);
		loop_run(role->loop);
	}
	gate_end(&gate);
	return status;
}
