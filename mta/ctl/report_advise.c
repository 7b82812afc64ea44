/* danelaw report advise: may testing become enforce (RFC 8461 5)? */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "dnssec/name.h"
#include "mta/ctl/report.h"
#include "mta/ctl/report_here.h"
#include "mta/ctl/report_rows.h"
#include "mta/ctl/table.h"
#include "reporting/advise.h"

#define DAY            86400
#define REPORTERS_TOLD 5

struct advice_told {
	const struct report_work *work;
	const struct report_rows *rows;
	struct advise_ask ask;
	struct advise is;
	struct report_here *here; /* NULL: nothing failed */
};

/* --- people --------------------------------------------------------------- */

static void
print_run(const struct advice_told *told)
{
	const struct advise *is = &told->is;

	(void)printf("  %u clean day%s in a row, %u reporter%s, %" PRIu64
		     " session%s under MTA-STS; wanted are %u, %u and %" PRIu64
		     "\n",
	    (unsigned)is->clean_days, report_plural(is->clean_days),
	    (unsigned)is->reporters, report_plural(is->reporters), is->sessions,
	    report_plural(is->sessions), (unsigned)told->ask.days,
	    (unsigned)told->ask.reporters, told->ask.sessions);
	if (is->silent_days > 0)
		(void)printf("  %u day%s among them without any report\n",
		    (unsigned)is->silent_days, report_plural(is->silent_days));
}

static void
print_reporter(const struct report_rows *rows, const char *name)
{
	const char *more = report_rows_organization(rows, name);
	char shown[REPORT_SHOWN_SIZE], organization[REPORT_SHOWN_SIZE];

	(void)printf("%s", report_shown(name, shown));
	if (more[0] != '\0' && strncmp(name, more, strlen(more)) != 0)
		(void)printf(" (%s)", report_shown(more, organization));
}

static void
print_reporters(const struct advice_told *told)
{
	uint32_t n = told->is.reporters;

	for (uint32_t i = 0; i < n && i < REPORTERS_TOLD; i++) {
		(void)printf("%s", i == 0 ? "  reporters: " : ", ");
		print_reporter(told->rows, told->is.names[i]);
	}
	if (n > REPORTERS_TOLD)
		(void)printf(" and %u more", (unsigned)(n - REPORTERS_TOLD));
	if (n > 0)
		(void)putchar('\n');
}

static void
print_left(const struct advise_left *left)
{
	char day[REPORT_DAY_SIZE];

	if (left->reporters == 0)
		return;
	(void)printf("  not counted, for nobody vouches for them: %u "
		     "reporter%s (unsigned), %" PRIu64 " session%s fine, "
		     "%" PRIu64 " failed",
	    (unsigned)left->reporters, report_plural(left->reporters),
	    left->sessions, report_plural(left->sessions), left->failures);
	report_day(left->last_failure, day);
	if (left->last_failure > 0)
		(void)printf(", the last on %s", day);
	(void)putchar('\n');
}

static void
print_failures(const struct advice_told *told)
{
	const struct advise *is = &told->is;
	char day[REPORT_DAY_SIZE], mx[REPORT_SHOWN_SIZE];
	char type[REPORT_SHOWN_SIZE], reporter[REPORT_SHOWN_SIZE];

	report_day(is->last_failure, day);
	(void)printf("  the last failure: %s", day);
	if (is->worst != NULL)
		(void)printf(", %s at %s, reported by %s",
		    report_shown(is->worst->result_type, type),
		    is->worst->mx[0] == '\0' ? "no host"
					     : report_shown(is->worst->mx, mx),
		    report_shown(is->worst->reporter, reporter));
	(void)putchar('\n');
	for (size_t i = 0; i < is->nkinds; i++) {
		(void)printf("    %s: %" PRIu64 " failed that day\n",
		    report_shown(is->kinds[i].result, type),
		    is->kinds[i].sessions);
		report_here_explain(
		    told->here, told->ask.domain, is->kinds[i].result);
	}
	if (is->more_kinds > 0)
		(void)printf("    and %zu more kind%s of failures\n",
		    is->more_kinds, report_plural(is->more_kinds));
}

static void
advise_people(const struct advice_told *told)
{
	const struct advise *is = &told->is;
	char text[ADVISE_TEXT];

	(void)printf("%s: %s\n", told->ask.domain,
	    is->verdict == ADVISE_ENFORCE ? "testing may become enforce"
					  : "stay with testing");
	print_run(told);
	print_reporters(told);
	print_left(&is->left);
	for (size_t i = 0; i < is->nreasons; i++) {
		advise_reason_text(is->reasons[i], is, &told->ask, text);
		(void)printf("  %s\n", text);
	}
	if (is->last_failure > 0)
		print_failures(told);
}

/* --- programs ------------------------------------------------------------- */

static json_t *
day_json(int64_t day)
{
	char text[REPORT_DAY_SIZE];

	report_day(day, text);
	return day == 0 ? json_null() : json_string(text);
}

static json_t *
reasons_json(const struct advice_told *told)
{
	json_t *list = json_array();
	char text[ADVISE_TEXT];

	for (size_t i = 0; i < told->is.nreasons; i++) {
		advise_reason_text(
		    told->is.reasons[i], &told->is, &told->ask, text);
		(void)json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *
names_json(const struct advise *is)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < is->reporters; i++)
		(void)json_array_append_new(list, json_string(is->names[i]));
	return list;
}

static json_t *
failures_json(const struct advice_told *told)
{
	json_t *list = json_array();

	for (size_t i = 0; i < told->is.nkinds; i++) {
		const struct advise_kind *kind = &told->is.kinds[i];
		json_t *object = json_pack("{s:s,s:I}", "result", kind->result,
		    "failures", (json_int_t)kind->sessions);

		report_here_json(
		    told->here, told->ask.domain, kind->result, object);
		(void)json_array_append_new(list, object);
	}
	return list;
}

static json_t *
left_json(const struct advise_left *left)
{
	return json_pack("{s:i,s:I,s:I,s:o}", "reporters", (int)left->reporters,
	    "successes", (json_int_t)left->sessions, "failures",
	    (json_int_t)left->failures, "last_failure",
	    day_json(left->last_failure));
}

static void
advise_json(const struct advice_told *told)
{
	const struct advise *is = &told->is;
	const struct advise_ask *ask = &told->ask;
	json_t *object = json_pack("{s:s,s:b,s:i,s:i,s:i,s:i,s:i,s:I,s:I}",
	    "domain", ask->domain, "enforce",
	    is->verdict == ADVISE_ENFORCE ? 1 : 0, "clean_days",
	    (int)is->clean_days, "clean_days_wanted", (int)ask->days,
	    "silent_days", (int)is->silent_days, "reporters",
	    (int)is->reporters, "reporters_wanted", (int)ask->reporters,
	    "sessions", (json_int_t)is->sessions, "sessions_wanted",
	    (json_int_t)ask->sessions);

	(void)json_object_set_new(object, "names", names_json(is));
	(void)json_object_set_new(object, "unsigned", left_json(&is->left));
	(void)json_object_set_new(
	    object, "last_report", day_json(is->last_report));
	(void)json_object_set_new(
	    object, "last_failure", day_json(is->last_failure));
	(void)json_object_set_new(object, "reasons", reasons_json(told));
	(void)json_object_set_new(object, "failed", failures_json(told));
	(void)json_object_set_new(
	    object, "more_failed", json_integer((json_int_t)is->more_kinds));
	table_json(stdout, object);
}

/* --- the command ---------------------------------------------------------- */

static int
advise(const struct report_work *work, const struct report_rows *rows,
    const char *domain)
{
	struct advice_told told = {.work = work,
	    .rows = rows,
	    .ask = advise_defaults(domain, work->now / DAY)};
	struct here_ask failed;

	told.ask.trusting = work->options->is_unsigned;
	told.is = advise_enforce(&rows->rows, &told.ask);
	failed = (struct here_ask){
	    told.is.last_failure, told.is.last_failure, told.ask.trusting};
	if (told.is.last_failure > 0)
		told.here = report_here_new(work, &failed);
	if (work->options->json)
		advise_json(&told);
	else
		advise_people(&told);
	report_here_free(&told.here);
	return told.is.verdict == ADVISE_ENFORCE ? EXIT_FINE : EXIT_WANTED;
}

int
report_do_advise(struct report_work *work)
{
	char domain[DNS_NAME_SIZE];
	struct report_rows rows;
	struct err err;
	int status;

	status = report_check_names(work);
	if (status != EXIT_FINE)
		return status;
	if (dns_name_from_domain(work->names[0], domain, &err) < 0)
		return command_misused(err.text);
	status = report_rows_load(work, &rows, &err) < 0
	             ? command_complain("report", err.text)
	             : advise(work, &rows, domain);
	report_rows_free(&rows);
	return status;
}
