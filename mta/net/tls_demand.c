/* What is planned as what a session is asked, and what it showed as seen. */
#include "mta/net/tls.h"

struct tls_demand
tls_demand_of(const struct tls_plan *plan, struct pkix_room *room)
{
	struct tls_demand demand = {.sni = plan->sni,
	    .host = plan->host,
	    .authenticated = tls_need_dane(plan->need) ||
	                     tls_need_pkix(plan->need)};

	if (tls_need_dane(plan->wanted)) {
		demand.set = plan->set;
		demand.names = plan->names;
		demand.nnames = plan->nnames;
	}
	if (tls_need_pkix(plan->wanted))
		demand.pkix_names = policy_pkix_names(
		    plan, room, &demand.npkix_names);
	return demand;
}

/* RFC 8460 4.3.1 */
struct tls_seen
tls_seen_without(enum tls_got got)
{
	struct tls_seen seen = {.got = got};

	if (got == TLS_GOT_NO_OFFER || got == TLS_GOT_REFUSED)
		seen.failure = "starttls-not-supported";
	else if (got == TLS_GOT_BROKEN)
		seen.failure = "validation-failure";
	return seen;
}

static const char *
failed_type(bool wanted, const struct tls_proof *proof)
{
	return wanted && proof->check == TLS_CHECK_FAILED ? proof->result_type
	                                                  : NULL;
}

struct tls_seen
tls_seen_of(const struct tls_plan *plan, const struct tls_facts *facts)
{
	enum tls_need wanted = plan == NULL ? TLS_MAY : plan->wanted;
	bool host = plan != NULL && plan->host_counts && tls_need_pkix(wanted);
	struct tls_seen seen = {
	    .got = TLS_GOT_ENCRYPTED,
	    .dane = facts->dane.check == TLS_CHECK_PASSED,
	    .pkix = facts->pkix.check == TLS_CHECK_PASSED,
	    .host = facts->host.check == TLS_CHECK_PASSED,
	    .failure = failed_type(tls_need_dane(wanted), &facts->dane),
	    .host_failure = failed_type(true, &facts->host),
	};

	if (!facts->up)
		return tls_seen_without(TLS_GOT_BROKEN);
	if (seen.failure == NULL)
		seen.failure = failed_type(tls_need_pkix(wanted), &facts->pkix);
	if (seen.failure == NULL && host)
		seen.failure = seen.host_failure;
	return seen;
}
