/*
 * Between bounce.c, which makes them, bounce_address.c: to whom, and
 * bounce_late.c: about whom still.
 */
#pragma once
#include "base/log.h"
#include "mta/lookup/inquiry.h"
#include "mta/message/dsn.h"
#include "mta/queue/private.h"

struct bounce {
	struct bounce *next; /* of those under way */
	struct queue_role *q;
	struct timer *retry;
	uint64_t message; /* the original */
	struct location at;
	enum dsn_action action;
	uint16_t *ordinals; /* whose fate this settles */
	size_t nordinals;
	struct dsn_rcpt *rcpts; /* those who are named */
	size_t nrcpts;
	struct arena *arena;
	struct envelope *original; /* NULL: it cannot be read */
	bool damaged;              /* and never will be */
	bool addressed;            /* it is known who gets it */
	struct envelope envelope;  /* of the DSN */
	struct envelope_rcpt to;
	struct answers *answers; /* about who it is for */
	struct asking *asking;
	struct buf result; /* of a success: RESULT, to be settled after it */
	uint32_t owner;    /* who sent that */
};

void bounce_log(const struct bounce *b, enum log_level level, const char *event,
    uint64_t id, const char *reason);
void bounce_free(struct bounce *b);
/* Of a success: journal what the deliver process said. */
void bounce_settle_success(struct bounce *b);
/* What it was about is done with. */
void bounce_end(struct bounce *b);
/* A struct bounce, as of a timer: made and stored, or what is missing. */
void bounce_try(void *arg);
/* Who is it for?  Then bounce_try(), or bounce_end() when there is nobody. */
void bounce_ask(struct bounce *b);
/* Of a delay: those who have got it, or failed, are named no more.  Of any:
 * nor are those whom the operator has removed. */
void bounce_forget_settled(struct bounce *b);
