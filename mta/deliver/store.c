/*
 * One attempt at a Maildir job: on a worker thread, because every step of it
 * waits for the disk.  The worker has a reader of its own and touches only
 * the struct store.
 */
#include <string.h>

#include "base/mem.h"
#include "mta/deliver/maildir.h"
#include "mta/deliver/private.h"

#define CHUNK (64u << 10)

struct store {
	struct job *job;
	const char *hostname;
	struct outcome *outcomes;
	uint64_t serial;
};

static loop_fn work_store, on_stored;

void
store_start(struct job *job)
{
	struct store *store = mem_new(sizeof(*store));
	struct deliver *deliver = job->deliver;
	struct way way = {.step = "open"};
	struct err err;

	if (job_open(job, &err) < 0) {
		mem_free(store);
		job_settle_all(job, outcome_of(&err), &err, &way);
		deliver_next(deliver);
		return;
	}
	store->job = job;
	store->hostname = deliver->config->hostname;
	store->outcomes = mem_array(job->nrcpts, sizeof(*store->outcomes));
	store->serial = deliver->serial;
	deliver->serial += job->nrcpts;
	work_run(deliver->role->loop, work_store, on_stored, store);
}

static int
copy_message(struct message_in *in, struct maildir *maildir, struct err *err)
{
	char *chunk = mem_new(CHUNK);
	size_t n = 1;
	int rc = 0;

	message_rewind(in);
	while (rc == 0 && n > 0) {
		rc = message_read(in, chunk, CHUNK, &n, err);
		if (rc == 0 && n > 0)
			rc = maildir_write(
			    maildir, (struct span){chunk, n}, err);
	}
	mem_free(chunk);
	return rc;
}

static int
store_one(struct store *store, struct message_in *in, size_t i, struct err *err)
{
	const struct job *job = store->job;
	struct maildir *maildir = NULL;
	char path[sizeof(job->target.path)];
	struct maildir_letter letter = {
	    .path = path,
	    .hostname = store->hostname,
	    .sender = job->envelope->sender,
	    .recipient = job->envelope->rcpts[job->rcpts[i]].address,
	    .serial = store->serial + i,
	};

	/* The key was filled in when it was made: only "%%" is left. */
	if (maildir_path(job->target.path, (struct span){NULL, 0},
		(struct span){NULL, 0}, path, sizeof(path), err) < 0 ||
	    maildir_begin(&letter, &maildir, err) < 0)
		return -1;
	if (copy_message(in, maildir, err) < 0) {
		maildir_abort(&maildir);
		return -1;
	}
	return maildir_commit(&maildir, err);
}

static void
work_store(void *arg)
{
	struct store *store = arg;
	struct job *job = store->job;
	struct reader *reader = reader_new(&job->deliver->spool);
	struct arena *arena = arena_new(4u << 20);
	struct message_in *in = NULL;
	struct err err = {0};
	int rc = message_open(reader, job->message, job->at, arena, &in, &err);

	for (size_t i = 0; i < job->nrcpts; i++) {
		struct outcome *outcome = &store->outcomes[i];

		outcome->reply = "";
		outcome->err = err;
		if (rc < 0 || store_one(store, in, i, &outcome->err) < 0) {
			outcome->outcome = outcome_of(&outcome->err);
		} else {
			outcome->outcome = job_success(job, i, OUTCOME_STORED);
			outcome->reply = "stored in the Maildir";
		}
	}
	message_close(&in);
	reader_free(&reader);
	arena_free(&arena);
}

static void
on_stored(void *arg)
{
	struct store *store = arg;
	struct job *job = store->job;
	struct deliver *deliver = job->deliver;
	struct way way = {.step = "store"};

	job_settle(job, store->outcomes, &way);
	mem_free(store->outcomes);
	mem_free(store);
	deliver_next(deliver);
}
