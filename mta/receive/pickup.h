/*
 * Messages that local programs left in the drop folder (mta/drop.h).
 *
 *   pickup.c         the folder: what is there, and when to look
 *   pickup_file.c    one file: checked, stored, removed
 *   pickup_judge.c   who gets it
 *   pickup_filter.c  what the mail filters say to it
 *   pickup_bounce.c  word to its sender about recipients there are not
 *   turns.c          whose turn it is
 *
 * This is done by the first receive process, because that has what it takes:
 * recipients and aliases, a segment of its own, and the habit of reading what
 * strangers wrote.  A lock on the folder keeps two generations apart.
 *
 * A few are under way at once: one that waits, for a filter or a map, does not
 * hold up the next, and who hands in many of these does not hold up others.
 *
 * A file is removed when its message is durable.  A crash in between makes
 * the message go out twice, never not at all; the log then says again=yes.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "mta/drop.h"
#include "mta/receive/chain_owner.h"
#include "mta/receive/private.h"
#include "mta/smtp/scan.h"

struct checksum;
struct pickup_file;

/* What became of a file that pickup_file_begin() or _step() looked at. */
enum pickup_state {
	PICKUP_LATER = 0, /* not now: no room; it stays where it is */
	PICKUP_PUT_OFF,   /* the same, but the others may well be taken */
	PICKUP_GONE,      /* done with: nothing there, or moved away */
	PICKUP_READING,   /* pickup_file_step() goes on */
	PICKUP_ASKING,    /* pickup_file_asked() will be called */
	PICKUP_STORING,   /* pickup_file_done() will be called */
};

struct pickup_refused {
	const struct envelope_rcpt *rcpt;
	struct err err;
};

/* What a filter's word is: an answer, or the message is written (to nobody:
 * it is discarded). */
enum pickup_word {
	WORD_NONE = 0,
	WORD_ANSWER,
	WORD_STORED,
};

struct pickup_filter {
	enum filter_question question; /* the last */
	size_t rcpt;                   /* who was asked about */
	enum pickup_word word;
	struct err err;
	bool waits; /* for that word */
	bool read;  /* the envelope is through: the message is read */
};

struct pickup_file {
	struct pickup_file *next;
	struct pickup *pickup;
	char name[DROP_NAME_SIZE + sizeof(DROP_BEGUN)];
	char session[16];
	bool again; /* a process before us had begun with it */
	int fd;
	uid_t uid;
	int64_t since; /* its writer was done with it */
	struct drop_header header;
	struct arena *arena;
	struct envelope said;     /* as submitted */
	struct envelope envelope; /* of those who exist; then as it goes out */
	struct answers *answers;  /* about all of them, and the sender */
	struct locals_room room;  /* that those in `envelope` take */
	struct asking *asking;
	size_t nasked;
	bool judged;         /* `envelope` and `refused` are there */
	bool whole;          /* the message was read and is sound */
	struct chain *chain; /* of filters; NULL: none, or no more */
	struct pickup_filter filter;
	struct pickup_refused *refused;
	size_t nrefused;
	struct checksum *sum;
	struct scan scan;
	uint64_t at; /* octets of the message read so far */
	struct intake_message *message;
	uint64_t id;
	/* The notification about those refused. */
	struct timer *retry;
	struct envelope bounce;
	struct envelope_rcpt bounce_to;
};

/* pickup.c */
struct receive *pickup_receive(const struct pickup *pickup);
int pickup_folder(const struct pickup *pickup);
/* A line of the log about a file that stays is not one too many. */
bool pickup_may_complain(struct receive *receive);
/* Out of the way with what is no drop. */
void pickup_reject(struct pickup *pickup, const char *name, const char *why);
/* A file that was taken in does not go away: no more of them. */
void pickup_stop(struct pickup *pickup, const char *name);
/* What it had to ask is known: the next step may be taken. */
void pickup_file_asked(struct pickup_file *file);
/* It is stored (or could not be) and the file is gone (or stays). */
void pickup_file_done(struct pickup_file *file);

/* pickup_file.c */
enum pickup_state pickup_file_begin(
    struct pickup *pickup, const char *name, struct pickup_file **ret);
enum pickup_state pickup_file_step(struct pickup_file *file);
void pickup_file_free(struct pickup_file **file);

/* Logged: it waits, and the others do not; the longer, the older it is. */
enum pickup_state pickup_put_off(
    const struct pickup_file *file, const struct err *err);

/* pickup_judge.c: `envelope` and `refused`, and at last the aliases. */
int pickup_judge(struct pickup_file *file, struct err *err);
int pickup_expand(struct pickup_file *file, struct err *err);
/* RFC 5321 4.4: our trace field, for the filters or the intake. */
void pickup_file_trace(struct pickup_file *file);

/* pickup_filter.c: file->chain, when a filter has to do with it */
void pickup_filter_open(struct pickup_file *file);
/* Their words about sender and recipients, and about the whole message: READING
 * to go on, ASKING, or PUT_OFF. */
enum pickup_state pickup_filter_envelope(struct pickup_file *file);
enum pickup_state pickup_filter_message(struct pickup_file *file);

/* pickup_bounce.c: STORING, or GONE when none is owed, or LATER; logged. */
enum pickup_state pickup_bounce(struct pickup_file *file, intake_done *done);
