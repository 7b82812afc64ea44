#include "policy/key.h"

static int
add_digest(const struct tlsa_set *set, struct buf *to)
{
	for (size_t i = 0; i < sizeof(set->digest); i++)
		if (buf_printf(to, "%02x", set->digest[i]) < 0)
			return -1;
	return 0;
}

/* RFC 7672 3.2: the records, and the names beside them. */
static int
add_dane(const struct tls_plan *plan, struct buf *to)
{
	if (!tls_need_dane(plan->wanted) || plan->set == NULL)
		return 0;
	if (buf_add_str(to, " tlsa=") < 0 || add_digest(plan->set, to) < 0)
		return -1;
	for (size_t i = 0; i < plan->nnames; i++)
		if (buf_printf(to, " name=%s", plan->names[i]) < 0)
			return -1;
	return 0;
}

static int
add_pkix(const struct tls_plan *plan, struct buf *to)
{
	if (!tls_need_pkix(plan->wanted))
		return 0;
	if (plan->nmatch == 0)
		return buf_printf(
		    to, " pkix=%s%s", plan->pkix_suffix ? "." : "", plan->one);
	for (size_t i = 0; i < plan->nmatch; i++)
		if (buf_printf(to, " pkix=%s", plan->match[i]) < 0)
			return -1;
	return 0;
}

int
policy_key(const struct tls_plan *plan, struct buf *to)
{
	if (buf_printf(to, "%s %s sni=%s", tls_need_name(plan->need),
		tls_need_name(plan->wanted), plan->sni) < 0)
		return -1;
	if (add_dane(plan, to) < 0)
		return -1;
	return add_pkix(plan, to);
}
