/* Space: files nobody needs any more, survivors of segments mostly finished. */
#include "base/clock.h"
#include "mta/queue/private.h"
#include "queue/chore.h"
#include "queue/move.h"

#define MOVES_A_TICK 8

static loop_fn on_chore, on_move;

static void
work_chore(void *arg)
{
	struct queue_role *q = arg;

	if (chore_run(q->chore, &q->chore_err) == 0)
		q->chore_err.kind = ERR_NONE;
}

static void
take_chore(struct queue_role *q)
{
	if (q->draining || q->chore != NULL)
		return;
	q->chore = queue_chore_take(q->queue);
	if (q->chore != NULL)
		work_run(q->role->loop, work_chore, on_chore, q);
}

static void
on_chore(void *arg)
{
	struct queue_role *q = arg;
	bool ok = q->chore_err.kind == ERR_NONE;

	if (!ok)
		log_trouble("chore-failed", &q->chore_err);
	queue_chore_done(q->queue, &q->chore, ok);
	if (ok)
		take_chore(q);
	queue_role_idle(q);
}

static void
work_move(void *arg)
{
	struct queue_role *q = arg;

	if (move_run(q->move, &q->move_err) == 0)
		q->move_err.kind = ERR_NONE;
}

static void
take_move(struct queue_role *q)
{
	if (q->draining || q->move != NULL || q->moves == 0)
		return;
	q->move = queue_move_take(q->queue, clock_wall());
	if (q->move == NULL)
		return;
	q->moves--;
	work_run(q->role->loop, work_move, on_move, q);
}

static void
on_move(void *arg)
{
	struct queue_role *q = arg;
	bool ok = q->move_err.kind == ERR_NONE;

	if (!ok)
		log_trouble("move-failed", &q->move_err);
	if (queue_move_done(q->queue, &q->move, ok, clock_wall()))
		take_move(q);
	/* The journal may have waited for it with a new file. */
	journal_pump(q);
	queue_role_idle(q);
}

bool
space_busy(const struct queue_role *q)
{
	return q->chore != NULL || q->move != NULL;
}

void
space_tend(struct queue_role *q)
{
	q->moves = MOVES_A_TICK;
	take_chore(q);
	take_move(q);
	reader_tend(q->reader);
}
