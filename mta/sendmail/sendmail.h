/*
 * sendmail(1): a message from standard input into the drop folder.
 *
 *   sendmail.c          what it is called with, and which way to go
 *   message.c  -bm: text with a header, completed
 *   smtp.c     -bs: SMTP on standard input and output
 *
 * Exit statuses are those of <sysexits.h>.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mta/config.h"
#include "mta/ctl/command.h"
#include "queue/envelope.h"

enum sendmail_mode {
	SENDMAIL_MESSAGE = 0,
	SENDMAIL_SMTP,
	SENDMAIL_LIST, /* mailq */
	SENDMAIL_FLUSH,
	SENDMAIL_NOTHING, /* newaliases: there is nothing to do */
};

struct sendmail {
	const struct options *options;
	enum sendmail_mode mode;
	const char *from; /* -f, or NULL */
	const char *name; /* -F, or NULL */
	bool header;      /* -t: recipients stand there too */
	bool dots;        /* -i: a dot ends nothing */
	uint8_t notify;
	struct config *config;
	struct arena *arena;
	struct envelope envelope;
	size_t rcpts_size; /* octets of the array */
	int argc;          /* recipients */
	char **argv;
};

/* "sendmail: TEXT" to stderr; the status that fits. */
int sendmail_failed(const struct err *err);

/* message.c, smtp.c: the exit status. */
int sendmail_message(struct sendmail *sendmail);
int sendmail_smtp(struct sendmail *sendmail);
