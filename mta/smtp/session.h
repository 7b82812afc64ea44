/*
 * The server side of SMTP (RFC 5321) as bytes in, actions out.  No socket,
 * no clock, no disk: mta/receive/ drives it, tests and the fuzzer too.
 *
 * The story.  The owner feeds what the client sent and then calls
 * session_next() until it says SESSION_IDLE; after each call it sends what
 * session_output() holds.  No command is taken while 256 KiB of output wait:
 * call session_next() again once they are sent.  Every other event asks the
 * owner for something:
 *
 *   MAIL   judge the sender (session_envelope()->sender), then answer
 *   RCPT   judge session_rcpt(), then answer
 *   DATA   make room for a message of session_size() (0: not said), answer
 *   BODY   keep session_body(), valid until the next call; no answer
 *   END    the message is whole: make it durable, then session_accepted()
 *          or session_answer() with the error
 *   ABORT  drop what was kept since DATA; no answer
 *   STARTTLS  send the output, do the handshake, then session_tls_done()
 *   CLOSE  send the output, then close the connection; nothing follows
 *
 * While an answer is owed session_next() says SESSION_WAIT and the session
 * takes no further input; what was pipelined waits in its buffer.  The
 * owner stops reading from the socket while session_full().
 *
 * Line ends (RFC 5321 2.3.8): only CRLF ends a line, only CRLF.CRLF ends
 * data.  A bare CR or LF anywhere refuses the command or the whole message
 * (at its true end, RFC 5321 4.1.1.4) and closes the session.
 *
 * Ownership: the session belongs to its creator; the envelope and all its
 * strings belong to the session and live until END or ABORT is answered.
 */
#pragma once
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "queue/envelope.h"

struct session;

enum session_event {
	SESSION_IDLE = 0,
	SESSION_WAIT,
	SESSION_MAIL,
	SESSION_RCPT,
	SESSION_DATA,
	SESSION_BODY,
	SESSION_END,
	SESSION_ABORT,
	SESSION_STARTTLS,
	SESSION_CLOSE,
};

struct session_setup {
	const char *hostname;   /* ours, for greeting and EHLO */
	const char *version;    /* told by HELP; NULL: not */
	const char *client;     /* peer address as text, for Received */
	const char *id;         /* session id, for the envelope */
	uint64_t message_max;   /* octets, announced as SIZE; 0: no limit */
	uint32_t rcpts_max;     /* a message; RFC 5321 4.5.3.1.8 wants >= 100 */
	uint32_t text_line_max; /* octets with CRLF; RFC 5321 4.5.3.1.6 */
	uint32_t errors_max;    /* bad commands borne; the next gets 421 */
	uint32_t unknown_max;   /* the same for unknown recipients; 0: any */
	uint32_t commands_max;  /* without a message accepted; 0: any */
	uint32_t hold_after;    /* faults; see session_held(); 0: never */
	uint32_t hops_max;      /* Received fields before 5.4.6 */
	bool starttls;          /* a certificate is there: offer it */
	bool requiretls;        /* offer it, too, once TLS is up (RFC 8689) */
	bool must_tls;          /* nothing is done before (RFC 3207 4) */
	bool any_hello;         /* EHLO and HELO take any word for a name */
};

/* TLS facts for the trace header, as the shell saw them. */
struct session_tls {
	const char *version; /* "TLSv1.3" */
	const char *cipher;  /* "TLS_AES_256_GCM_SHA384" */
	const char *sni;     /* "" when none was sent */
};

/* Copies what it needs of the setup.  The greeting is in the output. */
struct session *session_new(const struct session_setup *setup);
void session_free(struct session **session);

/* Turn the client away with this error instead of a greeting. */
struct session *session_new_refusing(
    const struct session_setup *setup, const struct err *why);

/*
 * Copies the bytes.  Up to 64 KiB a call fit whenever !session_full(); who
 * feeds on against it ends the session with 421.  Once closed, and between
 * the reply to STARTTLS and session_tls_done(), nothing is taken: there the
 * session closes.
 */
void session_feed(struct session *session, struct span bytes);
bool session_full(const struct session *session);
enum session_event session_next(struct session *session);

struct span session_output(const struct session *session);
void session_sent(struct session *session, size_t n);

const struct envelope *session_envelope(const struct session *session);
const struct envelope_rcpt *session_rcpt(const struct session *session);
uint64_t session_size(const struct session *session);
struct span session_body(const struct session *session);

/* Accept (NULL) or refuse what the last event asked.  For END an error only;
 * kind TEMP answers 4yz, PERM 5yz, BUG 4yz. */
void session_answer(struct session *session, const struct err *err);
/* The refusal that comes next is said with this code, 4yz or 5yz; 421 closes
 * the session. */
void session_refuse_as(struct session *session, unsigned code);
/* END is durable under this queue id: 250. */
void session_accepted(struct session *session, const char *queue_id);

/*
 * With more than hold_after faults (bad commands and unknown recipients) no
 * command is taken behind the reply to each further one: the session says
 * SESSION_IDLE and is held, until the owner has let it go.
 */
bool session_held(const struct session *session);
void session_release(struct session *session);
/* Has something begun whose rest the client owes: a command, a message? */
bool session_amid(const struct session *session);

enum session_limit {
	SESSION_LIMIT_NONE = 0,
	SESSION_LIMIT_ERRORS,
	SESSION_LIMIT_UNKNOWN,
	SESSION_LIMIT_COMMANDS,
};

/* Was anything refused because TLS must come first? */
bool session_lacked_tls(const struct session *session);

/* Which limit ended it, if one did. */
enum session_limit session_limit(const struct session *session);

/* The handshake is done: forget everything known so far (RFC 3207 4.2). */
void session_tls_done(struct session *session, const struct session_tls *tls);

/*
 * Say 421 with this text and close: idle timeout, shutdown.  What was owed is
 * owed no more, but for END: that is answered first, then comes the 421.
 */
void session_expire(
    struct session *session, const char *enhanced, const char *text);

/*
 * The Received field for the message whose DATA was just accepted, with CRLF
 * and RFC 3848 "with" keyword (ESMTPS and so on); `now` is wall time.
 * Appends to `out`; -1 when over its limit.
 */
int session_trace(const struct session *session, const char *queue_id,
    int64_t now, struct buf *out);

/* The name of what it is doing, for `danelaw status` and the log. */
const char *session_state_name(const struct session *session);
