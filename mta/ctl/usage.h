/* Private to mta/ctl/: the commands as main.c lists them, and the help. */
#pragma once
#include <stddef.h>
#include <stdio.h>

#include "mta/ctl/command.h"

#define COMMAND_FILE "/etc/danelaw/danelaw.conf"

/* Options that not every command has. */
enum {
	TAKES_LIMIT = 1,
	TAKES_DRY_RUN = 2,
	TAKES_TIME = 4,
	TAKES_REASON = 8,
	TAKES_FILTERS = 16, /* but for the reason */
	TAKES_JSON = 32,
	TAKES_SINCE = 64,
	TAKES_ALL = 128,
	TAKES_MAIL = 256,
	TAKES_UNSIGNED = 512,
	TAKES_DAY = 1024,
	TAKES_FORCE = 2048,
	TAKES_WAIT = 4096,
	TAKES_SENDMAIL = 8192, /* it reads them by itself */
	TAKES_LIST = TAKES_LIMIT | TAKES_JSON,
	TAKES_CHOICE = TAKES_REASON | TAKES_FILTERS | TAKES_JSON,
	TAKES_CHANGE = TAKES_CHOICE | TAKES_DRY_RUN,
};

/*
 * Either run or own; neither: one more line for the command before.  A command
 * takes the options of all its lines, each of its verbs those of its own.
 */
struct command {
	const char *name;
	command_run *run;
	command_own *own;
	const char *operands;
	const char *does;
	unsigned takes;
};

void usage_write(FILE *to, const struct command *commands, size_t n);

/* What the first takes; n lines at most until the end of the table. */
unsigned usage_takes(const struct command *first, size_t n);

/*
 * Of the first alone, with the lines that belong to it, n as above, and their
 * options: those about a verb, the word behind its name, or all where it has
 * none of that name.
 */
void usage_write_one(
    FILE *to, const struct command *first, size_t n, const char *verb);
