/*
 * RCPT: who knows of this recipient is asked first, then it is judged.  What
 * was said is kept until the transaction ends: its aliases are replaced then.
 */
#include "base/clock.h"
#include "mta/lookup/inquiry.h"
#include "mta/metrics.h"
#include "mta/receive/chain.h"
#include "mta/receive/inbound.h"
#include "mta/receive/inbound_guard.h"

void
inbound_forget_answers(struct inbound *in)
{
	answers_free(&in->answers);
	timer_free(&in->turn);
	in->room = (struct locals_room){0};
}

/* Beside those before it, and with all that aliases stand for. */
static int
fits(struct inbound *in, struct inquiry *inquiry, struct err *err)
{
	return locals_settle(locals_fit(in->receive->locals, inquiry,
				 session_envelope(in->session),
				 session_rcpt(in->session), &in->room, err),
	    err);
}

/* NULL: it may. */
static const struct err *
judge(struct inbound *in, struct err *err)
{
	const char *address = session_rcpt(in->session)->address;
	struct inquiry inquiry = {.answers = in->answers};
	struct log_line line;

	if (inbound_may_rcpt(in, address, err) == 0 &&
	    rules_recipient(in->receive, &inquiry, in->client, address, err) ==
		0 &&
	    inbound_greylist(in, address, err) == 0 &&
	    fits(in, &inquiry, err) == 0)
		return NULL;
	if (in->answers != NULL)
		answers_forget_failed(in->answers);
	metrics_add(err->kind == ERR_PERM ? METRIC_RCPTS_REFUSED_PERM
					  : METRIC_RCPTS_REFUSED_TEMP,
	    1);
	inbound_log(in, &line, LOG_LEVEL_INFO, "recipient-refused");
	log_str(&line, "from", session_envelope(in->session)->sender);
	log_str(&line, "to", address);
	inbound_log_err(&line, err);
	log_end(&line);
	return err;
}

/* The filters have a word in it, too. */
static void
answer(struct inbound *in)
{
	struct err err;
	uint64_t begun = clock_mono_ms();
	const struct err *why = judge(in, &err);

	in->heavy = clock_mono_ms() != begun;
	if (why == NULL ? !chain_rcpt(in) : !chain_refused(in, why))
		session_answer(in->session, why);
}

static void
on_asked(void *arg)
{
	struct inbound *in = arg;

	in->asking = NULL;
	inbound_resume(in, answer);
}

static void
on_cancel(void *arg)
{
	struct inbound *in = arg;

	asking_cancel(&in->asking);
}

static void
on_turn(void *arg)
{
	inbound_resume(arg, answer);
}

static void
on_turn_cancel(void *arg)
{
	struct inbound *in = arg;

	timer_stop(in->turn);
}

/* What other clients said comes first: one may send hundreds of recipients at
 * once, and aliases of many are milliseconds each. */
static void
wait_for_turn(struct inbound *in)
{
	if (in->turn == NULL)
		in->turn = timer_new(in->receive->role->loop, on_turn, in);
	timer_start(in->turn, 0);
	inbound_later(in, on_turn_cancel, in);
}

void
inbound_on_rcpt(struct inbound *in)
{
	struct receive *receive = in->receive;

	if (inbound_screen(in))
		return;
	if (receive->askers != NULL) {
		const char *address = session_rcpt(in->session)->address;

		if (in->answers == NULL)
			in->answers = answers_new();
		in->asking = asking_start(receive->askers, receive->locals,
		    in->answers, address, on_asked, in);
	}
	if (in->asking != NULL)
		inbound_later(in, on_cancel, in);
	else if (in->heavy)
		wait_for_turn(in);
	else
		answer(in);
}
