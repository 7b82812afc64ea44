/* What came by mail and is no report that counts, and why; report_mails.h. */
#include <jansson.h>

#include "mta/config.h"
#include "mta/ctl/report.h"
#include "mta/ctl/table.h"
#include "mta/report_mails.h"

static json_t *
item_of(const char *state, const struct report_mail *mail)
{
	struct report_why why;

	report_mail_why(state, mail->name, &why);
	return json_pack("{s:s, s:I, s:I, s:s, s:s, s:o}", "id", mail->name,
	    "arrived", (json_int_t)mail->arrived, "octets",
	    (json_int_t)mail->octets, "from", why.from, "reason", why.why,
	    "file",
	    json_sprintf("%s/" REPORTS_ASIDE_NAME "/%s", state, mail->name));
}

/* The file is what report ingest wants; its name ends in the id. */
static void
print(const struct report_work *work, const struct report_mails *mails)
{
	struct table *table = work->options->json
	                          ? NULL
	                          : table_new(stdout, work->now);

	for (size_t i = 0; i < mails->n; i++) {
		json_t *item = item_of(work->config->state, &mails->list[i]);

		if (table == NULL) {
			table_json(stdout, item);
			continue;
		}
		(void)json_object_del(item, "id");
		table_add(table, item);
		json_decref(item);
	}
	if (table != NULL)
		table_page(table);
	table_free(&table);
}

int
report_do_aside(struct report_work *work)
{
	struct report_mails mails;
	struct err err;

	if (report_mails_list(
		work->config->state, REPORTS_ASIDE, &mails, &err) < 0)
		return command_complain("report", err.text);
	print(work, &mails);
	report_mails_free(&mails);
	return EXIT_FINE;
}
