/* What the reports that are kept come to in a week. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/arena.h"
#include "mta/ctl/report.h"
#include "mta/ctl/report_here.h"
#include "mta/ctl/report_rows.h"
#include "mta/ctl/table.h"
#include "reporting/summary.h"

#define DAY       86400
#define ARENA_MAX ((size_t)1 << 30)

static void
print_name(const struct report_rows *rows, const struct summary_line *line,
    enum summary_by by)
{
	char name[REPORT_SHOWN_SIZE], organization[REPORT_SHOWN_SIZE];
	const char *more = by == SUMMARY_BY_REPORTER
	                       ? report_rows_organization(rows, line->name)
	                       : "";

	(void)printf("    %s", line->name[0] == '\0'
				   ? "(no host)"
				   : report_shown(line->name, name));
	if (more[0] != '\0' && strncmp(more, line->name, strlen(more)) != 0)
		(void)printf(" (%s)", report_shown(more, organization));
	(void)printf(": ");
}

/* One table of a domain. */
struct table {
	const struct report_rows *rows;
	struct report_here *here;
	const char *domain;
	enum summary_by by;
};

static void
print_line(const struct table *table, const struct summary_line *line)
{
	bool known = table->by != SUMMARY_BY_MX &&
	             table->by != SUMMARY_BY_RESULT;

	print_name(table->rows, line, table->by);
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
	if (table->by == SUMMARY_BY_RESULT && line->week.failures > 0)
		report_here_explain(table->here, table->domain, line->name);
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
show_json(
    const struct table *table, json_t *object, const struct summary *summary)
{
	json_t *list = json_array();

	for (size_t i = 0; i < summary->n; i++) {
		const char *name = summary->lines[i].name;
		json_t *line = line_json(&summary->lines[i]);

		if (table->by == SUMMARY_BY_REPORTER)
			(void)json_object_set_new(line, "organization",
			    json_string(
				report_rows_organization(table->rows, name)));
		if (table->by == SUMMARY_BY_RESULT)
			report_here_json(
			    table->here, table->domain, name, line);
		(void)json_array_append_new(list, line);
	}
	(void)json_object_set_new(object, summary_by_name(table->by), list);
}

static void
show_people(const struct table *table, const struct summary *summary)
{
	if (summary->n > 0)
		(void)printf("  by %s:\n", summary_by_name(table->by));
	for (size_t i = 0; i < summary->n; i++)
		print_line(table, &summary->lines[i]);
}

/* Into the object, or without one for people.  -1: there is too much. */
static int
show_tables(struct table *table, json_t *object)
{
	struct summary_ask ask = {
	    .domain = table->domain, .last_day = table->rows->work->now / DAY};
	struct arena *arena = arena_new(ARENA_MAX);
	struct summary summary;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(tables) / sizeof(tables[0]);
	     i++) {
		ask.by = table->by = tables[i];
		arena_reset(arena);
		rc = summary_make(&table->rows->rows, &ask, arena, &summary);
		if (rc == 0 && object != NULL)
			show_json(table, object, &summary);
		else if (rc == 0)
			show_people(table, &summary);
	}
	arena_free(&arena);
	return rc;
}

static int
show_domain_json(struct table *table, const struct summary_line *domain)
{
	json_t *object = line_json(domain);
	int rc = show_tables(table, object);

	if (rc == 0)
		table_json(stdout, object);
	else
		json_decref(object);
	return rc;
}

static int
show_domain_people(struct table *table, const struct summary_line *domain)
{
	(void)printf("%s: %" PRIu64 " session%s fine, %" PRIu64
		     " failed in a week\n",
	    domain->name, domain->week.successes,
	    report_plural(domain->week.successes), domain->week.failures);
	return show_tables(table, NULL);
}

static int
show_domain(const struct report_rows *rows, struct report_here *here,
    const struct summary_line *domain)
{
	struct table table = {
	    .rows = rows, .here = here, .domain = domain->name};
	int rc = rows->work->options->json ? show_domain_json(&table, domain)
	                                   : show_domain_people(&table, domain);

	if (rc < 0)
		return command_complain(
		    domain->name, "there is more than can be added up");
	return domain->week.failures == 0 ? EXIT_FINE : EXIT_WANTED;
}

static int
show_domains(const struct report_work *work, const struct report_rows *rows)
{
	const struct summary_ask ask = {
	    .by = SUMMARY_BY_DOMAIN, .last_day = work->now / DAY};
	const struct here_ask week = {
	    .first_day = ask.last_day - SUMMARY_DAYS + 1,
	    .last_day = INT64_MAX,
	    .trusting = true};
	struct report_here *here;
	struct summary domains;
	int status = EXIT_FINE;

	if (summary_make(&rows->rows, &ask, rows->arena, &domains) < 0)
		return command_complain("report", "too many domains");
	if (domains.n == 0 && !work->options->json)
		(void)puts("no report of the last two weeks is kept");
	here = report_here_new(work, &week);
	for (size_t i = 0; i < domains.n; i++)
		if (report_is_named(work, domains.lines[i].name) &&
		    show_domain(rows, here, &domains.lines[i]) != EXIT_FINE)
			status = EXIT_WANTED;
	report_here_free(&here);
	return status;
}

int
report_do_summary(struct report_work *work)
{
	int named = report_check_names(work);
	struct report_rows rows;
	struct err err;
	int status;

	if (named == EXIT_USAGE)
		return named;
	status = report_rows_load(work, &rows, &err) < 0
	             ? command_complain("report", err.text)
	             : show_domains(work, &rows);
	report_rows_free(&rows);
	return status == EXIT_FINE ? named : status;
}
