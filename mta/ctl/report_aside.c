/* What came by mail and is no report that counts, and why; report_mails.h. */
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "mta/config.h"
#include "mta/ctl/report.h"
#include "mta/ctl/table.h"
#include "mta/report_mails.h"

static void
print_one(const struct report_mail *mail, const char *time, const char *why)
{
	(void)printf("%s  %s  %s\n", time, mail->name, why);
}

static void
print_one_json(
    const char *state, const struct report_mail *mail, const char *why)
{
	json_t *object = json_pack("{s:s,s:I,s:I,s:s,s:o}", "id", mail->name,
	    "arrived", (json_int_t)mail->arrived, "octets",
	    (json_int_t)mail->octets, "reason", why, "file",
	    json_sprintf("%s/" REPORTS_ASIDE_NAME "/%s", state, mail->name));

	table_json(stdout, object);
}

int
report_do_aside(struct report_work *work)
{
	const char *state = work->config->state;
	char time[CLOCK_RFC3339_SIZE], why[REPORT_WHY_SIZE];
	struct report_mails mails;
	struct err err;

	if (report_mails_list(state, REPORTS_ASIDE, &mails, &err) < 0)
		return command_complain("report", err.text);
	for (size_t i = 0; i < mails.n; i++) {
		const struct report_mail *mail = &mails.list[i];

		clock_rfc3339(mail->arrived * 1000000, time);
		report_mail_why(state, mail->name, why);
		if (work->options->json)
			print_one_json(state, mail, why);
		else
			print_one(mail, time, why);
	}
	report_mails_free(&mails);
	return EXIT_FINE;
}
