#include "mta/decision_json.h"

#include <jansson.h>
#include <string.h>

static void
set_string(json_t *object, const char *key, const char *value)
{
	(void)json_object_set_new(
	    object, key, value == NULL ? json_null() : json_string(value));
}

static void
set_flag(json_t *object, const char *key, bool value)
{
	(void)json_object_set_new(object, key, json_boolean(value));
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
	set_string(object, "host_name", plan->host);
	set_flag(object, "host_counts", plan->host_counts);
	set_flag(object, "sts_counts", plan->sts_counts);
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
	set_flag(object, "dane", seen->dane);
	set_flag(object, "pkix", seen->pkix);
	set_flag(object, "host", seen->host);
	set_string(object, "failure", seen->failure);
	set_string(object, "host_failure", seen->host_failure);
	return object;
}

/* RFC 8460 4: also where another policy decides. */
static json_t *
sts_json(const struct tls_plan *plan, const struct tls_seen *seen)
{
	json_t *object = json_object();

	set_string(object, "verdict",
	    sts_verdict_name(policy_sts_verdict(plan, seen)));
	set_flag(object, "testing_would_refuse",
	    policy_testing_would_refuse(plan, seen));
	return object;
}

json_t *
decision_json(const struct decision *decision)
{
	const struct tls_plan *plan = &decision->plan;
	const struct tls_seen *seen = &decision->seen;
	char text[DECISION_TEXT_SIZE];
	json_t *object = json_object();

	decision_text(plan, seen, text);
	(void)json_object_set_new(
	    object, "version", json_integer(DECISION_JSON_VERSION));
	set_string(object, "tls", text);
	(void)json_object_set_new(
	    object, "facts", facts_json(&decision->facts));
	(void)json_object_set_new(object, "plan", plan_json(plan));
	(void)json_object_set_new(object, "sts", sts_json(plan, seen));
	/* Nothing has been seen where nobody has connected. */
	if (seen->got == TLS_GOT_NOTHING)
		return object;
	(void)json_object_set_new(object, "seen", seen_json(decision));
	set_string(
	    object, "verdict", tls_verdict_name(policy_judge(plan, seen)));
	set_flag(object, "would_refuse", policy_would_refuse(plan, seen));
	return object;
}

json_t *
decision_brief_json(const char *text)
{
	static const char *const keys[] = {"wanted", "got", "source", "rule"};
	json_t *object = json_object();
	size_t n = 0;

	for (const char *at = text; at != NULL && n < 4; n++) {
		size_t length = strcspn(at, "/");

		(void)json_object_set_new(
		    object, keys[n], json_stringn(at, length));
		at = at[length] == '/' ? at + length + 1 : NULL;
		if ((n == 3) != (at == NULL) || length == 0)
			break;
	}
	if (n == 4 && json_object_size(object) == 4)
		return object;
	json_decref(object);
	return NULL;
}
