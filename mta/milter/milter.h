/*
 * Our side of one conversation with a filter (milter protocol, version 6) as
 * bytes in, actions out.  No socket, no clock: mta/receive/ drives it, tests
 * and the fuzzer too.
 *
 * The story.  The owner asks one thing at a time with milter_ask_*(), then
 * calls milter_next() until it says IDLE; after each call it sends what
 * milter_output() holds, and it feeds what the filter sends.
 *
 *   IDLE      nothing to do before the filter says more
 *   ALIVE     it is still at work (progress): begin the wait anew
 *   BODY      milter_body() with a piece of the message's body, of at most
 *             MILTER_CHUNK_MAX octets; an empty one: that was all
 *   NEW_BODY  keep milter_piece(), valid until the next call, of the body
 *             that takes the place of the old one
 *   ANSWERED  milter_answer(): ask the next thing
 *   BROKEN    milter_error(): what it said makes no sense, or too much of it.
 *             Nothing follows; only milter_free() is left
 *
 * Options, connect and helo go in front of the first MAIL by themselves, helo
 * again when another name was given since.  What a filter has said it need
 * not be told is not told, and the answer is CONTINUE.
 *
 * Ownership: strings are borrowed for the call; the header handed to
 * milter_ask_message() until ANSWERED.
 */
#pragma once
#include "mta/milter/changes.h"
#include "mta/milter/header.h"
#include "mta/milter/wire.h"

struct milter;

enum milter_event {
	MILTER_IDLE = 0,
	MILTER_ALIVE,
	MILTER_WANTS_BODY,
	MILTER_NEW_BODY,
	MILTER_ANSWERED,
	MILTER_BROKEN,
};

/* Zero is no answer yet. */
enum milter_verdict {
	MILTER_NO_VERDICT = 0,
	MILTER_CONTINUE,
	MILTER_ACCEPT, /* ask it nothing more of this message */
	MILTER_REFUSE, /* with err, and code when that is not 0 */
	MILTER_DISCARD,
	MILTER_HANG_UP, /* 421 */
};

struct milter_answer {
	enum milter_verdict verdict;
	bool session; /* said of the whole session, not of the message */
	unsigned code;
	struct err err;
};

struct milter_setup {
	const char *hostname; /* ours: macro j */
	const char *client;   /* its address as text */
	uint16_t port;        /* of the client, 0: not known */
};

struct milter_mail {
	const char *helo;
	const char *sender;      /* "" for <> */
	const char *params;      /* "SIZE=1000 BODY=8BITMIME", or "" */
	const char *tls_version; /* NULL: in the clear */
	const char *tls_cipher;
};

struct milter *milter_new(const struct milter_setup *setup);
void milter_free(struct milter **milter);

void milter_ask_mail(struct milter *milter, const struct milter_mail *mail);
/* `refused`, or NULL: why the recipient is not taken. */
void milter_ask_rcpt(struct milter *milter, const char *address,
    const char *params, const struct err *refused);
void milter_ask_data(struct milter *milter, const char *id);
/* `changes` gets what it wants changed; its arena is the owner's. */
void milter_ask_message(struct milter *milter,
    const struct milter_header *header, struct milter_changes *changes);
void milter_body(struct milter *milter, struct span piece);
/* The message is over without an end; no answer comes. */
void milter_abort(struct milter *milter);
/* Say goodbye; then send the output and close. */
void milter_quit(struct milter *milter);

/* Copies the bytes. */
void milter_feed(struct milter *milter, struct span bytes);
enum milter_event milter_next(struct milter *milter);
const struct milter_answer *milter_answer(const struct milter *milter);
struct span milter_piece(const struct milter *milter);
const struct err *milter_error(const struct milter *milter);

struct span milter_output(const struct milter *milter);
void milter_sent(struct milter *milter, size_t n);

/* Would it be told of a recipient that was refused?  No before MAIL. */
bool milter_wants_refused(const struct milter *milter);
/* The command whose answer is waited for; 0: none. */
enum milter_command milter_waits_for(const struct milter *milter);
