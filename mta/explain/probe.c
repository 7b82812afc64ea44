/*
 * One visit is one connection.  Visits are made from the list of all
 * addresses, VISITS_MAX at a time; each ends in visit_end(), once.
 */
#include "mta/explain/probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/net/conn.h"
#include "mta/net/loop.h"
#include "mta/smtp/client.h"

#define VISITS_MAX 10

struct visit {
	struct visit *next;
	struct probe *probe;
	const struct survey_host *host;
	struct probe_result *result;
	struct conn *conn;
	struct client *client;
	bool asked; /* STARTTLS has been said */
};

struct probe {
	struct loop *loop;
	struct survey *survey;
	struct tls_client *tls;
	struct visit *visits;
	size_t running;
	size_t host;  /* whose addresses come next, */
	size_t which; /* and from where on */
	struct timer *later;
	probe_done *done;
	void *arg;
};

static const struct conn_ops visit_ops;

static void
visit_free(struct visit *visit)
{
	conn_close(&visit->conn);
	client_free(&visit->client);
	mem_free(visit);
}

/* The next visits are begun by the loop, not from in here. */
static void
visit_end(struct visit *visit)
{
	struct probe *probe = visit->probe;
	struct probe_result *result = visit->result;
	struct visit **at = &probe->visits;

	result->verdict = policy_judge(
	    &visit->host->decision.plan, &result->seen);
	while (*at != visit)
		at = &(*at)->next;
	*at = visit->next;
	visit_free(visit);
	probe->running--;
	timer_start(probe->later, 0);
}

static void
visit_problem(struct visit *visit, const char *why)
{
	if (visit->result->problem[0] == '\0')
		(void)text_copy(visit->result->problem,
		    sizeof(visit->result->problem), why);
	visit_end(visit);
}

static void
visit_flush(struct visit *visit)
{
	struct span out = client_output(visit->client);

	if (out.n == 0)
		return;
	conn_write(visit->conn, out);
	client_sent(visit->client, out.n);
}

/* WebPKI is looked at in any case: it is what people want to know. */
static void
visit_secure(struct visit *visit)
{
	const struct tls_plan *plan = &visit->host->decision.plan;
	char suffix[DNS_NAME_SIZE + 1];
	const char *names[2] = {plan->one, suffix};
	struct tls_demand demand = {.sni = plan->sni};

	(void)snprintf(suffix, sizeof(suffix), ".%s", plan->one);
	if (plan->set != NULL && plan->set->nused > 0) {
		demand.set = plan->set;
		demand.names = plan->names;
		demand.nnames = plan->nnames;
	}
	demand.pkix_names = plan->nmatch > 0 ? plan->match : names;
	demand.npkix_names = plan->nmatch > 0 ? plan->nmatch : 1;
	if (plan->nmatch == 0 && plan->pkix_suffix)
		demand.npkix_names = 2;
	if (plan->nmatch == 0 && plan->one[0] == '\0')
		demand.npkix_names = 0;
	conn_tls_connect(visit->conn, visit->probe->tls, &demand);
	conn_deadline(visit->conn, visit->probe->survey->config->timeouts.tls);
}

static void
on_greeted(struct visit *visit)
{
	struct tls_seen *seen = &visit->result->seen;
	bool offered = (client_offers(visit->client) & OFFER_STARTTLS) != 0;

	if (visit->asked && seen->got == TLS_GOT_NOTHING) {
		seen->got = TLS_GOT_REFUSED;
		(void)text_copy(visit->result->problem,
		    sizeof(visit->result->problem),
		    client_error(visit->client)->text);
	} else if (!visit->asked && !offered) {
		seen->got = TLS_GOT_NO_OFFER;
	} else if (!visit->asked &&
		   visit->host->decision.plan.need == TLS_NEVER) {
		seen->got = TLS_GOT_NOT_ASKED;
	}
	if (visit->asked || seen->got != TLS_GOT_NOTHING) {
		client_proceed(visit->client);
		return;
	}
	visit->asked = true;
	client_starttls(visit->client);
}

/* False: nothing more is to be done for now; the visit may be gone. */
static bool
visit_step(struct visit *visit)
{
	switch (client_next(visit->client)) {
	case CLIENT_GREETED:
		on_greeted(visit);
		return true;
	case CLIENT_STARTTLS:
		visit_flush(visit);
		visit_secure(visit);
		return false;
	case CLIENT_READY:
		client_quit(visit->client);
		return true;
	case CLIENT_CLOSED:
		visit_end(visit);
		return false;
	case CLIENT_FAILED:
		if (visit->asked && visit->result->seen.got == TLS_GOT_NOTHING)
			visit->result->seen.got = TLS_GOT_BROKEN;
		visit_problem(visit, client_error(visit->client)->text);
		return false;
	case CLIENT_BODY:
	case CLIENT_DONE:
	case CLIENT_IDLE:
		break;
	}
	visit_flush(visit);
	return false;
}

static void
visit_run(struct visit *visit)
{
	conn_deadline(
	    visit->conn, visit->probe->survey->config->timeouts.connect);
	while (visit_step(visit))
		;
}

static void
on_up(void *arg)
{
	visit_run(arg);
}

static void
on_data(void *arg, struct span bytes)
{
	struct visit *visit = arg;

	client_feed(visit->client, bytes);
	visit_run(visit);
}

static void
keep_chain(struct visit *visit)
{
	struct probe_result *result = visit->result;

	result->certs = mem_array(TLS_CHAIN_MAX, sizeof(result->certs[0]));
	result->ncerts = tls_peer_chain(
	    conn_tls(visit->conn), result->certs, TLS_CHAIN_MAX);
}

static void
on_tls(void *arg, const struct tls_facts *facts)
{
	struct visit *visit = arg;
	struct tls_seen *seen = &visit->result->seen;

	visit->result->tls = *facts;
	if (!facts->up) {
		seen->got = TLS_GOT_BROKEN;
		visit_problem(visit, facts->failure);
		return;
	}
	keep_chain(visit);
	seen->got = TLS_GOT_ENCRYPTED;
	seen->dane = facts->dane.check == TLS_CHECK_PASSED;
	seen->pkix = facts->pkix.check == TLS_CHECK_PASSED;
	if (facts->dane.check == TLS_CHECK_FAILED)
		seen->failure = facts->dane.result_type;
	client_tls_done(visit->client);
	visit_run(visit);
}

static void
on_drained(void *arg)
{
	(void)arg;
}

static void
on_deadline(void *arg)
{
	struct visit *visit = arg;

	if (visit->asked && visit->result->seen.got == TLS_GOT_NOTHING)
		visit->result->seen.got = TLS_GOT_BROKEN;
	visit_problem(visit, "no answer in time");
}

static void
on_down(void *arg, const struct err *err)
{
	struct visit *visit = arg;

	/* All has been seen; not every server waits to answer QUIT. */
	if (client_waiting(visit->client) == CLIENT_WAIT_QUIT) {
		visit_end(visit);
		return;
	}
	if (visit->asked && visit->result->seen.got == TLS_GOT_NOTHING)
		visit->result->seen.got = TLS_GOT_BROKEN;
	visit_problem(visit, err->text);
}

static const struct conn_ops visit_ops = {
    .on_up = on_up,
    .on_tls = on_tls,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

static const struct net_address *
source_for(const struct config *config, const struct net_address *to,
    struct net_address *room)
{
	const char *source = to->family == AF_INET6 ? config->source6
	                                            : config->source4;

	return source != NULL && net_address_ip(source, 0, room) ? room : NULL;
}

static void
visit_begin(
    struct probe *probe, struct survey_host *host, struct probe_result *result)
{
	const struct config *config = probe->survey->config;
	struct client_setup setup = {.helo = config->hostname};
	struct visit *visit = mem_new(sizeof(*visit));
	struct net_address from;

	visit->probe = probe;
	visit->host = host;
	visit->result = result;
	visit->next = probe->visits;
	probe->visits = visit;
	probe->running++;
	result->tried = true;
	visit->client = client_new(&setup);
	visit->conn = conn_connect(probe->loop, &result->to,
	    source_for(config, &result->to, &from), &visit_ops, visit);
	conn_deadline(visit->conn, config->timeouts.connect);
}

/* The next address of the next host that may be connected to, or NULL. */
static struct probe_result *
next_result(struct probe *probe, struct survey_host **ret_host)
{
	struct survey *survey = probe->survey;

	while (probe->host < survey->n) {
		struct survey_host *host = &survey->hosts[probe->host];

		if (probe->which < host->nprobes) {
			*ret_host = host;
			return &host->probes[probe->which++];
		}
		probe->host++;
		probe->which = 0;
	}
	return NULL;
}

static void
on_later(void *arg)
{
	struct probe *probe = arg;
	struct probe_result *result = NULL;
	struct survey_host *host = NULL;

	while (probe->running < VISITS_MAX &&
	       (result = next_result(probe, &host)) != NULL)
		visit_begin(probe, host, result);
	if (probe->running == 0)
		probe->done(probe->arg);
}

static void
prepare_host(const struct survey *survey, struct survey_host *host)
{
	if (host->left_out || host->decision.plan.need == TLS_DEFER)
		return;
	host->nprobes = host->dns.naddresses;
	host->probes = mem_array(host->nprobes + 1, sizeof(host->probes[0]));
	for (size_t i = 0; i < host->nprobes; i++) {
		const struct host_address *from = &host->dns.addresses[i];
		struct net_address *to = &host->probes[i].to;

		to->port = survey->port;
		to->family = from->family == ADDRESS_IP6 ? AF_INET6 : AF_INET;
		memcpy(to->ip, from->bytes, sizeof(to->ip));
	}
}

struct probe *
probe_new(struct loop *loop, struct survey *survey, struct tls_client *tls,
    probe_done *done, void *arg)
{
	struct probe *probe = mem_new(sizeof(*probe));

	probe->loop = loop;
	probe->survey = survey;
	probe->tls = tls;
	probe->done = done;
	probe->arg = arg;
	probe->later = timer_new(loop, on_later, probe);
	for (size_t i = 0; i < survey->n; i++)
		prepare_host(survey, &survey->hosts[i]);
	timer_start(probe->later, 0);
	return probe;
}

void
probe_free(struct probe **probep)
{
	struct probe *probe = *probep;
	struct visit *visit;

	*probep = NULL;
	if (probe == NULL)
		return;
	while ((visit = probe->visits) != NULL) {
		probe->visits = visit->next;
		visit_free(visit);
	}
	timer_free(&probe->later);
	mem_free(probe);
}

void
probe_results_free(struct survey *survey)
{
	for (size_t i = 0; i < survey->n; i++)
		for (size_t k = 0; k < survey->hosts[i].nprobes; k++)
			mem_free(survey->hosts[i].probes[k].certs);
}
