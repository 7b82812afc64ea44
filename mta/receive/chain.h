/*
 * The mail filters of a session, as a transaction sees them; filter.h has how
 * they work.  inbound_mail.c calls these where it would answer the engine.
 * False: no filter has anything to do with it, answer.  True: the answer is
 * given, or comes later through inbound_answer().
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

struct inbound;

bool chain_mail(struct inbound *in);
bool chain_rcpt(struct inbound *in);
/* A recipient that is refused for this reason. */
bool chain_refused(struct inbound *in, const struct err *why);
bool chain_data(struct inbound *in);
/* DATA: is the message kept for filters?  Takes over the trace field. */
bool chain_keep(struct inbound *in, struct span trace);
/* BODY: is it?  Trouble is told at the end. */
bool chain_body(struct inbound *in, struct span bytes);
bool chain_message(struct inbound *in);
/* The message is dropped, and what is kept of it. */
void chain_abort(struct inbound *in);
/* With the session. */
void chain_free(struct inbound *in);
