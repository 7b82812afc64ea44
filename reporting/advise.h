/*
 * May the MTA-STS policy of a domain go from testing to enforce?  What the
 * reports of others say to that (RFC 8461 5: that is what testing is for).
 *
 * A day is clean when somebody reported sessions under MTA-STS, or under no
 * policy, and nobody a failure in those; DANE has its own.  A day without a
 * report is neither clean nor a blot.  The run of clean days is counted back
 * from the last day with a report to the last day with a failure.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "reporting/summary.h"

/* Reporters beyond are not counted, nor needed. */
#define ADVISE_REPORTERS_MAX 50

/* All of them stand in the way of ADVISE_ENFORCE. */
enum advise_reason {
	ADVISE_NO_REPORTS = 0, /* nobody reported sessions under MTA-STS */
	ADVISE_STALE,          /* the last report is too old */
	ADVISE_FAILURES,       /* there were some, too lately */
	ADVISE_FEW_DAYS,
	ADVISE_FEW_REPORTERS, /* of sessions under MTA-STS, in the run */
	ADVISE_FEW_SESSIONS,
	ADVISE_REASONS,
};

struct advise_ask {
	const char *domain;
	int64_t today;
	uint32_t days; /* that have to be clean, in a row */
	uint32_t reporters;
	uint64_t sessions; /* under MTA-STS, in the run */
	uint32_t silence;  /* days since the last report, at most */
};

/* 14 days, 2 reporters, 100 sessions, 3 days. */
struct advise_ask advise_defaults(const char *domain, int64_t today);

enum advise_verdict {
	ADVISE_WAIT = 0,
	ADVISE_ENFORCE,
};

struct advise {
	enum advise_verdict verdict;
	enum advise_reason reasons[ADVISE_REASONS];
	size_t nreasons;
	uint32_t clean_days; /* with a report, in the run */
	uint32_t reporters;
	uint64_t sessions;
	int64_t last_report;  /* a day; 0: none */
	int64_t last_failure; /* a day; 0: none */
	/* Of the last day with failures: the largest that has details, or NULL. */
	const struct summary_failure *worst;
};

/* Rows of other domains, and of days after today, are left out. */
struct advise advise_enforce(
    const struct summary_rows *rows, const struct advise_ask *ask);

/* "there are too few clean days in a row" */
const char *advise_reason_words(enum advise_reason reason);
