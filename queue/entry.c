#include "queue/entry.h"

#include <endian.h>
#include <string.h>

enum {
	TEXT_MAX = 1024
};

uint16_t
entry_rcpt(const struct entry_job *job, size_t i)
{
	uint16_t value;

	memcpy(&value, job->rcpts.p + 2 * i, sizeof(value));
	return le16toh(value);
}

/* A count, then that many recipients' numbers. */
static bool
take_rcpts(struct cursor *in, struct span *ret)
{
	uint16_t n;

	return take_u16(in, &n) && take_bytes(in, 2 * (size_t)n, ret);
}

static bool
take_state(struct cursor *in, struct entry_job *job)
{
	return take_i64(in, &job->due) && take_u16(in, &job->attempts) &&
	       take_u8(in, &job->marks) &&
	       take_blob(in, TEXT_MAX, &job->reason) &&
	       take_rcpts(in, &job->rcpts);
}

bool
entry_take_job(struct cursor *in, struct entry_job *ret_job)
{
	struct entry_job job = {0};

	if (!take_blob(in, TEXT_MAX, &job.key) || !take_state(in, &job))
		return false;
	*ret_job = job;
	return true;
}

static bool
take_whole(struct cursor *in, struct entry *e)
{
	struct cursor at;
	struct entry_job job;

	if (!take_u64(in, &e->segment) || !take_u64(in, &e->offset) ||
	    !take_u32(in, &e->length) || !take_i64(in, &e->arrived) ||
	    !take_u64(in, &e->size) || !take_u8(in, &e->marks) ||
	    !take_u16(in, &e->njobs))
		return false;
	at = *in;
	for (uint16_t i = 0; i < e->njobs; i++)
		if (!entry_take_job(in, &job))
			return false;
	e->jobs = span_first(at.rest, at.rest.n - in->rest.n);
	return e->njobs > 0 && e->offset <= UINT32_MAX;
}

static bool
take_kind(struct cursor *in, uint8_t kind, struct entry *e)
{
	switch (kind) {
	case ENTRY_ROUTE:
		return true;
	case ENTRY_CURSOR:
	case ENTRY_PAST:
		return take_u64(in, &e->offset);
	case ENTRY_WHOLE:
		return take_whole(in, e);
	case ENTRY_DONE:
		return take_u8(in, &e->marks) && take_rcpts(in, &e->job.rcpts);
	case ENTRY_FINISHED:
	case ENTRY_HOLD:
		return take_u8(in, &e->marks);
	case ENTRY_RETRY:
		return take_state(in, &e->job);
	}
	return false;
}

bool
entry_take(struct cursor *in, struct entry *ret_entry)
{
	struct entry e = {0};
	uint8_t kind;

	if (cursor_done(in))
		return false;
	if (!take_u8(in, &kind) || !take_u64(in, &e.id) ||
	    !take_kind(in, kind, &e)) {
		in->failed = true;
		return false;
	}
	e.kind = (enum entry_kind)kind;
	*ret_entry = e;
	return true;
}

static int
put_start(struct buf *out, enum entry_kind kind, uint64_t id)
{
	return put_u8(out, (uint8_t)kind) < 0 ? -1 : put_u64(out, id);
}

static int
put_rcpts(struct buf *out, const uint16_t *rcpts, size_t n)
{
	if (put_u16(out, (uint16_t)n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (put_u16(out, rcpts[i]) < 0)
			return -1;
	return 0;
}

static struct span
reason_of(const struct job *job)
{
	return span_of(job->reason == NULL ? "" : job->reason->text);
}

static int
put_state(struct buf *out, struct job *job)
{
	if (put_i64(out, job->due) < 0 || put_u16(out, job->attempts) < 0 ||
	    put_u8(out, job->marks & JOB_WARNED) < 0 ||
	    put_blob(out, reason_of(job)) < 0)
		return -1;
	return put_rcpts(out, job_rcpts(job), job->nrcpts);
}

int
entry_put_route(struct buf *out, uint64_t version)
{
	return put_start(out, ENTRY_ROUTE, version);
}

int
entry_put_cursor(struct buf *out, uint64_t segment, uint64_t offset)
{
	return put_start(out, ENTRY_CURSOR, segment) < 0 ? -1
	                                                 : put_u64(out, offset);
}

int
entry_put_whole(struct buf *out, struct message *m)
{
	if (put_start(out, ENTRY_WHOLE, m->id) < 0 ||
	    put_u64(out, m->place->number) < 0 || put_u64(out, m->offset) < 0 ||
	    put_u32(out, m->length) < 0 || put_i64(out, m->arrived) < 0 ||
	    put_u64(out, m->size) < 0 ||
	    put_u8(out, m->marks & MESSAGE_KEPT) < 0 ||
	    put_u16(out, m->open) < 0)
		return -1;
	for (uint16_t i = 0; i < m->njobs; i++) {
		struct job *job = &m->jobs[i];

		if (job->nrcpts > 0 &&
		    (put_blob(out, span_of(job->to->name.text)) < 0 ||
			put_state(out, job) < 0))
			return -1;
	}
	return 0;
}

int
entry_put_done(struct buf *out, uint64_t id, enum entry_how how,
    const uint16_t *rcpts, size_t n)
{
	if (put_start(out, ENTRY_DONE, id) < 0 || put_u8(out, (uint8_t)how) < 0)
		return -1;
	return put_rcpts(out, rcpts, n);
}

int
entry_put_finished(struct buf *out, uint64_t id, enum entry_how how)
{
	return put_start(out, ENTRY_FINISHED, id) < 0
	           ? -1
	           : put_u8(out, (uint8_t)how);
}

int
entry_put_retry(struct buf *out, struct job *job)
{
	return put_start(out, ENTRY_RETRY, job_message(job)->id) < 0
	           ? -1
	           : put_state(out, job);
}

int
entry_put_hold(struct buf *out, uint64_t id, bool held)
{
	return put_start(out, ENTRY_HOLD, id) < 0 ? -1 : put_u8(out, held);
}

int
entry_put_past(struct buf *out, uint64_t id, uint64_t place)
{
	return put_start(out, ENTRY_PAST, id) < 0 ? -1 : put_u64(out, place);
}
