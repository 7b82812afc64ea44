/* To whom a notification goes: to the sender, whose address may be ours. */
#include "mta/queue/bounce.h"

#define ASK_MS 60000 /* until nobody is asked again */

/* Addresses of ours are judged like those of mail that comes in. */
static int
address_bounce(struct bounce *b, struct err *err)
{
	struct inquiry inquiry = {.answers = b->answers};
	struct envelope expanded;

	b->to = (struct envelope_rcpt){
	    .address = b->original->sender,
	    .orcpt = "",
	    .notify = NOTIFY_NEVER,
	};
	b->envelope = (struct envelope){
	    .sender = "",
	    .envid = "",
	    .helo = b->q->config->hostname,
	    .client = "",
	    .session = b->original->session,
	    .tls_wish = dsn_wish(b->original),
	    .internal = true,
	    .rcpts = &b->to,
	    .nrcpts = 1,
	};
	if (locals_settle(locals_resolve(b->q->locals, &inquiry, &b->envelope,
			      b->arena, &expanded, err),
		err) < 0)
		return -1;
	b->envelope = expanded;
	return 0;
}

/* Where nobody can say who the sender is, he is asked for again. */
static void
bounce_address(struct bounce *b)
{
	struct err err;

	if (address_bounce(b, &err) == 0) {
		b->addressed = true;
		bounce_try(b);
		return;
	}
	bounce_log(b, LOG_LEVEL_INFO,
	    err.kind == ERR_TEMP ? "bounce-waits" : "no-bounce", 0, err.text);
	if (err.kind == ERR_TEMP && b->answers != NULL) {
		answers_forget_failed(b->answers);
		timer_start(b->retry, ASK_MS);
		return;
	}
	bounce_end(b);
}

static void
on_asked(void *arg)
{
	struct bounce *b = arg;

	b->asking = NULL;
	bounce_address(b);
}

void
bounce_ask(struct bounce *b)
{
	struct queue_role *q = b->q;

	if (q->askers != NULL) {
		if (b->answers == NULL)
			b->answers = answers_new();
		b->asking = asking_start(q->askers, q->locals, b->answers,
		    b->original->sender, on_asked, b);
	}
	if (b->asking == NULL)
		bounce_address(b);
}
