/* A session as its client has it; session_steps.c says what for. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mta/smtp/session.h"

#include "tests/fuzz/steps.h"

#define MESSAGE_MAX   2000u
#define RCPTS_MAX     3u
#define TEXT_LINE_MAX 100u
#define HOPS_MAX      3u
#define STEPS_MAX     64u
#define QUESTIONS     ((size_t)4 * STEPS_MAX)
#define PROMISES      65536u
#define WIRE_MAX      (1u << 20)

enum what {
	DO_EHLO,
	DO_HELO,
	DO_MAIL,
	DO_RCPT,
	DO_DATA,
	DO_BDAT,
	DO_RSET,
	DO_NOOP,
	DO_STARTTLS,
	DO_QUIT,
	DO_OTHER,
	DO_FLOOD,
	DO_EXPIRE,
	DO_DEAF,
	DO_LATE,
	DO_COUNT,
};

/* A reply that must come; 400 and 500 stand for any of that class. */
struct promise {
	uint32_t whole; /* octets on the wire when its command is whole */
	uint16_t code;
};

/* A question that the owner must be asked. */
struct question {
	enum session_event event;
	unsigned verdict; /* 0: yes, 1: never, 2: not now */
	unsigned detail;  /* sender's kind, recipient's number, recipients */
	uint32_t text, text_n; /* END: where the message stands in text[] */
	uint32_t whole;
};

/* What a session is, told simply. */
struct notion {
	bool hello, extended, tls, mail, chunks, closed;
	unsigned rcpts;
	uint32_t text; /* where the message by BDAT begins */
};

struct talk {
	struct notion is;
	size_t nreplies, nquestions, wire, texts;
	uint32_t said; /* octets, in all */
	struct promise replies[PROMISES];
	struct question questions[QUESTIONS];
	char octets[WIRE_MAX]; /* to be fed next */
	char text[WIRE_MAX];   /* messages, as they must arrive */
};

void talk_say(struct talk *talk, const char *text);
/* The reply to what was said last; the second: and then no more. */
void talk_promise(struct talk *talk, unsigned code);
void talk_promise_end(struct talk *talk, unsigned code);
struct question *talk_expect(
    struct talk *talk, enum session_event event, unsigned verdict);
void talk_forget(struct notion *is);
/* Is there room for any one step? */
bool talk_has_room(const struct talk *talk);
/* Say what a step says; the last four kinds are not for here. */
void talk_step(struct talk *talk, enum what what, struct fuzz_step step);
