/* From what is planned to what is asked of a session. */
#include "mta/net/tls.h"
#include "policy/policy.h"

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
