/* What is planned as what a session is asked, and what it showed as seen. */
#include "mta/net/tls.h"

struct tls_demand
tls_demand_of(const struct tls_plan *plan, struct pkix_room *room)
{
	struct tls_demand demand = {.sni = plan->sni};

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

static const char *
failed_type(const struct tls_proof *proof)
{
	return proof->check == TLS_CHECK_FAILED ? proof->result_type : NULL;
}

struct tls_seen
tls_seen_of(const struct tls_facts *facts)
{
	struct tls_seen seen = {
	    .got = TLS_GOT_ENCRYPTED,
	    .dane = facts->dane.check == TLS_CHECK_PASSED,
	    .pkix = facts->pkix.check == TLS_CHECK_PASSED,
	    .failure = failed_type(&facts->dane),
	};

	if (!facts->up)
		return (struct tls_seen){
		    .got = TLS_GOT_BROKEN, .failure = "validation-failure"};
	if (seen.failure == NULL)
		seen.failure = failed_type(&facts->pkix);
	return seen;
}
