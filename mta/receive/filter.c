/* One filter in one session: its connection, and its dialog to the end. */
#include "mta/receive/filter.h"

#include <string.h>

#include "mta/metrics.h"
#include "mta/net/conn.h"

#define OUTPUT_HIGH (256u << 10)
/* RFC 5321 4.5.3.2.6: no client waits longer for the end of its message, so
 * whatever a filter says meanwhile, this is the most. */
#define PATIENCE_MS 600000u

static struct loop *
loop_of(const struct filter *filter)
{
	return filter->chain->owner.receive->role->loop;
}

static void
drop(struct filter *filter)
{
	conn_abort(&filter->conn);
	milter_free(&filter->milter);
	milter_changes_free(&filter->changes);
	filter->up = false;
	filter->asked = false;
}

void
filter_close(struct filter *filter)
{
	bool talks = filter->up && !filter->asked;

	if (talks) {
		milter_quit(filter->milter);
		conn_write(filter->conn, milter_output(filter->milter));
		conn_close(&filter->conn);
	}
	drop(filter);
}

/* How long it may take, and in all no longer than anybody waits. */
static void
set_deadline(struct filter *filter)
{
	const struct config_milter *config = filter->state->config;
	uint32_t ms = !filter->up ? config->connect_ms
	              : filter->chain->question == ASK_MESSAGE
	                  ? config->end_ms
	                  : config->reply_ms;
	uint64_t now = loop_now(loop_of(filter)), most = PATIENCE_MS;

	if (ms > most)
		most = ms;
	if (now + ms > filter->since + most)
		ms = now < filter->since + most
		         ? (uint32_t)(filter->since + most - now)
		         : 1;
	conn_deadline(filter->conn, ms);
}

static void
flush(struct filter *filter)
{
	struct span out = milter_output(filter->milter);

	if (out.n == 0 || !filter->up)
		return;
	conn_write(filter->conn, out);
	milter_sent(filter->milter, out.n);
}

static void
count(const struct filter *filter, enum metric result)
{
	metrics_add(result, 1);
	metrics_add(
	    METRIC_FILTER_WAIT_MS, loop_now(loop_of(filter)) - filter->since);
}

/* It is of no use: for the message, and a dead one for a while to all. */
static enum filter_turn
give_up(struct filter *filter, const struct err *err)
{
	enum milter_command waits = milter_waits_for(filter->milter);
	struct err why = *err;

	count(filter, METRIC_FILTER_FAILED);
	if (!filter->up || waits == MILTER_OPTNEG)
		filter_is_down(filter->state, &why);
	drop(filter);
	return chain_without(filter, &why);
}

static int
give_body(struct filter *filter, struct err *err)
{
	struct chain *chain = filter->chain;
	char room[MILTER_CHUNK_MAX];
	struct span piece;

	if (keep_read(&chain->body, chain->from + filter->at, room,
		sizeof(room), &piece, err) < 0)
		return -1;
	filter->at += piece.n;
	milter_body(filter->milter, piece);
	return 0;
}

static int
take_body(struct filter *filter, struct err *err)
{
	return keep_add_lines(
	    &filter->chain->fresh, milter_piece(filter->milter), err);
}

static enum filter_turn
take_answer(struct filter *filter)
{
	struct milter_answer answer = *milter_answer(filter->milter);
	enum filter_turn turn;

	count(filter, METRIC_FILTER_ANSWERED);
	flush(filter);
	filter->asked = false;
	conn_deadline(filter->conn, 0);
	filter_is_up(filter->state);
	turn = chain_judge(filter, &answer);
	milter_changes_free(&filter->changes);
	return turn;
}

/* Until it has to be waited for, or has answered. */
static enum filter_turn
pump(struct filter *filter)
{
	struct err err = {0};

	for (;;) {
		switch (milter_next(filter->milter)) {
		case MILTER_IDLE:
			flush(filter);
			set_deadline(filter);
			return TURN_WAITS;
		case MILTER_ALIVE:
			set_deadline(filter);
			break;
		case MILTER_WANTS_BODY:
			flush(filter);
			if (conn_backlog(filter->conn) > OUTPUT_HIGH)
				return TURN_WAITS;
			if (give_body(filter, &err) < 0)
				return give_up(filter, &err);
			set_deadline(filter);
			break;
		case MILTER_NEW_BODY:
			if (take_body(filter, &err) < 0)
				return give_up(filter, &err);
			break;
		case MILTER_ANSWERED:
			return take_answer(filter);
		case MILTER_BROKEN:
			err = *milter_error(filter->milter);
			return give_up(filter, &err);
		}
	}
}

/* From the loop: what comes of it goes to the chain, and may end all. */
static void
on_turn(struct filter *filter, enum filter_turn turn)
{
	if (turn != TURN_WAITS)
		chain_turn(filter->chain, turn);
}

static void
on_up(void *arg)
{
	struct filter *filter = arg;

	filter->up = true;
	set_deadline(filter);
	flush(filter);
}

static void
on_data(void *arg, struct span bytes)
{
	struct filter *filter = arg;

	milter_feed(filter->milter, bytes);
	/* Out of turn: it is seen when it is asked the next time. */
	if (filter->asked)
		on_turn(filter, pump(filter));
}

static void
on_drained(void *arg)
{
	struct filter *filter = arg;

	if (filter->asked)
		on_turn(filter, pump(filter));
}

static void
on_trouble(struct filter *filter, const struct err *err)
{
	if (filter->asked)
		on_turn(filter, give_up(filter, err));
	else
		drop(filter);
}

static void
on_deadline(void *arg)
{
	struct filter *filter = arg;
	struct err err;

	(void)err_set(&err, ERR_TEMP, "4.4.1", "no answer to %s in time",
	    filter->up ? milter_command_name(milter_waits_for(filter->milter))
		       : "connect");
	on_trouble(filter, &err);
}

/* One that was kept open may have been closed for its age: once more. */
static void
on_down(void *arg, const struct err *err)
{
	struct filter *filter = arg;

	if (!filter->asked || filter->mails < 2 ||
	    filter->chain->question != ASK_MAIL) {
		on_trouble(filter, err);
		return;
	}
	drop(filter);
	on_turn(filter, filter_ask(filter));
}

static const struct conn_ops filter_ops = {
    .on_up = on_up,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

static void
connect_to(struct filter *filter)
{
	const struct chain_owner *owner = &filter->chain->owner;
	struct milter_setup setup = {
	    .hostname = owner->receive->config->hostname,
	    .client = owner->client,
	    .port = owner->port,
	};

	filter->mails = 0;
	filter->milter = milter_new(&setup);
	filter->conn = conn_connect(loop_of(filter), &filter->state->address,
	    NULL, &filter_ops, filter);
}

static void
put_question(struct filter *filter)
{
	struct chain *chain = filter->chain;
	const struct chain_owner *owner = &chain->owner;
	char id[QUEUE_ID_SIZE];

	switch (chain->question) {
	case ASK_MAIL:
		filter->mails++;
		chain_ask_mail(filter);
		return;
	case ASK_RCPT:
		milter_ask_rcpt(
		    filter->milter, owner->ops->rcpt(owner->arg), "", NULL);
		return;
	case ASK_REFUSED:
		milter_ask_rcpt(filter->milter, owner->ops->rcpt(owner->arg),
		    "", &chain->refused);
		return;
	case ASK_DATA:
		queue_id_text(intake_id(*owner->message), id);
		milter_ask_data(filter->milter, id);
		return;
	case ASK_MESSAGE:
		filter->at = 0;
		milter_changes_init(&filter->changes, chain->arena);
		milter_ask_message(
		    filter->milter, &chain->header, &filter->changes);
		return;
	case ASK_NOTHING:
		break;
	}
}

static enum filter_turn
skip(struct filter *filter, const struct err *err)
{
	metrics_add(METRIC_FILTER_NOT_ASKED, 1);
	return chain_without(filter, err);
}

enum filter_turn
filter_ask(struct filter *filter)
{
	enum filter_question question = filter->chain->question;
	struct err err;

	if (filter->gone || filter->done ||
	    (question == ASK_REFUSED && filter->milter != NULL &&
		!milter_wants_refused(filter->milter)))
		return TURN_NEXT;
	if (filter->conn == NULL && question != ASK_MAIL) {
		(void)err_set(
		    &err, ERR_TEMP, "4.4.2", "the connection was lost");
		return skip(filter, &err);
	}
	filter->since = loop_now(loop_of(filter));
	if (filter->conn == NULL && filter->state->down &&
	    filter->since < filter->state->until) {
		(void)err_set(
		    &err, ERR_TEMP, "4.4.1", "%s", filter->state->why);
		return skip(filter, &err);
	}
	if (filter->conn == NULL)
		connect_to(filter);
	filter->asked = true;
	set_deadline(filter);
	put_question(filter);
	return pump(filter);
}
