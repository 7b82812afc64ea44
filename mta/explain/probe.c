/*
 * Visits to all addresses of all hosts that may be connected to, VISITS_MAX at
 * a time; each ends in on_visited(), once, and the loop begins the next.
 */
#include "mta/explain/probe.h"

#include <sys/socket.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/explain/visit.h"
#include "mta/net/loop.h"
#include "mta/smtp/client.h"

#define VISITS_MAX  10
#define GREETING_MS 60000

struct guest { /* one visit and where its result goes */
	struct guest *next;
	struct probe *probe;
	const struct survey_host *host;
	struct probe_result *result;
	struct visit *visit;
	struct net_address from;
	struct pkix_room room;
	struct tls_demand demand;
};

struct probe {
	struct loop *loop;
	struct survey *survey;
	struct tls_client *tls;
	struct guest *guests;
	size_t running;
	size_t host;  /* whose addresses come next, */
	size_t which; /* and from where on */
	struct timer *later;
	probe_done *done;
	void *arg;
};

static void
keep_chain(struct guest *guest)
{
	struct probe_result *result = guest->result;
	const struct tls *tls = visit_tls(guest->visit);

	if (!result->tls.up || tls == NULL)
		return;
	result->certs = mem_array(TLS_CHAIN_MAX, sizeof(result->certs[0]));
	result->ncerts = tls_peer_chain(tls, result->certs, TLS_CHAIN_MAX);
}

static void
guest_free(struct guest *guest)
{
	struct guest **at = &guest->probe->guests;

	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	visit_free(&guest->visit);
	mem_free(guest);
}

/* RFC 8689 4.2.1: such a message goes to nobody who does not pass it on. */
static void
demand_requiretls(const struct tls_plan *plan, const struct visit_seen *seen,
    struct probe_result *result)
{
	if (plan->onward != ONWARD_NEEDED || !seen->ready ||
	    result->verdict != VERDICT_DELIVER ||
	    (seen->offers & OFFER_REQUIRETLS) != 0)
		return;
	result->ready = false;
	result->verdict = VERDICT_NEXT_HOST;
	(void)text_copy(result->problem, sizeof(result->problem),
	    "the server does not support REQUIRETLS (RFC 8689 4.2.1)");
}

/* The next visits are begun by the loop, not from in here. */
static void
on_visited(const struct visit_seen *seen, void *arg)
{
	struct guest *guest = arg;
	struct probe *probe = guest->probe;
	struct probe_result *result = guest->result;

	result->seen = seen->seen;
	result->tls = seen->tls;
	result->ready = seen->ready;
	(void)text_copy(
	    result->problem, sizeof(result->problem), seen->problem);
	result->verdict = policy_judge(
	    &guest->host->decision.plan, &result->seen);
	demand_requiretls(&guest->host->decision.plan, seen, result);
	keep_chain(guest);
	guest_free(guest);
	probe->running--;
	timer_start(probe->later, 0);
}

/*
 * What the plan wants, and of everybody what people want to know: does WebPKI
 * vouch for it, and do the records match, if there are any?
 */
static void
choose_demand(struct guest *guest)
{
	const struct tls_plan *plan = &guest->host->decision.plan;
	struct tls_demand *demand = &guest->demand;

	*demand = tls_demand_of(plan, &guest->room);
	demand->pkix_names = policy_pkix_names(
	    plan, &guest->room, &demand->npkix_names);
	if (plan->set != NULL && plan->set->nused > 0) {
		demand->set = plan->set;
		demand->names = plan->names;
		demand->nnames = plan->nnames;
	}
}

static const struct net_address *
source_for(const struct config *config, const struct net_address *to,
    struct net_address *room)
{
	const char *source = to->family == AF_INET6 ? config->source6
	                                            : config->source4;

	return source != NULL && net_address_ip(source, 0, room) ? room : NULL;
}

/* A greeting may be minutes late; who probes does not wait for those. */
static uint32_t
patience(const struct config_timeouts *timeouts)
{
	return timeouts->greeting < GREETING_MS ? timeouts->greeting
	                                        : GREETING_MS;
}

static void
guest_begin(
    struct probe *probe, struct survey_host *host, struct probe_result *result)
{
	const struct config *config = probe->survey->config;
	struct guest *guest = mem_new(sizeof(*guest));
	struct visit_setup setup = {
	    .loop = probe->loop,
	    .to = &result->to,
	    .helo = config->hostname,
	    .tls = probe->tls,
	    .plan = &host->decision.plan,
	    .connect_ms = config->timeouts.connect,
	    .talk_ms = patience(&config->timeouts),
	    .tls_ms = config->timeouts.tls,
	};

	guest->probe = probe;
	guest->host = host;
	guest->result = result;
	guest->next = probe->guests;
	probe->guests = guest;
	probe->running++;
	choose_demand(guest);
	if (host->decision.plan.need != TLS_NEVER)
		setup.demand = &guest->demand;
	setup.from = source_for(config, &result->to, &guest->from);
	guest->visit = visit_new(&setup, on_visited, guest);
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
		guest_begin(probe, host, result);
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
	for (size_t i = 0; i < host->nprobes; i++)
		net_address_of(
		    &host->dns.addresses[i], survey->port, &host->probes[i].to);
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

	*probep = NULL;
	if (probe == NULL)
		return;
	while (probe->guests != NULL)
		guest_free(probe->guests);
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
