/*
 * What was tried with a message: for people, nothing depends on it.
 *
 * Attempts are kept on disk, the newest first to be found; of a message in
 * memory there is only the place of its last one.  How many are kept depends
 * on what is queued (see history.h), so the oldest may be gone.
 */
#pragma once
#include "queue/queue.h"

enum {
	ATTEMPTS_MAX = 50,      /* told of one message */
	ATTEMPT_TEXT_MAX = 300, /* octets of each text; longer ones are cut */
};

struct attempt {
	int64_t when;
	enum fate fate;
	struct span host;   /* who was spoken to last, or empty */
	struct span tls;    /* what was decided about TLS, or empty */
	struct span reason; /* "4.4.1 no answer" */
	struct span rcpts;  /* which of the envelope's: attempt_rcpt() */
};

size_t attempt_nrcpts(const struct attempt *attempt);
uint16_t attempt_rcpt(const struct attempt *attempt, size_t i);

/* What all recipients of an attempt have in common. */
struct attempt_note {
	int64_t when;
	struct span host;
	struct span tls;
};

/*
 * After queue_settle() with the same results: remember the attempt.  Nothing
 * is kept of a message that has left the queue.  Not durable: a power failure
 * may cost the last ones.
 */
void queue_note(struct queue *queue, uint64_t id,
    const struct attempt_note *note, const struct queue_result *results,
    size_t n);

/* Strings are good for the call. */
typedef void queue_on_attempt(void *arg, const struct attempt *attempt);

/*
 * BLOCKING on the page cache, once an attempt.  The last attempts, the newest
 * first; recipients with the same end are told together.  True: there were
 * more before.
 */
bool queue_history(const struct queue *queue, uint64_t id,
    queue_on_attempt *on_attempt, void *arg);

const char *fate_name(enum fate fate);
