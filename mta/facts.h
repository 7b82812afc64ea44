/*
 * What the configuration says of a next hop, as facts for the decision.  The
 * delivery and `danelaw explain` fill them in by the same functions.  Pure.
 */
#pragma once
#include "dnssec/host.h"
#include "dnssec/rdata.h"
#include "mta/config.h"
#include "policy/policy.h"
#include "queue/envelope.h"

/*
 * level, match and enforcement for this next hop at `now` (seconds), and what
 * config_tls() has.  A target that is no SMTP server has no rule: LMTP and
 * Maildir are our own.
 */
struct config_tls facts_by_operator(const struct config *config,
    const struct target *target, int64_t now, struct policy_facts *facts);

/*
 * The sender's wish for this message, as far as the operator lets it count
 * here; `rule` is that of facts_by_operator().
 */
enum sender_wish facts_by_sender(const struct config *config,
    const struct target *target, const struct config_tls *rule,
    const struct envelope *envelope);

/*
 * Whether the MTA-STS policy of the next hop is to be looked for (RFC 8461
 * 3.4): the smart host's where there is one, none for an address literal.
 * False: facts->sts is set, and *ret_why has the reason, static.  After
 * facts_by_operator() and facts_by_sender().
 */
bool facts_ask_sts(const struct config *config, const struct target *target,
    struct policy_facts *facts, const char **ret_why);

/* What decides whether TLSA records are looked for. */
struct facts_scene {
	const struct target *target;
	const struct host_dns *host; /* without a name: a literal, a socket */
	bool dane_off;               /* the operator's switch */
	bool unable;                 /* the resolver cannot do DNSSEC */
	bool suspect; /* it is not well, so what fails may be our own fault */
};

/*
 * address_trust, and of TLSA what is known before anybody is asked.  True:
 * tlsa_find() has to be asked, and its state is the fact, as is an own_fault of
 * its own; false: *ret_why has the reason, static.  After facts_by_operator().
 */
bool facts_ask_tlsa(const struct facts_scene *scene, struct policy_facts *facts,
    const char **ret_why);

/*
 * "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]": a host that is an address
 * literal, or an MX record that wrongly holds one, has no name to look up and
 * no DANE (RFC 7672 2.2).
 */
bool facts_literal(const char *host, struct host_address *ret_address);
