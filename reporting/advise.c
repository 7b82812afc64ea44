#include "reporting/advise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

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

static bool
failure_is_asked(
    const struct advise_ask *ask, const struct summary_failure *row)
{
	return is_asked(ask, row->domain, row->day, row->policy) &&
	       row->sessions > 0;
}

/* RFC 8460 3: a report that nobody signed "MUST" be ignored */
static bool
is_trusted(const struct advise_ask *ask, bool vouched)
{
	return vouched || ask->trusting;
}

static void
find_days(const struct summary_rows *rows, const struct advise_ask *ask,
    struct advise *to)
{
	for (size_t i = 0; i < rows->ntotals; i++) {
		const struct summary_total *row = &rows->totals[i];

		if (!total_is_asked(ask, row) || !is_trusted(ask, row->vouched))
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

		if (!failure_is_asked(ask, row) ||
		    !is_trusted(ask, row->vouched) ||
		    row->day < to->last_failure)
			continue;
		if (row->day > to->last_failure || to->worst == NULL ||
		    row->sessions > to->worst->sessions)
			to->worst = row;
		to->last_failure = row->day;
	}
}

/* --- the kinds of the last day -------------------------------------------- */

static int
by_result(const void *a, const void *b)
{
	const struct advise_kind *x = a, *y = b;

	return strcmp(x->result, y->result);
}

static int
by_sessions(const void *a, const void *b)
{
	const struct advise_kind *x = a, *y = b;

	if (x->sessions != y->sessions)
		return x->sessions < y->sessions ? 1 : -1;
	return by_result(a, b);
}

/* Each once, the most frequent first; how many there are. */
static size_t
merge_kinds(struct advise_kind *list, size_t n)
{
	size_t last = 0;

	if (n == 0)
		return 0;
	qsort(list, n, sizeof(list[0]), by_result);
	for (size_t i = 1; i < n; i++)
		if (by_result(&list[last], &list[i]) != 0)
			list[++last] = list[i];
		else
			list[last].sessions = summary_plus(
			    list[last].sessions, list[i].sessions);
	qsort(list, last + 1, sizeof(list[0]), by_sessions);
	return last + 1;
}

static void
find_kinds(const struct summary_rows *rows, const struct advise_ask *ask,
    struct advise *to)
{
	struct advise_kind *list = mem_array(rows->nfailures, sizeof(list[0]));
	size_t n = 0;

	for (size_t i = 0; i < rows->nfailures; i++) {
		const struct summary_failure *row = &rows->failures[i];

		if (failure_is_asked(ask, row) &&
		    is_trusted(ask, row->vouched) &&
		    row->day == to->last_failure)
			list[n++] = (struct advise_kind){
			    summary_result_name(row), row->sessions};
	}
	n = merge_kinds(list, n);
	while (to->nkinds < n && to->nkinds < ADVISE_KINDS) {
		to->kinds[to->nkinds] = list[to->nkinds];
		to->nkinds++;
	}
	to->more_kinds = n - to->nkinds;
	mem_free(list);
}

/* --- the run -------------------------------------------------------------- */

/* How many there are now. */
static uint32_t
add_name(
    const char *list[ADVISE_REPORTERS_MAX], uint32_t n, const char *reporter)
{
	const char *name = reporter == NULL ? "" : reporter;

	for (uint32_t i = 0; i < n; i++)
		if (list[i] != NULL && strcmp(list[i], name) == 0)
			return n;
	if (n < ADVISE_REPORTERS_MAX)
		list[n++] = name;
	return n;
}

static void
count_days(const bool days[LOOK_BACK], struct advise *to)
{
	size_t last = 0, first = 0;

	for (size_t i = 0; i < LOOK_BACK; i++) {
		if (!days[i])
			continue;
		if (to->clean_days++ == 0)
			last = i;
		first = i;
	}
	if (to->clean_days > 0)
		to->silent_days = (uint32_t)(first - last + 1) - to->clean_days;
}

static void
count_run(const struct summary_rows *rows, const struct advise_ask *ask,
    struct advise *to)
{
	bool days[LOOK_BACK] = {false};

	for (size_t i = 0; i < rows->ntotals; i++) {
		const struct summary_total *row = &rows->totals[i];

		if (!total_is_asked(ask, row) ||
		    !is_trusted(ask, row->vouched) ||
		    row->day <= to->last_failure)
			continue;
		days[ask->today - row->day] = true;
		if (row->policy != POLICY_TYPE_STS)
			continue;
		to->sessions = summary_plus(to->sessions, row->successes);
		to->reporters = add_name(
		    to->names, to->reporters, row->reporter);
	}
	count_days(days, to);
}

/* In the run, as it is without them: what is older would count for nobody. */
static bool
is_left(const struct advise_ask *ask, bool vouched, int64_t day,
    int64_t last_failure)
{
	return !is_trusted(ask, vouched) && day > last_failure;
}

/* Failures without a sum, too, as in find_failures(). */
static void
count_left_failures(const struct summary_rows *rows,
    const struct advise_ask *ask, int64_t last_failure,
    const char *names[ADVISE_REPORTERS_MAX], struct advise_left *to)
{
	uint64_t failures = 0;

	for (size_t i = 0; i < rows->nfailures; i++) {
		const struct summary_failure *row = &rows->failures[i];

		if (!failure_is_asked(ask, row) ||
		    !is_left(ask, row->vouched, row->day, last_failure))
			continue;
		to->reporters = add_name(names, to->reporters, row->reporter);
		failures = summary_plus(failures, row->sessions);
		if (row->day > to->last_failure)
			to->last_failure = row->day;
	}
	if (failures > to->failures)
		to->failures = failures;
}

/* Of sessions under no policy only the failures would count. */
static void
count_left(const struct summary_rows *rows, const struct advise_ask *ask,
    int64_t last_failure, struct advise_left *to)
{
	const char *names[ADVISE_REPORTERS_MAX] = {NULL};

	for (size_t i = 0; i < rows->ntotals; i++) {
		const struct summary_total *row = &rows->totals[i];
		bool sts = row->policy == POLICY_TYPE_STS;

		if (!total_is_asked(ask, row) ||
		    !is_left(ask, row->vouched, row->day, last_failure) ||
		    (!sts && row->failures == 0))
			continue;
		to->reporters = add_name(names, to->reporters, row->reporter);
		if (sts)
			to->sessions = summary_plus(
			    to->sessions, row->successes);
		to->failures = summary_plus(to->failures, row->failures);
		if (row->failures > 0 && row->day > to->last_failure)
			to->last_failure = row->day;
	}
	count_left_failures(rows, ask, last_failure, names, to);
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
	find_kinds(rows, ask, &a);
	count_run(rows, ask, &a);
	count_left(rows, ask, a.last_failure, &a.left);
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

static void
say_missing(
    uint64_t has, uint64_t wanted, const char *words, char to[ADVISE_TEXT])
{
	(void)snprintf(to, ADVISE_TEXT, "%s: %" PRIu64 " more %s wanted", words,
	    wanted - has, wanted - has == 1 ? "is" : "are");
}

void
advise_reason_text(enum advise_reason reason, const struct advise *advise,
    const struct advise_ask *ask, char to[ADVISE_TEXT])
{
	const char *words = advise_reason_words(reason);

	switch (reason) {
	case ADVISE_FEW_DAYS:
		say_missing(advise->clean_days, ask->days, words, to);
		return;
	case ADVISE_FEW_REPORTERS:
		say_missing(advise->reporters, ask->reporters, words, to);
		return;
	case ADVISE_FEW_SESSIONS:
		say_missing(advise->sessions, ask->sessions, words, to);
		return;
	case ADVISE_STALE:
		(void)snprintf(to, ADVISE_TEXT,
		    "%s: of %" PRId64 " days ago, %" PRIu32 " are allowed",
		    words, ask->today - advise->last_report, ask->silence);
		return;
	case ADVISE_NO_REPORTS:
	case ADVISE_FAILURES:
	case ADVISE_REASONS:
		break;
	}
	(void)text_copy(to, ADVISE_TEXT, words);
}
