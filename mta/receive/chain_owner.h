/*
 * Filters and whose mail they judge: a session's (inbound_chain.c), or a
 * program's of this machine.  The owner asks one question at a time, and is
 * told by one of three of its functions how it ends; filter.h has the rest.
 */
#pragma once
#include "base/log.h"
#include "mta/milter/milter.h"
#include "mta/receive/private.h"

struct answers;
struct chain;

/* What a filter is asked just now. */
enum filter_question {
	ASK_NOTHING = 0,
	ASK_MAIL,
	ASK_RCPT,
	ASK_REFUSED, /* tell of a recipient that is refused */
	ASK_DATA,
	ASK_MESSAGE,
};

struct chain_ops {
	const struct envelope *(*envelope)(void *arg); /* as it was said */
	const char *(*rcpt)(void *arg);                /* who is asked about */
	/* What is told at MAIL; `params` has room for CHAIN_PARAMS. */
	void (*tell_mail)(void *arg, struct milter_mail *ret, char *params);
	void (*log)(void *arg, struct log_line *line, enum log_level level,
	    const char *event);
	/* The answer comes later, unless chain_cancel() is called. */
	void (*wait)(void *arg, struct chain *chain);
	/* Of the three, one ends each question; `later`: behind wait(), and
	 * then the chain may be gone when it returns. */
	void (*answer)(
	    void *arg, const struct err *err, unsigned code, bool later);
	void (*store)(void *arg, const struct envelope *envelope, bool later);
	void (*discard)(void *arg, const char *id, bool later);
};

#define CHAIN_PARAMS 80

struct chain_owner {
	const struct chain_ops *ops;
	void *arg;
	struct receive *receive;
	const char *client; /* its address; "": a program of this machine */
	uint16_t port;      /* 0: not known */
	struct intake_message **message;
	struct answers **answers; /* about recipients */
	struct err *trouble;      /* with the message, told at its end */
};

struct chain *chain_new(const struct chain_owner *owner);
void chain_end(struct chain **chain);
/* A new message: all are asked, and the first question is ASK_MAIL. */
void chain_open(struct chain *chain);
/* What is under way is of no interest any more. */
void chain_cancel(struct chain *chain);
/* Ask it of all of them, one after the other. */
void chain_begin(struct chain *chain, enum filter_question question);
/* A message comes in, with our trace field; and pieces of it.  Trouble is the
 * owner's. */
void chain_take_trace(struct chain *chain, struct span trace);
void chain_take_body(struct chain *chain, struct span bytes);
/* It is whole: ASK_MESSAGE, or false for trouble. */
bool chain_show(struct chain *chain);
