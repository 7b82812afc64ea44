#include "tests/support/spool_kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/chore.h"
#include "queue/move.h"

#include "tests/support/test.h"

void
kit_route(void *arg, const struct envelope *envelope,
    const struct envelope_rcpt *rcpt, char key[QUEUE_KEY_MAX])
{
	(void)arg;
	(void)envelope;
	(void)snprintf(key, QUEUE_KEY_MAX, "%s", address_domain(rcpt->address));
}

static void
prepare(struct kit *kit)
{
	struct err err;

	kit->spool.segment_size = 256 * 1024;
	kit->spool.body_max = 16 * 1024;
	kit->spool.reserve = 1;
	spool_defaults(&kit->spool);
	kit->setup.spool = &kit->spool;
	kit->setup.route = kit_route;
	if (spool_prepare(&kit->spool, &err) < 0)
		fail_msg("%s", err.text);
}

void
kit_open(struct kit *kit)
{
	const char *tmp = getenv("TMPDIR");

	*kit = (struct kit){0};
	(void)snprintf(kit->folder, sizeof(kit->folder), "%s/spool.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(kit->folder));
	(void)snprintf(
	    kit->spool.path, sizeof(kit->spool.path), "%s", kit->folder);
	prepare(kit);
}

void
kit_open_on(struct kit *kit, struct disk disk)
{
	*kit = (struct kit){.spool = {.disk = disk, .path = "spool"}};
	prepare(kit);
}

static void
remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char name[512];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
		    name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR)
			remove_folder(name);
		else
			(void)unlink(name);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(path);
}

void
kit_close(struct kit *kit)
{
	if (kit->folder[0] != '\0')
		remove_folder(kit->folder);
}

const struct envelope *
kit_envelope(struct kit_envelope *made, const char *rcpts, int64_t arrived)
{
	size_t n = 0;

	*made = (struct kit_envelope){.envelope = {
					  .sender = "a@client.example",
					  .helo = "client.example",
					  .client = "192.0.2.1",
					  .arrived = arrived,
				      }};
	while (*rcpts != '\0') {
		size_t length = strcspn(rcpts, " ");

		(void)snprintf(made->addresses[n], sizeof(made->addresses[n]),
		    "%.*s", (int)length, rcpts);
		made->rcpts[n].address = made->addresses[n];
		n++;
		rcpts += length + (rcpts[length] == ' ');
	}
	made->envelope.rcpts = made->rcpts;
	made->envelope.nrcpts = n;
	return &made->envelope;
}

uint64_t
kit_append(struct segment *segment, const char *rcpts, const char *body,
    int64_t arrived)
{
	struct kit_envelope made;
	struct segment_message message = {
	    .id = segment_new_id(segment),
	    .envelope = kit_envelope(&made, rcpts, arrived),
	    .body = span_of(body),
	};
	struct err err;

	if (segment_append(segment, &message, &err) < 0)
		fail_msg("%s", err.text);
	return message.id;
}

uint64_t
kit_sync(struct segment *segment)
{
	struct batch *batch = segment_take(segment);
	struct err err;
	bool ok;

	if (batch == NULL)
		return 0;
	ok = batch_commit(batch, &err) == 0;
	return segment_committed(segment, &batch, ok) * ok;
}

bool
kit_journal(struct queue *queue)
{
	struct batch *batch;

	while ((batch = queue_journal_take(queue)) != NULL) {
		struct err err;
		bool ok = batch_commit(batch, &err) == 0;

		queue_journal_committed(queue, &batch, ok);
		if (!ok)
			return false;
	}
	/* A batch may be due and not to be had: no new file. */
	return !queue_journal_pending(queue);
}

void
kit_chores(struct queue *queue)
{
	struct chore *chore;

	while ((chore = queue_chore_take(queue)) != NULL) {
		struct err err;
		bool ok = chore_run(chore, &err) == 0;

		queue_chore_done(queue, &chore, ok);
		if (!ok)
			return;
	}
}

bool
kit_moves(struct queue *queue, int64_t now)
{
	struct move *move;

	while ((move = queue_move_take(queue, now)) != NULL) {
		struct err err;
		bool ok = move_run(move, &err) == 0;

		if (!queue_move_done(queue, &move, ok, now))
			return false;
	}
	return true;
}

struct queue *
kit_queue(struct kit *kit, int64_t now)
{
	struct queue *queue;
	struct err err;

	if (queue_open(&kit->setup, now, &queue, &kit->found, &err) < 0)
		fail_msg("%s", err.text);
	return queue;
}

uint64_t
kit_next(struct queue *queue, int64_t now, struct queue_job *ret_job)
{
	int64_t when;

	return queue_next(queue, now, ret_job, &when) == 1 ? ret_job->id : 0;
}

enum fate
kit_settle(struct queue *queue, const struct queue_job *job, enum settle settle,
    int64_t now)
{
	struct queue_result results[64] = {0};
	struct err why = {
	    .kind = settle == SETTLE_FAILED ? ERR_PERM : ERR_TEMP,
	    .enhanced = "4.4.1",
	    .text = "no answer",
	};
	size_t n = job->nrcpts < 64 ? job->nrcpts : 64;

	for (size_t i = 0; i < n; i++) {
		results[i].rcpt = job->rcpts[i];
		results[i].settle = settle;
		results[i].why = settle == SETTLE_DELIVERED ? NULL : &why;
	}
	queue_settle(queue, job->id, results, n, now);
	return results[0].fate;
}
