/* The MTA-STS policy of the next hop, before its hosts are tried (RFC 8461). */
#include "base/clock.h"
#include "base/text.h"
#include "mta/deliver/delivery.h"
#include "mta/facts.h"

static sts_found_fn on_policy, on_newer;

/* What is found belongs to the whole domain, and so does its end. */
static void
take_policy(struct delivery *d, const struct sts_found *found)
{
	uint64_t until = delivery_until(d, found->ttl);

	sts_known_drop(&d->sts);
	d->sts_answer = found->answer;
	if (sts_step_applies(d->sts_answer.step))
		d->sts = sts_known_hold(found->known);
	d->sts_record = found->record.state;
	d->sts_type = found->trouble_type;
	(void)text_copy(d->sts_trouble, sizeof(d->sts_trouble),
	    found->trouble[0] == '\0' ? found->answer.why : found->trouble);
	if (until < d->good_until)
		d->good_until = until;
}

/* The operator's rule and the sender's wish hold for every host. */
static bool
asks_for_policy(struct delivery *d)
{
	struct policy_facts *facts = &d->decision.facts;
	const struct config *config = d->deliver->config;
	const struct target *target = &d->job->target;
	struct config_tls rule;
	int64_t now = clock_wall();
	const char *why;

	rule = facts_by_operator(config, target, now, facts);
	facts->sender = facts_by_sender(
	    config, target, &rule, d->job->envelope);
	delivery_heed_end(d, rule.until, now, &d->good_until);
	return facts_ask_sts(config, target, facts, &why);
}

enum step_result
step_find_policy(struct delivery *d)
{
	struct sts_found found;

	if (!asks_for_policy(d))
		return go(d, &NEXT_HOST);
	d->decision.facts.sts = STS_UNKNOWN;
	if (sts_find_known(d->deliver->sts, d->job->target.host, &found)) {
		take_policy(d, &found);
		return go(d, &NEXT_HOST);
	}
	d->sts_find = sts_find(
	    d->deliver->sts, d->job->target.host, false, on_policy, d);
	return STEP_WAIT;
}

static void
on_policy(const struct sts_found *found, void *arg)
{
	struct delivery *d = arg;

	d->sts_find = NULL;
	take_policy(d, found);
	d->step = &NEXT_HOST;
	delivery_run(d);
}

/*
 * A host whose connection did not come about says nothing of the policy
 * (RFC 8461 B).
 */
void
delivery_note_refusal(struct delivery *d)
{
	const struct decision *decision = &d->decision;

	if (d->sts_doubt == DOUBT_SETTLED)
		return;
	if (decision->facts.sts == STS_NO_MATCH ||
	    (decision->facts.sts == STS_MATCH &&
		decision->seen.got != TLS_GOT_NOTHING &&
		policy_judge(&decision->plan, &decision->seen) !=
		    VERDICT_DELIVER))
		d->sts_doubt = DOUBT_REFUSED;
}

/* Once an attempt; sts_cache_may_insist() sees to it that not each may. */
bool
delivery_looks_again(const struct delivery *d)
{
	return d->sts_doubt == DOUBT_REFUSED && d->sts != NULL &&
	       d->nleft > 0 && !d->deliver->draining &&
	       sts_cache_may_insist(&d->sts->entry, clock_wall());
}

enum step_result
step_look_again(struct delivery *d)
{
	d->sts_doubt = DOUBT_SETTLED;
	d->sts_find = sts_find(
	    d->deliver->sts, d->job->target.host, true, on_newer, d);
	return STEP_WAIT;
}

static bool
is_other(const struct delivery *d, const struct sts_found *found)
{
	return found->answer.step != STS_STEP_DEFER && found->known != NULL &&
	       !span_eq(
		   found->known->entry.policy.text, d->sts->entry.policy.text);
}

/* The same policy has the same to say: the attempt is over. */
static void
on_newer(const struct sts_found *found, void *arg)
{
	struct delivery *d = arg;

	d->sts_find = NULL;
	if (is_other(d, found)) {
		d->step = &FIND_HOSTS;
	} else {
		d->step = &GIVE_UP;
	}
	delivery_run(d);
}
