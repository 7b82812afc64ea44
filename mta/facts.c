#include "mta/facts.h"

#include <string.h>

struct config_tls
facts_by_operator(const struct config *config, const struct target *target,
    int64_t now, struct policy_facts *facts)
{
	enum config_enforcement enforcement = ENFORCEMENT_ENFORCE;
	struct config_tls rule = {.level = OPERATOR_NO_RULE};

	if (target_is_smtp(target)) {
		rule = config_tls(config, facts->next_hop, now);
		enforcement = config_enforcement(config, &rule);
	}
	facts->level = rule.level;
	facts->match = rule.match;
	facts->nmatch = rule.nmatch;
	facts->enforcement = enforcement == ENFORCEMENT_AUDIT ? AUDIT : ENFORCE;
	return rule;
}

static enum sender_wish
by_grade(enum requiretls_grade grade)
{
	switch (grade) {
	case REQUIRETLS_UNSAID:
	case REQUIRETLS_ENFORCE:
		break;
	case REQUIRETLS_ENCRYPT:
		return SENDER_ENCRYPTS;
	case REQUIRETLS_OPPORTUNISTIC:
		return SENDER_PREFERS_TLS;
	case REQUIRETLS_OFF:
		return SENDER_DEFAULT;
	}
	return SENDER_REQUIRES_TLS;
}

enum sender_wish
facts_by_sender(const struct config *config, const struct target *target,
    const struct config_tls *rule, const struct envelope *envelope)
{
	enum sender_wish wish;

	/* LMTP and Maildir are our own: the message has arrived. */
	if (!target_is_smtp(target))
		return SENDER_DEFAULT;
	switch (envelope->tls_wish) {
	case TLS_WISH_NONE:
		return SENDER_DEFAULT;
	case TLS_WISH_WAIVED:
		return config->ignore_waivers ? SENDER_DEFAULT
		                              : SENDER_WAIVES_TLS;
	/* RFC 8460 3: a report goes out "despite any TLS-related failures" */
	case TLS_WISH_REPORT:
		return SENDER_WAIVES_TLS;
	case TLS_WISH_REQUIRED:
		break;
	}
	wish = by_grade(config_requiretls(config, rule));
	/* RFC 8689 5: a bounce is not given up for want of REQUIRETLS. */
	if (envelope->sender[0] == '\0' && wish != SENDER_DEFAULT)
		return SENDER_PREFERS_TLS;
	return wish;
}

/* RFC 7672 9.1: an exempted next hop need not even answer. */
static bool
is_exempt(const struct policy_facts *facts)
{
	return !policy_requires_tls(facts) &&
	       (facts->level == OPERATOR_NONE ||
		   facts->level == OPERATOR_OPPORTUNISTIC);
}

bool
facts_ask_sts(const struct config *config, const struct target *target,
    struct policy_facts *facts, const char **ret_why)
{
	struct host_address literal;

	facts->sts = STS_NOT_EVALUATED;
	*ret_why = "";
	if (!target_is_smtp(target))
		*ret_why = "not an SMTP server";
	else if (!config->mta_sts.enabled)
		*ret_why = "mta_sts is not enabled";
	else if (is_exempt(facts))
		*ret_why = "the operator's rule exempts the next hop";
	/* RFC 8461 3.4: "sent to" an address literal, there is no domain */
	else if (facts_literal(target->host, &literal))
		*ret_why = "an address literal has no policy";
	return (*ret_why)[0] == '\0';
}

static bool
settled(struct policy_facts *facts, enum tlsa_state state, const char *why,
    const char **ret_why)
{
	facts->tlsa = state;
	*ret_why = why;
	return false;
}

bool
facts_ask_tlsa(const struct facts_scene *scene, struct policy_facts *facts,
    const char **ret_why)
{
	const char *bases[2];
	size_t n = 0;

	facts->address_trust = scene->host->trust;
	facts->set = NULL;
	facts->own_fault = scene->unable || scene->suspect ||
	                   scene->host->not_asked;
	if (!target_is_smtp(scene->target))
		return settled(
		    facts, TLSA_NOT_EVALUATED, "not an SMTP server", ret_why);
	if (is_exempt(facts))
		return settled(facts, TLSA_NOT_EVALUATED,
		    "the operator's rule exempts the next hop", ret_why);
	if (scene->dane_off)
		return settled(
		    facts, TLSA_NOT_EVALUATED, "DANE is switched off", ret_why);
	/* RFC 7672 2.2: DANE does not apply to an address literal. */
	if (scene->host->name[0] == '\0')
		return settled(facts, TLSA_NONE,
		    "an address literal has no TLSA records", ret_why);
	/*
	 * RFC 7672 2.1.1: a resolver that cannot tell secure from insecure
	 * says nothing of any host, least of all that it has no records.
	 */
	if (scene->unable)
		return settled(facts, TLSA_LOOKUP_FAILED,
		    "this resolver cannot do DNSSEC", ret_why);
	/* RFC 7672 2.2.2: a failed lookup on the way is one of the host. */
	if (!host_tlsa_bases(scene->host, bases, &n))
		return settled(facts, TLSA_LOOKUP_FAILED,
		    "the lookup of the host's addresses failed", ret_why);
	/* RFC 7672 2.2.2: without secure addresses there is nothing to ask. */
	if (n == 0)
		return settled(facts, TLSA_NONE,
		    "the host's addresses are not secure", ret_why);
	return true;
}

bool
facts_literal(const char *host, struct host_address *ret_address)
{
	struct span name = span_of(host);
	char text[64];

	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		name = (struct span){name.p + 1, name.n - 2};
	if (span_starts_nocase(name, SPAN("IPv6:")))
		name = span_from(name, 5);
	if (name.n == 0 || name.n >= sizeof(text))
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	return host_address_parse(text, ret_address);
}
