/* danelaw dane */
#include <string.h>

#include "base/text.h"
#include "mta/ctl/ask.h"
#include "mta/ctl/daemon.h"
#include "mta/ctl/time.h"

/* What is wrong with the command line, or NULL. */
static const char *
read_off(const struct options *options, struct control_request *request)
{
	if (options->time == NULL)
		return "dane off wants --for TIME, as 15m or 2h";
	if (!time_read(options->time, &request->seconds) ||
	    request->seconds > CONTROL_DANE_MAX)
		return "--for wants a time as 90s, 15m, 2h or 5d, at most 7d";
	if (options->filters[FILTER_REASON] != NULL &&
	    !text_copy(request->filter.reason, sizeof(request->filter.reason),
		options->filters[FILTER_REASON]))
		return "the reason is too long";
	return NULL;
}

static const char *
read_request(const struct options *options, struct control_request *request)
{
	const char *what = options->argc == 1 ? options->argv[0] : "";

	if (strcmp(what, "off") == 0) {
		request->command = CONTROL_DANE_OFF;
		return read_off(options, request);
	}
	if (strcmp(what, "on") != 0)
		return "dane what? off --for TIME, or on";
	request->command = CONTROL_DANE_ON;
	if (options->filters[FILTER_REASON] != NULL)
		return "--reason is for dane off";
	return options->time == NULL ? NULL : "--for is for dane off";
}

int
dane_run(const struct options *options)
{
	struct control_request request = {.command = CONTROL_NONE};
	const char *wrong = read_request(options, &request);
	struct daemon *daemon = NULL;
	int rc;

	if (wrong != NULL)
		return command_misused(wrong);
	if (ask_open(options, &daemon) < 0)
		return EXIT_WANTED;
	rc = ask_show(options, daemon, &request, ASK_SUMMARY);
	daemon_close(&daemon);
	return rc;
}
