/* danelaw queue */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/ctl/ask.h"
#include "mta/ctl/daemon.h"

enum operands {
	OPERANDS_NONE = 0,
	OPERANDS_TARGET,   /* at most one destination */
	OPERANDS_IDS,      /* one or more messages */
	OPERANDS_ANYTHING, /* messages or destinations, or none for all */
};

static const struct {
	const char *name;
	enum control_command command;
	enum operands operands;
	enum ask_show show;
} verbs[] = {
    {"list", CONTROL_QUEUE_LIST, OPERANDS_TARGET, ASK_TABLE},
    {"show", CONTROL_QUEUE_SHOW, OPERANDS_IDS, ASK_RECORDS},
    {"flush", CONTROL_QUEUE_FLUSH, OPERANDS_ANYTHING, ASK_SUMMARY},
    {"hold", CONTROL_QUEUE_HOLD, OPERANDS_IDS, ASK_SUMMARY},
    {"release", CONTROL_QUEUE_RELEASE, OPERANDS_IDS, ASK_SUMMARY},
    {"remove", CONTROL_QUEUE_REMOVE, OPERANDS_IDS, ASK_SUMMARY},
    {"stats", CONTROL_QUEUE_STATS, OPERANDS_NONE, ASK_SUMMARY},
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* What is wrong with the number of operands, or NULL. */
static const char *
judge_operands(enum operands operands, int n)
{
	if (operands == OPERANDS_NONE && n > 0)
		return "queue stats takes no arguments";
	if (operands == OPERANDS_TARGET && n > 1)
		return "queue list takes at most one destination";
	if (operands == OPERANDS_IDS && n < 1)
		return "name one message or more";
	return NULL;
}

/* A destination has a colon, unless it is "discard"; a message has none. */
static bool
is_target(size_t verb, const char *operand)
{
	return verbs[verb].operands == OPERANDS_TARGET ||
	       (verbs[verb].operands == OPERANDS_ANYTHING &&
		   (strchr(operand, ':') != NULL ||
		       strcmp(operand, "discard") == 0));
}

/* One request an operand, or one without. */
static int
ask_each(const struct options *options, struct daemon *daemon, size_t verb)
{
	int status = EXIT_FINE, n = options->argc - 1;

	for (int i = 0; i < (n == 0 ? 1 : n); i++) {
		struct control_request request = {
		    .command = verbs[verb].command};
		const char *operand = n == 0 ? "" : options->argv[i + 1];
		char *to = is_target(verb, operand) ? request.target
		                                    : request.id;

		if (!text_copy(to, CONTROL_WORD_MAX, operand))
			return command_misused("an argument is too long");
		if (ask_show(options, daemon, &request, verbs[verb].show) !=
		    EXIT_FINE)
			status = EXIT_WANTED;
	}
	return status;
}

static int
run_verb(const struct options *options, size_t verb)
{
	const char *wrong = judge_operands(
	    verbs[verb].operands, options->argc - 1);
	struct daemon *daemon = NULL;
	int status;

	if (wrong != NULL)
		return command_misused(wrong);
	if (ask_open(options, &daemon) < 0)
		return EXIT_WANTED;
	status = ask_each(options, daemon, verb);
	daemon_close(&daemon);
	return status;
}

int
queue_run(const struct options *options)
{
	for (size_t i = 0; options->argc > 0 && i < VERBS; i++)
		if (strcmp(options->argv[0], verbs[i].name) == 0)
			return run_verb(options, i);
	return command_misused("queue what? list, show, flush, hold, "
			       "release, remove or stats");
}
