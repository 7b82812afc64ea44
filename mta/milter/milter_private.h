/* What the files of the conversation share; nobody else includes this. */
#pragma once
#include "mta/milter/milter.h"

#define MILTER_NAME_SIZE 256u

/* What is said next: those of one question stand in this order. */
enum milter_step {
	STEP_NONE = 0,
	STEP_CONNECT,
	STEP_HELO,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_FIELDS,
	STEP_EOH,
	STEP_BODY,
	STEP_END,
	STEP_SAID, /* all of it: it has nothing against it */
};

struct milter {
	char hostname[MILTER_NAME_SIZE], client[MILTER_NAME_SIZE];
	uint16_t port;
	struct milter_options options; /* version 0: none agreed on */
	struct buf in, out;
	size_t used; /* octets of `in` that are done with */
	enum milter_step step;
	enum milter_command waiting; /* for its answer; 0: for none */
	struct milter_answer answer;
	struct milter_answer standing;  /* said of the session */
	struct span piece;              /* of `in` */
	struct err err;                 /* kind NONE: sound */
	bool connected, in_mail, heard; /* heard: helo was told */
	char helo[MILTER_NAME_SIZE];
	char sender[MILTER_NAME_SIZE], rcpt[MILTER_NAME_SIZE];
	char params[1024], id[64];
	char refused[12]; /* status of a recipient that is not taken */
	char tls_version[32], tls_cipher[96];
	struct buf macros, data; /* of the command that is next */
	const struct milter_header *header;
	struct milter_changes *changes;
	size_t field;
};

/* The conversation is over. */
void milter_fail(struct milter *m, const char *why);

/* milter_say.c: what the step has to say, if anything; then the next step. */
void milter_say(struct milter *m);

/* milter_hear.c: all or part of what it answered */
enum milter_event milter_hear(struct milter *m);
