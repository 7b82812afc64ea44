/* See put.h. */
#include "mta/deliver/put.h"

#include "base/log.h"
#include "base/mem.h"
#include "mta/deliver/private.h"
#include "mta/route.h"
#include "reporting/mime_read.h"

#define CHUNK        (64u << 10)
#define ENVELOPE_MAX (4u << 20)

/* For the worker, which has a reader of its own. */
struct put {
	struct deliver *deliver;
	uint64_t message;
	uint16_t first; /* with `message` the name of the job */
	struct location at;
	struct err err;
};

static loop_fn work_put, on_put;

static bool
is_for_reports(const struct job *job, const struct outcome *outcomes)
{
	for (size_t i = 0; i < job->nrcpts; i++)
		if (outcome_is_good(outcomes[i].outcome) &&
		    route_is_for_reports(job->deliver->config,
			job->envelope->rcpts[job->rcpts[i]].address))
			return true;
	return false;
}

bool
put_start(const struct job *job, const struct outcome *outcomes)
{
	struct put *put;

	if (job->envelope == NULL || !target_is_mailbox(&job->target) ||
	    !is_for_reports(job, outcomes))
		return false;
	put = mem_new(sizeof(*put));
	put->deliver = job->deliver;
	put->message = job->message;
	put->first = job->rcpts[0];
	put->at = job->at;
	work_run(job->deliver->role->loop, work_put, on_put, put);
	return true;
}

static int
copy_message(struct message_in *in, uint64_t most, struct report_put *to,
    struct err *err)
{
	char *chunk = mem_new(CHUNK);
	size_t n = 1;
	int rc = 0;

	while (rc == 0 && n > 0 && most > 0) {
		rc = message_read(
		    in, chunk, most < CHUNK ? (size_t)most : CHUNK, &n, err);
		if (rc == 0 && n > 0)
			rc = report_put_write(to, (struct span){chunk, n}, err);
		most -= n;
	}
	mem_free(chunk);
	return rc;
}

int
put_copy(const char *state, const struct put_as *as, struct message_in *in,
    struct err *err)
{
	uint64_t size = message_size(in);
	struct report_put *to = NULL;

	if (size > as->most)
		size = as->most;
	if (report_put_begin(state, as->folder, as->name, size, &to, err) < 0)
		return -1;
	if (copy_message(in, size, to, err) < 0) {
		report_put_abort(&to);
		return -1;
	}
	return report_put_commit(&to, err);
}

static int
put_message(struct put *put, struct message_in *in)
{
	char name[QUEUE_ID_SIZE];
	const struct put_as as = {REPORTS_IN, name, MIME_MAIL_MAX};

	/* RFC 8460 5.2 */
	if (message_size(in) > MIME_MAIL_MAX)
		return err_set(&put->err, ERR_PERM, "5.3.4",
		    "it is larger than %zu octets", MIME_MAIL_MAX);
	queue_id_text(put->message, name);
	return put_copy(put->deliver->config->state, &as, in, &put->err);
}

static void
work_put(void *arg)
{
	struct put *put = arg;
	struct reader *reader = reader_new(&put->deliver->spool);
	struct arena *arena = arena_new(ENVELOPE_MAX);
	struct message_in *in = NULL;

	if (message_open(
		reader, put->message, put->at, arena, &in, &put->err) == 0)
		(void)put_message(put, in);
	message_close(&in);
	reader_free(&reader);
	arena_free(&arena);
}

static void
on_put(void *arg)
{
	struct put *put = arg;
	struct deliver *deliver = put->deliver;
	char id[QUEUE_ID_SIZE];
	struct log_line line;

	if (put->err.kind != ERR_NONE) {
		queue_id_text(put->message, id);
		log_begin(&line, LOG_LEVEL_WARN, "report-not-taken");
		log_str(&line, "id", id);
		log_str(&line, "reason", put->err.text);
		log_end(&line);
	}
	job_was_put(deliver, put->message, put->first);
	mem_free(put);
	deliver_next(deliver);
}
