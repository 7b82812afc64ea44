/*
 * What came by mail and does not count, or not yet, and why; report_mails.h.
 */
#include <jansson.h>

#include "mta/config.h"
#include "mta/ctl/report.h"
#include "mta/ctl/table.h"
#include "mta/report_mails.h"

static const struct {
	const char *name, *state;
} folders[] = {
    [REPORTS_IN] = {REPORTS_IN_NAME, "waiting"},
    [REPORTS_ASIDE] = {REPORTS_ASIDE_NAME, "aside"},
};

static json_t *
item_of(const char *state, enum report_folder folder,
    const struct report_mail *mail)
{
	struct report_why why;

	report_mail_why(state, folder, mail->name, &why);
	return json_pack("{s:s, s:s, s:I, s:o, s:I, s:s, s:s, s:o}", "id",
	    mail->name, "state", folders[folder].state, "arrived",
	    (json_int_t)mail->arrived, "due",
	    why.due > 0 ? json_integer((json_int_t)why.due) : json_null(),
	    "octets", (json_int_t)mail->octets, "from", why.from, "reason",
	    why.why, "file",
	    json_sprintf("%s/%s/%s", state, folders[folder].name, mail->name));
}

/* The file is what report ingest wants; its name ends in the id. */
static void
print(const struct report_work *work, struct table *table,
    enum report_folder folder, const struct report_mails *mails)
{
	for (size_t i = 0; i < mails->n; i++) {
		json_t *item = item_of(
		    work->config->state, folder, &mails->list[i]);

		if (table == NULL) {
			table_json(stdout, item);
			continue;
		}
		(void)json_object_del(item, "id");
		table_add(table, item);
		json_decref(item);
	}
}

int
report_do_aside(struct report_work *work)
{
	static const enum report_folder order[] = {REPORTS_ASIDE, REPORTS_IN};
	static const char *const below[] = {"reason", "file", NULL};
	struct table *table = work->options->json
	                          ? NULL
	                          : table_new(stdout, work->now);
	int status = EXIT_FINE;
	size_t n = 0;

	if (table != NULL)
		table_below(table, below);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct report_mails mails;
		struct err err;

		if (report_mails_list(
			work->config->state, order[i], &mails, &err) < 0)
			status = command_complain("report", err.text);
		print(work, table, order[i], &mails);
		n += mails.n;
		report_mails_free(&mails);
	}
	if (table != NULL)
		table_page(table);
	table_free(&table);
	if (n == 0 && status == EXIT_FINE)
		command_nothing(work->options, "is set aside or waits");
	return status;
}
