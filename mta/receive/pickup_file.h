/* One file of the drop folder, on its way through what pickup.h names. */
#pragma once
#include "mta/drop.h"
#include "mta/receive/chain_owner.h"
#include "mta/receive/pickup.h"
#include "mta/smtp/scan.h"

struct checksum;

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
	bool stuck; /* done with, and not to be removed */
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
	size_t nasked, njudged;
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

/* pickup_file.c */
enum pickup_state pickup_file_begin(
    struct pickup *pickup, const char *name, struct pickup_file **ret);
enum pickup_state pickup_file_step(struct pickup_file *file);
void pickup_file_free(struct pickup_file **file);

/* Logged: it waits; and PUT_OFF: the others do not, the longer, the older it
 * is. */
enum pickup_state pickup_later(
    const struct pickup_file *file, const struct err *err);
enum pickup_state pickup_put_off(
    const struct pickup_file *file, const struct err *err);
/* Who cannot be asked about these may be of no matter to others. */
enum pickup_state pickup_not_judged(
    struct pickup_file *file, const struct err *err);

/* pickup_store.c: STORING, or it is put off or moved away */
enum pickup_state pickup_commit(struct pickup_file *file);
/* Its owner may have put something else there, which the next pass sees. */
bool pickup_is_there(const struct pickup_file *file);
/* The message is durable: its sender hears of those refused, and it goes. */
loop_fn pickup_tell_sender;

/* pickup_judge.c: `envelope` and `refused`, a recipient at a time, and at last
 * the aliases. */
int pickup_judge_begin(struct pickup_file *file, struct err *err);
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

/* RFC 5321 4.5.4.1: as what waits in the queue. */
bool pickup_is_too_old(const struct pickup_file *file);

/* pickup_bounce.c: nobody can say where word about those refused so far goes.
 * Asked while none has been served. */
bool pickup_bounce_waits(struct pickup_file *file, struct err *err);
/* STORING; GONE: none is owed, or the file is set aside; or LATER.  Logged. */
enum pickup_state pickup_bounce(struct pickup_file *file, intake_done *done);
/* It was not stored: GONE or LATER. */
enum pickup_state pickup_not_bounced(
    struct pickup_file *file, const struct err *err);
