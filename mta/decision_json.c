#include "mta/decision_json.h"

#include <jansson.h>

static void
set_string(json_t *object, const char *key, const char *value)
{
	(void)json_object_set_new(
	    object, key, value == NULL ? json_null() : json_string(value));
}

static json_t *
names_json(const char *const *names, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(array, json_string(names[i]));
	return array;
}

static json_t *
facts_json(const struct policy_facts *facts)
{
	json_t *object = json_object();

	set_string(object, "host", facts->host);
	set_string(object, "next_hop", facts->next_hop);
	set_string(object, "next_hop_expanded", facts->next_hop_expanded);
	set_string(object, "hop", hop_source_name(facts->hop));
	if (facts->hop != HOP_CONFIGURED)
		set_string(object, "mx", dns_trust_name(facts->mx_trust));
	set_string(object, "address", dns_trust_name(facts->address_trust));
	set_string(object, "tlsa", tlsa_state_name(facts->tlsa));
	set_string(object, "sts", sts_state_name(facts->sts));
	set_string(object, "sender", sender_wish_name(facts->sender));
	set_string(object, "level", operator_level_name(facts->level));
	(void)json_object_set_new(
	    object, "match", names_json(facts->match, facts->nmatch));
	set_string(object, "enforcement",
	    facts->enforcement == AUDIT ? "audit" : "enforce");
	return object;
}

static json_t *
pkix_json(const struct tls_plan *plan)
{
	struct pkix_room room;
	size_t n;
	const char *const *names = policy_pkix_names(plan, &room, &n);

	return names_json(names, tls_need_pkix(plan->wanted) ? n : 0);
}

static json_t *
plan_json(const struct tls_plan *plan)
{
	json_t *object = json_object();

	set_string(object, "need", tls_need_name(plan->need));
	set_string(object, "wanted", tls_need_name(plan->wanted));
	set_string(object, "source", tls_source_name(plan->source));
	set_string(object, "rule", plan->rule);
	set_string(object, "why", plan->why);
	set_string(object, "rfc", plan->rfc);
	set_string(object, "sni", plan->sni);
	(void)json_object_set_new(object, "dane_names",
	    names_json(
		plan->names, tls_need_dane(plan->wanted) ? plan->nnames : 0));
	(void)json_object_set_new(object, "pkix_names", pkix_json(plan));
	set_string(object, "dsn", plan->enhanced);
	set_string(object, "result_type", plan->result_type);
	return object;
}

static json_t *
seen_json(const struct decision *decision)
{
	const struct tls_seen *seen = &decision->seen;
	json_t *object = json_object();

	set_string(
	    object, "got", tls_got_name(policy_got(&decision->plan, seen)));
	(void)json_object_set_new(object, "dane", json_boolean(seen->dane));
	(void)json_object_set_new(object, "pkix", json_boolean(seen->pkix));
	set_string(object, "failure", seen->failure);
	return object;
}

json_t *
decision_json(const struct decision *decision)
{
	char text[DECISION_TEXT_SIZE];
	json_t *object = json_object();

	decision_text(&decision->plan, &decision->seen, text);
	(void)json_object_set_new(
	    object, "version", json_integer(DECISION_JSON_VERSION));
	set_string(object, "tls", text);
	(void)json_object_set_new(
	    object, "facts", facts_json(&decision->facts));
	(void)json_object_set_new(object, "plan", plan_json(&decision->plan));
	/* Nothing has been seen where nobody has connected. */
	if (decision->seen.got == TLS_GOT_NOTHING)
		return object;
	(void)json_object_set_new(object, "seen", seen_json(decision));
	set_string(object, "verdict",
	    tls_verdict_name(policy_judge(&decision->plan, &decision->seen)));
	(void)json_object_set_new(object, "would_refuse",
	    json_boolean(
		policy_would_refuse(&decision->plan, &decision->seen)));
	return object;
}
