/* What the reports that are kept come to: a week, and an advice. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "dnssec/name.h"
#include "mta/config.h"
#include "mta/ctl/report.h"
#include "mta/ctl/table.h"
#include "reporting/advice.h"
#include "reporting/advise.h"
#include "reporting/result.h"
#include "reporting/summary.h"

#define DAY 86400
/* How far back something is looked for before it is called new. */
#define REACH_DAYS 100
#define ROWS_MAX   2000000u
#define ARENA_MAX  ((size_t)1 << 30)
/* Kinds of failures of one reporter about one domain: who signs a hundred
 * reports full of names must not keep the others' from being read. */
#define SHARE_MAX 20000u

/* --- what is kept --------------------------------------------------------- */

/* RFC 8460 3: who vouches is the reporter; what he calls himself is shown. */
struct reporter {
	const char *name;
	const char *organization;
};

struct rows {
	const struct report_work *work;
	struct arena *arena;
	struct reporter *reporters; /* of each total; then sorted by name */
	struct summary_total *totals;
	struct summary_failure *failures;
	struct summary_rows rows;
	bool full;
	/* Whose rows come just now, how many failures they were, and if these
	 * were too many. */
	const char *domain, *reporter;
	size_t share;
	bool cut;
};

static const char *
keep(struct rows *rows, const char *text)
{
	const char *kept = arena_strndup(rows->arena, text, strlen(text));

	rows->full |= kept == NULL;
	return kept == NULL ? "" : kept;
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
reporter_of(const struct inbox_count *count)
{
	return count->signer[0] != '\0' ? count->signer : count->organization;
}

static uint64_t
sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Names of policies are no matter, and there may be any number. */
static bool
add_to_last(struct rows *rows, const struct inbox_count *count)
{
	size_t n = rows->rows.ntotals;
	struct summary_total *last = n == 0 ? NULL : &rows->totals[n - 1];

	if (last == NULL || last->day != count->day ||
	    last->policy != count->type ||
	    strcmp(last->reporter, reporter_of(count)) != 0 ||
	    strcmp(last->domain, count->domain) != 0)
		return false;
	last->successes = sum(last->successes, count->sessions);
	last->failures = sum(last->failures, count->failures);
	return true;
}

static void
add_total(struct rows *rows, const struct inbox_count *count)
{
	size_t n;

	if (add_to_last(rows, count))
		return;
	n = rows->rows.ntotals++;
	rows->reporters = room(rows->reporters, n, sizeof(rows->reporters[0]));
	rows->totals = room(rows->totals, n, sizeof(rows->totals[0]));
	rows->totals[n] = (struct summary_total){.day = count->day,
	    .reporter = keep(rows, reporter_of(count)),
	    .domain = keep(rows, count->domain),
	    .policy = count->type,
	    .successes = count->sessions,
	    .failures = count->failures};
	rows->reporters[n] = (struct reporter){
	    rows->totals[n].reporter, keep(rows, count->organization)};
}

/* Rows of a domain and reporter stand together. */
static bool
has_share(struct rows *rows, const struct inbox_count *count)
{
	const char *reporter = reporter_of(count);
	char shown[REPORT_SHOWN_SIZE];

	if (rows->domain == NULL || strcmp(rows->domain, count->domain) != 0 ||
	    strcmp(rows->reporter, reporter) != 0) {
		rows->domain = keep(rows, count->domain);
		rows->reporter = keep(rows, reporter);
		rows->share = 0;
	}
	if (rows->share++ < SHARE_MAX)
		return true;
	if (!rows->cut)
		(void)fprintf(stderr,
		    "danelaw: report: %s tells of more than %u kinds of "
		    "failures; the others are in the sums alone\n",
		    report_shown(reporter, shown), SHARE_MAX);
	rows->cut = true;
	return false;
}

static void
add_failure(struct rows *rows, const struct inbox_count *count)
{
	size_t n;

	if (!has_share(rows, count))
		return;
	n = rows->rows.nfailures++;
	rows->failures = room(rows->failures, n, sizeof(rows->failures[0]));
	rows->failures[n] = (struct summary_failure){.day = count->day,
	    .reporter = keep(rows, reporter_of(count)),
	    .domain = keep(rows, count->domain),
	    .policy = count->type,
	    .mx = keep(rows, count->mx),
	    .result = tls_result_of(span_of(count->result_type)),
	    .result_type = keep(rows, count->result_type),
	    .sessions = count->sessions};
}

static void
take_count(const struct inbox_count *count, void *arg)
{
	struct rows *rows = arg;

	if (rows->rows.ntotals + rows->rows.nfailures >= ROWS_MAX)
		rows->full = true;
	else if (count->result_type[0] == '\0')
		add_total(rows, count);
	else
		add_failure(rows, count);
}

static int
by_name(const void *a, const void *b)
{
	const struct reporter *x = a;
	const struct reporter *y = b;

	return strcmp(x->name, y->name);
}

/* What the reporter of a line calls himself, or one of his names. */
static const char *
organization_of(const struct rows *rows, const char *name)
{
	const struct reporter key = {.name = name};
	const struct reporter *found = bsearch(
	    &key, rows->reporters, rows->rows.ntotals, sizeof(key), by_name);

	return found == NULL ? "" : found->organization;
}

static int
load(const struct report_work *work, struct rows *rows, struct err *err)
{
	*rows = (struct rows){.work = work, .arena = arena_new(ARENA_MAX)};
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

static void
unload(struct rows *rows)
{
	arena_free(&rows->arena);
	mem_free(rows->reporters);
	mem_free(rows->totals);
	mem_free(rows->failures);
}

/* --- a week --------------------------------------------------------------- */

static void
print_name(const struct rows *rows, const struct summary_line *line,
    enum summary_by by)
{
	char name[REPORT_SHOWN_SIZE], organization[REPORT_SHOWN_SIZE];
	const char *more = by == SUMMARY_BY_REPORTER
	                       ? organization_of(rows, line->name)
	                       : "";

	(void)printf("    %s", line->name[0] == '\0'
				   ? "(no host)"
				   : report_shown(line->name, name));
	if (more[0] != '\0' && strcmp(more, line->name) != 0)
		(void)printf(" (%s)", report_shown(more, organization));
	(void)printf(": ");
}

static void
print_line(const struct rows *rows, const struct summary_line *line,
    enum summary_by by)
{
	bool known = by != SUMMARY_BY_MX && by != SUMMARY_BY_RESULT;

	print_name(rows, line, by);
	if (known)
		(void)printf("%" PRIu64 " fine, ", line->week.successes);
	(void)printf("%" PRIu64 " failed", line->week.failures);
	(void)printf("; the week before ");
	if (known)
		(void)printf("%" PRIu64 " fine, ", line->before.successes);
	(void)printf("%" PRIu64 " failed", line->before.failures);
	if (line->trend != TREND_NONE)
		(void)printf(" (%s)", summary_trend_name(line->trend));
	(void)puts(line->is_new ? ", new" : "");
	if (by == SUMMARY_BY_RESULT && line->week.failures > 0) {
		const struct advice *advice = advice_for(
		    tls_result_of(span_of(line->name)));

		(void)printf("      means:  %s\n      check:  %s\n"
			     "      remedy: %s (%s)\n",
		    advice->means, advice->check, advice->remedy, advice->rfc);
	}
}

static json_t *
line_json(const struct summary_line *line)
{
	char day[REPORT_DAY_SIZE];

	report_day(line->first_day, day);
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:s,s:s,s:b}", "name",
	    line->name, "successes", (json_int_t)line->week.successes,
	    "failures", (json_int_t)line->week.failures, "successes_before",
	    (json_int_t)line->before.successes, "failures_before",
	    (json_int_t)line->before.failures, "trend",
	    summary_trend_name(line->trend), "since", day, "new",
	    line->is_new ? 1 : 0);
}

static const enum summary_by tables[] = {
    SUMMARY_BY_POLICY, SUMMARY_BY_REPORTER, SUMMARY_BY_MX, SUMMARY_BY_RESULT};

static void
show_json(const struct rows *rows, json_t *object, enum summary_by by,
    const struct summary *summary)
{
	json_t *list = json_array();

	for (size_t i = 0; i < summary->n; i++) {
		const char *name = summary->lines[i].name;
		json_t *line = line_json(&summary->lines[i]);

		if (by == SUMMARY_BY_REPORTER)
			(void)json_object_set_new(line, "organization",
			    json_string(organization_of(rows, name)));
		(void)json_array_append_new(list, line);
	}
	(void)json_object_set_new(object, summary_by_name(by), list);
}

static void
show_people(
    const struct rows *rows, enum summary_by by, const struct summary *summary)
{
	if (summary->n > 0)
		(void)printf("  by %s:\n", summary_by_name(by));
	for (size_t i = 0; i < summary->n; i++)
		print_line(rows, &summary->lines[i], by);
}

/* Into the object, or without one for people.  -1: there is too much. */
static int
show_tables(const struct rows *rows, const char *domain, json_t *object)
{
	struct summary_ask ask = {
	    .domain = domain, .last_day = rows->work->now / DAY};
	struct arena *arena = arena_new(ARENA_MAX);
	struct summary summary;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(tables) / sizeof(tables[0]);
	     i++) {
		ask.by = tables[i];
		arena_reset(arena);
		rc = summary_make(&rows->rows, &ask, arena, &summary);
		if (rc == 0 && object != NULL)
			show_json(rows, object, tables[i], &summary);
		else if (rc == 0)
			show_people(rows, tables[i], &summary);
	}
	arena_free(&arena);
	return rc;
}

static int
show_domain_json(const struct rows *rows, const struct summary_line *domain)
{
	json_t *object = line_json(domain);
	int rc = show_tables(rows, domain->name, object);

	if (rc == 0)
		table_json(stdout, object);
	else
		json_decref(object);
	return rc;
}

static int
show_domain_people(const struct rows *rows, const struct summary_line *domain)
{
	(void)printf("%s: %" PRIu64 " session%s fine, %" PRIu64
		     " failed in a week\n",
	    domain->name, domain->week.successes,
	    report_plural(domain->week.successes), domain->week.failures);
	return show_tables(rows, domain->name, NULL);
}

static int
show_domain(const struct rows *rows, const struct summary_line *domain)
{
	int rc = rows->work->options->json ? show_domain_json(rows, domain)
	                                   : show_domain_people(rows, domain);

	if (rc < 0)
		return command_complain(
		    domain->name, "there is more than can be added up");
	return domain->week.failures == 0 ? EXIT_FINE : EXIT_WANTED;
}

static int
show_domains(const struct report_work *work, const struct rows *rows)
{
	const struct summary_ask ask = {
	    .by = SUMMARY_BY_DOMAIN, .last_day = work->now / DAY};
	struct summary domains;
	int status = EXIT_FINE;

	if (summary_make(&rows->rows, &ask, rows->arena, &domains) < 0)
		return command_complain("report", "too many domains");
	if (domains.n == 0 && !work->options->json)
		(void)puts("no report of the last two weeks is kept");
	for (size_t i = 0; i < domains.n; i++)
		if (report_is_named(work, domains.lines[i].name) &&
		    show_domain(rows, &domains.lines[i]) != EXIT_FINE)
			status = EXIT_WANTED;
	return status;
}

int
report_do_summary(struct report_work *work)
{
	int named = report_check_names(work);
	struct rows rows;
	struct err err;
	int status;

	if (named == EXIT_USAGE)
		return named;
	status = load(work, &rows, &err) < 0
	             ? command_complain("report", err.text)
	             : show_domains(work, &rows);
	unload(&rows);
	return status == EXIT_FINE ? named : status;
}

/* --- an advice ------------------------------------------------------------ */

static void
advise_people(const char *domain, const struct advise *advise)
{
	char day[REPORT_DAY_SIZE], mx[REPORT_SHOWN_SIZE];
	char type[REPORT_SHOWN_SIZE], reporter[REPORT_SHOWN_SIZE];

	(void)printf("%s: %s\n", domain,
	    advise->verdict == ADVISE_ENFORCE ? "testing may become enforce"
					      : "stay with testing");
	(void)printf("  %u clean day%s in a row, %u reporter%s, %" PRIu64
		     " session%s under MTA-STS\n",
	    (unsigned)advise->clean_days, report_plural(advise->clean_days),
	    (unsigned)advise->reporters, report_plural(advise->reporters),
	    advise->sessions, report_plural(advise->sessions));
	for (size_t i = 0; i < advise->nreasons; i++)
		(void)printf("  %s\n", advise_reason_words(advise->reasons[i]));
	if (advise->last_failure == 0)
		return;
	report_day(advise->last_failure, day);
	(void)printf("  the last failure: %s", day);
	if (advise->worst != NULL)
		(void)printf(", %s at %s, reported by %s",
		    report_shown(advise->worst->result_type, type),
		    advise->worst->mx[0] == '\0'
			? "no host"
			: report_shown(advise->worst->mx, mx),
		    report_shown(advise->worst->reporter, reporter));
	(void)putchar('\n');
}

static void
advise_json(const char *domain, const struct advise *advise)
{
	json_t *reasons = json_array();
	char day[REPORT_DAY_SIZE];
	json_t *object;

	report_day(advise->last_failure, day);
	for (size_t i = 0; i < advise->nreasons; i++)
		(void)json_array_append_new(reasons,
		    json_string(advise_reason_words(advise->reasons[i])));
	object = json_pack("{s:s,s:b,s:i,s:i,s:I,s:s?,s:o}", "domain", domain,
	    "enforce", advise->verdict == ADVISE_ENFORCE ? 1 : 0, "clean_days",
	    (int)advise->clean_days, "reporters", (int)advise->reporters,
	    "sessions", (json_int_t)advise->sessions, "last_failure",
	    advise->last_failure == 0 ? NULL : day, "reasons", reasons);
	table_json(stdout, object);
}

int
report_do_advise(struct report_work *work)
{
	char domain[DNS_NAME_SIZE];
	struct advise_ask ask;
	struct advise advise;
	struct rows rows;
	struct err err;
	int status;

	status = report_check_names(work);
	if (status != EXIT_FINE)
		return status;
	if (dns_name_from_domain(work->names[0], domain, &err) < 0)
		return command_misused(err.text);
	if (load(work, &rows, &err) < 0) {
		status = command_complain("report", err.text);
	} else {
		ask = advise_defaults(domain, work->now / DAY);
		advise = advise_enforce(&rows.rows, &ask);
		if (work->options->json)
			advise_json(domain, &advise);
		else
			advise_people(domain, &advise);
		status = advise.verdict == ADVISE_ENFORCE ? EXIT_FINE
		                                          : EXIT_WANTED;
	}
	unload(&rows);
	return status;
}
