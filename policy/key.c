#include "policy/key.h"

#include "base/text.h"

static int
add_digest(const struct tlsa_set *set, struct buf *to)
{
	char hex[2 * sizeof(set->digest) + 1];

	text_hex(set->digest, sizeof(set->digest), hex);
	return buf_add_str(to, hex);
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
	struct pkix_room room;
	const char *const *names;
	size_t n;

	if (!tls_need_pkix(plan->wanted))
		return 0;
	names = policy_pkix_names(plan, &room, &n);
	for (size_t i = 0; i < n; i++)
		if (buf_printf(to, " pkix=%s", names[i]) < 0)
			return -1;
	return 0;
}

/*
 * What was only looked at is worth less than what had to be shown.  That says
 * something of a host without a name, too: it can show nothing.
 */
static int
add_host(const struct tls_plan *plan, struct buf *to)
{
	if (!plan->host_counts && plan->host[0] == '\0')
		return 0;
	return buf_printf(
	    to, " %s=%s", plan->host_counts ? "host" : "host-seen", plan->host);
}

int
policy_key(const struct tls_plan *plan, struct buf *to)
{
	if (buf_printf(to, "%s %s sni=%s", tls_need_name(plan->need),
		tls_need_name(plan->wanted), plan->sni) < 0)
		return -1;
	if (add_dane(plan, to) < 0 || add_host(plan, to) < 0)
		return -1;
	return add_pkix(plan, to);
}
