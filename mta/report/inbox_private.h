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

struct inbox {
	struct inbox_setup setup;
	struct inbox_store store;
	int notify; /* inotify; -1: none */
	struct watch *notified;
	struct timer *look;
	struct inbox_waits waits;
	int64_t swept; /* the day */
	/* The mail under way; "" is none. */
	struct report_mail mail;
	struct process *process;
	int result; /* what it writes to; -1: none */
	struct timer *limit;
	bool timed_out;
	struct buf answers;
	unsigned asked;
	struct dns *dns; /* NULL: nobody has been asked yet */
	struct watch *dns_watch;
	struct dns_query *query;
};

/* inbox_read.c: read inbox->mail; one of the three below follows. */
void inbox_read(struct inbox *inbox);
void inbox_read_end(struct inbox *inbox);

/* inbox.c: what has become of it.  Each looks for the next one. */
void inbox_next(struct inbox *inbox);
void inbox_take(struct inbox *inbox, const struct reader_result *result);
/* ERR_TEMP: again later; ERR_PERM: set aside. */
void inbox_refuse(struct inbox *inbox, const struct err *err);
/* It is not the mail's fault: nothing is read for a while. */
void inbox_pause(struct inbox *inbox, const struct err *err);
