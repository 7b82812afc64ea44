/* danelaw queue */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/ctl/ask.h"
#include "mta/ctl/daemon.h"
#include "mta/ctl/time.h"

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
    {"requeue", CONTROL_QUEUE_REQUEUE, OPERANDS_IDS, ASK_SUMMARY},
    {"stats", CONTROL_QUEUE_STATS, OPERANDS_NONE, ASK_SUMMARY},
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* --- Filters ----------------------------------------------------------- */

static bool
read_age(const char *text, uint32_t *ret)
{
	return text == NULL || time_read(text, ret);
}

static bool
read_word(const char *text, char *to, size_t size)
{
	return text == NULL || text_copy(to, size, text);
}

/* What is wrong with them, or NULL. */
static const char *
read_filters(const struct options *options, struct control_request *request)
{
	struct control_filter *filter = &request->filter;
	const char *const *given = options->filters;

	request->dry_run = options->dry_run;
	if (!read_age(given[FILTER_OLDER], &filter->older) ||
	    !read_age(given[FILTER_NEWER], &filter->newer))
		return "--older and --newer want a time as 90s, 15m, 2h or 5d";
	if (!read_word(
		given[FILTER_SENDER], filter->sender, sizeof(filter->sender)) ||
	    !read_word(given[FILTER_RECIPIENT], filter->recipient,
		sizeof(filter->recipient)) ||
	    !read_word(given[FILTER_DESTINATION], request->target,
		sizeof(request->target)) ||
	    !read_word(
		given[FILTER_REASON], filter->reason, sizeof(filter->reason)) ||
	    !read_word(
		given[FILTER_STATE], filter->state, sizeof(filter->state)))
		return "an argument is too long";
	return NULL;
}

static bool
has_filters(const struct options *options)
{
	for (size_t i = 0; i < FILTERS; i++)
		if (options->filters[i] != NULL)
			return true;
	return false;
}

/* An empty one would choose everything, as an unset variable in a script. */
static bool
has_empty_filter(const struct options *options)
{
	for (size_t i = 0; i < FILTERS; i++)
		if (options->filters[i] != NULL &&
		    options->filters[i][0] == '\0')
			return true;
	return false;
}

/* A state that the daemon does not know is a slip, not a short list. */
static bool
has_odd_state(const struct options *options)
{
	static const char *const states[] = {
	    "waiting", "ready", "under way", "held"};
	const char *state = options->filters[FILTER_STATE];
	size_t i = 0;

	while (state != NULL && i < sizeof(states) / sizeof(states[0]) &&
	       strcmp(state, states[i]) != 0)
		i++;
	return state != NULL && i == sizeof(states) / sizeof(states[0]);
}

/* Who says more than one thing might mean something else. */
static const char *
judge_filters(const struct options *options, size_t verb)
{
	enum control_command command = verbs[verb].command;
	bool list = command == CONTROL_QUEUE_LIST;
	bool reads = list || command == CONTROL_QUEUE_STATS ||
	             command == CONTROL_QUEUE_SHOW;

	if (options->limit != 0 && !reads)
		return "--limit is for lists";
	if (options->dry_run && reads)
		return "--dry-run is for what changes the queue";
	if (!has_filters(options))
		return NULL;
	if (has_empty_filter(options))
		return "a filter is empty";
	if (has_odd_state(options))
		return "--state is waiting, ready, \"under way\" or held";
	if (reads && !list)
		return "filters are for list, flush, hold, release, remove "
		       "and requeue";
	return options->argc > 1 ? "name messages or filters, not both" : NULL;
}

/* --- Operands ---------------------------------------------------------- */

/* What is wrong with the number of operands, or NULL. */
static const char *
judge_operands(enum operands operands, int n, bool filters)
{
	if (operands == OPERANDS_NONE && n > 0)
		return "queue stats takes no arguments";
	if (operands == OPERANDS_TARGET && n > 1)
		return "queue list takes at most one destination";
	if (operands == OPERANDS_IDS && n < 1 && !filters)
		return "name one message or more; all but show take filters, "
		       "too";
	return NULL;
}

/* A destination has a colon or a dot, unless it is "discard"; a message has
 * none. */
static bool
is_target(size_t verb, const char *operand)
{
	return verbs[verb].operands == OPERANDS_TARGET ||
	       (verbs[verb].operands == OPERANDS_ANYTHING &&
		   (strpbrk(operand, ":.") != NULL ||
		       strcmp(operand, "discard") == 0));
}

/* One request an operand, or one without. */
static int
count_requests(const struct options *options)
{
	return options->argc > 1 ? options->argc - 1 : 1;
}

/* What is wrong with it, or NULL. */
static const char *
make_request(const struct options *options, size_t verb, int i,
    struct control_request *ret)
{
	const char *operand = options->argc > 1 ? options->argv[i + 1] : "";
	char *to = is_target(verb, operand) ? ret->target : ret->id;
	const char *wrong;

	*ret = (struct control_request){.command = verbs[verb].command};
	wrong = read_filters(options, ret);
	if (wrong == NULL && operand[0] != '\0' &&
	    !text_copy(to, CONTROL_WORD_MAX, operand))
		wrong = "an argument is too long";
	return wrong;
}

/* All of it, before anybody is asked: NULL when it is fine. */
static const char *
judge(const struct options *options, size_t verb)
{
	const char *wrong = judge_operands(
	    verbs[verb].operands, options->argc - 1, has_filters(options));
	struct control_request request;

	if (wrong == NULL)
		wrong = judge_filters(options, verb);
	for (int i = 0; wrong == NULL && i < count_requests(options); i++)
		wrong = make_request(options, verb, i, &request);
	return wrong;
}

static int
run_verb(const struct options *options, size_t verb)
{
	const char *wrong = judge(options, verb);
	struct daemon *daemon = NULL;
	int status = EXIT_FINE;

	if (wrong != NULL)
		return command_misused(wrong);
	if (ask_open(options, &daemon) < 0)
		return EXIT_WANTED;
	for (int i = 0; i < count_requests(options); i++) {
		struct control_request request;

		(void)make_request(options, verb, i, &request);
		if (ask_show(options, daemon, &request, verbs[verb].show) !=
		    EXIT_FINE)
			status = EXIT_WANTED;
	}
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
			       "release, remove, requeue or stats");
}
