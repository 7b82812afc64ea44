/* A survey for people. */
#include "mta/explain/print.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/explain/probe.h"

#define RFC3339_DAY 10

static void line(FILE *to, int depth, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
line(FILE *to, int depth, const char *fmt, ...)
{
	va_list args;

	(void)fprintf(to, "%*s", 2 * depth, "");
	va_start(args, fmt);
	(void)vfprintf(to, fmt, args);
	va_end(args);
	(void)fputc('\n', to);
}

static void
print_next_hop(FILE *to, const struct survey *survey)
{
	char target[TARGET_TEXT_MAX], left[CLOCK_WORDS_SIZE];

	target_text(&survey->target, target);
	line(to, 0, "%s", target);
	if (survey->rule.pattern != NULL) {
		line(to, 1, "operator's rule: tls \"%s\", level %s%s%s",
		    survey->rule.pattern,
		    operator_level_name(survey->facts.level),
		    survey->rule.reason == NULL ? "" : ", because ",
		    survey->rule.reason == NULL ? "" : survey->rule.reason);
	}
	if (survey->dane_off_until > survey->now) {
		clock_words(survey->dane_off_until - survey->now, left);
		line(to, 1, "the daemon does not look at DANE for %s more",
		    left);
	}
	if (survey->unable[0] != '\0')
		line(to, 1, "the daemon's resolver cannot do DNSSEC: %s",
		    survey->unable);
	if (survey->facts.sender != SENDER_DEFAULT)
		line(to, 1, "the message: %s",
		    sender_wish_name(survey->facts.sender));
	else if (survey->wish != TLS_WISH_NONE)
		line(to, 1,
		    "what the message asks for is not heeded: it is "
		    "set so");
	if (survey->facts.enforcement == AUDIT)
		line(to, 1, "audit: evaluated, not enforced");
	if (!survey->mx_asked)
		return;
	line(to, 1, "MX: %s, %s%s%s", dns_trust_name(survey->facts.mx_trust),
	    mx_state_name(survey->mx), survey->mx_why[0] == '\0' ? "" : ": ",
	    survey->mx_why);
	if (survey->facts.next_hop_expanded[0] != '\0' &&
	    strcmp(survey->facts.next_hop_expanded, survey->target.host) != 0)
		line(to, 2, "alias of %s", survey->facts.next_hop_expanded);
}

static void
print_policy(FILE *to, const struct sts_entry *entry)
{
	char from[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];

	clock_rfc3339(1000000 * entry->fetched_at, from);
	clock_rfc3339(1000000 * entry->expires_at, until);
	line(to, 2, "policy: mode %s, fetched %s, counts until %s",
	    sts_mode_name(entry->policy.mode), from, until);
	for (size_t i = 0; i < entry->policy.nmx; i++)
		line(to, 3, "mx: %s", entry->policy.mx[i]);
}

/* What a fetch of ours has come to is not kept. */
static const char *
say_answer(const struct survey_sts *sts)
{
	if (!sts->fetched)
		return sts->answer.why;
	if (sts->trouble[0] == '\0')
		return "the policy was fetched just now, and is not kept";
	return sts->known != NULL ? "the policy of the record could not be "
	                            "fetched, the cached one applies"
	                          : "the policy could not be fetched: as if "
	                            "there were none";
}

static void
print_sts(FILE *to, const struct survey_sts *sts)
{
	bool found = sts->record.state == STS_RECORD_FOUND;

	if (!sts->asked) {
		if (sts->why_not[0] != '\0')
			line(to, 1, "MTA-STS: not evaluated: %s", sts->why_not);
		return;
	}
	line(to, 1, "MTA-STS: %s (%s)", say_answer(sts), sts->answer.rfc);
	line(to, 2, "record: %s%s%s", sts_record_state_name(sts->record.state),
	    found ? ", id " : ": ", found ? sts->record.id : sts->record.why);
	if (sts->blind != NULL)
		line(to, 2, "what is cached was not looked at: %s", sts->blind);
	if (sts->known != NULL)
		print_policy(to, &sts->known->entry);
	if (sts->trouble[0] != '\0')
		line(to, 2, "%s: %s",
		    sts->trouble_type[0] == '\0' ? "trouble" : "last fetch",
		    sts->trouble);
}

static void
print_addresses(FILE *to, const struct survey_host *host)
{
	const struct host_dns *dns = &host->dns;
	char address[INET6_ADDRSTRLEN];

	line(to, 2, "addresses: %s%s%s", dns_trust_name(dns->trust),
	    dns->why[0] == '\0' ? "" : ": ", dns->why);
	if (dns->alias)
		line(to, 3, "alias of %s, its first link %s", dns->expanded,
		    dns_trust_name(dns->alias_trust));
	for (size_t i = 0; i < dns->naddresses; i++) {
		host_address_text(&dns->addresses[i], address);
		line(to, 3, "%s", address);
	}
	if (dns->naddresses == 0)
		line(to, 3, "none");
}

static void
print_record(FILE *to, const struct tlsa_record *record)
{
	char hex[2 * 64 + 1];
	size_t n = record->data.n < 64 ? record->data.n : 64;

	text_hex(record->data.p, n, hex);
	line(to, 4, "%u %u %u %s%s  %s", record->usage, record->selector,
	    record->matching, hex, n < record->data.n ? "..." : "",
	    tlsa_use_name(record->use));
}

static void
print_tlsa(FILE *to, const struct survey_host *host)
{
	const struct tlsa_found *found = &host->tlsa;

	line(to, 2, "TLSA: %s%s%s", tlsa_state_name(host->decision.facts.tlsa),
	    found->why == NULL ? "" : ": ",
	    found->why == NULL ? "" : found->why);
	for (size_t i = 0; i < found->ntries; i++) {
		const struct tlsa_try *try = &found->tries[i];

		line(to, 3, "%s: %s, %s%s%s%s%s", try->owner,
		    dns_trust_name(try->trust),
		    try->exists ? "records" : "none",
		    try->alias[0] == '\0' ? "" : ", alias of ", try->alias,
		    try->why[0] == '\0' ? "" : ": ", try->why);
	}
	for (size_t i = 0; i < found->set.n; i++)
		print_record(to, &found->set.records[i]);
}

static void
print_names(FILE *to, const struct tls_plan *plan)
{
	struct pkix_room room;
	const char *const *names;
	size_t n;

	if (plan->sni[0] != '\0')
		line(to, 3, "SNI: %s", plan->sni);
	if (tls_need_dane(plan->wanted))
		for (size_t i = 0; i < plan->nnames; i++)
			line(to, 3, "name for DANE-TA: %s", plan->names[i]);
	if (!tls_need_pkix(plan->wanted))
		return;
	names = policy_pkix_names(plan, &room, &n);
	for (size_t i = 0; i < n; i++)
		line(to, 3, "name for WebPKI: %s", names[i]);
}

static void
print_plan(FILE *to, const struct decision *decision)
{
	const struct tls_plan *plan = &decision->plan;

	line(to, 2, "plan: %s%s%s (%s; rule %s%s%s)", tls_need_name(plan->need),
	    plan->wanted == plan->need ? "" : ", enforced it would be ",
	    plan->wanted == plan->need ? "" : tls_need_name(plan->wanted),
	    plan->why, plan->rule, plan->rfc[0] == '\0' ? "" : "; ", plan->rfc);
	if (plan->wanted != TLS_DEFER)
		print_names(to, plan);
	/* RFC 8461 5 */
	if (plan->sts == STS_TESTING_MATCH)
		line(to, 3,
		    "testing: in force, the MTA-STS policy would ask "
		    "for a certificate for the host's name");
	if (plan->sts == STS_TESTING_NO_MATCH)
		line(to, 3,
		    "testing: in force, the MTA-STS policy would "
		    "leave this host out");
}

static void
print_proof(FILE *to, const char *kind, const struct tls_proof *proof)
{
	if (proof->check == TLS_UNCHECKED)
		return;
	line(to, 4, "%s: %s%s%s", kind, tls_check_name(proof->check),
	    proof->why[0] == '\0' ? "" : ": ", proof->why);
}

static void
print_cert(FILE *to, const struct tls_cert *cert, size_t depth)
{
	char from[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];
	char hex[65], key[65];

	clock_rfc3339(1000000 * cert->not_before, from);
	clock_rfc3339(1000000 * cert->not_after, until);
	text_hex(cert->sha256, sizeof(cert->sha256), hex);
	text_hex(cert->spki_sha256, sizeof(cert->spki_sha256), key);
	line(to, 4, "certificate %zu: %s, issued by %s", depth, cert->subject,
	    cert->issuer);
	line(to, 5, "%s (%d bits), %.*s to %.*s%s%s", cert->key, cert->bits,
	    RFC3339_DAY, from, RFC3339_DAY, until,
	    cert->names[0] == '\0' ? "" : ", for ", cert->names);
	line(to, 5, "selector 0, SHA-256: %s", hex);
	line(to, 5, "selector 1, SHA-256: %s", key);
}

static void
print_probe(
    FILE *to, const struct survey_host *host, const struct probe_result *result)
{
	char address[NET_ADDRESS_TEXT], text[DECISION_TEXT_SIZE];

	net_address_text(&result->to, address);
	decision_text(&host->decision.plan, &result->seen, text);
	line(to, 3, "%s: %s (%s%s)", address, text,
	    tls_verdict_name(result->verdict),
	    policy_would_refuse(&host->decision.plan, &result->seen)
		? "; enforced it would be refused"
	    : policy_testing_would_refuse(&host->decision.plan, &result->seen)
		? "; were the policy not in testing it would be refused"
		: "");
	if (result->problem[0] != '\0')
		line(to, 4, "%s", result->problem);
	if (!result->tls.up)
		return;
	line(to, 4, "%s, %s, %s", result->tls.version, result->tls.cipher,
	    result->tls.group);
	print_proof(to, "DANE", &result->tls.dane);
	if (result->tls.matched[0] != '\0')
		line(to, 5, "%s matched at depth %d", result->tls.matched,
		    result->tls.depth);
	print_proof(to, "WebPKI", &result->tls.pkix);
	for (size_t i = 0; i < result->ncerts; i++)
		print_cert(to, &result->certs[i], i);
}

static void
print_host(
    FILE *to, const struct survey *survey, const struct survey_host *host)
{
	if (survey->facts.hop == HOP_MX)
		line(to, 1, "%u %s%s", host->preference, host->name,
		    host->left_out
			? ": left out, not better than this host (RFC 5321 5.1)"
			: "");
	else
		line(to, 1, "%s (%s)", host->name,
		    hop_source_name(survey->facts.hop));
	if (host->left_out)
		return;
	print_addresses(to, host);
	print_tlsa(to, host);
	print_plan(to, &host->decision);
	if (host->nprobes > 0)
		line(to, 2, "connections:");
	for (size_t i = 0; i < host->nprobes; i++)
		print_probe(to, host, &host->probes[i]);
}

static bool
was_probed(const struct survey *survey)
{
	for (size_t i = 0; i < survey->n; i++)
		if (survey->hosts[i].nprobes > 0)
			return true;
	return false;
}

struct tally {          /* of connections */
	size_t met;     /* that came about, */
	size_t good;    /* over which mail may go, */
	size_t clear;   /* that are made once more, without TLS, */
	size_t refused; /* and over which it might not if that were enforced */
};

static struct tally
count_probes(const struct survey *survey)
{
	struct tally tally = {0};

	for (size_t i = 0; i < survey->n; i++)
		for (size_t k = 0; k < survey->hosts[i].nprobes; k++) {
			const struct probe_result *r = &survey->hosts[i]
			                                    .probes[k];

			tally.met += r->seen.got != TLS_GOT_NOTHING;
			tally.good += r->ready && r->verdict == VERDICT_DELIVER;
			tally.clear += r->verdict == VERDICT_CLEAR;
			tally.refused += policy_would_refuse(
			    &survey->hosts[i].decision.plan, &r->seen);
		}
	return tally;
}

/* Every host that was reached, and at least one, would get the mail. */
static bool
probes_are_good(const struct survey *survey)
{
	struct tally tally = count_probes(survey);

	return tally.good > 0 && tally.good == tally.met;
}

static void
print_tally(FILE *to, const struct survey *survey)
{
	struct tally tally = count_probes(survey);

	if (tally.met == 0)
		line(to, 0, "verdict: no connection got as far as TLS");
	else
		line(to, 0, "verdict: %zu of %zu connections may carry mail",
		    tally.good + tally.clear, tally.met);
	if (tally.clear > 0)
		line(to, 0, "%zu of these in the clear, once TLS has failed",
		    tally.clear);
	if (tally.refused > 0)
		line(to, 0, "enforced, %zu of the connections would be refused",
		    tally.refused);
}

static void
print_verdict(FILE *to, const struct survey *survey)
{
	if (survey->dead_end[0] != '\0') {
		line(to, 0, "verdict: %s", survey->dead_end);
		return;
	}
	line(to, 0, "%s: %s", was_probed(survey) ? "planned" : "verdict",
	    survey_goes_back(survey) ? "not delivered: it goes back at once"
				     : outlook_words(survey_outlook(survey)));
	if (survey->facts.enforcement == AUDIT)
		line(to, 0, "%s: %s",
		    was_probed(survey) ? "planned if enforced"
				       : "enforced it would be",
		    outlook_words(survey_outlook_enforced(survey)));
	if (was_probed(survey))
		print_tally(to, survey);
}

int
survey_status(const struct survey *survey)
{
	if (survey_outlook(survey) != OUTLOOK_AUTHENTICATED)
		return 1;
	return was_probed(survey) && !probes_are_good(survey) ? 1 : 0;
}

void
survey_print(FILE *to, const struct survey *survey)
{
	print_next_hop(to, survey);
	print_sts(to, &survey->sts);
	for (size_t i = 0; i < survey->n; i++)
		print_host(to, survey, &survey->hosts[i]);
	print_verdict(to, survey);
}
