/* How well a plan protects the mail, in one word. */
#include "mta/explain/survey.h"

static bool
vouched_for(const struct policy_facts *facts)
{
	return facts->hop == HOP_CONFIGURED || facts->mx_trust == DNS_SECURE ||
	       facts->sts == STS_MATCH || facts->level == OPERATOR_SECURE ||
	       (facts->level == OPERATOR_VERIFY && facts->nmatch > 0);
}

static enum outlook
outlook_of(const struct policy_facts *facts, enum tls_need need)
{
	switch (need) {
	case TLS_AUTH_PKIX:
	case TLS_AUTH_DANE:
	case TLS_AUTH_BOTH:
		/* RFC 7672 2.2.1: not secure delivery to the domain. */
		return vouched_for(facts) ? OUTLOOK_AUTHENTICATED
		                          : OUTLOOK_HOST;
	case TLS_ENCRYPT:
		return OUTLOOK_ENCRYPTED;
	case TLS_MAY:
	case TLS_NEVER:
		return OUTLOOK_CLEAR;
	case TLS_DEFER:
		break;
	}
	return OUTLOOK_NONE;
}

enum outlook
decision_outlook(const struct decision *decision)
{
	return outlook_of(&decision->facts, decision->plan.need);
}

static enum outlook
least_of(const struct survey *survey, bool enforced)
{
	enum outlook least = OUTLOOK_NONE;

	for (size_t i = 0; i < survey->n; i++) {
		const struct survey_host *host = &survey->hosts[i];
		const struct tls_plan *plan = &host->decision.plan;
		enum outlook outlook = outlook_of(&host->decision.facts,
		    enforced ? plan->wanted : plan->need);

		if (host->left_out || host->dns.naddresses == 0 ||
		    outlook == OUTLOOK_NONE)
			continue;
		if (least == OUTLOOK_NONE || outlook < least)
			least = outlook;
	}
	return least;
}

enum outlook
survey_outlook(const struct survey *survey)
{
	return least_of(survey, false);
}

enum outlook
survey_outlook_enforced(const struct survey *survey)
{
	return least_of(survey, true);
}

bool
survey_goes_back(const struct survey *survey)
{
	size_t n = 0;

	for (size_t i = 0; i < survey->n; i++) {
		const struct tls_plan *plan = &survey->hosts[i].decision.plan;

		if (survey->hosts[i].left_out)
			continue;
		if (plan->need != TLS_DEFER || plan->enhanced[0] != '5')
			return false;
		n++;
	}
	return n > 0;
}

const char *
outlook_words(enum outlook outlook)
{
	switch (outlook) {
	case OUTLOOK_NONE:
		return "not delivered: no host may be used now";
	case OUTLOOK_CLEAR:
		return "not protected: it may go out in the clear";
	case OUTLOOK_ENCRYPTED:
		return "encrypted, and not authenticated";
	case OUTLOOK_HOST:
		return "encrypted to an authenticated host, but nobody "
		       "vouches that it is a host of this domain";
	case OUTLOOK_AUTHENTICATED:
		return "authenticated and encrypted, whichever host takes it";
	}
	return "?";
}

const char *
outlook_name(enum outlook outlook)
{
	switch (outlook) {
	case OUTLOOK_NONE:
		return "none";
	case OUTLOOK_CLEAR:
		return "clear";
	case OUTLOOK_ENCRYPTED:
		return "encrypted";
	case OUTLOOK_HOST:
		return "host-authenticated";
	case OUTLOOK_AUTHENTICATED:
		return "authenticated";
	}
	return "?";
}
