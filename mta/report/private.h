/* Private to mta/report/: the report role. */
#pragma once
#include "base/span.h"
#include "mta/role.h"
#include "reporting/store.h"

struct counting;
struct inbox;
struct returns;
struct sender;
struct source;
struct word;

/* Who has to do with a disk of its own, and may have trouble with it. */
enum report_part {
	REPORT_SENDING = 0, /* report.db */
	REPORT_TAKING,      /* inbox.db, and the mails in the folders */
	REPORT_PARTS,
};

/* What is done with report.db: that one goes well says nothing of another. */
enum report_doing {
	REPORT_READS = 0,
	REPORT_COUNTS, /* what sessions came to, and words of the mail queue */
	REPORT_PLANS,
	REPORT_NOTES, /* what becomes of reports */
	REPORT_SWEEPS,
	REPORT_SETS_BACK, /* what a clock that was ahead had written */
	REPORT_DOINGS,
};

/* Of a report in the mail queue. */
enum report_teller {
	REPORT_DELIVERER = 0,
	REPORT_QUEUER, /* the operator removed it: no place is to blame */
};

/* Two of them, and what is between, are as much as the supervisor keeps. */
#define REPORT_TROUBLE_SIZE 199

struct report_role {
	struct role *role;
	struct report_store *store; /* NULL: report_open_store() first */
	bool suspect;               /* it is to be opened anew */
	struct sender *sender;      /* NULL: nothing is sent */
	struct returns *returns;    /* NULL: as the sender */
	struct inbox *inbox;        /* NULL: no reports are taken from mail */
	struct counting *counting;  /* NULL: no sessions with us are counted */
	struct source *sources;
	struct timer *timer, *drain;
	struct arena *arena; /* of the batch */
	struct report_event *events;
	size_t n;
	struct word *words, *last_word; /* of the mail queue, to be written */
	size_t nwords;
	uint64_t began; /* clock_mono_ms() */
	uint64_t lost;  /* sessions, since the last word about it */
	uint64_t sweep; /* clock_mono_ms(): when old ones are looked for */
	bool failing[REPORT_DOINGS]; /* the last time */
	bool draining;
	/* As it was told last; "": none. */
	char trouble[REPORT_PARTS][REPORT_TROUBLE_SIZE];
};

/*
 * report->store, if it can be had.  Whoever is called back asks first: it is
 * opened anew after a write that failed, and another process may have it when
 * this one begins.
 */
int report_open_store(struct report_role *report, struct err *err);
/*
 * Once an hour, of the store, which is open; what fails is done again then.  1;
 * 0: it is not time; -1.
 */
int report_forget_old(struct report_role *report, struct err *err);
/* report_heard(), and soon written. */
void report_take_word(
    struct report_role *report, enum report_teller teller, struct span payload);
/* To end, when nothing is on its way any more. */
void report_role_idle(struct report_role *report);

/* --- trouble.c ------------------------------------------------------------ */

/*
 * What is wrong with one part, for the status, until it says "": that of the
 * other stays as it is.  It may be said as often as it is found.
 */
void report_tell_trouble(
    struct report_role *report, enum report_part which, const char *text);
/*
 * Of report.db: true, it went well.  Else that is trouble until that goes well,
 * and is logged unless something else fails already.  Of a store that the
 * process before this one may still have there is none: a reload ends that.
 */
bool report_went(struct report_role *report, enum report_doing doing, int rc,
    const struct err *err);

/* --- send.c: a day, from its domains to the places of their reports ------- */

/* NULL with ERR_NONE: the configuration does not want any sent. */
struct sender *sender_new(struct report_role *report, struct err *err);
void sender_free(struct sender **sender);
/* To the queue role, perhaps a new one; takes the descriptor. */
void sender_peer(struct sender *sender, int fd);
/* The report of this day and domain goes out now, if nothing is in its way. */
void sender_again(struct sender *sender, int64_t day, const char *domain);
/* Begin nothing more. */
void sender_drain(struct sender *sender);
/* Something is on its way to the disk. */
bool sender_busy(const struct sender *sender);

/* --- ask.c: the operator -------------------------------------------------- */

void report_ask(struct report_role *report, const struct ipc_ask *ask);

/* --- returns.c: what comes back by mail ----------------------------------- */

struct returns *returns_new(struct report_role *report);
void returns_free(struct returns **returns);

/* --- heard.c -------------------------------------------------------------- */

/*
 * Somebody has something to say of a report: IPC_REPORTED.  True: it is kept,
 * to be written.
 */
bool report_heard(
    struct report_role *report, enum report_teller teller, struct span payload);
/* Into the store, which is open; -1: what is not written is kept. */
int report_write_words(struct report_role *report, struct err *err);
void report_forget_words(struct report_role *report);
/* What nobody told of within its time. */
void report_look_for_lost(struct report_role *report, int64_t now);
enum report_news {
	REPORT_REFUSED = 0, /* by the place, or it is away */
	REPORT_BOUNCED,     /* it was taken, and came back by mail */
	REPORT_ACCEPTED,    /* by a mail server: it may come back */
	REPORT_ARRIVED,
};
/* What became of a report at its place: how long is nothing sent there?  -1: it
 * could not be written. */
int report_put_place(struct report_role *report, const struct report_try *try,
    enum report_news news, struct err *err);
/* The same; that it could not be written is logged. */
void report_note_place(struct report_role *report, const struct report_try *try,
    enum report_news news);
/* report-sent, report-given-up, report-deferred: a line a try and step. */
void report_log_try(const char *event, const struct report_try *try);
