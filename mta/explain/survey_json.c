/* A survey as one JSON document. */
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "mta/decision_json.h"
#include "mta/explain/print.h"
#include "mta/explain/probe.h"

#define SURVEY_JSON_VERSION 1

static void
set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static void
set_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		set(object, key, json_string(text));
}

static json_t *
addresses_json(const struct host_dns *dns)
{
	json_t *object = json_object();
	json_t *list = json_array();
	char text[INET6_ADDRSTRLEN];

	set(object, "status", json_string(dns_trust_name(dns->trust)));
	set_text(object, "why", dns->why);
	if (dns->alias) {
		set_text(object, "expanded", dns->expanded);
		set(object, "first_link",
		    json_string(dns_trust_name(dns->alias_trust)));
	}
	for (size_t i = 0; i < dns->naddresses; i++) {
		host_address_text(&dns->addresses[i], text);
		(void)json_array_append_new(list, json_string(text));
	}
	set(object, "list", list);
	return object;
}

/* Longer data is somebody's whole certificate: its first octets will do. */
#define DATA_SHOWN 1024

static json_t *
record_json(const struct tlsa_record *record)
{
	json_t *object = json_object();
	char hex[2 * DATA_SHOWN + 1];
	size_t n = record->data.n < DATA_SHOWN ? record->data.n : DATA_SHOWN;

	text_hex(record->data.p, n, hex);
	set(object, "usage", json_integer(record->usage));
	set(object, "selector", json_integer(record->selector));
	set(object, "matching", json_integer(record->matching));
	set(object, "data", json_string(hex));
	set(object, "use", json_string(tlsa_use_name(record->use)));
	return object;
}

static json_t *
try_json(const struct tlsa_try *try)
{
	json_t *object = json_object();

	set_text(object, "name", try->owner);
	set_text(object, "alias_of", try->alias);
	set(object, "status", json_string(dns_trust_name(try->trust)));
	set(object, "exists", json_boolean(try->exists));
	set_text(object, "why", try->why);
	return object;
}

static json_t *
tlsa_json(const struct survey_host *host)
{
	json_t *object = json_object();
	json_t *tries = json_array();
	json_t *records = json_array();

	set(object, "state",
	    json_string(tlsa_state_name(host->decision.facts.tlsa)));
	set_text(object, "why", host->tlsa.why);
	set_text(object, "base", host->tlsa.set.base);
	for (size_t i = 0; i < host->tlsa.ntries; i++)
		(void)json_array_append_new(
		    tries, try_json(&host->tlsa.tries[i]));
	for (size_t i = 0; i < host->tlsa.set.n; i++)
		(void)json_array_append_new(
		    records, record_json(&host->tlsa.set.records[i]));
	set(object, "asked", tries);
	set(object, "records", records);
	return object;
}

static json_t *
cert_json(const struct tls_cert *cert)
{
	json_t *object = json_object();
	char hex[65];

	set_text(object, "subject", cert->subject);
	set_text(object, "issuer", cert->issuer);
	set_text(object, "names", cert->names);
	set_text(object, "key", cert->key);
	set(object, "bits", json_integer(cert->bits));
	set(object, "not_before", json_integer(cert->not_before));
	set(object, "not_after", json_integer(cert->not_after));
	text_hex(cert->sha256, sizeof(cert->sha256), hex);
	set_text(object, "sha256", hex);
	text_hex(cert->spki_sha256, sizeof(cert->spki_sha256), hex);
	set_text(object, "spki_sha256", hex);
	return object;
}

static json_t *
proof_json(const struct tls_proof *proof)
{
	json_t *object = json_object();

	set(object, "check", json_string(tls_check_name(proof->check)));
	set_text(object, "result_type", proof->result_type);
	set_text(object, "why", proof->why);
	return object;
}

static void
set_session(json_t *object, const struct probe_result *result)
{
	json_t *chain = json_array();

	set_text(object, "protocol", result->tls.version);
	set_text(object, "cipher", result->tls.cipher);
	set_text(object, "group", result->tls.group);
	set_text(object, "sni", result->tls.sni);
	set(object, "dane", proof_json(&result->tls.dane));
	set(object, "pkix", proof_json(&result->tls.pkix));
	if (result->tls.matched[0] != '\0') {
		set_text(object, "match", result->tls.matched);
		set(object, "depth", json_integer(result->tls.depth));
	}
	for (size_t i = 0; i < result->ncerts; i++)
		(void)json_array_append_new(
		    chain, cert_json(&result->certs[i]));
	set(object, "chain", chain);
}

static json_t *
probe_json(const struct survey_host *host, const struct probe_result *result)
{
	struct decision decision = host->decision;
	json_t *object = json_object();
	char address[NET_ADDRESS_TEXT];

	net_address_text(&result->to, address);
	decision.seen = result->seen;
	set_text(object, "address", address);
	set_text(object, "problem", result->problem);
	set(object, "decision", decision_json(&decision));
	if (result->tls.up)
		set_session(object, result);
	return object;
}

static json_t *
host_json(const struct survey_host *host)
{
	json_t *object = json_object();
	json_t *probes = json_array();

	set_text(object, "name", host->name);
	set(object, "preference", json_integer(host->preference));
	set(object, "left_out", json_boolean(host->left_out));
	set(object, "addresses", addresses_json(&host->dns));
	set(object, "tlsa", tlsa_json(host));
	set(object, "decision", decision_json(&host->decision));
	set(object, "outlook",
	    json_string(outlook_name(decision_outlook(&host->decision))));
	for (size_t i = 0; i < host->nprobes; i++)
		(void)json_array_append_new(
		    probes, probe_json(host, &host->probes[i]));
	if (host->nprobes > 0)
		set(object, "connections", probes);
	else
		json_decref(probes);
	return object;
}

static json_t *
mx_json(const struct survey *survey)
{
	json_t *object = json_object();

	set(object, "status",
	    json_string(dns_trust_name(survey->facts.mx_trust)));
	set(object, "state", json_string(mx_state_name(survey->mx)));
	set_text(object, "expanded", survey->facts.next_hop_expanded);
	set_text(object, "why", survey->mx_why);
	return object;
}

static json_t *
policy_json(const struct sts_entry *entry)
{
	const struct sts_policy *policy = &entry->policy;
	json_t *object = json_object();
	json_t *mx = json_array();

	set(object, "mode", json_string(sts_mode_name(policy->mode)));
	set_text(object, "id", entry->id);
	set(object, "max_age", json_integer(policy->max_age));
	set(object, "fetched_at", json_integer(entry->fetched_at));
	set(object, "expires_at", json_integer(entry->expires_at));
	for (size_t i = 0; i < policy->nmx; i++)
		(void)json_array_append_new(mx, json_string(policy->mx[i]));
	set(object, "mx", mx);
	return object;
}

static json_t *
sts_json(const struct survey_sts *sts)
{
	json_t *object = json_object();

	set(object, "evaluated", json_boolean(sts->asked));
	if (!sts->asked) {
		set_text(object, "why", sts->why_not);
		return object;
	}
	set(object, "step", json_string(sts_step_name(sts->answer.step)));
	set_text(object, "why", sts->answer.why);
	set_text(object, "rfc", sts->answer.rfc);
	set(object, "current", json_boolean(sts->answer.current));
	set(object, "record",
	    json_string(sts_record_state_name(sts->record.state)));
	set_text(object, "id", sts->record.id);
	set_text(object, "record_why", sts->record.why);
	if (sts->known != NULL)
		set(object, "policy", policy_json(&sts->known->entry));
	set_text(object, "cache_not_looked_at", sts->blind);
	set_text(object, "trouble", sts->trouble);
	set_text(object, "result_type", sts->trouble_type);
	return object;
}

json_t *
survey_json(const struct survey *survey)
{
	json_t *object = json_object();
	json_t *hosts = json_array();
	char target[TARGET_TEXT_MAX];

	target_text(&survey->target, target);
	set(object, "version", json_integer(SURVEY_JSON_VERSION));
	set_text(object, "target", target);
	if (survey->dane_off_until > survey->now)
		set(object, "dane_off_until",
		    json_integer(survey->dane_off_until));
	set_text(object, "resolver_unable", survey->unable);
	if (survey->mx_asked)
		set(object, "mx", mx_json(survey));
	set(object, "sts", sts_json(&survey->sts));
	for (size_t i = 0; i < survey->n; i++)
		(void)json_array_append_new(
		    hosts, host_json(&survey->hosts[i]));
	set(object, "hosts", hosts);
	set_text(object, "dead_end", survey->dead_end);
	set(object, "outlook",
	    json_string(outlook_name(survey_outlook(survey))));
	set(object, "outlook_enforced",
	    json_string(outlook_name(survey_outlook_enforced(survey))));
	set(object, "authenticated", json_boolean(survey_status(survey) == 0));
	return object;
}
