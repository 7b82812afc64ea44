/*
 * What the processes count: numbers that only grow, and levels as they are
 * now, on a page of memory that a role shares with the supervisor and with
 * nobody else.  A role that crashes, or ends at a reload, loses no count: the
 * supervisor adds the page to those of its forerunners.
 *
 * Counting costs an addition.  One thread writes, so there are no locks; the
 * supervisor reads whole numbers of 64 bits.  A role can spoil its own numbers
 * and no others.
 *
 * Names and meanings for people are those of danelaw-metrics(7); a test holds
 * the two together.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum metric_kind {
	METRIC_COUNTER = 0,
	METRIC_GAUGE,
};

/* One name of the text; its samples differ by their labels. */
enum metric_family {
	FAMILY_SESSIONS = 0,
	FAMILY_SESSIONS_OPEN,
	FAMILY_HANDSHAKES,
	FAMILY_MESSAGES,
	FAMILY_OCTETS,
	FAMILY_RCPTS_REFUSED,
	FAMILY_DELIVERIES,
	FAMILY_HOPS,
	FAMILY_SETTLED,
	FAMILY_BOUNCES,
	FAMILY_QUEUE_MESSAGES,
	FAMILY_QUEUE_JOBS,
	FAMILY_QUEUE_OCTETS,
	FAMILY_REPORTS,
	FAMILY_REPORT_MAILS,
	FAMILY_FILTER_QUESTIONS,
	FAMILY_FILTER_WAIT,
	FAMILY_FILTER_REFUSALS,
	FAMILY_FILTERS_DOWN,
	/* What the supervisor knows without asking. */
	FAMILY_INFO,
	FAMILY_STARTED,
	FAMILY_STATE,
	FAMILY_DNSSEC,
	FAMILY_DANE_OFF,
	FAMILY_RELOAD_REFUSED,
	FAMILY_PROCESSES,
	FAMILY_RESTARTS,
	FAMILY_REFUSALS,
	FAMILY_RENEWALS,
	FAMILY_CERTIFICATE,
	FAMILY_CERTIFICATE_REFUSED,
	METRIC_FAMILIES,
};

struct metric_family_type {
	const char *name;
	enum metric_kind kind;
	const char *help; /* one line */
};

const struct metric_family_type *metric_family(enum metric_family family);

/* One number of a page; those of a family stand together. */
enum metric {
	METRIC_SESSIONS = 0,
	METRIC_SESSIONS_TURNED_AWAY,
	METRIC_SESSIONS_OPEN,
	METRIC_HANDSHAKES_GOOD,
	METRIC_HANDSHAKES_BROKEN,
	METRIC_MESSAGES_ACCEPTED,
	METRIC_MESSAGES_NOT,
	METRIC_OCTETS,
	METRIC_RCPTS_REFUSED_TEMP,
	METRIC_RCPTS_REFUSED_PERM,
	METRIC_DELIVERED,
	METRIC_DEFERRED,
	METRIC_FAILED,
	METRIC_HOPS_DANE,
	METRIC_HOPS_PKIX,
	METRIC_HOPS_ENCRYPTED,
	METRIC_HOPS_PLAIN,
	METRIC_HOPS_LOCAL,
	METRIC_SETTLED_DELIVERED,
	METRIC_SETTLED_DEFERRED,
	METRIC_SETTLED_FAILED,
	METRIC_BOUNCES,
	METRIC_QUEUE_MESSAGES,
	METRIC_QUEUE_WAITING,
	METRIC_QUEUE_READY,
	METRIC_QUEUE_LEASED,
	METRIC_QUEUE_HELD,
	METRIC_QUEUE_SEGMENT_OCTETS,
	METRIC_QUEUE_JOURNAL_OCTETS,
	METRIC_REPORTS_ACCEPTED,
	METRIC_REPORTS_GIVEN_UP,
	METRIC_REPORTS_RETURNED,
	METRIC_REPORT_MAILS_COUNTED,
	METRIC_REPORT_MAILS_ASIDE,
	METRIC_FILTER_ANSWERED,
	METRIC_FILTER_FAILED,
	METRIC_FILTER_NOT_ASKED,
	METRIC_FILTER_WAIT_MS,
	METRIC_FILTER_REJECTS,
	METRIC_FILTER_TEMPFAILS,
	METRIC_FILTER_DISCARDS,
	METRIC_FILTERS_DOWN,
	METRICS,
};

enum metric_family metric_family_of(enum metric metric);
/* `outcome="delivered"`, or "". */
const char *metric_labels(enum metric metric);

/* --- counting, in a role -------------------------------------------------- */

/* Until metrics_use() they count where nobody looks. */
void metrics_add(enum metric metric, uint64_t n);
void metrics_set(enum metric metric, uint64_t level);

/* Count on this page from now on.  Closes the descriptor; false: it is none. */
bool metrics_use(int fd);

/* --- pages, in the supervisor --------------------------------------------- */

struct metrics_page;

/* A fresh one, and the descriptor for the role, which is the caller's. */
int metrics_page_new(struct metrics_page **ret, int *ret_fd, struct err *err);
void metrics_page_free(struct metrics_page **page);
/* Add what it holds; of levels only with `alive`. */
void metrics_page_sum(
    const struct metrics_page *page, bool alive, uint64_t sum[static METRICS]);

/* --- the text ------------------------------------------------------------- */

struct metric_sample {
	enum metric_family family;
	const char *labels; /* as they stand between braces, or "" */
	int64_t value;
};

/*
 * In the text format of Prometheus, version 0.0.4.  Samples of a family must
 * come one behind the other; `last` is METRIC_FAMILIES at first and remembered
 * from call to call.  -1: over the buffer's limit.
 */
int metrics_write(const struct metric_sample *sample, enum metric_family *last,
    struct buf *out);

/* NAME="VALUE" behind what is there, with a comma between; the value is
 * escaped, and cut where it does not fit. */
void metrics_label(
    char *labels, size_t size, const char *name, const char *value);
