/* Everything DNS says of a destination, and what follows from it. */
#include "mta/explain/survey.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/facts.h"

/* Names of 50 hosts and their TLSA sets. */
#define ARENA_MAX (8u << 20)

static dns_done on_mx;
static host_done on_host;
static tlsa_found_fn on_tlsa;

struct survey *
survey_new(struct dns *dns, const struct config *config, const char *address,
    int64_t now)
{
	struct survey *survey = mem_new(sizeof(*survey));

	survey->dns = dns;
	survey->config = config;
	survey->now = now;
	survey->arena = arena_new(ARENA_MAX);
	config_target(config, address, &survey->target);
	survey->facts.next_hop = survey->target.host;
	survey->facts.next_hop_expanded = "";
	survey->facts.sender = SENDER_DEFAULT;
	survey->facts.sts = STS_NOT_EVALUATED;
	survey->sts.why_not = "";
	survey->sts.trouble_type = "";
	survey->rule = facts_by_operator(
	    config, &survey->target, now, &survey->facts);
	return survey;
}

void
survey_wish(struct survey *survey, enum tls_wish wish)
{
	const struct envelope message = {.sender = "x", .tls_wish = wish};

	survey->wish = wish;
	survey->facts.sender = facts_by_sender(
	    survey->config, &survey->target, &survey->rule, &message);
}

static void
finish(struct survey *survey)
{
	const struct host_dns *only = survey->n == 1 ? &survey->hosts[0].dns
	                                             : NULL;

	/* RFC 5321 5.1: a domain without MX and addresses is an error. */
	if (survey->facts.hop == HOP_IMPLICIT && only != NULL &&
	    only->trust > DNS_BOGUS && only->naddresses == 0)
		(void)text_copy(survey->dead_end, sizeof(survey->dead_end),
		    "the domain has no mail host and no address: mail bounces "
		    "(5.1.2)");
	survey->done(survey, survey->arg);
}

static void
host_finish(struct survey_host *host)
{
	host->decision.plan = policy_plan(&host->decision.facts);
	if (--host->survey->pending == 0)
		finish(host->survey);
}

static void
host_ask_tlsa(struct survey_host *host)
{
	struct survey *survey = host->survey;
	struct facts_scene scene = {
	    .target = &survey->target,
	    .host = &host->dns,
	    .dane_off = survey->dane_off_until > survey->now,
	    .unable = survey->unable[0] != '\0',
	};

	if (facts_ask_tlsa(&scene, &host->decision.facts, &host->tlsa.why))
		host->tlsa_find = tlsa_find(survey->dns, &host->dns,
		    survey->port, survey->arena, on_tlsa, host);
	else
		host_finish(host);
}

static void
host_start(struct survey_host *host)
{
	struct survey *survey = host->survey;
	struct host_address address;

	host->decision.facts = survey->facts;
	host->decision.facts.host = host->name;
	if (survey->sts.asked)
		/* RFC 8461 4.1: the name that the MX record has */
		host->decision.facts.sts = sts_found_state(
		    survey->sts.known, &survey->sts.answer, host->name);
	host->dns.trust = DNS_SECURE;
	if (facts_literal(host->name, &address)) {
		/* RFC 6066 3: an address is no server name. */
		host->decision.facts.host = "";
		host->dns.addresses[host->dns.naddresses++] = address;
		host_ask_tlsa(host);
		return;
	}
	host->host_find = host_find(survey->dns, host->name, on_host, host);
}

static void
on_host(const struct host_dns *found, void *arg)
{
	struct survey_host *host = arg;

	host->host_find = NULL;
	host->dns = *found;
	host_ask_tlsa(host);
}

static void
on_tlsa(const struct tlsa_found *found, void *arg)
{
	struct survey_host *host = arg;

	host->tlsa_find = NULL;
	host->tlsa = *found;
	if (found->not_asked)
		host->decision.facts.own_fault = true;
	host->decision.facts.tlsa = found->state;
	host->decision.facts.set = &host->tlsa.set;
	host_finish(host);
}

/* One more than are pending is counted, so that none ends it too early. */
static void
start_hosts(struct survey *survey)
{
	survey->pending = 1 + survey->n;
	for (size_t i = 0; i < survey->n; i++)
		host_start(&survey->hosts[i]);
	if (--survey->pending == 0)
		finish(survey);
}

static void
on_policy(const struct sts_found *found, void *arg)
{
	struct survey *survey = arg;
	struct survey_sts *sts = &survey->sts;

	survey->find = NULL;
	sts->fetched = found->fetched;
	sts->blind = sts_finder_blind(survey->finder);
	sts->record = found->record;
	sts->answer = found->answer;
	if (sts_step_applies(sts->answer.step))
		sts->known = sts_known_hold(found->known);
	(void)text_copy(sts->trouble, sizeof(sts->trouble), found->trouble);
	sts->trouble_type = found->trouble_type;
	start_hosts(survey);
}

/* Before the hosts, as in a delivery: it is the domain's. */
static void
find_policy(struct survey *survey)
{
	struct survey_sts *sts = &survey->sts;

	sts->asked = facts_ask_sts(survey->config, &survey->target,
			 &survey->facts, &sts->why_not) &&
	             survey->finder != NULL;
	if (!sts->asked) {
		start_hosts(survey);
		return;
	}
	survey->find = sts_find(
	    survey->finder, survey->target.host, false, on_policy, survey);
}

static void
dead_end(struct survey *survey, const char *why)
{
	(void)text_copy(survey->dead_end, sizeof(survey->dead_end), why);
	finish(survey);
}

static void
use_one_host(struct survey *survey, const char *name)
{
	survey->hosts = mem_array(1, sizeof(survey->hosts[0]));
	survey->n = 1;
	survey->hosts[0].survey = survey;
	survey->hosts[0].name = name;
	find_policy(survey);
}

static void
use_hosts(struct survey *survey, const struct mx_list *list)
{
	size_t better = mx_better_than(list, survey->config->hostname);

	survey->hosts = mem_array(list->n, sizeof(survey->hosts[0]));
	survey->n = list->n;
	for (size_t i = 0; i < list->n; i++) {
		survey->hosts[i].survey = survey;
		survey->hosts[i].name = list->hosts[i].name;
		survey->hosts[i].preference = list->hosts[i].preference;
		survey->hosts[i].left_out = i >= better;
	}
	if (better == 0)
		(void)text_copy(survey->dead_end, sizeof(survey->dead_end),
		    "the best mail host is this one, which does not know the "
		    "domain: mail bounces (5.4.6)");
	find_policy(survey);
}

static void
judge_mx(struct survey *survey, const struct mx_list *list)
{
	switch (survey->mx) {
	case MX_HOSTS:
		survey->facts.hop = HOP_MX;
		use_hosts(survey, list);
		return;
	case MX_NONE:
		if (survey->nxdomain) {
			dead_end(survey,
			    "the domain does not exist: mail bounces (5.1.2)");
			return;
		}
		survey->facts.hop = HOP_IMPLICIT;
		use_one_host(survey, survey->target.host);
		return;
	case MX_NULL:
		dead_end(survey,
		    "the domain takes no mail (null MX, RFC 7505): mail "
		    "bounces (5.1.10)");
		return;
	case MX_UNUSABLE:
		dead_end(survey,
		    "the MX records name no host: mail bounces (5.4.4)");
		return;
	case MX_FAILED:
		break;
	}
	dead_end(survey, "the MX lookup failed: mail waits (RFC 7672 2.1.2)");
}

static void
on_mx(const struct dns_answer *answer, void *arg)
{
	struct survey *survey = arg;
	struct mx_list list = {0};

	survey->query = NULL;
	survey->facts.mx_trust = answer->trust;
	survey->facts.next_hop_expanded = arena_strndup(
	    survey->arena, answer->canonical, strlen(answer->canonical));
	survey->nxdomain = answer->nxdomain;
	survey->mx = mx_read(answer, 0, survey->arena, &list);
	if (survey->mx == MX_FAILED)
		(void)text_copy(survey->mx_why, sizeof(survey->mx_why),
		    answer->why == NULL ? "malformed answer" : answer->why);
	judge_mx(survey, &list);
}

void
survey_start(struct survey *survey, survey_done *done, void *arg)
{
	struct target *target = &survey->target;

	survey->done = done;
	survey->arg = arg;
	survey->port = target->port != 0 ? target->port
	                                 : survey->config->mx_port;
	if (target->kind == TARGET_MX) {
		survey->mx_asked = true;
		survey->query = dns_lookup(
		    survey->dns, target->host, RR_MX, on_mx, survey);
	} else if (target->kind == TARGET_SMTP) {
		survey->facts.hop = HOP_CONFIGURED;
		use_one_host(survey, target->host);
	} else {
		dead_end(
		    survey, target->kind == TARGET_NONE
				? "there is no way to deliver to this address"
				: "delivered here, without SMTP");
	}
}

void
survey_free(struct survey **surveyp)
{
	struct survey *survey = *surveyp;

	*surveyp = NULL;
	if (survey == NULL)
		return;
	dns_cancel(&survey->query);
	sts_find_cancel(&survey->find);
	sts_known_drop(&survey->sts.known);
	for (size_t i = 0; i < survey->n; i++) {
		host_find_cancel(&survey->hosts[i].host_find);
		tlsa_find_cancel(&survey->hosts[i].tlsa_find);
		mem_free(survey->hosts[i].probes);
	}
	mem_free(survey->hosts);
	arena_free(&survey->arena);
	mem_free(survey);
}
