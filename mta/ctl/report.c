/*
 * danelaw report: what others report about TLS to us, and we to them (RFC
 * 8460).  It works without the daemon, on files and on what it keeps of them.
 */
#include "mta/ctl/report.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "dnssec/name.h"
#include "mta/config.h"
#include "mta/ctl/lookup.h"
#include "mta/ctl/setup.h"
#include "mta/ctl/time.h"
#include "mta/report_ours.h"

#define DAY 86400

bool
report_is_named(const struct report_work *work, const char *domain)
{
	for (int i = 0; i < work->nnames; i++) {
		char name[DNS_NAME_SIZE];
		struct err err;

		if (dns_name_from_domain(work->names[i], name, &err) == 0 &&
		    strcmp(name, domain) == 0)
			return true;
	}
	return work->nnames == 0;
}

int
report_check_names(const struct report_work *work)
{
	int status = EXIT_FINE;

	for (int i = 0; i < work->nnames; i++) {
		char domain[DNS_NAME_SIZE];
		struct err err;

		if (dns_name_from_domain(work->names[i], domain, &err) < 0)
			return command_misused(err.text);
		if (!report_is_ours(work->config, domain))
			status = command_complain(work->names[i],
			    "it is no domain of the configuration");
	}
	return status;
}

struct list {
	const struct report_work *work;
	bool begun;
};

static void
list_one(const struct inbox_report *report, void *arg)
{
	struct list *list = arg;

	if (!report_is_named(list->work, report->origin.domain))
		return;
	if (list->work->options->json) {
		report_print_line_json(stdout, report);
		return;
	}
	if (!list->begun)
		report_print_head(stdout);
	list->begun = true;
	report_print_line(stdout, report);
}

int
report_do_received(struct report_work *work)
{
	struct list list = {.work = work};
	int64_t day = work->options->since == NULL ? 0 : work->since;
	struct err err;
	int status = report_check_names(work);

	if (status == EXIT_USAGE)
		return status;
	if (inbox_store_reports(
		&work->store, day * DAY, list_one, &list, &err) < 0)
		return command_complain("report", err.text);
	if (!list.begun && status == EXIT_FINE)
		command_nothing(work->options, "is kept");
	return status;
}

int
report_do_forget(struct report_work *work)
{
	enum inbox_forget which = work->options->all ? INBOX_ALL
	                                             : INBOX_UNSIGNED;
	struct inbox_forgotten forgotten;
	struct err err;

	if (inbox_store_forget(&work->store, which, &forgotten, &err) < 0)
		return command_complain("report", err.text);
	if (forgotten.set_aside)
		(void)printf("%s/inbox.db was damaged; what it had is in "
			     "inbox.db.damaged\n",
		    work->store.folder);
	else
		(void)printf("%" PRIu64 " report%s forgotten\n",
		    forgotten.reports, report_plural(forgotten.reports));
	return EXIT_FINE;
}

/* --- the command line ----------------------------------------------------- */

enum need {
	NEEDS_NOTHING = 0,
	NEEDS_CONFIG, /* and the rights of who runs it */
	NEEDS_KEPT,   /* that, and what is kept */
};

static const struct verb {
	const char *name;
	int (*run)(struct report_work *work);
	enum need need;
} verbs[] = {
    {"read", report_do_read, NEEDS_NOTHING},
    {"ingest", report_do_ingest, NEEDS_KEPT},
    {"received", report_do_received, NEEDS_KEPT},
    {"forget", report_do_forget, NEEDS_KEPT},
    {"aside", report_do_aside, NEEDS_KEPT},
    {"summary", report_do_summary, NEEDS_KEPT},
    {"advise", report_do_advise, NEEDS_KEPT},
    {"show", report_do_show, NEEDS_KEPT},
    {"list", report_do_list, NEEDS_KEPT},
    {"send", report_do_send, NEEDS_CONFIG},
    {"dkim-record", report_do_dkim_record, NEEDS_CONFIG},
    {"dkim-check", report_do_dkim_check, NEEDS_CONFIG},
};

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static const char *
judge_operands(const struct verb *verb, const struct options *options)
{
	int n = options->argc - 1;

	if (verb->run == report_do_read && n < 1)
		return "report read wants files, or - for standard input";
	if (verb->run == report_do_send && n < 1 && !options->dry_run)
		return "report send wants domains";
	if (verb->run == report_do_dkim_record && n != 0)
		return "report dkim-record takes no arguments";
	if (verb->run == report_do_dkim_check && n != 0)
		return "report dkim-check takes no arguments";
	if (verb->run == report_do_advise && n != 1)
		return "report advise wants one domain";
	if (verb->run == report_do_aside && n != 0)
		return "report aside takes no arguments";
	return NULL;
}

/* What is wrong with the command line, or NULL. */
static const char *
judge_words(const struct verb *verb, const struct options *options)
{
	if (verb == NULL)
		return "report what? read, ingest, received, aside, forget, "
		       "summary, advise, show, list, send, dkim-record, or "
		       "dkim-check";
	if (options->is_unsigned && verb->run != report_do_ingest &&
	    verb->run != report_do_forget && verb->run != report_do_advise)
		return "--unsigned is for report ingest, forget and advise";
	if (options->all && verb->run != report_do_forget)
		return "--all is for report forget";
	if (verb->run == report_do_forget &&
	    (options->all == options->is_unsigned || options->argc != 1))
		return "report forget wants --unsigned or --all";
	if (options->since != NULL && verb->run != report_do_received &&
	    verb->run != report_do_list)
		return "--since is for report received and list";
	if (options->day != NULL && verb->run != report_do_show &&
	    verb->run != report_do_send)
		return "--day is for report show and send";
	if (options->json &&
	    (verb->run == report_do_ingest || verb->run == report_do_forget ||
		(verb->run == report_do_send && !options->dry_run)))
		return "--json is not for report ingest and forget, nor for "
		       "report send without --dry-run";
	if (options->wait != NULL && verb->run != report_do_dkim_check)
		return "--wait is for report dkim-check";
	if (options->dry_run && verb->run != report_do_send)
		return "--dry-run is for report send";
	return judge_operands(verb, options);
}

/* Others take each name for itself, and complain of one among them. */
static bool
wants_domains(const struct verb *verb, const struct options *options)
{
	return verb->run == report_do_received ||
	       verb->run == report_do_summary ||
	       verb->run == report_do_advise ||
	       (verb->run == report_do_send && !options->dry_run);
}

/*
 * The days into *work; EXIT_FINE, or complained: no day, or no domain.  Before
 * any file is opened, and anybody is asked.
 */
static int
read_values(const struct verb *verb, struct report_work *work)
{
	const struct options *options = work->options;

	if (options->since != NULL &&
	    !time_read_since(options->since, work->now, &work->since))
		return command_misused("--since wants a day as 2026-11-20, or "
				       "a time ago as 7d");
	if (options->day != NULL &&
	    (!time_read_since(options->day, work->now, &work->day) ||
		work->day < 1 || work->day > UINT32_MAX))
		return command_misused("--day wants a day as 2026-11-20, or "
				       "a time ago as 1d");
	if (options->day != NULL && verb->run == report_do_send &&
	    !options->dry_run && work->day >= work->now / DAY)
		return command_misused("--day: the day is not over");
	if (!lookup_read_wait(options->wait, &work->wait_s))
		return command_misused(
		    "--wait wants a time as 20s or 5m, at most 1h");
	for (int i = 0; wants_domains(verb, options) && i < work->nnames; i++) {
		char domain[DNS_NAME_SIZE];
		struct err err;

		if (dns_name_from_domain(work->names[i], domain, &err) < 0)
			return command_misused(err.text);
	}
	return EXIT_FINE;
}

static int
run_kept(const struct verb *verb, struct report_work *work)
{
	int status = EXIT_WANTED;

	if (!setup_has_state("report", work->config))
		return EXIT_WANTED;
	if (verb->run == report_do_ingest)
		report_files_load(work);
	if (setup_become(work->config) == 0)
		status = verb->run(work);
	report_files_free(work);
	return status;
}

int
report_run(const struct options *options)
{
	const struct verb *verb = find_verb(
	    options->argc == 0 ? "" : options->argv[0]);
	const char *wrong = judge_words(verb, options);
	struct report_work work = {.options = options, .now = clock_wall()};
	struct config *config = NULL;
	int status;

	if (wrong != NULL)
		return command_misused(wrong);
	work.names = options->argv + 1;
	work.nnames = options->argc - 1;
	status = read_values(verb, &work);
	if (status != EXIT_FINE)
		return status;
	if (verb->need == NEEDS_NOTHING)
		return verb->run(&work);
	if (setup_config(options->file, &config) < 0)
		return EXIT_WANTED;
	work.config = config;
	work.store = (struct inbox_store){
	    .folder = config->state, .wait_ms = REPORT_WAIT_MS};
	status = verb->need == NEEDS_KEPT || options->dry_run
	             ? run_kept(verb, &work)
	             : verb->run(&work);
	config_free(&config);
	return status;
}
