/*
 * One inbound session, for the files of mta/receive/ that make it:
 *
 *   inbound.c       the connection, its events and its end
 *   inbound_mail.c  what the engine asks of a transaction
 *   inbound_guard.c who gets a session, and waits of our own (guard.h)
 *
 * Whoever answers the engine later than at once (another server is asked)
 * says so with inbound_later() and answers with inbound_answer(); in between
 * the session takes nothing more, and its end calls the word back.
 */
#pragma once
#include "base/log.h"
#include "mta/net/address.h"
#include "mta/net/tls.h"
#include "mta/receive/guard.h"
#include "mta/receive/private.h"
#include "mta/receive/screen.h"
#include "mta/receive/seen.h"

#define INBOUND_ID 24

enum inbound_state {
	INBOUND_OPEN = 0,
	INBOUND_GREETING, /* not yet said: does the client wait for it? */
	INBOUND_DELAYED,  /* a reply is held back for a while */
	INBOUND_SHAKING,  /* TLS handshake */
	INBOUND_ASKING,   /* an answer is owed, see inbound_later() */
	INBOUND_SYNCING,  /* a message is on its way to the disk */
	INBOUND_ORPHANED, /* the same, and the client has gone */
};

/* It is not called after inbound_answer(), and at most once. */
typedef void inbound_cancel(void *arg);

struct inbound {
	struct inbound *next;
	struct inbound **at;
	struct receive *receive;
	struct conn *conn;
	struct session *session;
	enum inbound_state state;
	inbound_cancel *cancel; /* while ASKING */
	void *cancel_arg;
	struct answers *answers; /* about recipients of this transaction */
	struct locals_room room; /* that these take */
	struct asking *asking;   /* one that is waited for */
	struct timer *turn;      /* NULL, or of the next recipient */
	bool heavy;              /* the one before was work */
	struct intake_message *message;
	struct chain *chain; /* of filters, see filter.h; NULL: none yet */
	struct arena *arena; /* the expanded envelope */
	struct envelope expanded;
	struct err trouble; /* with the message, told at its end */
	bool paused;        /* reading is off */
	struct guard_pass pass;
	struct pace pace;
	struct screening *screening;   /* under way */
	struct screen_verdict verdict; /* of the block lists, */
	bool screened;                 /* once they were asked */
	uint64_t began;                /* loop_now() */
	uint64_t size;
	char id[INBOUND_ID];
	char client[NET_ADDRESS_TEXT];
	struct tls_facts tls;
	struct seen_session seen; /* what it comes to, as far as known */
};

/* Begin a line of the log about it. */
void inbound_log(const struct inbound *in, struct log_line *line,
    enum log_level level, const char *event);
/* The keys dsn and reason. */
void inbound_log_err(struct log_line *line, const struct err *err);

/*
 * From the handler of an event that owes an answer: it comes later.  Whoever
 * calls this bounds the wait; the session's own deadline is off.  `cancel` is
 * called with `arg` when the session ends before.
 */
void inbound_later(struct inbound *in, inbound_cancel *cancel, void *arg);
/* That answer, as for session_answer(); the session goes on, and may be gone
 * when this returns. */
void inbound_answer(struct inbound *in, const struct err *err);

/* The wait of inbound_later() is over without an answer: `again` is to find
 * one, or to wait anew. */
void inbound_resume(struct inbound *in, void (*again)(struct inbound *in));

/* For inbound_mail.c: the message it waited for is settled with the disk. */
void inbound_synced(struct inbound *in);

/* inbound.c: send what the engine has said. */
void inbound_flush(struct inbound *in);

/* inbound.c: how the engine is to be. */
struct session_setup inbound_setup(const struct inbound *in);

/* recipient.c: may this recipient have the message? */
void inbound_on_rcpt(struct inbound *in);
/* A new transaction, or none any more. */
void inbound_forget_answers(struct inbound *in);

/* inbound_mail.c: the events of a transaction */
void inbound_on_mail(struct inbound *in);
void inbound_on_data(struct inbound *in);
void inbound_on_body(struct inbound *in);
void inbound_on_message(struct inbound *in);
/* Make the message durable for this envelope, or answer why not. */
void inbound_store(struct inbound *in, const struct envelope *envelope);
