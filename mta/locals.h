/*
 * Our own domains: who exists in them, and what aliases stand for.  Made once
 * in a process that judges addresses, from what the bundle holds; then pure.
 */
#pragma once
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "mta/answers.h"
#include "mta/bundle.h"
#include "mta/config.h"
#include "queue/envelope.h"

struct locals;

/*
 * Borrows the configuration.  What is wrong with the files, a line each, goes
 * to *problems; they are the bundle's "recipients:DOMAIN", "aliases:DOMAIN".
 */
int locals_load(const struct config *config, const struct bundle *bundle,
    struct locals **ret, struct buf *problems);
/* The same for who was told before that they are fine. */
int locals_new(const struct config *config, const struct bundle *bundle,
    struct locals **ret, struct err *err);
/*
 * What one file alone does not show: -1 with a line a problem when aliases
 * lead back to themselves, or too far.  Lines that begin with "warning: "
 * tell of targets that do not exist.
 */
int locals_check(const struct locals *locals, struct buf *problems);
void locals_free(struct locals **locals);

/* Is the domain of this address ours? */
bool locals_has_domain(const struct locals *locals, const char *address);
/* RFC 5321 4.5.1: with a domain or without one. */
bool locals_is_postmaster(const char *address);

/* Aliases that lead to aliases. */
#define LOCALS_DEPTH 16

enum locals_verdict {
	LOCALS_REFUSED = 0, /* *err says why: ERR_TEMP or ERR_PERM */
	LOCALS_ASK,         /* `question` first, then once more */
	LOCALS_FINE,
};

/* 0 for LOCALS_FINE; else -1 with words in *err, for ASK too. */
int locals_settle(enum locals_verdict verdict, struct err *err);

struct inquiry {
	const struct answers
	    *answers;             /* so far; NULL: none, and none to come */
	struct question question; /* of LOCALS_ASK */
	/* Of LOCALS_FINE: who gets it, and the aliases on the way there. */
	size_t weight;
};

/*
 * Does the address exist, as far as it is ours, and where do its aliases
 * lead?  With no answers to come what needs one is refused for now.
 */
enum locals_verdict locals_known(const struct locals *locals,
    struct inquiry *inquiry, const char *address, struct err *err);
/* What the recipients of one message come to; zeroed before the first. */
struct locals_room {
	size_t weight;  /* at most: a mailbox of two of them counts twice */
	unsigned tries; /* it was counted anew */
};

/*
 * Of whom locals_known() has just said that he is fine: may he be one more of
 * this message?  What aliases stand for is counted, each mailbox once; where
 * there is no room by the sum alone, a few times by expanding all of them.
 * Refused: 4.5.3.
 */
enum locals_verdict locals_fit(const struct locals *locals,
    struct inquiry *inquiry, const struct envelope *envelope,
    const struct envelope_rcpt *rcpt, struct locals_room *room,
    struct err *err);
/* locals_known() for all of an envelope; and then: */
enum locals_verdict locals_resolve(const struct locals *locals,
    struct inquiry *inquiry, const struct envelope *envelope,
    struct arena *arena, struct envelope *ret, struct err *err);
/*
 * Replace aliases by what they stand for.  The result's recipients live in
 * the arena, or are the envelope's when there was nothing to replace.
 * Refused when the arena is full, or an alias stands for too many, leads too
 * far or back to itself.
 */
enum locals_verdict locals_expand(const struct locals *locals,
    struct inquiry *inquiry, const struct envelope *envelope,
    struct arena *arena, struct envelope *ret, struct err *err);
