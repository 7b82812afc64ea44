/*
 * What the reports that are kept come to, in memory: what reporting/summary.h
 * and advise.h add up.
 *
 * Bounded, and not at the cost of others: sums of sessions are there for all
 * reporters.  Kinds of failures are as many as fit, of each reporter a share.
 */
#pragma once
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "reporting/summary.h"

#define REPORT_ROWS_FAILURES 250000u

struct report_work;

/* Behind the name of who has no signature. */
#define REPORT_UNSIGNED " (unsigned)"

/* RFC 8460 3: who vouches is the reporter; what he calls himself is shown. */
struct report_reporter {
	const char *name;
	const char *organization;
};

struct report_rows {
	const struct report_work *work;
	struct summary_rows rows;
	struct report_reporter *reporters; /* of each total; sorted by name */
	/* The rest is for who loads them. */
	struct arena *arena, *details; /* of sums, and of kinds of failures */
	struct summary_total *totals;
	struct summary_failure *failures;
	bool full; /* the sums do not fit */
	/* Whose rows come just now, how many failures they were, and what has
	 * been said. */
	const char *domain, *reporter;
	size_t share;
	bool cut, over;
};

/* -1: they cannot be read, or there are too many reports.  Free it in either
 * case. */
int report_rows_load(
    const struct report_work *work, struct report_rows *rows, struct err *err);
void report_rows_free(struct report_rows *rows);
/* What a reporter calls himself, or one of his names. */
const char *report_rows_organization(
    const struct report_rows *rows, const char *name);
