/* Ask the daemon and show its answer: what status and queue have in common. */
#pragma once
#include "mta/ctl/command.h"
#include "mta/ctl/control.h"

struct daemon;

enum {
	ASK_NO_DAEMON = -1,
	ASK_NO_CONFIG = -2,
};

/*
 * Over -s, or the socket that the configuration names.  0, or one of these and
 * complained.
 */
int ask_open(const struct options *options, struct daemon **ret);

enum ask_show {
	ASK_TABLE = 0, /* the items as a table */
	ASK_SUMMARY,   /* the last line as "key: value", then the table */
	ASK_RECORDS,   /* each item as "key: value" */
};

/*
 * One request with all its pages; with options->json the items, and with
 * ASK_SUMMARY the last line, go out as they came.  The exit status.
 */
int ask_show(const struct options *options, struct daemon *daemon,
    struct control_request *request, enum ask_show show);
