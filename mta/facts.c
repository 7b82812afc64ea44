#include "mta/facts.h"

#include <string.h>

static bool
is_smtp(const struct target *target)
{
	return target->kind == TARGET_MX || target->kind == TARGET_SMTP;
}

void
facts_by_operator(const struct config *config, const struct target *target,
    int64_t now, struct policy_facts *facts)
{
	enum config_enforcement enforcement = config->enforcement;
	const struct config_tls *rule = NULL;

	if (is_smtp(target))
		rule = config_tls(config, facts->next_hop, now);
	else
		enforcement = ENFORCEMENT_ENFORCE;
	facts->level = OPERATOR_NO_RULE;
	facts->match = NULL;
	facts->nmatch = 0;
	if (rule != NULL) {
		facts->level = rule->level;
		facts->match = rule->match;
		facts->nmatch = rule->nmatch;
		if (rule->enforcement != ENFORCEMENT_INHERIT)
			enforcement = rule->enforcement;
	}
	facts->enforcement = enforcement == ENFORCEMENT_AUDIT ? AUDIT : ENFORCE;
}

/* RFC 7672 9.1: an exempted next hop need not even answer. */
bool
facts_want_tlsa(const struct target *target, const struct policy_facts *facts)
{
	bool exempt = facts->level == OPERATOR_NONE ||
	              facts->level == OPERATOR_OPPORTUNISTIC;

	return is_smtp(target) &&
	       (!exempt || facts->sender == SENDER_REQUIRES_TLS);
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
