/* What a host must show, and which of its addresses is next. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mta/deliver/audit.h"
#include "mta/deliver/delivery.h"
#include "mta/deliver/report.h"
#include "mta/deliver/resolver.h"
#include "mta/facts.h"
#include "policy/key.h"

#define CONNECTS_MAX 20
#define SEARCH_MS    600000

static tlsa_found_fn on_tlsa;

void
delivery_heed_end(
    const struct delivery *d, int64_t end, int64_t now, uint64_t *until)
{
	uint64_t then;

	if (end == 0 || end - now > (int64_t)UINT32_MAX)
		return;
	then = delivery_until(d, (uint32_t)(end - now));
	if (then < *until)
		*until = then;
}

enum step_result
step_find_tlsa(struct delivery *d)
{
	struct policy_facts *facts = &d->decision.facts;
	const struct target *target = &d->job->target;
	const struct dns_health *health = deliver_dns_health(d->deliver);
	int64_t now = clock_wall();
	int64_t dane_off_until = deliver_dane_off_until(d->deliver, now);
	const char *why;
	struct facts_scene scene = {
	    .target = target,
	    .host = &d->dns,
	    .dane_off = dane_off_until != 0,
	    .unable = dns_health_denies(health),
	    .suspect = dns_ability_alarms(health->ability),
	};

	delivery_heed_end(d, dane_off_until, now, &d->host_until);
	if (!facts_ask_tlsa(&scene, facts, &why)) {
		/* Without an address the reason is in d->detail already. */
		if (facts->tlsa == TLSA_LOOKUP_FAILED && d->detail[0] == '\0')
			(void)snprintf(d->detail, sizeof(d->detail),
			    "%s%s%.150s", why, scene.unable ? ": " : "",
			    scene.unable ? health->why : "");
		return go(d, &PLAN);
	}
	d->tlsa_find = tlsa_find(
	    d->deliver->dns, &d->dns, d->port, d->host_arena, on_tlsa, d);
	return STEP_WAIT;
}

static const char *
say_failure(const struct tlsa_found *found)
{
	if (found->ntries > 0 && found->tries[found->ntries - 1].why[0] != '\0')
		return found->tries[found->ntries - 1].why;
	return found->why;
}

static void
on_tlsa(const struct tlsa_found *found, void *arg)
{
	struct delivery *d = arg;
	uint64_t until = delivery_until(d, found->ttl);

	d->tlsa_find = NULL;
	d->set = found->set;
	d->decision.facts.tlsa = found->state;
	d->decision.facts.set = &d->set;
	if (found->not_asked)
		d->decision.facts.own_fault = true;
	if (found->state == TLSA_LOOKUP_FAILED)
		(void)text_copy(
		    d->detail, sizeof(d->detail), say_failure(found));
	/* RFC 6698 8.2: no longer than the records may be kept. */
	if (until < d->host_until)
		d->host_until = until;
	d->step = &PLAN;
	delivery_run(d);
}

void
delivery_log_skipped(const struct delivery *d, const struct err *err)
{
	char id[QUEUE_ID_SIZE], tls[DECISION_TEXT_SIZE];
	struct log_line line;

	queue_id_text(d->job->message, id);
	decision_text(&d->decision.plan, &d->decision.seen, tls);
	log_begin(&line, LOG_LEVEL_INFO, "host-skipped");
	log_str(&line, "id", id);
	log_str(&line, "target", d->job->key);
	log_str(&line, "host", delivery_host(d));
	if (d->address < d->dns.naddresses)
		log_str(&line, "address", d->way.address);
	log_str(&line, "tls", tls);
	log_str(&line, "dsn", err->enhanced);
	log_str(&line, "why", err->text);
	log_end(&line);
}

/* Was it for want of an answer about the MTA-STS policy? */
static bool
lacks_policy(const struct decision *decision)
{
	return decision->facts.sts == STS_UNKNOWN ||
	       (decision->facts.sts == STS_NOT_OBTAINED &&
		   decision->plan.source == SOURCE_SENDER);
}

/* RFC 7672 2.1.2: this host is not used; the next one may do. */
static enum step_result
skip_host(struct delivery *d)
{
	const struct tls_plan *plan = &d->decision.plan;
	struct err err;

	if (lacks_policy(&d->decision) && d->detail[0] == '\0')
		(void)text_copy(d->detail, sizeof(d->detail), d->sts_trouble);
	(void)err_set(&err, plan->enhanced[0] == '5' ? ERR_PERM : ERR_TEMP,
	    plan->enhanced[0] == '\0' ? "4.7.5" : plan->enhanced, "%s: %s%s%s",
	    delivery_host(d), plan->why, d->detail[0] == '\0' ? "" : ": ",
	    d->detail);
	/* Of the host before: its address and session are not this one's. */
	d->way = (struct way){.host = ""};
	decision_text(plan, &d->decision.seen, d->way.tls);
	decision_sts_text(plan, &d->decision.seen, d->way.sts);
	deliver_report_session(d);
	delivery_note_refusal(d);
	delivery_log_skipped(d, &err);
	delivery_fault(d, &err);
	deliver_audit_skipped(d, plan->why);
	return go(d, &NEXT_HOST);
}

static void
make_key(struct delivery *d)
{
	struct buf key;

	d->key[0] = '\0';
	buf_init(&key, sizeof(d->key) - 1);
	if (policy_key(&d->decision.plan, &key) == 0) {
		memcpy(d->key, key.p, key.n);
		d->key[key.n] = '\0';
	}
	buf_free(&key);
}

enum step_result
step_plan(struct delivery *d)
{
	struct policy_facts *facts = &d->decision.facts;

	/* RFC 8461 4.1: the name that the MX record has */
	if (facts->sts != STS_NOT_EVALUATED)
		facts->sts = sts_found_state(
		    d->sts, &d->sts_answer, facts->host);
	d->decision.seen = (struct tls_seen){.got = TLS_GOT_NOTHING};
	d->decision.plan = policy_plan(&d->decision.facts);
	if (d->decision.plan.need == TLS_DEFER)
		return skip_host(d);
	make_key(d);
	return go(d, &NEXT_ADDRESS);
}

static bool
is_listener(const struct config_address *listener, const struct net_address *to)
{
	struct net_address own;
	static const uint8_t any[16];

	return listener->port == to->port &&
	       net_address_ip(listener->ip, to->port, &own) &&
	       own.family == to->family &&
	       (memcmp(own.ip, any, sizeof(any)) == 0 ||
		   memcmp(own.ip, to->ip, sizeof(own.ip)) == 0);
}

/*
 * RFC 5321 5.1: what names our own loopback as a host would come back to us,
 * from an address we may well relay for.
 */
static bool
is_ourselves(const struct delivery *d)
{
	const struct config *config = d->deliver->config;

	if (!host_address_is_loopback(&d->dns.addresses[d->address]))
		return false;
	for (size_t i = 0; i < config->nlistens; i++)
		for (size_t j = 0; j < config->listens[i].naddresses; j++)
			if (is_listener(
				&config->listens[i].addresses[j], &d->to))
				return true;
	return false;
}

/* RFC 5321 5.1: how many addresses are tried may have a limit. */
bool
delivery_had_enough(const struct delivery *d)
{
	return d->connects >= CONNECTS_MAX ||
	       loop_now(d->deliver->role->loop) - d->searching > SEARCH_MS;
}

uint64_t
delivery_link_until(const struct delivery *d)
{
	/* RFC 8689: what one sender waived was not waived for all. */
	if (d->decision.facts.sender != SENDER_DEFAULT)
		return 0;
	return d->good_until < d->host_until ? d->good_until : d->host_until;
}

/* One that was asked to show what this plan asks for. */
static bool
take_link(struct delivery *d)
{
	const struct tls_plan *plan = &d->decision.plan;

	d->link = destination_take_like(d->destination, &d->to, d->key,
	    plan->onward == ONWARD_NEEDED ? OFFER_REQUIRETLS : 0);
	if (d->link == NULL)
		return false;
	link_renew(d->link, plan, delivery_link_until(d));
	delivery_adopt(d);
	return true;
}

enum step_result
step_next_address(struct delivery *d)
{
	struct err err;

	d->address++;
	d->plain = false;
	d->decision.seen = (struct tls_seen){.got = TLS_GOT_NOTHING};
	if (d->address >= d->dns.naddresses)
		return go(d, &NEXT_HOST);
	if (delivery_had_enough(d))
		return go(d, &GIVE_UP);
	if (d->job->target.kind == TARGET_LMTP_UNIX)
		return go(d, &CONNECT);
	net_address_of(&d->dns.addresses[d->address], d->port, &d->to);
	if (!is_ourselves(d))
		return go(d, take_link(d) ? &TRANSFER : &CONNECT);
	(void)err_set(&err, ERR_PERM, "5.4.6",
	    "%s: this mail host is our own loopback", delivery_host(d));
	delivery_fault(d, &err);
	return go(d, &NEXT_ADDRESS);
}
