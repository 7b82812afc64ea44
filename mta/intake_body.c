/* The body of a message, as it comes: in memory, or in a file of its own. */
#include "base/mem.h"
#include "mta/intake_private.h"

static int
no_memory(struct err *err)
{
	return err_set(
	    err, ERR_TEMP, "4.3.1", "too many messages in hand just now");
}

int
intake_begin(
    struct intake *intake, struct intake_message **ret, struct err *err)
{
	struct intake_message *message;

	if (intake->memory >= intake->setup.memory)
		return no_memory(err);
	message = mem_new(sizeof(*message));
	message->intake = intake;
	message->id = segment_new_id(intake->segment);
	buf_init(&message->body, intake->setup.spool->body_max);
	*ret = message;
	return 0;
}

uint64_t
intake_id(const struct intake_message *message)
{
	return message->id;
}

uint64_t
intake_size(const struct intake_message *message)
{
	return message->size;
}

static void
count(struct intake_message *message, uint64_t octets)
{
	message->intake->memory += octets - message->counted;
	message->counted = octets;
}

static void
drop_body(struct intake_message *message)
{
	count(message, 0);
	buf_free(&message->body);
}

/* Clients have been told of the room there was when they began. */
static int
write_large(struct intake_message *message, struct span bytes, struct err *err)
{
	const struct intake_setup *setup = &message->intake->setup;

	if (!setup->into_reserve && queue_space(setup->spool, bytes.n, err) < 0)
		return -1;
	return large_write(message->large, bytes, err);
}

/* Too long for a segment: what was collected begins a file of its own. */
static int
go_large(struct intake_message *message, struct err *err)
{
	const struct intake *intake = message->intake;

	if (large_begin(
		intake->setup.spool, message->id, &message->large, err) < 0 ||
	    write_large(message, buf_span(&message->body), err) < 0)
		return -1;
	drop_body(message);
	if (INTAKE_COLLECT > intake->setup.memory - intake->memory)
		return no_memory(err);
	count(message, INTAKE_COLLECT);
	buf_init(&message->body, INTAKE_COLLECT);
	return 0;
}

int
intake_flush(struct intake_message *message, struct err *err)
{
	if (message->body.n == 0)
		return 0;
	if (write_large(message, buf_span(&message->body), err) < 0)
		return -1;
	buf_clear(&message->body);
	return 0;
}

/* A client decides how short the pieces are: of a line that is but a stuffed
 * dot, three octets.  Each write would cost as much as a long one. */
static int
add_large(struct intake_message *message, struct span bytes, struct err *err)
{
	if (buf_add(&message->body, bytes) == 0)
		return 0;
	if (intake_flush(message, err) < 0)
		return -1;
	return buf_add(&message->body, bytes) == 0
	           ? 0
	           : write_large(message, bytes, err);
}

int
intake_add(struct intake_message *message, struct span bytes, struct err *err)
{
	struct intake *intake = message->intake;
	const struct buf *body = &message->body;

	/* The trace header comes on top of what SIZE announced. */
	if (intake->setup.message_max > 0 &&
	    message->size + bytes.n > intake->setup.message_max + 65536)
		return err_set(err, ERR_PERM, "5.3.4", "message too large");
	if (message->large == NULL && bytes.n <= body->limit - body->n &&
	    bytes.n > intake->setup.memory - intake->memory)
		return no_memory(err);
	message->size += bytes.n;
	if (message->large == NULL && buf_add(&message->body, bytes) == 0) {
		count(message, message->body.n);
		return 0;
	}
	if (message->large == NULL && go_large(message, err) < 0)
		return -1;
	return add_large(message, bytes, err);
}

void
intake_message_free(struct intake_message *message)
{
	drop_body(message);
	mem_free(message);
}

void
intake_abort(struct intake_message **messagep)
{
	struct intake_message *message = *messagep;

	*messagep = NULL;
	if (message == NULL)
		return;
	large_abort(&message->large);
	intake_message_free(message);
}
