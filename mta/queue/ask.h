/*
 * Private to mta/queue/: the answers of `danelaw queue`.
 *
 *   ask.c         one message, and which answer it is
 *   ask_show.c    all about it, and what was tried
 *   ask_list.c    many messages: list, and what is done with what a filter
 *                 finds
 *   ask_filter.c  does this one match?  Pure.
 *   ask_stats.c   counts
 *   ask_removed.c reports of ours that are removed
 *   ask_words.c   what happens next, in words.  Pure.
 *
 * An answer must not hold up the mail: whoever walks through the queue does
 * a part of it and says "after".
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "mta/ctl/control.h"
#include "mta/ipc_event.h"
#include "mta/queue/private.h"
#include "queue/listing.h"

struct answer {
	struct queue_role *q;
	const struct control_request *request;
	int64_t now;
	struct buf out;
	uint32_t n; /* items so far */
	bool full;
	bool one_target; /* the request's target is one, in full */
};

/* The envelope of a message, with its memory; NULL: see err. */
struct opened {
	struct arena *arena;
	const struct envelope *envelope;
	struct envelope made;
	struct err err;
};

void ask_open(
    struct answer *a, const struct queue_job *job, struct opened *ret);
void ask_close(struct opened *opened);
/* The addresses of these, as many as fit into a line. */
void ask_put_rcpts(struct control_item *item, const struct envelope *envelope,
    const uint16_t *rcpts, size_t n);
struct control_item *ask_item(struct answer *a, const struct queue_entry *entry,
    const struct opened *opened, bool whole);

/* The whole answer; -1: it does not fit. */
int ask_list(struct answer *a);
int ask_bulk(struct answer *a);
int ask_stats(struct answer *a);
/* Its jobs and its history as items; false: no such message. */
bool ask_show(struct answer *a, uint64_t id);
int ask_done_count(struct answer *a, uint64_t count);

/*
 * Of a message that is about to be removed: the ticket, if it is a report of
 * ours, or "".  And that it was: to the process that sends reports, unless
 * some of it is under way.
 */
void ask_removing(
    struct answer *a, uint64_t id, char ret_ticket[REPORT_TICKET_SIZE]);
void ask_removed(struct answer *a, uint64_t id, const char *ticket);

/*
 * People's words for a target become ours, in place: "mx:EXAMPLE.org" folded,
 * "smtp:192.0.2.1" with brackets and port.  True: it is one target, named in
 * full; else it may be what stands behind a scheme, or a host alone.
 */
bool ask_canonical(char target[CONTROL_WORD_MAX]);
/* What can be said without the envelope; the target is canonical. */
bool ask_matches_entry(const struct control_request *request,
    const struct queue_entry *entry, int64_t now);
/* No state is asked for, or one there is. */
bool ask_knows_state(const struct control_request *request);
/* Must the envelope be read to know? */
bool ask_needs_envelope(const struct control_request *request);
/* An address, "@domain", or "<>" for nobody; "" is anybody. */
bool ask_matches_address(const char *wanted, const char *address);

/* "will be tried again in 5 minutes, for the 2nd time; given up on ..." */
#define ASK_WORDS_SIZE 256
void ask_words(const struct queue_entry *entry, int64_t now, int64_t ends,
    char to[ASK_WORDS_SIZE]);
