/*
 * Messages that local programs left in the drop folder (mta/drop.h).
 *
 *   pickup.c         the folder: when to look, and what is read at a time
 *   pickup_pass.c    a pass through it: what is there
 *   pickup_file.c    one file: checked and read
 *   pickup_judge.c   who gets it
 *   pickup_filter.c  what the mail filters say to it
 *   pickup_store.c   into the spool, and out of the folder
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
#include <dirent.h>
#include <stdbool.h>
#include <sys/types.h>

#include "mta/net/loop.h"
#include "mta/receive/private.h"
#include "mta/receive/turns.h"

struct pickup_file;

/* The folder: of pickup.c and pickup_pass.c alone. */
struct pickup {
	struct receive *receive;
	int folder; /* also the lock */
	int bad;
	int notify;
	struct watch *watch;
	struct timer *look;
	struct timer *step;
	DIR *pass;       /* through the folder, or NULL */
	uint64_t untold; /* that were refused in it, beside what was logged */
	/* That are read, or wait for who is asked; NULL: nothing there. */
	struct pickup_file *reading[TURNS_PLACES];
	struct turns turns; /* of the others */
	struct pickup_file *storing;
	size_t nstoring;
	size_t nstuck; /* of these */
	bool again;    /* something came behind the pass */
	bool draining;
};

/* pickup.c */
struct receive *pickup_receive(const struct pickup *pickup);
int pickup_folder(const struct pickup *pickup);
/* Trouble with a file or a folder; `number` as of errno. */
void pickup_log_trouble(const char *event, const char *path, int number);
/* A file that was taken in does not go away: no more of them until it does.
 * False: nobody tries again. */
bool pickup_stuck(struct pickup_file *file, int number);
/* What it had to ask is known: the next step may be taken. */
void pickup_file_asked(struct pickup_file *file);
/* It is stored (or could not be) and the file is gone (or stays). */
void pickup_file_done(struct pickup_file *file);

/* pickup_pass.c */
void pickup_pass_begin(struct pickup *pickup);
/* The next name that may be a drop, as far as a millisecond gets; or NULL.  At
 * its end the pass is over. */
const char *pickup_pass_next(struct pickup *pickup);
void pickup_pass_end(struct pickup *pickup);
/* Whose those are that are read; how many. */
size_t pickup_readers(const struct pickup *pickup, uid_t to[TURNS_PLACES]);
/* Of a pass: a line of the log about it is not one too many. */
bool pickup_may_complain(struct receive *receive);
/* Out of the way with what is no drop. */
void pickup_reject(struct pickup *pickup, const char *name, const char *why);
