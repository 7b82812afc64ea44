/* What was counted of others, as a report would tell it. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "dnssec/name.h"
#include "mta/config.h"
#include "mta/ctl/report.h"
#include "reporting/mail.h"
#include "reporting/report_json.h"
#include "reporting/store.h"

#define JSON_MAX ((size_t)64 << 20)

static int
show_one(const struct report_work *work, struct report_store *store,
    const char *domain, int64_t day)
{
	struct arena *arena = arena_new(REPORT_STORE_ARENA);
	char id[REPORT_ID_SIZE];
	struct report report;
	struct buf json;
	struct err err = {0};
	int rc = report_store_load(store, day, domain, arena, &report, &err);

	buf_init(&json, JSON_MAX);
	if (rc > 0) {
		report_complete(&report,
		    &(struct report_writer){
			work->config->reporting.organization,
			work->config->reporting.contact,
			work->config->hostname},
		    domain, day * REPORT_DAY_S, id);
		rc = report_json(&report, &json) == 0
		         ? 1
		         : err_set(&err, ERR_PERM, "5.3.4", "it is too large");
	}
	if (rc > 0)
		(void)printf("%.*s\n", (int)json.n, json.p);
	buf_free(&json);
	arena_free(&arena);
	if (rc < 0)
		return command_complain(domain, err.text);
	return rc == 0 ? command_complain(
			     domain, "nothing was counted of it on that day")
	               : EXIT_FINE;
}

/* Every domain of the day, one line each. */
static int
show_all(
    const struct report_work *work, struct report_store *store, int64_t day)
{
	char after[DNS_NAME_SIZE] = "", domain[DNS_NAME_SIZE];
	int status = EXIT_FINE;
	struct err err;
	int rc;

	while ((rc = report_store_next(store, REPORT_COUNTED, day, after,
		    domain, sizeof(domain), &err)) > 0) {
		if (show_one(work, store, domain, day) != EXIT_FINE)
			status = EXIT_WANTED;
		memcpy(after, domain, sizeof(after));
	}
	if (rc == 0 && after[0] == '\0')
		command_nothing(work->options, "was counted on that day");
	return rc < 0 ? command_complain("report", err.text) : status;
}

static int
show_named(
    const struct report_work *work, struct report_store *store, int64_t day)
{
	int status = EXIT_FINE;

	for (int i = 0; i < work->nnames; i++) {
		char domain[DNS_NAME_SIZE];
		struct err err;

		if (dns_name_from_domain(work->names[i], domain, &err) < 0)
			status = command_complain(work->names[i], err.text);
		else if (show_one(work, store, domain, day) != EXIT_FINE)
			status = EXIT_WANTED;
	}
	return status;
}

int
report_do_show(struct report_work *work)
{
	const struct report_store_setup setup = {.folder = work->config->state,
	    .wait_ms = REPORT_WAIT_MS,
	    .only_look = true};
	int64_t day = work->options->day == NULL ? work->now / REPORT_DAY_S
	                                         : work->day;
	struct report_store *store;
	struct err damaged, err;
	int status;

	if (!work->config->reporting.collect)
		(void)fputs("danelaw: report: nothing is counted now: "
			    "reporting { collect = no }\n",
		    stderr);
	store = report_store_open(&setup, &damaged, &err);
	if (store == NULL)
		return command_complain("report", err.text);
	status = work->nnames == 0 ? show_all(work, store, day)
	                           : show_named(work, store, day);
	report_store_close(&store);
	return status;
}
