/* See bounces.h: on a worker thread, as what goes into a Maildir. */
#include "mta/deliver/bounces.h"

#include <stdio.h>

#include "base/mem.h"
#include "mta/deliver/private.h"
#include "mta/deliver/put.h"
#include "reporting/bounce.h"
#include "reporting/reverse_path.h"

#define ENVELOPE_MAX (4u << 20)

struct bounces {
	struct job *job;
	const struct config *config;
	struct outcome *outcomes;
};

static loop_fn work_bounces, on_bounces;

void
bounces_start(struct job *job)
{
	struct bounces *bounces = mem_new(sizeof(*bounces));
	struct deliver *deliver = job->deliver;
	struct way way = {.step = "open"};
	struct err err;

	if (job_open(job, &err) < 0) {
		mem_free(bounces);
		job_settle_all(job, outcome_of(&err), &err, &way);
		deliver_next(deliver);
		return;
	}
	bounces->job = job;
	bounces->config = deliver->config;
	bounces->outcomes = mem_array(job->nrcpts, sizeof(struct outcome));
	work_run(deliver->role->loop, work_bounces, on_bounces, bounces);
}

/* Its name says of which report, and of which message. */
static int
put_one(const struct bounces *bounces, struct message_in *in, size_t i,
    struct err *err)
{
	const struct job *job = bounces->job;
	const char *address = job->envelope->rcpts[job->rcpts[i]].address;
	char word[REVERSE_PATH_WORD + 1], id[QUEUE_ID_SIZE];
	char name[REPORT_NAME_SIZE];

	if (!reverse_path_find(
		bounces->config->reporting.contact, address, word))
		return err_set(err, ERR_PERM, "5.1.1",
		    "it is no return address of a report any more");
	queue_id_text(job->message, id);
	(void)snprintf(name, sizeof(name), "%s%s", word, id);
	message_rewind(in);
	return put_copy(bounces->config->state,
	    &(struct put_as){REPORTS_BOUNCED, name, BOUNCE_LOOK_MAX}, in, err);
}

static void
work_bounces(void *arg)
{
	struct bounces *bounces = arg;
	struct job *job = bounces->job;
	struct reader *reader = reader_new(&job->deliver->spool);
	struct arena *arena = arena_new(ENVELOPE_MAX);
	struct message_in *in = NULL;
	struct err err = {0};
	int rc = message_open(reader, job->message, job->at, arena, &in, &err);

	for (size_t i = 0; i < job->nrcpts; i++) {
		struct outcome *outcome = &bounces->outcomes[i];

		outcome->reply = "";
		outcome->err = err;
		if (rc < 0 || put_one(bounces, in, i, &outcome->err) < 0) {
			outcome->outcome = outcome_of(&outcome->err);
		} else {
			outcome->outcome = job_success(job, i, OUTCOME_STORED);
			outcome->reply = "to be read by the report role";
		}
	}
	message_close(&in);
	reader_free(&reader);
	arena_free(&arena);
}

static void
on_bounces(void *arg)
{
	struct bounces *bounces = arg;
	struct job *job = bounces->job;
	struct deliver *deliver = job->deliver;
	struct way way = {.step = "put"};

	job_settle(job, bounces->outcomes, &way);
	mem_free(bounces->outcomes);
	mem_free(bounces);
	deliver_next(deliver);
}
