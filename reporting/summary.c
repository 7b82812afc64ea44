#include "reporting/summary.h"

#include <stdlib.h>
#include <string.h>

#include "reporting/result.h"

#define DAY_S 86400

/* One row of either kind, as far as a summary looks at it. */
struct entry {
	const char *name;
	int64_t day;
	struct summary_count count;
};

struct entries {
	struct entry *list;
	size_t n;
};

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

const char *
summary_result_name(const struct summary_failure *row)
{
	return row->result == RESULT_OTHER ? or_empty(row->result_type)
	                                   : tls_result_name(row->result);
}

static bool
is_asked(const struct summary_ask *ask, const char *domain, int64_t day)
{
	if (day > ask->last_day)
		return false;
	return ask->domain == NULL ||
	       strcmp(ask->domain, or_empty(domain)) == 0;
}

static const char *
name_of_total(const struct summary_total *row, enum summary_by by)
{
	switch (by) {
	case SUMMARY_BY_DOMAIN:
		return or_empty(row->domain);
	case SUMMARY_BY_POLICY:
		return report_policy_type_name(row->policy);
	case SUMMARY_BY_REPORTER:
		return or_empty(row->reporter);
	case SUMMARY_BY_MX:
	case SUMMARY_BY_RESULT:
		return NULL;
	}
	return NULL;
}

static const char *
name_of_failure(const struct summary_failure *row, enum summary_by by)
{
	switch (by) {
	case SUMMARY_BY_MX:
		return or_empty(row->mx);
	case SUMMARY_BY_RESULT:
		return summary_result_name(row);
	case SUMMARY_BY_DOMAIN:
	case SUMMARY_BY_POLICY:
	case SUMMARY_BY_REPORTER:
		return NULL;
	}
	return NULL;
}

static void
add(struct entries *to, const char *name, int64_t day,
    struct summary_count count)
{
	if (name != NULL)
		to->list[to->n++] = (struct entry){name, day, count};
}

static void
gather(const struct summary_rows *rows, const struct summary_ask *ask,
    struct entries *to)
{
	for (size_t i = 0; i < rows->ntotals; i++) {
		const struct summary_total *row = &rows->totals[i];

		if (is_asked(ask, row->domain, row->day))
			add(to, name_of_total(row, ask->by), row->day,
			    (struct summary_count){
				row->successes, row->failures});
	}
	for (size_t i = 0; i < rows->nfailures; i++) {
		const struct summary_failure *row = &rows->failures[i];

		if (is_asked(ask, row->domain, row->day))
			add(to, name_of_failure(row, ask->by), row->day,
			    (struct summary_count){0, row->sessions});
	}
}

static int
by_name(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	return (x->day > y->day) - (x->day < y->day);
}

static int
by_failures(const void *a, const void *b)
{
	const struct summary_line *x = a;
	const struct summary_line *y = b;

	if (x->week.failures != y->week.failures)
		return x->week.failures < y->week.failures ? 1 : -1;
	if (x->before.failures != y->before.failures)
		return x->before.failures < y->before.failures ? 1 : -1;
	return strcmp(x->name, y->name);
}

uint64_t
summary_plus(uint64_t a, uint64_t b)
{
	uint64_t sum = a > UINT64_MAX - b ? UINT64_MAX : a + b;

	return sum > INT64_MAX ? (uint64_t)INT64_MAX : sum;
}

static void
count(struct summary_count *to, struct summary_count more)
{
	to->successes = summary_plus(to->successes, more.successes);
	to->failures = summary_plus(to->failures, more.failures);
}

/*
 * Shares are compared where successes are known in both weeks, else the
 * failures themselves.  Doubles: nobody decides by the last digit.
 */
static enum summary_trend
trend_of(const struct summary_line *line)
{
	double now = (double)line->week.failures;
	double old = (double)line->before.failures;

	if (line->week.failures == 0)
		return line->before.failures == 0 ? TREND_NONE : TREND_GONE;
	if (line->before.failures == 0)
		return TREND_NEW;
	if (line->week.successes > 0 || line->before.successes > 0) {
		now /= now + (double)line->week.successes;
		old /= old + (double)line->before.successes;
	}
	if (now > old * 1.1)
		return TREND_WORSE;
	return now < old * 0.9 ? TREND_BETTER : TREND_SAME;
}

/* Entries of one name, sorted by day; false: of neither week. */
static bool
make_line(const struct entry *list, size_t n, int64_t last_day,
    struct summary_line *ret)
{
	int64_t start = last_day - SUMMARY_DAYS + 1;
	bool seen = false;

	*ret = (struct summary_line){
	    .name = list[0].name, .first_day = list[0].day};
	for (size_t i = 0; i < n; i++) {
		if (list[i].day >= start)
			count(&ret->week, list[i].count);
		else if (list[i].day >= start - SUMMARY_DAYS)
			count(&ret->before, list[i].count);
		else
			continue;
		seen = true;
	}
	ret->is_new = ret->first_day >= start;
	ret->trend = trend_of(ret);
	return seen;
}

int
summary_make(const struct summary_rows *rows, const struct summary_ask *ask,
    struct arena *arena, struct summary *ret)
{
	size_t most = rows->ntotals + rows->nfailures;
	struct entries entries = {
	    .list = arena_alloc(arena, most * sizeof(*entries.list))};
	struct summary_line *lines = arena_alloc(arena, most * sizeof(*lines));
	size_t n = 0;
	size_t from = 0;

	if (entries.list == NULL || lines == NULL)
		return -1;
	gather(rows, ask, &entries);
	qsort(entries.list, entries.n, sizeof(*entries.list), by_name);
	while (from < entries.n) {
		const struct entry *first = &entries.list[from];
		size_t same = 1;

		while (from + same < entries.n &&
		       strcmp(first[same].name, first->name) == 0)
			same++;
		n += make_line(first, same, ask->last_day, &lines[n]);
		from += same;
	}
	qsort(lines, n, sizeof(*lines), by_failures);
	*ret = (struct summary){lines, n};
	return 0;
}

static void
add_policy(const struct report *report, const struct report_policy *policy,
    struct summary_total *total, struct summary_failure *failures)
{
	int64_t day = report->start / DAY_S;

	*total = (struct summary_total){day, report->organization,
	    policy->domain, policy->type, policy->successes, policy->failures,
	    false};
	for (size_t i = 0; i < policy->ndetails; i++) {
		const struct report_failure *detail = &policy->details[i];

		failures[i] = (struct summary_failure){day,
		    report->organization, policy->domain, policy->type,
		    detail->receiving_mx_hostname, detail->result,
		    detail->result_type, detail->sessions, false};
	}
}

int
summary_rows_of(
    const struct report *report, struct arena *arena, struct summary_rows *ret)
{
	struct summary_total *totals;
	struct summary_failure *failures;
	size_t n = 0;

	for (size_t i = 0; i < report->npolicies; i++)
		n += report->policies[i].ndetails;
	totals = arena_alloc(arena, report->npolicies * sizeof(*totals));
	failures = arena_alloc(arena, n * sizeof(*failures));
	if (totals == NULL || failures == NULL)
		return -1;
	*ret = (struct summary_rows){totals, report->npolicies, failures, n};
	for (size_t i = 0; i < report->npolicies; i++) {
		add_policy(report, &report->policies[i], &totals[i], failures);
		failures += report->policies[i].ndetails;
	}
	return 0;
}

const char *
summary_by_name(enum summary_by by)
{
	switch (by) {
	case SUMMARY_BY_DOMAIN:
		return "domain";
	case SUMMARY_BY_POLICY:
		return "policy";
	case SUMMARY_BY_REPORTER:
		return "reporter";
	case SUMMARY_BY_MX:
		return "mx";
	case SUMMARY_BY_RESULT:
		return "result";
	}
	return "?";
}

const char *
summary_trend_name(enum summary_trend trend)
{
	switch (trend) {
	case TREND_NONE:
		return "none";
	case TREND_NEW:
		return "new";
	case TREND_WORSE:
		return "worse";
	case TREND_SAME:
		return "same";
	case TREND_BETTER:
		return "better";
	case TREND_GONE:
		return "gone";
	}
	return "?";
}
