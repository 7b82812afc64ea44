/*
 * The command's side of the control socket: blocking, each wait bounded.
 *
 *   daemon_open, then daemon_ask and daemon_answer until it says DONE, any
 *   number of times, then daemon_close.
 */
#pragma once
#include "base/err.h"
#include "mta/ctl/control.h"

#define DAEMON_WAIT_S 30 /* for the next line of an answer */

struct json_t;
struct daemon;

enum daemon_line {
	DAEMON_FAILED = 0, /* see err */
	DAEMON_ITEM,
	DAEMON_DONE, /* the last line of an answer, "ok" true */
};

/* daemon_open(): nobody is there, and the error says so. */
#define DAEMON_AWAY (-2)

int daemon_open(const char *path, struct daemon **ret, struct err *err);
void daemon_close(struct daemon **daemon);
/* Wait so many seconds for a line instead. */
void daemon_patience(struct daemon *daemon, unsigned seconds);

/* All of it, where only the end is of interest. */
int daemon_do(struct daemon *daemon, const struct control_request *request,
    struct err *err);

int daemon_ask(struct daemon *daemon, const struct control_request *request,
    struct err *err);

/*
 * The next line of the answer: the item, or the line that says "ok" itself.
 * *ret is valid until the next call.  What the daemon refuses is an error
 * with its words.
 */
enum daemon_line daemon_answer(
    struct daemon *daemon, struct json_t **ret, struct err *err);
