/* What the files of the server session share; nobody else includes this. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "mta/smtp/scan.h"
#include "mta/smtp/session.h"
#include "mta/smtp/session_reply.h"

/*
 * RFC 5321 4.5.3.1.4 gives a command line 512 octets with its CRLF; every
 * extension adds its own to MAIL (SIZE, BODY, SMTPUTF8, REQUIRETLS, RET,
 * ENVID) and RCPT
 * (NOTIFY and ORCPT, whose address alone may have 500).  All of them together
 * stay below this one limit, which we give to each command.
 */
#define SESSION_LINE_MAX 2048u
/* A line this long is not worth waiting for its end. */
#define SESSION_SKIP_MAX 65536u
/* Unread input: session_full(), and where patience ends. */
#define SESSION_INPUT_FULL 65536u
#define SESSION_INPUT_MAX  ((size_t)4 * SESSION_INPUT_FULL)
/* No further command is taken while so much output waits. */
#define SESSION_OUTPUT_FULL 262144u
#define SESSION_OUTPUT_MAX  ((size_t)2 * SESSION_OUTPUT_FULL)
#define SESSION_NAME_MAX    256u
/* A session that rests between commands has no longer buffers than this. */
#define SESSION_REST 4096u

/* Makes what progress it can: true to be called again, false when
 * session->event is to be said. */
typedef bool session_step(struct session *session);

struct step {
	const char *name;
	session_step *run;
};

extern const struct step step_command;
extern const struct step step_data;
extern const struct step step_chunk;
extern const struct step step_drop;
extern const struct step step_skip;

enum hello {
	HELLO_NONE = 0,
	HELLO_HELO,
	HELLO_EHLO,
	HELLO_REFUSED, /* greeted with 554: only QUIT is served */
};

enum stage {
	STAGE_NONE = 0,
	STAGE_MAIL, /* a sender is accepted */
	STAGE_OPEN, /* the owner keeps message bytes */
	STAGE_END,  /* the owner was asked to make them durable */
};

/* A transaction's end: its ABORT is still to be said, then it is cleared. */
enum ending {
	ENDING_NONE = 0,
	ENDING_ABORT,
	ENDING_CLEAR,
};

struct chunk {
	uint64_t left; /* octets of BDAT still to come */
	bool last;
	bool used; /* the message comes by BDAT, not by DATA */
};

struct session {
	struct session_setup setup;
	struct arena *life;     /* strings of the setup and of TLS */
	struct session_tls tls; /* version NULL: in the clear */

	struct buf in;
	size_t at; /* octets of `in` already taken */
	struct buf out;
	const struct step *step;
	enum session_event event; /* what the step says */
	enum session_event asked; /* what we owe an answer to; 0: nothing */

	enum hello hello;
	char helo[SESSION_NAME_MAX];
	uint32_t errors;
	uint32_t unknown;  /* recipients */
	uint32_t commands; /* since the last message */
	bool held;
	bool lacked_tls;
	enum session_limit limit;
	uint32_t skipped; /* octets of a line that is too long */

	enum stage stage;
	bool mail_refused; /* by the last MAIL there is no transaction */
	enum ending ending;
	struct arena *arena;       /* strings of the transaction */
	struct arena_mark granted; /* those that were accepted end here */
	struct envelope envelope;
	struct envelope_rcpt pending;
	size_t rcpts_cap;
	uint64_t size; /* declared */
	unsigned code; /* of the next refusal; 0: the usual one */
	struct scan scan;
	struct chunk chunk;
	struct span body;
	char farewell[512]; /* a 421 to be said after END is answered */
};

/* session.c */
struct span session_unread(const struct session *session);
bool session_say(struct session *session, enum session_event event);
bool session_ask(struct session *session, enum session_event event);
void session_clear(struct session *session);
void session_end_transaction(struct session *session);
void session_leave(struct session *session);

/* session_commands.c: one line without its CRLF; true for MORE. */
bool session_command(struct session *session, struct span line);

/* session_params.c: REPLY_NONE when all of them are fine */
enum session_reply session_mail_params(
    struct session *session, struct span params);
/* Begins session->pending, which lives until the next one begins. */
enum session_reply session_rcpt_params(
    struct session *session, struct span params);

/* session_hold.c: no command is there; the span of one is void. */
void session_rest(struct session *session);

/* session_data.c */
void session_open_data(struct session *session);
void session_open_chunk(struct session *session);
