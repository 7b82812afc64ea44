/*
 * Reports that others sent about our domains, on disk: an SQLite file in the
 * state folder.  Each call opens it, works and closes it; they may block.
 *
 *   inbox.db          mode 0600, of the roles' account
 *   inbox.lock        whoever writes has it locked: one at a time
 *   inbox.db.damaged  what could not be read; the one before is gone
 *
 * A report counts once, however often it comes: it is known by who signed it,
 * the organization it names, its id and its time (RFC 8460 4.4).  Without the
 * signer anybody could take the place of another's report with one of his own
 * that says the same of itself.  Bounded: INBOX_DAYS days, INBOX_REPORTS
 * reports and a size of the file, beyond which the oldest go; and INBOX_KINDS
 * kinds of failures of a report, beyond which only their number is kept.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "reporting/report.h"

#define INBOX_DAYS    400
#define INBOX_REPORTS 200000
#define INBOX_KINDS   2000
#define INBOX_TEXT    255 /* characters; no name is longer */

struct inbox_store {
	const char *folder; /* must be there */
	unsigned wait_ms;   /* for others who write, and for readers */
	size_t megabytes;   /* of the file, at most; 0: DB_MEGABYTES */
	size_t reports;     /* at most; 0: INBOX_REPORTS */
};

/* How it came; texts are never NULL. */
struct inbox_origin {
	const char *domain; /* of ours, that it is about */
	const char *signer; /* DKIM vouches for this domain; "": nobody does */
	int64_t received;   /* seconds */
	const char *notes;  /* what is odd about it, for people, or "" */
};

enum inbox_added {
	INBOX_NOT = 0,
	INBOX_ADDED,
	INBOX_KNOWN, /* it was there */
};

/* All of it is durable, or nothing: -1 (ERR_TEMP). */
int inbox_store_add(const struct inbox_store *store,
    const struct report *report, const struct inbox_origin *origin,
    enum inbox_added *ret, struct err *err);

enum inbox_forget {
	INBOX_UNSIGNED = 0, /* nobody vouches for them */
	INBOX_ALL,
};

struct inbox_forgotten {
	uint64_t reports;
	bool set_aside; /* it was damaged, and is inbox.db.damaged now */
};

/* A damaged file is an error, or with INBOX_ALL set aside. */
int inbox_store_forget(const struct inbox_store *store, enum inbox_forget which,
    struct inbox_forgotten *ret, struct err *err);

/* Lent for the call. */
struct inbox_report {
	const char *organization;
	const char *contact;
	const char *id;
	struct inbox_origin origin;
	int64_t start, end;
	uint64_t successes, failures; /* of all its policies */
};

typedef void inbox_report_fn(const struct inbox_report *report, void *arg);

/* Those whose time ended at `since` or later, the newest first. */
int inbox_store_reports(const struct inbox_store *store, int64_t since,
    inbox_report_fn *fn, void *arg, struct err *err);

/*
 * What was counted, one row a day, reporter, policy and kind of result.  Of
 * the sessions of a policy all come in one row, without a result, and each
 * kind of failure in another; kinds overlap (RFC 8460 4.3).
 */
struct inbox_count {
	const char *domain;
	const char *signer; /* "": nobody vouches for it */
	const char *organization;
	int64_t day; /* of the epoch, UTC, in which the report's time began */
	enum report_policy_type type;
	const char *policy_domain;
	const char *result_type; /* "": successes */
	const char *mx;          /* receiving-mx-hostname of failures, or "" */
	const char *reason_code; /* of failures, or "" */
	uint64_t sessions;
	uint64_t failures; /* with successes: the failed ones of the policy */
};

typedef void inbox_count_fn(const struct inbox_count *count, void *arg);

/* In the order of the members. */
int inbox_store_counts(const struct inbox_store *store, int64_t since_day,
    inbox_count_fn *fn, void *arg, struct err *err);
