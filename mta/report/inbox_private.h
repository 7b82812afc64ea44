/* Private to mta/report/inbox*.c. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "mta/report/inbox.h"
#include "mta/report/inbox_waits.h"
#include "mta/report_mails.h"
#include "reporting/inbox_store.h"

struct dns;
struct dns_query;
struct process;
struct reader_result;

enum inbox_step {
	INBOX_FREE = 0, /* a place for a mail */
	INBOX_READY,    /* to be read, by what has been answered so far */
	INBOX_READING,  /* one at most */
	INBOX_ASKING,   /* for a key */
};

/* A mail under way. */
struct inbox_item {
	struct inbox *inbox;
	enum inbox_step step;
	struct report_mail mail;
	bool is_again; /* it was tried before */
	struct buf answers;
	unsigned asked;
	struct dns_query *query;
	uint64_t asked_at;   /* loop_now(), of its first question */
	struct timer *limit; /* of the question */
};

struct inbox {
	struct inbox_setup setup;
	struct inbox_store store;
	bool is_watched; /* there is a folder; and by the next two, if so */
	int notify;      /* inotify; -1: none */
	struct watch *notified;
	struct timer *look;
	uint64_t paused_until; /* loop_now() */
	struct inbox_waits waits;
	int64_t swept; /* the hour */
	struct inbox_item items[INBOX_WORK_MAX];
	/* The one that reads; NULL: nobody does. */
	struct inbox_item *reading;
	struct process *process;
	int result; /* what it writes to; -1: none */
	struct timer *limit;
	bool timed_out;
	struct dns *dns; /* NULL: nobody has been asked yet */
	struct watch *dns_watch;
};

/*
 * inbox_read.c: read it; nobody else is read by now.  It is asked for a key
 * and comes back by inbox_ready(), or one of the others below follows.
 */
void inbox_read(struct inbox_item *item);
/* It asks, and is to do without an answer. */
void inbox_hurry(struct inbox_item *item);
void inbox_read_end(struct inbox *inbox);

/* inbox.c: what has become of it.  Each looks for the next one. */
void inbox_ready(struct inbox_item *item);
/* It has been dealt with. */
void inbox_done(struct inbox_item *item);
void inbox_take(struct inbox_item *item, const struct reader_result *result);
/*
 * ERR_TEMP: again later; ERR_PERM: set aside.  `from`: the domain it claims to
 * be of, as far as that is known, or "".
 */
void inbox_refuse(
    struct inbox_item *item, const struct err *err, const char *from);
/* It is not the mail's fault: nothing is read for a while. */
void inbox_pause(struct inbox_item *item, const struct err *err);
/* Say that something is wrong with all of it. */
void inbox_trouble(const struct inbox *inbox, const struct err *err);
/* It waits for an answer: the next may be read. */
void inbox_look(struct inbox *inbox);
