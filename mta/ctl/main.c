/* danelaw: the operator's command. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/ctl/command.h"
#include "mta/version.h"

#define DEFAULT_FILE "/etc/danelaw/danelaw.conf"

static command_run help_run;
static command_run version_run;

static const struct command {
	const char *name;
	command_run *run;
	const char *operands;
	const char *does;
} commands[] = {
    {"check-config", check_config_run, "",
	"check the configuration and "
	"the files it names"},
    {"status", status_run, "", "what the daemon is doing"},
    {"queue", queue_run, "list [TARGET]", "what is queued, and why"},
    {"", NULL, "show ID...", "all about messages"},
    {"", NULL, "flush [ID|TARGET...]", "try them, or everything, now"},
    {"", NULL, "hold ID...", "do not try them until they are released"},
    {"", NULL, "release ID...", "try them again"},
    {"", NULL, "remove ID...", "forget them; nobody is told"},
    {"", NULL, "requeue ID...", "try them now, as if they were new"},
    {"", NULL, "stats", "counts by destination, reason and age"},
    {"explain", explain_run, "DOMAIN|ADDRESS",
	"what would be decided, and why"},
    {"probe", probe_run, "DOMAIN|ADDRESS",
	"the same, and connect to every host"},
    {"dane", dane_run, "off --for TIME", "do not look at DANE for a while"},
    {"", NULL, "on", "look at it again"},
    {"tlsa", NULL, "make|check ...", "TLSA records; see \"tlsa --help\""},
    {"sendmail", NULL, "[OPTION|ADDRESS...]",
	"take a message from standard input"},
    {"version", version_run, "", "the version of this command"},
    {"help", help_run, "", "this text"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
write_usage(FILE *to)
{
	(void)fputs(
	    "usage: danelaw [-c FILE] [-s SOCKET] [--json] COMMAND\n\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(to, "  %-12s %-20s %s\n", commands[i].name,
		    commands[i].operands, commands[i].does);
	(void)fputs("\n"
		    "  -c FILE      configuration (" DEFAULT_FILE ")\n"
		    "  -s SOCKET    control socket (as the configuration "
		    "says)\n"
		    "  --json       one JSON object a line\n"
		    "  --limit N    list at most N\n"
		    "\n"
		    "Instead of ID and TARGET, or to list less:\n"
		    "  --sender ADDRESS, --recipient ADDRESS (\"@domain\" for "
		    "all of it),\n"
		    "  --destination TARGET, --reason WORDS, --state STATE,\n"
		    "  --older TIME, --newer TIME (\"90s\", \"15m\", "
		    "\"2h\", \"5d\")\n"
		    "  --dry-run    only count what would be done\n"
		    "\n"
		    "For \"dane off\": --for TIME, at most 7d (a number "
		    "alone is seconds),\n"
		    "  and --reason TEXT.\n"
		    "\n"
		    "Exit status: 0 fine, 1 found wanting, 2 usage.\n",
	    to);
}

static int
help_run(const struct options *options)
{
	(void)options;
	write_usage(stdout);
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

enum {
	OPTION_JSON = 256,
	OPTION_LIMIT,
	OPTION_DRY_RUN,
	OPTION_TIME,
	OPTION_FILTER, /* and one for each filter behind it */
};

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"json", no_argument, NULL, OPTION_JSON},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"for", required_argument, NULL, OPTION_TIME},
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

/* Options stand anywhere.  -1: go on; otherwise the exit status. */
static int
read_options(int argc, char **argv, struct options *options)
{
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((c = getopt_long(argc, argv, "c:s:hV", longs, NULL)) != -1) {
		if (c == 'c')
			options->file = optarg;
		else if (c == 's')
			options->socket = optarg;
		else if (c == 'h')
			return help_run(options);
		else if (c == 'V')
			return version_run(options);
		else if (c == OPTION_JSON)
			options->json = true;
		else if (c == OPTION_DRY_RUN)
			options->dry_run = true;
		else if (c == OPTION_TIME)
			options->time = optarg;
		else if (c >= OPTION_FILTER)
			options->filters[c - OPTION_FILTER] = optarg;
		else if (c != OPTION_LIMIT)
			return command_misused("unknown option");
		else if (!text_parse_u32(span_of(optarg), &options->limit) ||
			 options->limit == 0)
			return command_misused("--limit wants a number");
	}
	options->argc = argc - optind;
	options->argv = argv + optind;
	return -1;
}

static int
run(struct options *options)
{
	const char *name = options->argv[0];

	options->argc--;
	options->argv++;
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].run != NULL &&
		    strcmp(commands[i].name, name) == 0)
			return commands[i].run(options);
	return command_misused("unknown command");
}

/* Where a command begins that has options of its own; or argc. */
static int
find_own(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "-s") == 0)
			i++;
		else if (argv[i][0] != '-')
			return strcmp(argv[i], "sendmail") == 0 ||
			               strcmp(argv[i], "tlsa") == 0
			           ? i
			           : argc;
	}
	return argc;
}

int
main(int argc, char **argv)
{
	struct options options = {.file = DEFAULT_FILE};
	int own = find_own(argc, argv);
	int status;

	if (sendmail_is_name(argv[0]))
		return sendmail_main(argc, argv, &options);
	status = read_options(own, argv, &options);
	if (status < 0 && own < argc)
		return strcmp(argv[own], "tlsa") == 0
		           ? tlsa_main(argc - own, argv + own, &options)
		           : sendmail_main(argc - own, argv + own, &options);
	if (status >= 0)
		return status;
	if (options.argc == 0) {
		write_usage(stderr);
		return EXIT_USAGE;
	}
	return run(&options);
}
