/* danelaw: the operator's command. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/ctl/command.h"
#include "mta/ctl/usage.h"
#include "mta/net/tls.h"
#include "mta/version.h"

static command_run help_run;
static command_run version_run;

static const struct command commands[] = {
    {"check-config", check_config_run, NULL, "",
	"check the configuration and "
	"the files it names",
	0},
    {"certs", certs_run, NULL, "", "which certificate for which name",
	TAKES_JSON},
    {"recipient", recipient_run, NULL, "ADDRESS...",
	"would mail for them be taken, and where does it go", TAKES_JSON},
    {"status", status_run, NULL, "", "what the daemon is doing", TAKES_JSON},
    {"metrics", metrics_run, NULL, "", "what was counted, for Prometheus",
	TAKES_JSON},
    {"reload", reload_run, NULL, "[--force]",
	"take the configuration and certificates anew",
	TAKES_FORCE | TAKES_JSON},
    {"queue", queue_run, NULL, "list [TARGET]", "what is queued, and why",
	TAKES_LIST | TAKES_CHOICE},
    {"", NULL, NULL, "show ID...", "all about messages", TAKES_LIST},
    {"", NULL, NULL, "flush [ID|TARGET...]", "try them, or everything, now",
	TAKES_CHANGE},
    {"", NULL, NULL, "hold ID...", "do not try them until they are released",
	TAKES_CHANGE},
    {"", NULL, NULL, "release ID...", "try them again", TAKES_CHANGE},
    {"", NULL, NULL, "remove ID...", "forget them; nobody is told",
	TAKES_CHANGE},
    {"", NULL, NULL, "requeue ID...", "try them now, as if they were new",
	TAKES_CHANGE},
    {"", NULL, NULL, "stats", "counts by destination, reason and age",
	TAKES_LIST},
    {"explain", explain_run, NULL, "DOMAIN|ADDRESS",
	"what would be decided, and why", TAKES_MAIL | TAKES_JSON},
    {"probe", probe_run, NULL, "DOMAIN|ADDRESS",
	"the same, and connect to every host", TAKES_MAIL | TAKES_JSON},
    {"dane", dane_run, NULL, "off --for TIME",
	"do not look at DANE for a while",
	TAKES_TIME | TAKES_REASON | TAKES_JSON},
    {"", NULL, NULL, "on", "look at it again", TAKES_JSON},
    {"audit", audit_run, NULL, "summary [DOMAIN...]",
	"what enforcement would have refused", TAKES_SINCE | TAKES_JSON},
    {"", NULL, NULL, "reset", "forget what was counted", 0},
    {"sts", sts_run, NULL, "show [DOMAIN...]",
	"policies of MTA-STS that are kept", TAKES_JSON},
    {"", NULL, NULL, "export", "all of them with their texts, as JSON",
	TAKES_JSON},
    {"", NULL, NULL, "refresh DOMAIN...", "fetch them anew, now", TAKES_JSON},
    {"", NULL, NULL, "forget DOMAIN...|--all", "as if they were never fetched",
	TAKES_ALL},
    {"report", report_run, NULL, "read FILE...",
	"reports about TLS that others sent", TAKES_JSON},
    {"", NULL, NULL, "ingest [FILE...]", "keep those that are about us",
	TAKES_UNSIGNED},
    {"", NULL, NULL, "received [DOMAIN...]", "those that are kept",
	TAKES_SINCE | TAKES_JSON},
    {"", NULL, NULL, "aside", "mails that do not count, and why", TAKES_JSON},
    {"", NULL, NULL, "forget --unsigned|--all", "drop them",
	TAKES_UNSIGNED | TAKES_ALL},
    {"", NULL, NULL, "summary [DOMAIN...]",
	"what they say of a week, and what we saw", TAKES_JSON},
    {"", NULL, NULL, "advise DOMAIN", "may testing become enforce?",
	TAKES_UNSIGNED | TAKES_JSON},
    {"", NULL, NULL, "show [DOMAIN...]", "what was counted of others",
	TAKES_DAY | TAKES_JSON},
    {"", NULL, NULL, "list [DOMAIN...]", "what became of our reports",
	TAKES_SINCE | TAKES_JSON},
    {"", NULL, NULL, "send DOMAIN...", "once more, or before its time",
	TAKES_DAY},
    {"", NULL, NULL, "send --dry-run [DOMAIN...]",
	"what would be sent, and why not",
	TAKES_DAY | TAKES_DRY_RUN | TAKES_JSON},
    {"", NULL, NULL, "dkim-record", "what to publish for the keys that sign",
	TAKES_JSON},
    {"", NULL, NULL, "dkim-check", "is that what is published?",
	TAKES_JSON | TAKES_WAIT},
    {"tlsa", NULL, tlsa_main, "make|check ...",
	"TLSA records; see \"tlsa --help\"", TAKES_JSON},
    {"sendmail", NULL, sendmail_main, "[OPTION|ADDRESS...]",
	"take a message from standard input", TAKES_SENDMAIL},
    {"version", version_run, NULL, "", "the version of this command", 0},
    {"help", help_run, NULL, "[COMMAND]", "this text", 0},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name);

/* Until the end of the table. */
static size_t
lines_from(const struct command *command)
{
	return COMMANDS - (size_t)(command - commands);
}

static int
unknown_command(const char *name)
{
	char word[40], text[80];

	text_escape(span_of(name), word, sizeof(word));
	(void)snprintf(text, sizeof(text), "unknown command \"%s\"", word);
	return command_misused(text);
}

/* Of one that reads its options by itself, and knows them. */
static int
own_help(const struct command *command, const struct options *options)
{
	char help[] = "--help";
	char *words[] = {options->argv[0], help, NULL};
	struct options own = *options;

	return command->own(2, words, &own);
}

static int
help_run(const struct options *options)
{
	const struct command *command;

	if (options->argc == 0) {
		usage_write(stdout, commands, COMMANDS);
		return EXIT_FINE;
	}
	command = find_command(options->argv[0]);
	if (command == NULL)
		return unknown_command(options->argv[0]);
	if (command->own == tlsa_main)
		return own_help(command, options);
	usage_write_one(stdout, command, lines_from(command),
	    options->argc > 1 ? options->argv[1] : "");
	return EXIT_FINE;
}

static int
version_run(const struct options *options)
{
	(void)options;
	(void)puts("danelaw " DANELAW_VERSION);
	return EXIT_FINE;
}

int
command_misused(const char *text)
{
	(void)fprintf(stderr, "danelaw: %s; see \"danelaw help\"\n", text);
	return EXIT_USAGE;
}

int
command_complain(const char *what, const char *why)
{
	(void)fprintf(stderr, "danelaw: %s: %s\n", what, why);
	return EXIT_WANTED;
}

void
command_nothing(const struct options *options, const char *why)
{
	if (!options->json)
		(void)fprintf(stderr, "danelaw: nothing %s\n", why);
}

#define LETTERS ":c:s:hV"

/* None is a letter: command_option_problem() tells them apart by that. */
enum {
	OPTION_HELP = 256,
	OPTION_VERSION,
	OPTION_JSON,
	OPTION_ALL,
	OPTION_LIMIT,
	OPTION_DRY_RUN,
	OPTION_TIME,
	OPTION_SINCE,
	OPTION_DAY,
	OPTION_MAIL,
	OPTION_UNSIGNED,
	OPTION_FORCE,
	OPTION_WAIT,
	OPTION_FILTER, /* and one for each filter behind it */
};

static const struct option longs[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"json", no_argument, NULL, OPTION_JSON},
    {"all", no_argument, NULL, OPTION_ALL},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"for", required_argument, NULL, OPTION_TIME},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"day", required_argument, NULL, OPTION_DAY},
    {"mail", required_argument, NULL, OPTION_MAIL},
    {"unsigned", no_argument, NULL, OPTION_UNSIGNED},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"wait", required_argument, NULL, OPTION_WAIT},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"sender", required_argument, NULL, OPTION_FILTER + FILTER_SENDER},
    {"recipient", required_argument, NULL, OPTION_FILTER + FILTER_RECIPIENT},
    {"destination", required_argument, NULL,
	OPTION_FILTER + FILTER_DESTINATION},
    {"reason", required_argument, NULL, OPTION_FILTER + FILTER_REASON},
    {"state", required_argument, NULL, OPTION_FILTER + FILTER_STATE},
    {"older", required_argument, NULL, OPTION_FILTER + FILTER_OLDER},
    {"newer", required_argument, NULL, OPTION_FILTER + FILTER_NEWER},
    {NULL, 0, NULL, 0},
};

/* A filter that was given and is not taken. */
static const char *
foreign_filter(const struct options *options, unsigned takes)
{
	for (size_t i = 0; longs[i].name != NULL; i++) {
		int filter = longs[i].val - OPTION_FILTER;
		unsigned wants = filter == FILTER_REASON ? TAKES_REASON
		                                         : TAKES_FILTERS;

		if (filter >= 0 && options->filters[filter] != NULL &&
		    (takes & wants) == 0)
			return longs[i].name;
	}
	return NULL;
}

/* The name of an option that was given and is not taken, or NULL. */
static const char *
foreign_option(const struct options *options, unsigned takes)
{
	const struct {
		const char *name;
		unsigned wants;
		bool given;
	} rows[] = {
	    {"json", TAKES_JSON, options->json},
	    {"all", TAKES_ALL, options->all},
	    {"limit", TAKES_LIMIT, options->limit != 0},
	    {"dry-run", TAKES_DRY_RUN, options->dry_run},
	    {"for", TAKES_TIME, options->time != NULL},
	    {"since", TAKES_SINCE, options->since != NULL},
	    {"day", TAKES_DAY, options->day != NULL},
	    {"unsigned", TAKES_UNSIGNED, options->is_unsigned},
	    {"force", TAKES_FORCE, options->force == FORCE_GIVEN},
	    {"mail", TAKES_MAIL, options->mail != NULL},
	    {"wait", TAKES_WAIT, options->wait != NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].given && (takes & rows[i].wants) == 0)
			return rows[i].name;
	return foreign_filter(options, takes);
}

void
command_option_problem(int c, char *const *argv, char to[OPTION_PROBLEM_SIZE])
{
	char shown[64], letter[] = {'-', (char)optopt, '\0'};
	bool is_letter = optopt != 0 && optopt < 256;
	const char *why = "unknown option";

	if (c == ':')
		why = "a value is missing";
	else if (optopt == 0)
		why = "unknown option, or short for several";
	else if (!is_letter)
		why = "this option takes no value";
	/* Among letters in one word, argv[optind - 1] is not yet that word. */
	text_escape(span_of(is_letter ? letter : argv[optind - 1]), shown,
	    sizeof(shown));
	(void)snprintf(to, OPTION_PROBLEM_SIZE, "%s: %s", shown, why);
}

static int
bad_option(int c, char *const *argv)
{
	char text[OPTION_PROBLEM_SIZE];

	command_option_problem(c, argv, text);
	return command_misused(text);
}

/* One without a value; false: it is another. */
static bool
keep_flag(int c, struct options *options)
{
	if (c == OPTION_JSON)
		options->json = true;
	else if (c == OPTION_ALL)
		options->all = true;
	else if (c == OPTION_DRY_RUN)
		options->dry_run = true;
	else if (c == OPTION_UNSIGNED)
		options->is_unsigned = true;
	else if (c == OPTION_FORCE)
		options->force = FORCE_GIVEN;
	else
		return false;
	return true;
}

/* One that is only kept; false: it is another. */
static bool
keep_option(int c, struct options *options)
{
	if (keep_flag(c, options))
		return true;
	if (c == 'c')
		options->file = optarg;
	else if (c == 's')
		options->socket = optarg;
	else if (c == OPTION_TIME)
		options->time = optarg;
	else if (c == OPTION_SINCE)
		options->since = optarg;
	else if (c == OPTION_DAY)
		options->day = optarg;
	else if (c == OPTION_MAIL)
		options->mail = optarg;
	else if (c == OPTION_WAIT)
		options->wait = optarg;
	else if (c >= OPTION_FILTER)
		options->filters[c - OPTION_FILTER] = optarg;
	else
		return false;
	return true;
}

/* --help, before a command or behind it: argv[0] is then its name. */
static int
help_of(int argc, char **argv, bool is_behind)
{
	char *words[2] = {argv[0], NULL};
	struct options options = {.argc = is_behind, .argv = words};

	for (int i = 1; is_behind && i < argc && options.argc == 1; i++)
		if (argv[i][0] != '-')
			words[options.argc++] = argv[i];
	return help_run(&options);
}

/* -1: go on; otherwise the exit status. */
static int
read_options(
    int argc, char **argv, const char *letters, struct options *options)
{
	bool is_behind = letters[0] != '+';
	int c;

	optind = 0; /* from the start, each time */
	opterr = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == 'h' || c == OPTION_HELP)
			return help_of(argc, argv, is_behind);
		if (c == 'V' || c == OPTION_VERSION)
			return version_run(options);
		if (keep_option(c, options))
			continue;
		if (c != OPTION_LIMIT)
			return bad_option(c, argv);
		if (!text_parse_u32(span_of(optarg), &options->limit) ||
		    options->limit == 0)
			return command_misused("--limit wants a number");
	}
	options->argc = argc - optind;
	options->argv = argv + optind;
	return -1;
}

/* -1: go on; otherwise the exit status. */
static int
judge_options(const struct command *command, const struct options *options)
{
	const char *foreign = foreign_option(
	    options, usage_takes(command, lines_from(command)));
	char text[OPTION_PROBLEM_SIZE];

	if (foreign == NULL)
		return -1;
	(void)snprintf(
	    text, sizeof(text), "--%s is not for %s", foreign, command->name);
	return command_misused(text);
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].name[0] != '\0' &&
		    strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Options stand anywhere, but behind a command that reads its own. */
static int
run(const struct command *command, struct options *options)
{
	int status = -1;

	/* No sendmail(8) has it, and no address begins like that. */
	if (command->own == sendmail_main && options->argc > 1 &&
	    strcmp(options->argv[1], "--help") == 0)
		return help_of(options->argc, options->argv, true);
	if (command->own == NULL)
		status = read_options(
		    options->argc, options->argv, LETTERS, options);
	if (status < 0)
		status = judge_options(command, options);
	if (status >= 0)
		return status;
	if (command->own != NULL)
		return command->own(options->argc, options->argv, options);
	return command->run(options);
}

int
main(int argc, char **argv)
{
	struct options options = {.file = COMMAND_FILE};
	const struct command *command;
	int status;

	(void)tls_wipe_memory(); /* some commands read keys */
	if (sendmail_is_name(argv[0]))
		return sendmail_main(argc, argv, &options);
	/* As far as the command; its name is argv[0] of what follows. */
	status = read_options(argc, argv, "+" LETTERS, &options);
	if (status >= 0)
		return status;
	if (options.argc == 0) {
		usage_write(stderr, commands, COMMANDS);
		return EXIT_USAGE;
	}
	command = find_command(options.argv[0]);
	if (command == NULL)
		return unknown_command(options.argv[0]);
	return run(command, &options);
}
