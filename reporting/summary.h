/*
 * What the reports of others say, added up for the operator: by domain,
 * policy, reporter, MX host or result, for a week and the one before.
 *
 * Pure.  The rows are what a query gives, one a group:
 *
 *     SELECT day, reporter, domain, policy, SUM(successes), SUM(failures) ...
 *     SELECT day, reporter, domain, policy, mx, result, SUM(sessions) ...
 *
 * or what summary_rows_of() makes of one report; in any order, and the same
 * group may come more than once.  They reach back as far as the reader wants
 * "new" to mean: two weeks are the least.
 *
 * Totals and failures are counted apart: one session can fail in two ways (RFC
 * 8460 4), so failures by MX host or result may add up to more than those of
 * the domain, and successes by these are not known.
 *
 * Ownership: lines and their names live on the arena or in the rows.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "reporting/report.h"

#define SUMMARY_DAYS 7

struct summary_total {
	int64_t day; /* since 1970, UTC */
	const char *reporter;
	const char *domain;
	enum report_policy_type policy;
	uint64_t successes;
	uint64_t failures;
	bool vouched; /* the reporter is who signed (RFC 8460 3) */
};

struct summary_failure {
	int64_t day;
	const char *reporter;
	const char *domain;
	enum report_policy_type policy;
	const char *mx; /* "": it came to no host */
	enum tls_result result;
	const char *result_type; /* RESULT_OTHER: as written */
	uint64_t sessions;
	bool vouched; /* as above */
};

struct summary_rows {
	const struct summary_total *totals;
	size_t ntotals;
	const struct summary_failure *failures;
	size_t nfailures;
};

/* The rows of one report; the day is that of its start.  -1: arena full. */
int summary_rows_of(
    const struct report *report, struct arena *arena, struct summary_rows *ret);

enum summary_by {
	SUMMARY_BY_DOMAIN = 0,
	SUMMARY_BY_POLICY, /* type */
	SUMMARY_BY_REPORTER,
	SUMMARY_BY_MX,
	SUMMARY_BY_RESULT,
};

/* How failures went: as a share of sessions, where those are known. */
enum summary_trend {
	TREND_NONE = 0, /* none now, none before */
	TREND_NEW,      /* some now, none before */
	TREND_WORSE,
	TREND_SAME, /* by less than a tenth up or down */
	TREND_BETTER,
	TREND_GONE, /* none now, some before */
};

struct summary_count {
	uint64_t successes; /* 0 where not known */
	uint64_t failures;
};

struct summary_line {
	const char *name;
	struct summary_count week;
	struct summary_count before; /* the week before */
	int64_t first_day;           /* it was ever seen */
	enum summary_trend trend;
	bool is_new; /* first seen in the week: a new reporter, a new failure */
};

struct summary {
	const struct summary_line
	    *lines; /* most failures first, then by name */
	size_t n;
};

struct summary_ask {
	enum summary_by by;
	const char *domain; /* that alone; NULL: all */
	int64_t last_day;   /* of the week; rows after it are left out */
};

/* Names that were seen in neither week are left out.  -1: arena full. */
int summary_make(const struct summary_rows *rows, const struct summary_ask *ask,
    struct arena *arena, struct summary *ret);

/* The sum, or the most that JSON of ours can say. */
uint64_t summary_plus(uint64_t a, uint64_t b);

/* RESULT_OTHER: as it was written, or "". */
const char *summary_result_name(const struct summary_failure *row);

const char *summary_by_name(enum summary_by by);
const char *summary_trend_name(enum summary_trend trend);
