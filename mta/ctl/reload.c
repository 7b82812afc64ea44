/* danelaw reload */
#include "mta/ctl/ask.h"
#include "mta/ctl/daemon.h"

/* Lookups about renewed certificates and the start of roles take a while. */
#define RELOAD_WAIT_S 900

int
reload_run(const struct options *options)
{
	struct control_request request = {
	    .command = CONTROL_RELOAD, .force = options->force == FORCE_GIVEN};
	struct daemon *daemon = NULL;
	int rc;

	if (options->argc > 0)
		return command_misused("reload takes no arguments");
	if (ask_open(options, &daemon) < 0)
		return EXIT_WANTED;
	daemon_patience(daemon, RELOAD_WAIT_S);
	rc = ask_show(options, daemon, &request, ASK_SUMMARY);
	daemon_close(&daemon);
	return rc;
}
