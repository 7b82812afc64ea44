/*
 * What was counted for reports, and what became of the reports: an SQLite
 * file in the state folder.
 *
 *   report.db          mode 0600, of the roles' account
 *   report.lock        held by the one process that writes
 *   report.db.damaged  what could not be read; the one before is gone
 *
 * A day is a UTC day, in days since the epoch.  Of a day and a domain that
 * reports go to, the next hop, are kept: each policy with its sessions, and
 * its failures by all that is said of them.  A policy's text is there once.
 *
 * Bounded: days by report_store_forget(), domains of a day, policies and
 * failures of a domain, octets of a text and of the file.  What goes beyond
 * is counted all the same, without its details; sessions of domains for which
 * there is no room are told to the caller.
 *
 * Calls may block, and belong on a worker thread; one at a time.
 */
#pragma once
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "reporting/report.h"

#define REPORT_DAY_S INT64_C(86400)

/* Of a day and domain; what is beyond has no text or no details. */
#define REPORT_STORE_POLICIES 64
#define REPORT_STORE_FAILURES 500
/* Names by which a host that fails otherwise alike greets; who has more of them
 * is counted without.  A host may say a new one each time. */
#define REPORT_STORE_HELOS 4
/* Days by which what is told of late may be put off. */
#define REPORT_STORE_LATE 7
/* Octets of one policy's lines, and of its patterns. */
#define REPORT_STORE_TEXT 32768
/* Octets of a text about a failure. */
#define REPORT_STORE_WORDS 255
/* A URI of a record, and a NUL: TLSRPT_URI_MAX. */
#define REPORT_STORE_PLACE 1025
/* Room for any report that report_store_load() makes. */
#define REPORT_STORE_ARENA ((size_t)16 << 20)

struct report_store;

struct report_store_setup {
	const char *folder;   /* must be there */
	unsigned wait_ms;     /* for others that have the file */
	bool only_look;       /* write nothing; no file is no error */
	size_t domains_a_day; /* 0: 200,000 */
	size_t megabytes;     /* 0: DB_MEGABYTES */
};

/*
 * A file that cannot be understood is set aside, with the reason in
 * *ret_damaged, and a new one begun; ret_damaged->kind is ERR_NONE otherwise.
 * NULL: ERR_TEMP.  With only_look nothing is set aside.
 */
struct report_store *report_store_open(const struct report_store_setup *setup,
    struct err *ret_damaged, struct err *err);
void report_store_close(struct report_store **store);
/*
 * The file is closed, and opened as above; nobody else gets the lock meanwhile.
 * -1: it is closed, and each call opens it.
 */
int report_store_reopen(struct report_store *store, struct err *err);
/*
 * True: since the last time this was asked a call has set a file aside, and why.
 * Of report_store_open() its caller knows.
 */
bool report_store_damaged(struct report_store *store, struct err *ret);

/* --- counting ------------------------------------------------------------- */

/* Sessions that came to the same, under one policy. */
struct report_event {
	int64_t day;
	const char *domain;                  /* that the report goes to */
	const struct report_policy *policy;  /* of report_policy_of() */
	const struct report_failure *failed; /* NULL: they succeeded */
	uint64_t sessions; /* failed->sessions is not looked at */
};

/*
 * All of it or nothing, then -1 (ERR_TEMP).  A file that turns out damaged is
 * set aside; the next call begins a new one.  *ret_dropped: sessions for
 * which there was no room.  What is of a day that was planned for the domain,
 * with places or without, is counted on the first day after it of which that is
 * not so, or REPORT_STORE_LATE days later.  A day that is to be planned anew
 * (report_store_again()) takes more until it is: who has had its report does
 * not hear of that.
 */
int report_store_add(struct report_store *store,
    const struct report_event *events, size_t n, uint64_t *ret_dropped,
    struct err *err);

/* --- reports -------------------------------------------------------------- */

enum report_which {
	REPORT_UNPLANNED = 0, /* report_store_plan() was not called yet */
	REPORT_COUNTED,       /* all */
};

/*
 * The domains of a day, in some order: the first of these behind `after`, or
 * "".  1, 0 (there is none), -1.
 */
int report_store_next(struct report_store *store, enum report_which which,
    int64_t day, const char *after, char *to, size_t size, struct err *err);

/*
 * The report of a day and domain but for who writes it: policies, and the
 * worst failures first.  1, 0 (nothing was counted), -1.
 */
int report_store_load(struct report_store *store, int64_t day,
    const char *domain, struct arena *arena, struct report *ret,
    struct err *err);

enum report_state {
	REPORT_DUE = 0, /* at try->next */
	REPORT_SENT,
	REPORT_GIVEN_UP,
	REPORT_QUEUED, /* the mail queue has it; until try->next */
};

/* What became of a report on its way to one place. */
struct report_try {
	int64_t day;
	const char *domain;
	const char *id;  /* of the report: report_id() */
	const char *rua; /* the place: an address, or an https URI */
	unsigned number; /* among those of the record, from 1 */
	enum report_state state;
	uint32_t tries;  /* that were made */
	int64_t next;    /* wall time, when due */
	const char *why; /* what the last came to, or "" */
};

/*
 * The record was looked up: to these places, from `first` on; without any the
 * domain wants no report.  Planned once; a second time changes nothing.
 */
struct report_plan {
	int64_t day;
	const char *domain;
	const char *id;
	const char *const *rua;
	size_t nrua;
	int64_t first;
};
int report_store_plan(struct report_store *store,
    const struct report_plan *plan, struct err *err);

/* 1: the record was looked up; 0: not yet, or nothing was counted; -1. */
int report_store_planned(struct report_store *store, int64_t day,
    const char *domain, struct err *err);

typedef void report_try_fn(const struct report_try *try, void *arg);

enum report_way {
	REPORT_BY_MAIL = 0,
	REPORT_BY_POST, /* to an https URI */
};

/* What is due by then that way, the longest due first, at most so many. */
int report_store_due(struct report_store *store, enum report_way way,
    int64_t now, size_t most, report_try_fn *fn, void *arg, struct err *err);
/* state, tries, next and why of the one with this day, domain and rua. */
int report_store_note(
    struct report_store *store, const struct report_try *try, struct err *err);
/* Of those in the mail queue, the ones whose time there is over by then. */
int report_store_overdue(struct report_store *store, int64_t now, size_t most,
    report_try_fn *fn, void *arg, struct err *err);
/*
 * The mail is in the queue, for as long as try->next says.  Nothing changes
 * where its end is known already.
 */
int report_store_queued(
    struct report_store *store, const struct report_try *try, struct err *err);
/* `next` of one that was given up since nothing was heard of it in time. */
#define REPORT_UNHEARD (-1)
/*
 * The mail queue tells of the one with this day, domain and number: SENT,
 * GIVEN_UP and why, or QUEUED and why it waits.  1, and its place; 0: it is
 * not there, or is done with; of one that is UNHEARD that it was sent is news.
 */
int report_store_heard(struct report_store *store, const struct report_try *try,
    char *ret_rua, size_t size, struct err *err);

/*
 * A place where the reports of a domain could not be delivered; zero is one
 * that nothing is known of.  Of that domain alone: who names a place of
 * another's, and has it refuse what is sent, does not silence the other's.
 * Forgotten with the day on which it ends.
 */
struct report_trouble {
	uint32_t failures; /* days in a row */
	int64_t until;     /* nothing is sent there before */
	/* It takes what it sends back later: that it took something before this
	 * time is no end of its trouble.  0: it does not. */
	int64_t doubted; /* of a store that is only looked at: 0 */
};
int report_store_trouble(struct report_store *store, const char *domain,
    const char *rua, struct report_trouble *ret, struct err *err);
/* No failures: it is forgotten. */
int report_store_put_trouble(struct report_store *store, const char *domain,
    const char *rua, const struct report_trouble *trouble, struct err *err);

/*
 * A mail goes out with this word in its envelope sender
 * (reporting/reverse_path.h); what comes back to it is of that report and
 * place.  Forgotten when it was sent before the day forgotten.
 */
int report_store_put_word(struct report_store *store, const char *word,
    int64_t today, const struct report_try *try, struct err *err);

struct report_returned {
	int64_t day;
	char domain[256];
	char rua[REPORT_STORE_PLACE];
};
/* 1; 0: it is of nothing that is known; -1. */
int report_store_word(struct report_store *store, const char *word,
    struct report_returned *ret, struct err *err);
/* Given up, whatever was heard of it before; the word counts no more. */
int report_store_bounced(struct report_store *store, const char *word,
    const struct report_returned *returned, const char *why, struct err *err);

/*
 * To be planned anew, which takes up again what was given up; what is due is
 * so now, and there is no trouble with its places.  What was sent or is in the
 * mail queue stays so.  1; 0: nothing was counted of it on that day.
 */
int report_store_again(struct report_store *store, int64_t day,
    const char *domain, int64_t now, struct err *err);

/*
 * For people, by day, domain and number: at most so many that come behind
 * this day, domain and number.  While a page is told nobody can write.
 */
int report_store_list(struct report_store *store,
    const struct report_try *behind, size_t most, report_try_fn *fn, void *arg,
    struct err *err);

/*
 * What was older than so many days at the last visit, a day ago or longer:
 * db_sweep().
 */
int report_store_forget(
    struct report_store *store, int64_t now, int64_t days, struct err *err);

/*
 * The clock may have been ahead: what is due later than it can be is due now;
 * nothing is in the queue, or silenced, for longer than it can be.
 */
int report_store_set_back(
    struct report_store *store, int64_t now, struct err *err);

const char *report_state_name(enum report_state state);
