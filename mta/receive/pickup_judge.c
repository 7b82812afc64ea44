/* Who gets a program's message, and who took it from whom. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mta/receive/pickup_file.h"

/* Nobody sends it to the others later: its sender has to. */
static int
fits(struct pickup_file *file, struct inquiry *inquiry,
    const struct envelope_rcpt *rcpt, struct err *err)
{
	const struct receive *receive = pickup_receive(file->pickup);

	if (locals_fit(receive->locals, inquiry, &file->envelope, rcpt,
		&file->room, err) == LOCALS_FINE)
		return 0;
	return err_set(err, ERR_PERM, "5.5.3",
	    "too many recipients for one message, with those of aliases");
}

int
pickup_judge_begin(struct pickup_file *file, struct err *err)
{
	struct envelope *good = &file->envelope;
	size_t n = file->said.nrcpts;

	*good = file->said;
	good->session = file->session;
	good->nrcpts = 0;
	good->rcpts = arena_alloc(file->arena, n * sizeof(good->rcpts[0]));
	if (good->rcpts == NULL)
		return err_set(err, ERR_PERM, "5.5.3", "too many recipients");
	file->refused = mem_array(n, sizeof(*file->refused));
	return 0;
}

/* Recipients that do not exist are told of later. */
int
pickup_judge(struct pickup_file *file, struct err *err)
{
	const struct receive *receive = pickup_receive(file->pickup);
	const struct envelope_rcpt *rcpt = &file->said.rcpts[file->njudged];
	struct inquiry inquiry = {.answers = file->answers};
	struct envelope *good = &file->envelope;
	struct pickup_refused *no = &file->refused[file->nrefused];

	file->njudged++;
	no->rcpt = rcpt;
	if (locals_settle(locals_known(receive->locals, &inquiry, rcpt->address,
			      &no->err),
		&no->err) == 0 &&
	    fits(file, &inquiry, rcpt, &no->err) == 0) {
		good->rcpts[good->nrcpts++] = *rcpt;
		return 0;
	}
	/* Nobody can say who exists: all of it waits. */
	if (no->err.kind == ERR_TEMP && file->answers != NULL) {
		*err = no->err;
		return -1;
	}
	file->nrefused++;
	return 0;
}

/* Aliases are replaced by what they stand for. */
int
pickup_expand(struct pickup_file *file, struct err *err)
{
	const struct receive *receive = pickup_receive(file->pickup);
	struct inquiry inquiry = {.answers = file->answers};
	struct envelope said = file->envelope;

	return locals_settle(locals_expand(receive->locals, &inquiry, &said,
				 file->arena, &file->envelope, err),
	    err);
}

void
pickup_file_trace(struct pickup_file *file)
{
	const struct receive *receive = pickup_receive(file->pickup);
	char id[QUEUE_ID_SIZE], date[CLOCK_RFC5322_SIZE], trace[1024];
	struct span field = {trace, 0};
	int n;

	file->id = intake_id(file->message);
	queue_id_text(file->id, id);
	clock_rfc5322(clock_wall(), date);
	n = snprintf(trace, sizeof(trace),
	    "Received: by %s (Danelaw, from userid %ju)\r\n\tid %s; %s\r\n",
	    receive->config->hostname, (uintmax_t)file->uid, id, date);
	field.n = (size_t)n;
	if (file->chain != NULL)
		chain_take_trace(file->chain, field);
	else if (intake_add(file->message, field, &file->filter.err) < 0)
		intake_abort(&file->message);
}
