/*
 * From a host's name to its addresses and their DNSSEC status.
 *
 * Two questions go out together.  What they say is put together when both are
 * there; then, perhaps, a third one follows.
 */
#include "dnssec/host.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* How far up a DNAME is looked for. */
#define DNAMES_MAX 8

/* One family of addresses. */
struct side {
	struct host_find *find;
	struct dns_query *query; /* NULL: answered */
	const char *label;
	enum rr_type type;
	enum dns_trust trust;
	bool nxdomain;
	bool not_asked;
	char expanded[DNS_NAME_SIZE];
	struct host_address addresses[HOST_ADDRESSES_MAX];
	size_t n;
	char why[160];
};

struct host_find {
	struct dns *dns;
	host_done *done;
	void *arg;
	struct side ip6;
	struct side ip4;
	struct dns_query *alias; /* the CNAME or DNAME question, or NULL */
	const char *above;       /* the domain last asked for a DNAME */
	unsigned nabove;
	bool ending; /* the callback is running */
	struct host_dns host;
};

static dns_done on_addresses;
static dns_done on_alias;

/* What proves that there is nothing may come without a time of its own. */
static void
take_ttl(struct host_dns *host, const struct dns_answer *answer)
{
	if ((answer->exists || answer->ttl > 0) && answer->ttl < host->ttl)
		host->ttl = answer->ttl;
}

/* --- asking --------------------------------------------------------------- */

static void
ask(struct host_find *find, struct side *side, const char *name,
    enum rr_type type)
{
	side->find = find;
	side->type = type;
	side->label = type == RR_A ? "A" : "AAAA";
	side->query = dns_lookup(
	    find->dns, name, (uint16_t)type, on_addresses, side);
}

struct host_find *
host_find(struct dns *dns, const char *name, host_done *done, void *arg)
{
	struct host_find *find = mem_new(sizeof(*find));

	find->dns = dns;
	find->done = done;
	find->arg = arg;
	find->host.ttl = UINT32_MAX;
	/* What is no name at all is answered DNS_FAILED, like the others. */
	(void)dns_name_normal(name, find->host.name);
	ask(find, &find->ip6, name, RR_AAAA);
	ask(find, &find->ip4, name, RR_A);
	return find;
}

/* --- putting two answers together ----------------------------------------- */

static void
add_addresses(struct host_dns *host, const struct side *side)
{
	memcpy(host->addresses + host->naddresses, side->addresses,
	    side->n * sizeof(side->addresses[0]));
	host->naddresses += side->n;
}

/* RFC 7672 2.2.2: an error of any lookup on the way is one of the host. */
static void
take_failure(struct host_dns *host, const struct side *side)
{
	host->trust = side->trust;
	(void)snprintf(
	    host->why, sizeof(host->why), "%s: %s", side->label, side->why);
}

/* The answer to go by: one with addresses, and of two the proven one. */
static const struct side *
choose(const struct host_find *find)
{
	if (find->ip4.n == 0)
		return &find->ip6;
	if (find->ip6.n > 0 && find->ip6.trust > find->ip4.trust)
		return &find->ip6;
	return &find->ip4;
}

/*
 * Answers of two statuses, or that end at two names, are no statement about
 * one host: then one of them counts and the other's addresses do not.
 */
static void
take_answers(struct host_find *find)
{
	struct host_dns *host = &find->host;
	const struct side *ip6 = &find->ip6;
	const struct side *ip4 = &find->ip4;
	const struct side *chosen = choose(find);
	bool same = ip6->trust == ip4->trust &&
	            strcmp(ip6->expanded, ip4->expanded) == 0;

	host->alias = strcmp(chosen->expanded, host->name) != 0;
	host->nxdomain = ip6->nxdomain && ip4->nxdomain;
	host->trust = chosen->trust;
	(void)text_copy(
	    host->expanded, sizeof(host->expanded), chosen->expanded);
	if (same || chosen == ip6)
		add_addresses(host, ip6);
	if (same || chosen == ip4)
		add_addresses(host, ip4);
}

static void
combine(struct host_find *find)
{
	const struct side *worse = find->ip6.trust < find->ip4.trust
	                               ? &find->ip6
	                               : &find->ip4;
	struct host_dns *host = &find->host;

	memcpy(host->expanded, host->name, sizeof(host->expanded));
	if (worse->trust <= DNS_BOGUS)
		take_failure(host, worse);
	else
		take_answers(find);
	if (host->naddresses == 0)
		host->trust = worse->trust;
	host->not_asked = find->ip6.not_asked || find->ip4.not_asked;
}

/* --- the end of it -------------------------------------------------------- */

static void
finish(struct host_find *find)
{
	find->ending = true;
	find->done(&find->host, find->arg);
	mem_free(find);
}

static bool ask_above(struct host_find *find);

static void
on_dname(const struct dns_answer *answer, void *arg)
{
	struct host_find *find = arg;
	bool here = answer->exists &&
	            strcmp(answer->canonical, find->above) == 0;

	find->alias = NULL;
	take_ttl(&find->host, answer);
	find->host.not_asked |= answer->not_asked;
	if (here) {
		find->host.alias_trust = answer->trust;
		find->host.why[0] = '\0';
	} else if (answer->trust > DNS_BOGUS && ask_above(find)) {
		return;
	}
	finish(find);
}

/*
 * RFC 6672 5.3.1: the CNAME that comes of a DNAME has no signature of its
 * own.  libunbound knows that when it follows one; asked for the CNAME itself
 * it calls it bogus.  The DNAME above is the link then, and has a status.
 */
static bool
ask_above(struct host_find *find)
{
	const char *dot = strchr(find->above, '.');

	if (dot == NULL || find->nabove == DNAMES_MAX)
		return false;
	find->nabove++;
	find->above = dot + 1;
	find->alias = dns_lookup(
	    find->dns, find->above, RR_DNAME, on_dname, find);
	return true;
}

/*
 * RFC 7672 2.1.3: the status of an alias whose end is insecure takes a
 * question of its own.  "No such record" answers it, too: the name's zone is
 * proven to be signed, or proven not to be.
 */
static void
on_alias(const struct dns_answer *answer, void *arg)
{
	struct host_find *find = arg;
	struct host_dns *host = &find->host;

	find->alias = NULL;
	take_ttl(host, answer);
	host->alias_trust = answer->trust;
	host->not_asked |= answer->not_asked;
	if (answer->trust <= DNS_BOGUS)
		(void)snprintf(host->why, sizeof(host->why), "CNAME: %.160s",
		    answer->why != NULL ? answer->why : "no reason");
	find->above = host->name;
	if (answer->trust != DNS_BOGUS || !ask_above(find))
		finish(find);
}

static void
conclude(struct host_find *find)
{
	struct host_dns *host = &find->host;

	combine(find);
	if (host->alias && host->trust == DNS_SECURE)
		host->alias_trust = DNS_SECURE;
	if (host->alias && host->trust == DNS_INSECURE && host->naddresses > 0)
		find->alias = dns_lookup(
		    find->dns, host->name, RR_CNAME, on_alias, find);
	else
		finish(find);
}

static void
take_side(struct side *side, const struct dns_answer *answer)
{
	side->trust = answer->trust;
	side->nxdomain = answer->nxdomain;
	side->not_asked = answer->not_asked;
	(void)text_copy(
	    side->expanded, sizeof(side->expanded), answer->canonical);
	if (answer->trust <= DNS_BOGUS) {
		(void)text_copy(side->why, sizeof(side->why),
		    answer->why != NULL ? answer->why : "no reason");
		return;
	}
	/* RFC 7672 2.1.1: a malformed answer is a lookup error */
	if (host_addresses_read(answer, side->type, side->addresses,
		HOST_ADDRESSES_MAX, &side->n))
		return;
	side->trust = DNS_FAILED;
	(void)text_copy(
	    side->why, sizeof(side->why), "a record of a wrong length");
}

static void
on_addresses(const struct dns_answer *answer, void *arg)
{
	struct side *side = arg;
	struct host_find *find = side->find;

	side->query = NULL;
	take_ttl(&find->host, answer);
	take_side(side, answer);
	if (find->ip6.query == NULL && find->ip4.query == NULL)
		conclude(find);
}

void
host_find_cancel(struct host_find **find)
{
	struct host_find *gone = *find;

	*find = NULL;
	/* From inside its callback: it ends by itself. */
	if (gone == NULL || gone->ending)
		return;
	dns_cancel(&gone->ip6.query);
	dns_cancel(&gone->ip4.query);
	dns_cancel(&gone->alias);
	mem_free(gone);
}

/* --- what it means for TLSA ----------------------------------------------- */

bool
host_tlsa_bases(
    const struct host_dns *host, const char *ret_bases[2], size_t *ret_n)
{
	bool secure = host->trust == DNS_SECURE;
	size_t n = 0;

	if (host->trust <= DNS_BOGUS)
		return false;
	if (host->naddresses > 0 && !secure && host->alias &&
	    host->alias_trust <= DNS_BOGUS)
		return false;
	/* RFC 7672 2.2.2: unreachable without an address, so nothing to ask */
	if (host->naddresses > 0) {
		/* RFC 7672 2.2.3: where it all led comes first, if secure */
		if (secure && host->alias)
			ret_bases[n++] = host->expanded;
		/* RFC 7672 2.2.2: "Insecure CNAME" counts by its first link */
		if (secure || (host->alias && host->alias_trust == DNS_SECURE))
			ret_bases[n++] = host->name;
	}
	*ret_n = n;
	return true;
}
