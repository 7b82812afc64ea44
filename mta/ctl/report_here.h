/*
 * Private to mta/ctl/report*.c: what was seen here of those whom the reports
 * of others name, on the days that they tell of.
 */
#pragma once
#include "mta/ctl/report.h"
#include "reporting/inbound_store.h"

/* Of failures of one kind, about one domain. */
#define HERE_SHOWN 5   /* to people */
#define HERE_LIST  100 /* to programs */
#define HERE_KINDS 8   /* of sessions of one address */

/* How much is known of its days; zero claims nothing. */
enum here_known {
	HERE_NOT_RECORDED = 0,
	HERE_IN_PART,
	HERE_RECORDED,
};

/* An address that reports name, on a day. */
struct here_sender {
	const char *zone; /* of who reports it */
	uint8_t address[INBOUND_ADDRESS];
	int64_t first_day, last_day;
	uint64_t reported;         /* sessions that failed so */
	const char *mx, *receiver; /* where it was, by the report; or "" */
	/* And here: */
	enum here_known known;
	const char *why; /* it is not known, or not all of it; or "" */
	uint64_t sessions;
	struct inbound_seen kinds[HERE_KINDS]; /* most sessions first */
	size_t nkinds;
};

struct here_group {
	struct here_sender
	    *list; /* those seen here first, no more than asked */
	size_t n;
	size_t senders, seen; /* of all that were looked at */
	bool cut;             /* reports name more */
};

struct json_t;
struct report_here;

/* Which reports name them. */
struct here_ask {
	int64_t first_day, last_day; /* on which the report's time began */
	bool trusting;               /* also those nobody vouches for */
};

/*
 * Those who are named then, as many as there is room for, and of each zone of
 * reporters the same.  What cannot be read is complained of, and is not known.
 */
struct report_here *report_here_new(
    const struct report_work *work, const struct here_ask *ask);
void report_here_free(struct report_here **here);
/* Lent until the next call. */
struct here_group report_here_find(struct report_here *here, const char *domain,
    const char *result, size_t most);

/* --- report_here_print.c -------------------------------------------------- */

void report_here_print(
    struct report_here *here, const char *domain, const char *result);
/* The same, below what the result means and what to do. */
void report_here_explain(
    struct report_here *here, const char *domain, const char *result);
/* Into the object of the result. */
void report_here_json(struct report_here *here, const char *domain,
    const char *result, struct json_t *object);
