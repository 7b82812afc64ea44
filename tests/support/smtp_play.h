/*
 * An owner for the server session that writes down what happens.
 *
 * Recipients whose local part begins with "no" get 550 5.1.1, with "later"
 * 450 4.2.0, the sender "spam@..." 550 5.7.1, "later@..." 450 4.7.1; everybody
 * else is welcome.
 */
#pragma once
#include "base/buf.h"
#include "mta/smtp/session.h"

enum play_owner {
	PLAY_QUICK = 0, /* answers at once */
	PLAY_SLOW,      /* answers after it has been asked twice */
};

struct play {
	struct session *session;
	enum play_owner owner;
	enum session_event asked; /* a slow owner's question */
	struct err data;          /* the answer to DATA, if an error */
	struct err end;           /* the answer to END, if an error */
	struct buf replies;       /* all output */
	struct buf body;          /* of the message that is coming */
	struct buf messages;      /* those accepted, each with "|" behind it */
	struct buf envelopes;     /* "<from><to,to> size=N utf8 ..." */
	struct buf trace;         /* the last Received field */
	enum tls_wish wish;       /* of the last one accepted */
	unsigned aborts;
	bool closed;
};

struct session_setup play_setup(void);
void play_begin(struct play *play, const struct session_setup *setup);
void play_end(struct play *play);

/* Feed in steps of `step` octets (0: all at once) and let it run. */
void play_feed(struct play *play, struct span bytes, size_t step);

/*
 * The replies in short: code and status of each, "*" for the close:
 * "220 250 250/2.1.0 *".
 */
void play_codes(const struct play *play, char *to, size_t size);
