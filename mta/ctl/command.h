/* The commands of `danelaw`: what main.c calls. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define EXIT_FINE   0
#define EXIT_WANTED 1 /* found wanting, or could not be done */
#define EXIT_USAGE  2

/* What narrows a queue command down, as it was typed. */
enum option_filter {
	FILTER_SENDER = 0,
	FILTER_RECIPIENT,
	FILTER_DESTINATION,
	FILTER_REASON,
	FILTER_STATE,
	FILTER_OLDER,
	FILTER_NEWER,
	FILTERS,
};

enum option_force {
	FORCE_NOT = 0,
	FORCE_GIVEN,
};

struct options {
	const char *file;   /* the configuration */
	const char *socket; /* NULL: as the configuration says */
	bool json;
	bool dry_run;
	bool all;
	enum option_force force; /* reload: in spite of what is published */
	bool is_unsigned;        /* report: what nobody vouches for, too */
	const char *filters[FILTERS]; /* NULL: not given */
	const char *time;             /* --for, or NULL */
	const char *since;            /* or NULL */
	const char *day;              /* report show; or NULL */
	const char *mail;             /* explain: what the message asks for */
	const char *wait;             /* for DNS; or NULL */
	uint32_t limit;               /* 0: everything */
	int argc;                     /* from the command on */
	char **argv;
};

/* The exit status. */
typedef int command_run(const struct options *options);

command_run certs_run;
command_run check_config_run;
command_run status_run;
command_run metrics_run;
command_run recipient_run;
command_run reload_run;
command_run queue_run;
command_run explain_run;
command_run probe_run;
command_run dane_run;
command_run audit_run;
command_run sts_run;
command_run report_run;

/*
 * One that reads what stands behind its name, argv[0], by itself; `options`
 * are those before it.  The exit status.
 */
typedef int command_own(int argc, char **argv, struct options *options);

command_own tlsa_main;

/* The queue as a list, in the form mailq(1) has had for long. */
command_run mailq_run;

/* mta/sendmail/: is this program called as sendmail, mailq or newaliases? */
bool sendmail_is_name(const char *argv0);
/* With exit statuses of <sysexits.h>. */
command_own sendmail_main;

/* What could not be done, and why, to stderr.  EXIT_WANTED. */
int command_complain(const char *what, const char *why);

/* Of a list without a line, for people: to stderr, and nothing with --json. */
void command_nothing(const struct options *options, const char *why);

/*
 * What getopt_long(3) found wrong: c is '?', or ':' by its option string.  Long
 * options have values of 256 and more.
 */
#define OPTION_PROBLEM_SIZE 128
void command_option_problem(
    int c, char *const *argv, char to[OPTION_PROBLEM_SIZE]);

/* "danelaw: TEXT" and where to read on, to stderr; EXIT_USAGE. */
int command_misused(const char *text);
