/* See report_rows.h. */
#include "mta/ctl/report_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/ctl/report.h"
#include "reporting/result.h"

#define DAY 86400
/* How far back something is looked for before it is called new. */
#define REACH_DAYS 100
#define TOTALS_MAX 1000000u
#define ARENA_MAX  ((size_t)1 << 30)
/* Kinds of failures of one reporter about one domain: who signs a hundred
 * reports full of names must not keep the others' from being read. */
#define SHARE_MAX 20000u
/* INBOX_TEXT characters of UTF-8, and more behind them. */
#define REPORTER_SIZE ((size_t)4 * INBOX_TEXT + sizeof(REPORT_UNSIGNED))

static const char *
keep(struct report_rows *rows, const char *text)
{
	const char *kept = arena_strndup(rows->arena, text, strlen(text));

	rows->full |= kept == NULL;
	return kept == NULL ? "" : kept;
}

/* The one of the row before, where it is the same. */
static const char *
keep_once(struct report_rows *rows, const char *before, const char *text)
{
	return before != NULL && strcmp(before, text) == 0 ? before
	                                                   : keep(rows, text);
}

/* For one more than n, which is doubled whenever it is a power of two. */
static void *
room(void *array, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return array;
	return mem_grow(array, n * size, (n == 0 ? 1 : 2 * n) * size);
}

/*
 * Not the organization of a report that is signed: whoever signs could be as
 * many reporters as he has names, or be taken for another.
 */
static const char *
reporter_of(const struct inbox_count *count, char room[REPORTER_SIZE])
{
	if (count->signer[0] != '\0')
		return count->signer;
	/* No domain is like that, so nobody is taken for one that signs. */
	(void)snprintf(
	    room, REPORTER_SIZE, "%s" REPORT_UNSIGNED, count->organization);
	return room;
}

/* Names of policies are no matter, and there may be any number. */
static bool
add_to_last(
    struct report_rows *rows, const struct inbox_count *count, const char *name)
{
	size_t n = rows->rows.ntotals;
	struct summary_total *last = n == 0 ? NULL : &rows->totals[n - 1];

	if (last == NULL || last->day != count->day ||
	    last->policy != count->type || strcmp(last->reporter, name) != 0 ||
	    strcmp(last->domain, count->domain) != 0)
		return false;
	last->successes = summary_plus(last->successes, count->sessions);
	last->failures = summary_plus(last->failures, count->failures);
	return true;
}

static void
add_total(struct report_rows *rows, const struct inbox_count *count)
{
	const struct summary_total *last;
	char room_of_name[REPORTER_SIZE];
	const char *name = reporter_of(count, room_of_name);
	size_t n;

	if (add_to_last(rows, count, name))
		return;
	if (rows->rows.ntotals == TOTALS_MAX) {
		rows->full = true;
		return;
	}
	n = rows->rows.ntotals++;
	rows->reporters = room(rows->reporters, n, sizeof(rows->reporters[0]));
	rows->totals = room(rows->totals, n, sizeof(rows->totals[0]));
	last = n == 0 ? NULL : &rows->totals[n - 1];
	rows->totals[n] = (struct summary_total){.day = count->day,
	    .reporter = keep_once(rows, n == 0 ? NULL : last->reporter, name),
	    .domain = keep_once(
		rows, n == 0 ? NULL : last->domain, count->domain),
	    .policy = count->type,
	    .successes = count->sessions,
	    .failures = count->failures,
	    .vouched = count->signer[0] != '\0'};
	rows->reporters[n] = (struct report_reporter){
	    rows->totals[n].reporter, keep(rows, count->organization)};
}

static void
say_cut(const char *reporter)
{
	char shown[REPORT_SHOWN_SIZE];

	text_escape(span_of(reporter), shown, sizeof(shown));
	(void)fprintf(stderr,
	    "danelaw: report: %s tells of more than %u kinds of failures; the "
	    "others are in the sums alone\n",
	    shown, SHARE_MAX);
}

/* Rows of a domain and reporter stand together. */
static bool
has_share(struct report_rows *rows, const struct inbox_count *count)
{
	char room_of_name[REPORTER_SIZE];
	const char *reporter = reporter_of(count, room_of_name);

	if (rows->domain == NULL || strcmp(rows->domain, count->domain) != 0 ||
	    strcmp(rows->reporter, reporter) != 0) {
		rows->domain = keep_once(rows, rows->domain, count->domain);
		rows->reporter = keep_once(rows, rows->reporter, reporter);
		rows->share = 0;
	}
	if (rows->share++ < SHARE_MAX)
		return true;
	if (!rows->cut)
		say_cut(reporter);
	rows->cut = true;
	return false;
}

static void
say_over(struct report_rows *rows)
{
	if (!rows->over)
		(void)fputs("danelaw: report: there are more kinds of failures "
			    "than can be told; the others are in the sums "
			    "alone\n",
		    stderr);
	rows->over = true;
}

static void
add_failure(struct report_rows *rows, const struct inbox_count *count)
{
	size_t n = rows->rows.nfailures;
	const char *mx, *type;

	if (rows->over || !has_share(rows, count))
		return;
	mx = arena_strndup(rows->details, count->mx, strlen(count->mx));
	type = arena_strndup(
	    rows->details, count->result_type, strlen(count->result_type));
	if (n == REPORT_ROWS_FAILURES || mx == NULL || type == NULL) {
		say_over(rows);
		return;
	}
	rows->failures = room(rows->failures, n, sizeof(rows->failures[0]));
	rows->failures[n] = (struct summary_failure){.day = count->day,
	    .reporter = rows->reporter,
	    .domain = rows->domain,
	    .policy = count->type,
	    .mx = mx,
	    .result = tls_result_of(span_of(count->result_type)),
	    .result_type = type,
	    .sessions = count->sessions,
	    .vouched = count->signer[0] != '\0'};
	rows->rows.nfailures++;
}

static void
take_count(const struct inbox_count *count, void *arg)
{
	if (count->result_type[0] == '\0')
		add_total(arg, count);
	else
		add_failure(arg, count);
}

static int
by_name(const void *a, const void *b)
{
	const struct report_reporter *x = a;
	const struct report_reporter *y = b;

	return strcmp(x->name, y->name);
}

const char *
report_rows_organization(const struct report_rows *rows, const char *name)
{
	const struct report_reporter key = {.name = name};
	const struct report_reporter *found = bsearch(
	    &key, rows->reporters, rows->rows.ntotals, sizeof(key), by_name);

	return found == NULL ? "" : found->organization;
}

int
report_rows_load(
    const struct report_work *work, struct report_rows *rows, struct err *err)
{
	*rows = (struct report_rows){.work = work,
	    .arena = arena_new(ARENA_MAX),
	    .details = arena_new(ARENA_MAX)};
	if (inbox_store_counts(&work->store, work->now / DAY - REACH_DAYS,
		take_count, rows, err) < 0)
		return -1;
	if (rows->rows.ntotals > 0)
		qsort(rows->reporters, rows->rows.ntotals,
		    sizeof(rows->reporters[0]), by_name);
	rows->rows.totals = rows->totals;
	rows->rows.failures = rows->failures;
	return rows->full ? err_set(err, ERR_PERM, "5.3.4",
				"there is more than can be added up")
	                  : 0;
}

void
report_rows_free(struct report_rows *rows)
{
	arena_free(&rows->arena);
	arena_free(&rows->details);
	mem_free(rows->reporters);
	mem_free(rows->totals);
	mem_free(rows->failures);
}
