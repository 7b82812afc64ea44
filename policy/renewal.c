/* Rules about a renewed chain, the first that has something to say decides. */
#include "policy/renewal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* RFC 7671 8.1: "at least two Times to Live (TTLs) or longer before" */
#define TTLS 2
/* Zero, too, is what was left of one. */
#define TTL_LEAST 1

/* One rule; false: it has nothing to say. */
typedef bool renewal_by(
    const struct renewal_facts *facts, struct renewal_verdict *verdict);

/* --- words ---------------------------------------------------------------- */

/* What does not fit is left out. */
__attribute__((format(printf, 2, 3))) static void
add(char to[RENEWAL_TEXT_SIZE], const char *format, ...)
{
	size_t at = strlen(to);
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(to + at, RENEWAL_TEXT_SIZE - at, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= RENEWAL_TEXT_SIZE - at)
		to[at] = '\0';
}

static void
add_time(char to[RENEWAL_TEXT_SIZE], int64_t at)
{
	char text[CLOCK_RFC5322_SIZE];

	clock_rfc5322(at, text);
	add(to, "%s", text);
}

static bool
decide(struct renewal_verdict *verdict, enum renewal_step step,
    enum renewal_rule rule)
{
	verdict->step = step;
	verdict->rule = rule;
	return true;
}

/* --- TLSA ----------------------------------------------------------------- */

static bool
contradicts(const struct renewal_host *host)
{
	return host->tlsa == TLSA_USABLE && !host->matches;
}

static bool
old_lives(const struct renewal_facts *facts)
{
	return facts->has_old && !facts->old_expired;
}

/* Does who knows the records take the chain in use? */
static bool
old_works(const struct renewal_facts *facts)
{
	if (!old_lives(facts))
		return false;
	for (size_t i = 0; i < facts->nhosts; i++)
		if (facts->hosts[i].tlsa == TLSA_USABLE &&
		    !facts->hosts[i].old_matches)
			return false;
	return true;
}

/*
 * Behind a forwarder a TTL is what is left of it: the greatest counts, of the
 * records that the chain did not match and of the first that it does, which
 * somebody has asked for since they are there.
 */
static void
remember_records(
    const struct renewal_facts *facts, struct renewal_memory *memory)
{
	uint32_t ttl = TTL_LEAST;
	bool refused = false;

	for (size_t i = 0; i < facts->nhosts; i++) {
		const struct renewal_host *host = &facts->hosts[i];

		refused |= contradicts(host);
		if (host->tlsa == TLSA_USABLE && host->ttl > ttl)
			ttl = host->ttl;
	}
	if (refused)
		memory->until = 0;
	else if (memory->absent_ttl == 0)
		return;
	if (ttl > memory->absent_ttl)
		memory->absent_ttl = ttl;
}

static void
say_old(const struct renewal_facts *facts, struct renewal_verdict *verdict)
{
	if (!facts->has_old)
		return;
	if (facts->old_expired)
		add(verdict->reason, "; the one in use has expired");
	else if (!old_works(facts))
		add(verdict->reason, "; the one in use matches none either");
}

static void
say_publish(const struct renewal_facts *facts, struct renewal_verdict *verdict)
{
	char *to = verdict->remedy;
	int64_t wait = (int64_t)TTLS * verdict->memory.absent_ttl;
	const char *between = "";

	add(to, old_works(facts) ? "publish first, beside the records there: "
				 : "publish: ");
	for (size_t i = 0; i < facts->nhosts; i++) {
		if (!contradicts(&facts->hosts[i]))
			continue;
		add(to, "%s%s", between, facts->hosts[i].publish);
		between = "; ";
	}
	if (!facts->has_old)
		return;
	if (!old_works(facts)) {
		add(to, "; the new chain is taken once that is seen");
		return;
	}
	add(to,
	    "; the new chain is taken by itself two TTLs (%lld s) after that "
	    "is seen, not before ",
	    (long long)wait);
	add_time(to, facts->now + wait);
}

/* RFC 7671 8: the records are to match the chain that is presented. */
static bool
by_tlsa(const struct renewal_facts *facts, struct renewal_verdict *verdict)
{
	const struct renewal_host *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < facts->nhosts; i++) {
		const struct renewal_host *host = &facts->hosts[i];

		if (!contradicts(host))
			continue;
		if (n++ == 0)
			first = host;
	}
	if (first == NULL)
		return false;
	add(verdict->reason, "no TLSA record of %s matches the %schain",
	    first->name, facts->has_old ? "new " : "");
	if (n > 1)
		add(verdict->reason, ", nor of %zu more names", n - 1);
	say_old(facts, verdict);
	say_publish(facts, verdict);
	return decide(verdict, RENEWAL_KEEP, RENEWAL_BY_TLSA);
}

/* RFC 7672 2.1.1: what cannot be had is not what is not there. */
static bool
by_tlsa_unknown(
    const struct renewal_facts *facts, struct renewal_verdict *verdict)
{
	for (size_t i = 0; i < facts->nhosts; i++) {
		const struct renewal_host *host = &facts->hosts[i];

		if (host->tlsa != TLSA_LOOKUP_FAILED)
			continue;
		add(verdict->reason,
		    "the TLSA records of %s could not be looked up: %s",
		    host->name, host->why);
		say_old(facts, verdict);
		add(verdict->remedy,
		    "have DNS answer for that name; it is asked again by "
		    "itself");
		return decide(verdict, RENEWAL_KEEP, RENEWAL_BY_TLSA_UNKNOWN);
	}
	return false;
}

/* --- MTA-STS -------------------------------------------------------------- */

static const struct renewal_domain *
find_invalid(const struct renewal_facts *facts, enum sts_mode mode)
{
	for (size_t i = 0; i < facts->ndomains; i++)
		if (facts->domains[i].mode == mode &&
		    facts->domains[i].host != NULL)
			return &facts->domains[i];
	return NULL;
}

static void
say_invalid(const struct renewal_facts *facts,
    const struct renewal_domain *domain, char to[RENEWAL_TEXT_SIZE])
{
	add(to,
	    "the MTA-STS policy of %s is in mode %s, and the %schain is not "
	    "valid for %s: %s",
	    domain->name, sts_mode_name(domain->mode),
	    facts->has_old ? "new " : "", domain->host, domain->host_why);
}

/* Does who knows a policy that refuses the new chain take the one in use? */
static bool
old_is_better(const struct renewal_facts *facts)
{
	if (!old_lives(facts))
		return false;
	for (size_t i = 0; i < facts->ndomains; i++)
		if (facts->domains[i].host != NULL &&
		    facts->domains[i].old_valid)
			return true;
	return false;
}

/*
 * RFC 8461 8.3: "policies older than the previously published policy may have
 * been served with a greater "max_age"".
 */
static void
remember_policies(
    const struct renewal_facts *facts, struct renewal_memory *memory)
{
	for (size_t i = 0; i < facts->ndomains; i++) {
		const struct renewal_domain *domain = &facts->domains[i];

		if (domain->mode != STS_MODE_ENFORCE || domain->host == NULL)
			continue;
		memory->until = 0;
		if (domain->max_age > memory->max_age)
			memory->max_age = domain->max_age;
	}
}

/* RFC 8461 4.2: such a host is not delivered to. */
static bool
by_sts(const struct renewal_facts *facts, struct renewal_verdict *verdict)
{
	const struct renewal_domain *domain = find_invalid(
	    facts, STS_MODE_ENFORCE);
	uint32_t max_age = verdict->memory.max_age;

	if (domain == NULL)
		return false;
	say_invalid(facts, domain, verdict->reason);
	if (facts->has_old && facts->old_expired)
		add(verdict->reason, "; the one in use has expired");
	else if (facts->has_old && !domain->old_valid)
		add(verdict->reason, "; the one in use is not valid either");
	add(verdict->remedy,
	    "have a chain issued by an authority that others know, for %s; or "
	    "publish a policy in mode none with a new id; ",
	    domain->host);
	add(verdict->remedy,
	    old_is_better(facts)
		? "the new chain is taken by itself when that has been seen "
		  "for the max_age of the old one (%u s), not before "
		: "others have the old one for its max_age (%u s), until ",
	    max_age);
	add_time(verdict->remedy, facts->now + max_age);
	return decide(verdict, RENEWAL_KEEP, RENEWAL_BY_STS);
}

static bool
by_sts_unknown(
    const struct renewal_facts *facts, struct renewal_verdict *verdict)
{
	const struct renewal_domain *domain = find_invalid(
	    facts, STS_MODE_UNKNOWN);

	if (domain == NULL)
		return false;
	add(verdict->reason,
	    "whether %s has an MTA-STS policy could not be learnt (%s), and "
	    "the %schain is not valid for %s: %s",
	    domain->name, domain->why, facts->has_old ? "new " : "",
	    domain->host, domain->host_why);
	add(verdict->remedy,
	    "have its MX, record and policy answered for; they are asked for "
	    "again by themselves");
	return decide(verdict, RENEWAL_KEEP, RENEWAL_BY_STS_UNKNOWN);
}

/* RFC 8461 5: nothing is lost by it, but what was right becomes wrong. */
static bool
by_sts_testing(
    const struct renewal_facts *facts, struct renewal_verdict *verdict)
{
	for (size_t i = 0; i < facts->ndomains; i++) {
		const struct renewal_domain *domain = &facts->domains[i];

		if (domain->mode != STS_MODE_TESTING || domain->host == NULL ||
		    !old_lives(facts) || !domain->old_valid)
			continue;
		say_invalid(facts, domain, verdict->reason);
		add(verdict->reason, "; the one in use is valid");
		add(verdict->remedy,
		    "have a chain issued by an authority that others know, "
		    "for %s; or publish a policy in mode none",
		    domain->host);
		return decide(verdict, RENEWAL_KEEP, RENEWAL_BY_STS_TESTING);
	}
	return false;
}

/* --- time ----------------------------------------------------------------- */

/* Seconds for which others may have what the chain in use alone satisfies. */
static int64_t
wait_of(const struct renewal_facts *facts, const struct renewal_memory *memory,
    const char **ret_why)
{
	int64_t wait = old_works(facts) ? (int64_t)TTLS * memory->absent_ttl
	                                : 0;

	*ret_why = "the new chain matches its TLSA records, but not those of "
		   "before, which others may still have";
	if (old_is_better(facts) && memory->max_age > wait) {
		wait = memory->max_age;
		*ret_why = "no MTA-STS policy refuses the new chain now, but "
			   "one of before does, which others may still have";
	}
	return wait;
}

/* A greater TTL counts from the beginning; a clock that went back does not. */
static int64_t
end_of(const struct renewal_facts *facts, int64_t wait)
{
	const char *why;
	int64_t before = wait_of(facts, &facts->memory, &why);
	int64_t until = facts->memory.until;

	if (wait > before)
		until += wait - before;
	return until > facts->now + wait ? facts->now + wait : until;
}

/*
 * RFC 7671 8.1, RFC 8461 8.3: until the records and the policies of before
 * have left the caches of others.
 */
static bool
by_caches(const struct renewal_facts *facts, struct renewal_verdict *verdict)
{
	struct renewal_memory *memory = &verdict->memory;
	const char *why;
	int64_t wait = wait_of(facts, memory, &why);

	if (wait == 0)
		return false;
	memory->until = memory->until == 0 ? facts->now + wait
	                                   : end_of(facts, wait);
	if (memory->until <= facts->now)
		return false;
	add(verdict->reason, "%s", why);
	add(verdict->remedy, "it is taken by itself at ");
	add_time(verdict->remedy, memory->until);
	return decide(verdict, RENEWAL_LATER, RENEWAL_BY_CACHES);
}

static renewal_by *const rules[] = {
    by_tlsa,
    by_sts,
    by_tlsa_unknown,
    by_sts_unknown,
    by_sts_testing,
    by_caches,
};

/* RFC 7671 8: "each and every parameter combination" is to do on its own */
static void
warn(const struct renewal_facts *facts, struct renewal_verdict *verdict)
{
	const struct renewal_domain *domain = find_invalid(
	    facts, STS_MODE_TESTING);

	for (size_t i = 0; i < facts->nhosts; i++) {
		const struct renewal_host *host = &facts->hosts[i];

		if (host->tlsa != TLSA_USABLE || host->astray[0] == '\0')
			continue;
		add(verdict->warning,
		    "%sno TLSA record of %s with the parameters %s matches",
		    verdict->warning[0] == '\0' ? "" : "; ", host->name,
		    host->astray);
	}
	if (domain == NULL)
		return;
	if (verdict->warning[0] != '\0')
		add(verdict->warning, "; ");
	say_invalid(facts, domain, verdict->warning);
}

void
renewal_judge(const struct renewal_facts *facts, struct renewal_verdict *ret)
{
	*ret = (struct renewal_verdict){.memory = facts->memory};
	remember_records(facts, &ret->memory);
	remember_policies(facts, &ret->memory);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i](facts, ret))
			return;
	ret->memory = (struct renewal_memory){0};
	warn(facts, ret);
	(void)decide(ret, RENEWAL_LOAD, RENEWAL_FITS);
}

bool
renewal_rule_contradicts(enum renewal_rule rule)
{
	return rule == RENEWAL_BY_TLSA || rule == RENEWAL_BY_STS ||
	       rule == RENEWAL_BY_STS_TESTING;
}

const char *
renewal_rule_name(enum renewal_rule rule)
{
	static const char *const names[RENEWAL_RULES] = {"unjudged", "tlsa",
	    "tlsa-unknown", "mta-sts", "mta-sts-unknown", "mta-sts-testing",
	    "caches", "fits", "files"};

	return (size_t)rule < RENEWAL_RULES ? names[rule] : "unknown";
}
