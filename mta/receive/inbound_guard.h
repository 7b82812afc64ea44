/*
 * What the guard does at a session, for the files that make one: its beginning,
 * the waits that are our own, and what is refused for our own defence.
 */
#pragma once
#include "mta/receive/inbound.h"

/* Make the engine, or one that turns the client away.  False:
 * the greeting waits, and a deadline will come. */
bool inbound_open(struct inbound *in);
/* It talked before the greeting: turned away. */
void inbound_early(struct inbound *in);
void inbound_too_slow(struct inbound *in);
/* The reply is held back: true, and a deadline will come. */
bool inbound_delay(struct inbound *in);
/* That deadline: true when it was one of these waits, which is over. */
bool inbound_delay_ends(struct inbound *in);
/* The client's turn: how long do we wait for it? */
void inbound_pace(struct inbound *in);
/* May it send a message now? */
int inbound_may_mail(struct inbound *in, struct err *err);
/* Nor is it for want of room in the spool. */
void inbound_no_room(struct inbound *in, const struct err *err);
/* RCPT waits for the block lists: true; it comes again. */
bool inbound_screen(struct inbound *in);
/* What they say of this recipient. */
int inbound_may_rcpt(struct inbound *in, const char *address, struct err *err);
/* It is known here: is it put off for now? */
int inbound_greylist(struct inbound *in, const char *address, struct err *err);
/* A field of the header that tells of them, if there is anything to tell. */
int inbound_tag(const struct inbound *in, struct buf *out);
/* Tell which limit ended it, if one did. */
void inbound_tell_limit(struct inbound *in);
/* At its end: tell that it had to begin with TLS, if that was all it lacked. */
void inbound_tell_clear(struct inbound *in);
/* One line of the log about what was refused. */
void inbound_log_refused(
    struct inbound *in, enum refusal kind, const struct err *err);
