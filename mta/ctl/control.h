/*
 * The words between the command `danelaw` and the daemon: text only, no
 * socket.  Both sides use it.
 *
 * Over a UNIX stream socket go lines of JSON.  A request is one line:
 *
 *   {"command":"status"}
 *   {"command":"queue-list","limit":100,"after":"4711"}
 *   {"command":"queue-hold","id":"0h8k3w9v2m4qd"}
 *   {"command":"sts-changed","domain":"example.org"}
 *
 * Its answer is any number of items, then one line that ends it; a request
 * may follow on the same connection.
 *
 *   {"item":{"id":"0h8k3w9v2m4qd","state":"waiting","attempts":3}}
 *   {"ok":true,"after":"4712"}
 *   {"ok":false,"error":"no such message"}
 *
 * "after" in an answer says that there is more: the same request with it goes
 * on, and "count" in the answers adds up.  No line is longer than CONTROL_LINE_MAX.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define CONTROL_LINE_MAX  (64u << 10) /* with its end */
#define CONTROL_WORD_MAX  512
#define CONTROL_LIMIT     100 /* items, when the request says nothing */
#define CONTROL_LIMIT_MAX 10000
#define CONTROL_DANE_MAX  604800u /* seconds it can be off at once: 7 days */
/* The error in place of an answer that would not fit. */
#define CONTROL_TOO_LARGE "the answer grew too large"

enum control_command {
	CONTROL_NONE = 0,
	CONTROL_STATUS,
	CONTROL_METRICS,
	CONTROL_DANE_OFF, /* seconds, filter.reason: why */
	CONTROL_DANE_ON,
	CONTROL_STS_CHANGED, /* domain: what is kept of it is another now */
	CONTROL_RELOAD,      /* force; answered when it has ended */
	CONTROL_REPORT_SEND, /* domain, day: its report goes out now */
	CONTROL_QUEUE_LIST,  /* limit, after, filters */
	CONTROL_QUEUE_SHOW,  /* id */
	CONTROL_QUEUE_FLUSH, /* id or filters, or neither: everything */
	CONTROL_QUEUE_HOLD,  /* id or filters, as the next three */
	CONTROL_QUEUE_RELEASE,
	CONTROL_QUEUE_REMOVE,
	CONTROL_QUEUE_REQUEUE,
	CONTROL_QUEUE_STATS, /* limit: of each table */
};

/* Which messages; what is "" or 0 asks nothing. */
struct control_filter {
	char sender[CONTROL_WORD_MAX];    /* address, "@domain" or "<>" */
	char recipient[CONTROL_WORD_MAX]; /* address or "@domain" */
	char reason[CONTROL_WORD_MAX];    /* words of it */
	char state[16];                   /* as job_state_name() says */
	uint32_t older;                   /* seconds since it arrived */
	uint32_t newer;
};

struct control_request {
	enum control_command command;
	uint32_t limit;                /* 1 to CONTROL_LIMIT_MAX */
	char id[CONTROL_WORD_MAX];     /* of a message, or "" */
	char target[CONTROL_WORD_MAX]; /* as target_text() writes it, or "" */
	char after[CONTROL_WORD_MAX];  /* as the answer before said, or "" */
	char domain[CONTROL_WORD_MAX]; /* in normal form, or "": of all */
	struct control_filter filter;  /* with target one more */
	uint32_t seconds;              /* how long, for DANE_OFF */
	uint32_t day;                  /* since the epoch, UTC */
	bool dry_run;                  /* only count */
	bool force;                    /* RELOAD: whatever is published */
};

const char *control_command_name(enum control_command command);
/* Does it ask for some messages only, by filters? */
bool control_is_choosy(const struct control_request *request);
/* Is it one of these roles that answers?  Otherwise the supervisor. */
bool control_is_for_queue(enum control_command command);
bool control_is_for_report(enum control_command command);

/*
 * A line without or with its end.  ERR_PERM with one printable line of what
 * was expected: too long, no JSON, unknown command or key, an id missing.
 */
int control_read_request(
    struct span line, struct control_request *ret, struct err *err);
/* A limit of 0 stands for CONTROL_LIMIT.  -1: `out` is full. */
int control_write_request(
    const struct control_request *request, struct buf *out);

/* An object of an answer under construction; keys keep their order. */
struct control_item;

struct control_item *control_item_new(void);
void control_item_free(struct control_item **item);
/* Bytes that are not UTF-8 are escaped.  NULL: nothing is put. */
void control_put_text(
    struct control_item *item, const char *name, const char *text);
void control_put_number(
    struct control_item *item, const char *name, int64_t number);
void control_put_flag(struct control_item *item, const char *name, bool flag);
/* One more object of the list `name`; takes it. */
void control_put_member(
    struct control_item *item, const char *name, struct control_item **member);
void control_drop(struct control_item *item, const char *name);

/*
 * One line each, with its end; -1 and nothing added when it does not fit.
 * done: `more` are further keys beside "ok", or NULL.
 */
int control_write_item(const struct control_item *item, struct buf *out)
    __attribute__((warn_unused_result));
int control_write_done(const struct control_item *more, struct buf *out)
    __attribute__((warn_unused_result));
int control_write_error(const char *text, struct buf *out)
    __attribute__((warn_unused_result));
