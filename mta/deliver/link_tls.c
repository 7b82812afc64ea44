/* What a plan demands of a connection, and what the peer has shown. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/deliver/link_private.h"

/*
 * RFC 7435 3: STARTTLS whenever it is offered; RFC 7672 9.1: unless the
 * operator has exempted the next hop.  LMTP is inside of our own house.
 */
void
link_choose_tls(struct link *link)
{
	bool offered = (client_offers(link->client) & OFFER_STARTTLS) != 0;
	bool never = link->setup.lmtp || link->setup.plan.need == TLS_NEVER;

	if (link->asked) {
		/* Greeted again after the handshake, or 220 never came. */
		if (link->seen.got == TLS_GOT_NOTHING)
			link->seen = tls_seen_without(TLS_GOT_REFUSED);
		return;
	}
	if (link->setup.plain)
		return;
	if (never)
		link->seen = tls_seen_without(TLS_GOT_NOT_ASKED);
	else if (!offered)
		link->seen = tls_seen_without(TLS_GOT_NO_OFFER);
	else
		link->asked = true;
}

/* In audit, too, everything is checked that would be demanded. */
void
link_demand(struct link *link)
{
	const struct tls_plan *plan = &link->setup.plan;
	char address[NET_ADDRESS_TEXT];
	char key[sizeof(address) + LINK_KEY_SIZE];
	struct pkix_room room;
	struct tls_demand demand = tls_demand_of(plan, &room);

	net_address_text(&link->setup.to, address);
	(void)snprintf(key, sizeof(key), "%s %s", address, link->key);
	if (link->key[0] != '\0')
		demand.session_key = key;
	conn_tls_connect(link->conn, link->deliver->tls, &demand);
}

/* RFC 8460 4.3.3: a report says why, in these words. */
void
link_see_broken(struct link *link, const struct err *why)
{
	link->seen = tls_seen_without(TLS_GOT_BROKEN);
	(void)text_copy(
	    link->tls.failure, sizeof(link->tls.failure), why->text);
	text_make_printable(link->tls.failure);
}

void
link_see(struct link *link, const struct tls_facts *facts)
{
	link->tls = *facts;
	link->seen = tls_seen_of(&link->setup.plan, facts);
}

static const char *
say_shortfall(const struct link *link)
{
	switch (link->seen.got) {
	case TLS_GOT_NO_OFFER:
		return "the server does not offer STARTTLS";
	case TLS_GOT_REFUSED:
		return "the server refused STARTTLS";
	case TLS_GOT_BROKEN:
		return "the TLS handshake failed";
	case TLS_GOT_NOT_ASKED:
		return "STARTTLS was not tried";
	case TLS_GOT_ENCRYPTED:
	case TLS_GOT_VERIFIED:
	case TLS_GOT_NOTHING:
		break;
	}
	if (link->tls.dane.check == TLS_CHECK_FAILED)
		return link->tls.dane.why;
	if (link->tls.pkix.check == TLS_CHECK_FAILED)
		return link->tls.pkix.why;
	if (link->tls.host.check == TLS_CHECK_FAILED)
		return link->tls.host.why;
	return "the server was not verified";
}

bool
link_keeps_promise(const struct link *link)
{
	return link->setup.plan.onward != ONWARD_NEEDED ||
	       (client_offers(link->client) & OFFER_REQUIRETLS) != 0;
}

/*
 * RFC 7672 2.2: the message waits; the operator reads why.  RFC 8689 4.2.1: a
 * server that knows nothing of TLS, or of REQUIRETLS, will do so tomorrow.
 */
void
link_say_insecure(const struct link *link, struct err *err)
{
	const struct tls_plan *plan = &link->setup.plan;
	bool never = policy_is_hopeless(plan, &link->seen);

	if (!never && policy_judge(plan, &link->seen) == VERDICT_DELIVER) {
		(void)err_set(err, ERR_PERM, "5.7.30",
		    "%s: the server does not support REQUIRETLS (RFC 8689 "
		    "4.2.1)",
		    link->host);
		return;
	}
	(void)err_set(err, never ? ERR_PERM : ERR_TEMP,
	    never ? "5.7.10" : "4.7.5", "%s: %s (required by %s%s%s)",
	    link->host, say_shortfall(link), plan->why,
	    plan->rfc[0] == '\0' ? "" : "; ", plan->rfc);
}

void
link_say_broken(const struct link *link, const char *failure, struct err *err)
{
	const struct tls_plan *plan = &link->setup.plan;

	if (plan->need <= TLS_MAY)
		(void)err_set(err, ERR_TEMP, "4.7.5", "TLS with %s: %s",
		    link->host, failure);
	else
		(void)err_set(err, ERR_TEMP, "4.7.5",
		    "TLS with %s: %s (required by %s)", link->host, failure,
		    plan->why);
}

void
link_forget(struct link *link)
{
	struct tls_plan *plan = &link->setup.plan;

	plan->sni = "";
	plan->set = NULL;
	plan->nnames = 0;
	plan->match = NULL;
	plan->nmatch = 0;
	plan->one = "";
	plan->host = "";
}

bool
link_is_like(
    const struct link *link, const struct net_address *to, const char *key)
{
	return key[0] != '\0' && strcmp(link->key, key) == 0 &&
	       net_address_eq(&link->setup.to, to);
}

bool
link_is_fresh(const struct link *link, uint64_t now)
{
	return now < link->setup.good_until;
}

void
link_renew(struct link *link, const struct tls_plan *plan, uint64_t good_until)
{
	link->setup.plan = *plan;
	link->setup.good_until = good_until;
	link_forget(link);
}

static void
say_match(const struct link *link, struct way *way)
{
	if (link->tls.dane.check != TLS_CHECK_PASSED)
		return;
	(void)text_copy(way->match, sizeof(way->match), link->tls.matched);
	way->depth = link->tls.depth;
}

/* The words of link_say_insecure(), without the host. */
void
link_say_shortfall(const struct link *link, char to[LINK_SHORTFALL_SIZE])
{
	(void)snprintf(to, LINK_SHORTFALL_SIZE, "%.120s (required by %.60s)",
	    say_shortfall(link), link->setup.plan.why);
}

/* What enforcement would have said. */
static void
say_audit(const struct link *link, struct way *way)
{
	const struct tls_plan *plan = &link->setup.plan;

	way->audit[0] = '\0';
	if (!policy_would_refuse(plan, &link->seen))
		return;
	if (plan->wanted == TLS_DEFER)
		(void)text_copy(way->audit, sizeof(way->audit), plan->why);
	else
		link_say_shortfall(link, way->audit);
}

/* What a message that goes this way is counted under. */
static enum metric
security(const struct link *link)
{
	switch (policy_got(&link->setup.plan, &link->seen)) {
	case TLS_GOT_VERIFIED:
		return link->setup.plan.wanted == TLS_AUTH_PKIX
		           ? METRIC_HOPS_PKIX
		           : METRIC_HOPS_DANE;
	case TLS_GOT_ENCRYPTED:
		return METRIC_HOPS_ENCRYPTED;
	case TLS_GOT_NOTHING:
	case TLS_GOT_NOT_ASKED:
	case TLS_GOT_NO_OFFER:
	case TLS_GOT_REFUSED:
	case TLS_GOT_BROKEN:
		break;
	}
	return METRIC_HOPS_PLAIN;
}

void
link_way(const struct link *link, struct way *way)
{
	(void)text_copy(way->host, sizeof(way->host), link->host);
	net_address_text(&link->setup.to, way->address);
	way->security = security(link);
	decision_text(&link->setup.plan, &link->seen, way->tls);
	decision_sts_text(&link->setup.plan, &link->seen, way->sts);
	way->protocol[0] = way->cipher[0] = way->sni[0] = '\0';
	way->match[0] = '\0';
	way->depth = 0;
	way->resumed = false;
	say_audit(link, way);
	if (!link->tls.up)
		return;
	(void)text_copy(
	    way->protocol, sizeof(way->protocol), link->tls.version);
	(void)text_copy(way->cipher, sizeof(way->cipher), link->tls.cipher);
	(void)text_copy(way->sni, sizeof(way->sni), link->tls.sni);
	way->resumed = link->tls.resumed;
	say_match(link, way);
}
