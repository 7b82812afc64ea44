/*
 * Mails to addresses for reports about TLS, on disk, between who delivers them
 * and the report role.  In the state folder, of the roles' account:
 *
 *   reports-in/ID          to be read, whole and durable
 *   reports-in/.ID.PID.N   being written
 *   reports-in/.ID.why     why it could not be judged, and when it is tried
 *   reports-aside/ID       could not be read,
 *   reports-aside/.ID.why  and why: one line, and one with the domain in its From
 *
 *   reports-bounced/WORDID  the beginning of what came back of a report of
 *                           ours; see reporting/reverse_path.h for the word
 *
 * ID is that of the message in the queue, so what is put twice is there once.
 * When it came is its mtime.  Each folder is bounded: one that is full takes
 * nothing more, but that aside lets go of the oldest.  Two who put at the same time
 * may go beyond by what they put.
 *
 * Everything blocks on the disk.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define REPORT_IN_FILES     1000
#define REPORT_IN_OCTETS    (UINT64_C(256) << 20)
#define REPORT_ASIDE_FILES  1000
#define REPORT_ASIDE_OCTETS (UINT64_C(256) << 20)
#define REPORT_ASIDE_DAYS   30

#define REPORTS_IN_NAME    "reports-in"
#define REPORTS_ASIDE_NAME "reports-aside"

#define REPORTS_BOUNCED_NAME "reports-bounced"

enum report_folder {
	REPORTS_IN = 0,
	REPORTS_ASIDE,
	REPORTS_BOUNCED,
};

#define REPORT_NAME_SIZE 64
#define REPORT_WHY_SIZE  300
#define REPORT_FROM_SIZE 256

/* --- putting one in ------------------------------------------------------- */

struct report_put;

/* -1: no room for `octets` more, or the disk will not; nothing is left. */
int report_put_begin(const char *state, enum report_folder which,
    const char *name, uint64_t octets, struct report_put **ret,
    struct err *err);
int report_put_write(
    struct report_put *put, struct span bytes, struct err *err);
/* Frees it; it is there and will be after a crash, or nothing is left. */
int report_put_commit(struct report_put **put, struct err *err);
void report_put_abort(struct report_put **put);

/* --- what is there -------------------------------------------------------- */

struct report_mail {
	char name[REPORT_NAME_SIZE];
	int64_t arrived; /* seconds */
	uint64_t octets;
};

struct report_mails {
	struct report_mail *list; /* the oldest first */
	size_t n;
	uint64_t octets; /* of all */
};

/* No folder is an empty one.  Free what came of it. */
int report_mails_list(const char *state, enum report_folder folder,
    struct report_mails *ret, struct err *err);
void report_mails_free(struct report_mails *mails);

const char *report_folder_name(enum report_folder folder);
/* The folder, made if it is not there; a descriptor, or -1. */
int report_folder_open(
    const char *state, enum report_folder folder, struct err *err);
/* Of one to be read; -1: errno says why not. */
int report_mail_open(const char *state, const char *name);
int report_mail_remove(const char *state, const char *name, struct err *err);
/*
 * From one folder to the other.  The oldest there go, if room is needed.
 * `from`: the domain that says it made it, or "".
 */
int report_mail_set_aside(const char *state, const char *name, const char *why,
    const char *from, struct err *err);

/*
 * One in reports-in waits until `due`, seconds.  That is for people: nobody
 * else reads it, so what goes wrong does no harm.
 */
void report_mail_waits(const char *state, const char *name, const char *why,
    const char *from, int64_t due);

/* The texts are one printable line each; "": nobody knows. */
struct report_why {
	char why[REPORT_WHY_SIZE];
	char from[REPORT_FROM_SIZE];
	int64_t due; /* of one that waits, seconds; or 0 */
};

/* Why one was set aside, or waits. */
void report_mail_why(const char *state, enum report_folder which,
    const char *name, struct report_why *ret);
struct stat;
/*
 * It counts now, so it need not lie aside any more.  False: the file that was
 * read, of which that is the stat, is none that lies there.
 */
bool report_mail_was_taken(
    const char *state, const char *name, const struct stat *read);

/*
 * What was left half written goes, and what was too old to be kept aside at the
 * last visit, a day ago at least: its time is that of reports-aside/.swept.
 */
void report_mails_sweep(const char *state, int64_t now);
