#include "reporting/advise.h"

#include <string.h>

/* Looked at in one piece; more days need more tables. */
#define LOOK_BACK 366

/* RFC 8460 4.2: does what is reported under it say how enforce would go? */
static bool
counts(enum report_policy_type policy)
{
	return policy == POLICY_TYPE_STS || policy == POLICY_TYPE_NONE;
}

static bool
is_asked(const struct advise_ask *ask, const char *domain, int64_t day,
    enum report_policy_type policy)
{
	return day <= ask->today && day > ask->today - LOOK_BACK &&
	       domain != NULL && counts(policy) &&
	       strcmp(domain, ask->domain) == 0;
}

static bool
total_is_asked(const struct advise_ask *ask, const struct summary_total *row)
{
	return is_asked(ask, row->domain, row->day, row->policy) &&
	       (row->successes > 0 || row->failures > 0);
}

static void
find_days(const struct summary_rows *rows, const struct advise_ask *ask,
    struct advise *to)
{
	for (size_t i = 0; i < rows->ntotals; i++) {
		const struct summary_total *row = &rows->totals[i];

		if (!total_is_asked(ask, row))
			continue;
		if (row->day > to->last_report)
			to->last_report = row->day;
		if (row->failures > 0 && row->day > to->last_failure)
			to->last_failure = row->day;
	}
}

/*
 * Failures without a sum count, too: of Mail.ru's reports the details of a
 * failed fetch are more than the total.
 */
static void
find_failures(const struct summary_rows *rows, const struct advise_ask *ask,
    struct advise *to)
{
	for (size_t i = 0; i < rows->nfailures; i++) {
		const struct summary_failure *row = &rows->failures[i];

		if (!is_asked(ask, row->domain, row->day, row->policy) ||
		    row->sessions == 0 || row->day < to->last_failure)
			continue;
		if (row->day > to->last_failure || to->worst == NULL ||
		    row->sessions > to->worst->sessions)
			to->worst = row;
		to->last_failure = row->day;
	}
}

struct names {
	const char *list[ADVISE_REPORTERS_MAX];
	uint32_t n;
};

static void
add_name(struct names *to, const char *name)
{
	for (uint32_t i = 0; i < to->n; i++)
		if (strcmp(to->list[i], name) == 0)
			return;
	if (to->n < ADVISE_REPORTERS_MAX)
		to->list[to->n++] = name;
}

static void
count_run(const struct summary_rows *rows, const struct advise_ask *ask,
    struct advise *to)
{
	bool days[LOOK_BACK] = {false};
	struct names names = {.n = 0};

	for (size_t i = 0; i < rows->ntotals; i++) {
		const struct summary_total *row = &rows->totals[i];

		if (!total_is_asked(ask, row) || row->day <= to->last_failure)
			continue;
		days[ask->today - row->day] = true;
		if (row->policy != POLICY_TYPE_STS)
			continue;
		to->sessions = summary_plus(to->sessions, row->successes);
		add_name(&names, row->reporter == NULL ? "" : row->reporter);
	}
	to->reporters = names.n;
	for (size_t i = 0; i < LOOK_BACK; i++)
		to->clean_days += days[i];
}

static void
reason(struct advise *to, enum advise_reason reason, bool applies)
{
	if (applies)
		to->reasons[to->nreasons++] = reason;
}

struct advise
advise_enforce(const struct summary_rows *rows, const struct advise_ask *ask)
{
	struct advise a = {0};

	find_days(rows, ask, &a);
	find_failures(rows, ask, &a);
	count_run(rows, ask, &a);
	reason(&a, ADVISE_NO_REPORTS, a.last_report == 0);
	reason(&a, ADVISE_STALE,
	    a.last_report > 0 && ask->today - a.last_report > ask->silence);
	reason(&a, ADVISE_FAILURES,
	    a.last_failure > 0 && a.clean_days < ask->days);
	reason(&a, ADVISE_FEW_DAYS, a.clean_days < ask->days);
	reason(&a, ADVISE_FEW_REPORTERS, a.reporters < ask->reporters);
	reason(&a, ADVISE_FEW_SESSIONS, a.sessions < ask->sessions);
	a.verdict = a.nreasons == 0 ? ADVISE_ENFORCE : ADVISE_WAIT;
	return a;
}

struct advise_ask
advise_defaults(const char *domain, int64_t today)
{
	return (struct advise_ask){.domain = domain,
	    .today = today,
	    .days = 14,
	    .reporters = 2,
	    .sessions = 100,
	    .silence = 3};
}

const char *
advise_reason_words(enum advise_reason reason)
{
	switch (reason) {
	case ADVISE_NO_REPORTS:
		return "nobody has reported sessions to the domain";
	case ADVISE_STALE:
		return "the last report is too old";
	case ADVISE_FAILURES:
		return "sessions failed that enforce would have deferred";
	case ADVISE_FEW_DAYS:
		return "there are too few clean days in a row";
	case ADVISE_FEW_REPORTERS:
		return "too few reporters have evaluated the policy";
	case ADVISE_FEW_SESSIONS:
		return "too few sessions were made under the policy";
	case ADVISE_REASONS:
		break;
	}
	return "?";
}
