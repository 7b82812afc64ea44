/* danelaw report send: a report goes out now, whatever became of it before. */
#include <stdio.h>

#include "base/text.h"
#include "dnssec/name.h"
#include "mta/config.h"
#include "mta/ctl/daemon.h"
#include "mta/ctl/report.h"

#define DAY 86400

/* 0: the daemon has taken it on. */
static int
ask_to_send(
    struct daemon *daemon, const char *domain, int64_t day, struct err *err)
{
	struct control_request request = {
	    .command = CONTROL_REPORT_SEND, .day = (uint32_t)day};

	if (!text_copy(request.domain, sizeof(request.domain), domain))
		return err_set(err, ERR_PERM, "5.1.2", "the name is too long");
	return daemon_do(daemon, &request, err);
}

static int
send_one(const struct config *config, struct daemon *daemon, const char *name,
    int64_t day)
{
	char domain[DNS_NAME_SIZE], text[REPORT_DAY_SIZE];
	struct err err;

	if (dns_name_from_domain(name, domain, &err) < 0)
		return command_misused(err.text);
	if (config_excludes(config, domain))
		return command_complain(
		    domain, "it gets no report: reporting: exclude names it");
	if (ask_to_send(daemon, domain, day, &err) < 0)
		return command_complain(domain, err.text);
	report_day(day, text);
	/* Whether the domain asks for reports is what is looked up now. */
	(void)printf("%s: the report of %s is dealt with now; report list says "
		     "what becomes of it, or report-planned in the log why "
		     "there is none\n",
	    domain, text);
	return EXIT_FINE;
}

int
report_do_send(struct report_work *work)
{
	const char *socket = work->options->socket;
	int64_t day = work->options->day == NULL ? work->now / DAY - 1
	                                         : work->day;
	struct daemon *daemon = NULL;
	int status = EXIT_FINE;
	struct err err;

	if (work->options->dry_run)
		return report_do_dry(work, day);
	if (daemon_open(socket == NULL ? work->config->control : socket,
		&daemon, &err) < 0)
		return command_complain("report", err.text);
	for (int i = 0; i < work->nnames; i++) {
		int one = send_one(work->config, daemon, work->names[i], day);

		status = one > status ? one : status;
	}
	daemon_close(&daemon);
	return status;
}
