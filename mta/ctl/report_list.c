/* What became of the reports that we send. */
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "dnssec/name.h"
#include "mta/config.h"
#include "mta/ctl/report.h"
#include "mta/ctl/table.h"
#include "reporting/store.h"

#define DAYS_SHOWN 7
#define A_PAGE     1000

struct tries {
	const struct report_work *work;
	struct table *table; /* NULL: as JSON */
	json_t *page;        /* what is to be written */
	size_t seen;         /* of the page, named or not */
	bool any;            /* one that was named */
	/* The last of those. */
	int64_t day;
	unsigned number;
	char domain[DNS_NAME_SIZE];
};

/* "due" is of those that are to be tried again. */
static json_t *
item_of(const struct report_try *try, char day[REPORT_DAY_SIZE])
{
	bool waits = try->state == REPORT_DUE;

	report_day(try->day, day);
	return json_pack("{s:s, s:s, s:s, s:I, s:o, s:s, s:s, s:s}", "day", day,
	    "domain", try->domain, "state", report_state_name(try->state),
	    "tries", (json_int_t)try->tries, "due",
	    waits ? json_integer((json_int_t)try->next) : json_null(), "to",
	    try->rua, "id", try->id, "reason", try->why);
}

static void
list_try(const struct report_try *try, void *arg)
{
	struct tries *tries = arg;
	char day[REPORT_DAY_SIZE];

	tries->seen++;
	tries->day = try->day;
	tries->number = try->number;
	(void)text_copy(tries->domain, sizeof(tries->domain), try->domain);
	if (!report_is_named(tries->work, try->domain))
		return;
	tries->any = true;
	(void)json_array_append_new(tries->page, item_of(try, day));
}

static void
print_page(const struct tries *tries)
{
	json_t *item;
	size_t i;

	json_array_foreach(tries->page, i, item)
	{
		if (tries->table == NULL) {
			table_json(stdout, json_incref(item));
			continue;
		}
		(void)json_object_del(item, "id");
		table_add(tries->table, item);
	}
	if (tries->table != NULL)
		table_page(tries->table);
	(void)json_array_clear(tries->page);
}

/* Whoever reads our output may take his time; the store is not his. */
static int
list_all(struct tries *tries, struct report_store *store, struct err *err)
{
	char domain[DNS_NAME_SIZE];
	struct report_try behind = {.domain = domain};
	int rc;

	do {
		(void)text_copy(domain, sizeof(domain), tries->domain);
		behind.day = tries->day;
		behind.number = tries->number;
		tries->seen = 0;
		rc = report_store_list(
		    store, &behind, A_PAGE, list_try, tries, err);
		print_page(tries);
	} while (rc == 0 && tries->seen == A_PAGE);
	return rc;
}

/* Where what was counted goes, and whether it arrived. */
int
report_do_list(struct report_work *work)
{
	const struct report_store_setup setup = {.folder = work->config->state,
	    .wait_ms = REPORT_WAIT_MS,
	    .only_look = true};
	int64_t since = work->options->since == NULL
	                    ? work->now / REPORT_DAY_S - DAYS_SHOWN
	                    : work->since;
	struct tries tries = {.work = work};
	struct report_store *store;
	struct err damaged, err;
	int rc;

	store = report_store_open(&setup, &damaged, &err);
	if (store == NULL)
		return command_complain("report", err.text);
	if (!work->options->json)
		tries.table = table_new(stdout, work->now);
	tries.day = since;
	tries.page = json_array();
	rc = list_all(&tries, store, &err);
	json_decref(tries.page);
	table_free(&tries.table);
	report_store_close(&store);
	if (rc < 0)
		return command_complain("report", err.text);
	if (!work->config->reporting.send)
		(void)fputs("danelaw: report: nothing is sent now: "
			    "reporting { send = no }\n",
		    stderr);
	if (!tries.any && work->nnames == 0)
		command_nothing(work->options, "was on its way in that time");
	return tries.any || work->nnames == 0
	           ? EXIT_FINE
	           : command_complain("report",
			 "no report about these was on its way in that time");
}
