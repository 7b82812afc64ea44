/* danelaw status */
#include "mta/ctl/ask.h"
#include "mta/ctl/daemon.h"

int
status_run(const struct options *options)
{
	struct control_request request = {.command = CONTROL_STATUS};
	struct daemon *daemon = NULL;
	int rc;

	if (options->argc > 0)
		return command_misused("status takes no arguments");
	if (ask_open(options, &daemon) < 0)
		return EXIT_WANTED;
	rc = ask_show(options, daemon, &request, ASK_SUMMARY);
	daemon_close(&daemon);
	return rc;
}
