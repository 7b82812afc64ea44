/*
 * May the MTA-STS policy of a domain go from testing to enforce?  What the
 * reports of others say to that (RFC 8461 5: that is what testing is for).
 *
 * A day is clean when somebody reported sessions under MTA-STS, or under no
 * policy, and nobody a failure in those; DANE has its own.  A day without a
 * report is neither clean nor a blot.  The run of clean days is counted back
 * from the last day with a report to the last day with a failure.
 *
 * Anybody can say anything in another's name, so reports that nobody vouches
 * for (RFC 8460 3) neither make a day clean nor end the run.  They are counted
 * by themselves, unless the caller takes them for as good as the others.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reporting/summary.h"

/* Reporters beyond are not counted, nor needed. */
#define ADVISE_REPORTERS_MAX 50
/* Kinds of failures of the last day that had some: the most frequent. */
#define ADVISE_KINDS 8

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
	bool trusting;     /* reports nobody vouches for count, too */
};

/* 14 days, 2 reporters, 100 sessions, 3 days. */
struct advise_ask advise_defaults(const char *domain, int64_t today);

enum advise_verdict {
	ADVISE_WAIT = 0,
	ADVISE_ENFORCE,
};

/* What does not count for the only reason that nobody vouches for it. */
struct advise_left {
	uint32_t reporters; /* by the names they give themselves */
	uint64_t sessions;  /* under MTA-STS, in the run */
	/* That would end the run later than it does: by the sums or by the
	 * kinds, whichever is more. */
	uint64_t failures;
	int64_t last_failure; /* a day; 0: none */
};

/* One result of the last day with failures. */
struct advise_kind {
	const char *result; /* as summary_make() names it */
	uint64_t sessions;
};

struct advise {
	enum advise_verdict verdict;
	enum advise_reason reasons[ADVISE_REASONS];
	size_t nreasons;
	uint32_t clean_days;  /* with a report, in the run */
	uint32_t silent_days; /* without one, between the first and last */
	uint32_t reporters;
	const char *names[ADVISE_REPORTERS_MAX]; /* of the reporters */
	uint64_t sessions;
	int64_t last_report;  /* a day; 0: none */
	int64_t last_failure; /* a day; 0: none */
	/* Of the last day with failures: the largest that has details, or NULL. */
	const struct summary_failure *worst;
	struct advise_kind kinds[ADVISE_KINDS]; /* most sessions first */
	size_t nkinds;
	size_t more_kinds; /* of that day, and not among these */
	struct advise_left left;
};

/* Rows of other domains, and of days after today, are left out. */
struct advise advise_enforce(
    const struct summary_rows *rows, const struct advise_ask *ask);

/* "there are too few clean days in a row" */
const char *advise_reason_words(enum advise_reason reason);

/* Those words, and by how much: "...: 5 more are wanted". */
#define ADVISE_TEXT 128
void advise_reason_text(enum advise_reason reason, const struct advise *advise,
    const struct advise_ask *ask, char to[ADVISE_TEXT]);
