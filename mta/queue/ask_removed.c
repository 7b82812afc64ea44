/* Reports of ours that the operator removes: who sends them hears of it. */
#include "base/text.h"
#include "mta/ipc_event.h"
#include "mta/net/channel.h"
#include "mta/queue/ask.h"

struct look {
	struct answer *a;
	char *ticket;
	bool done; /* the first of its jobs says it */
};

/* Only what has no more time than a report is looked at. */
static void
on_job(void *arg, const struct queue_entry *entry)
{
	struct look *look = arg;
	struct opened opened = {0};

	if (look->done || entry->job.ends - entry->job.arrived > REPORT_RETRY_S)
		return;
	look->done = true;
	ask_open(look->a, &entry->job, &opened);
	if (opened.envelope != NULL &&
	    opened.envelope->tls_wish == TLS_WISH_REPORT)
		(void)text_copy(
		    look->ticket, REPORT_TICKET_SIZE, opened.envelope->session);
	ask_close(&opened);
}

void
ask_removing(struct answer *a, uint64_t id, char ret_ticket[REPORT_TICKET_SIZE])
{
	struct look look = {.a = a, .ticket = ret_ticket};

	ret_ticket[0] = '\0';
	(void)queue_show(a->q->queue, id, on_job, &look);
}

static void
on_left(void *arg, const struct queue_entry *entry)
{
	(void)arg;
	(void)entry;
}

void
ask_removed(struct answer *a, uint64_t id, const char *ticket)
{
	struct ipc_reported word = {
	    .outcome = OUTCOME_FAILED, .why = "removed from the queue by hand"};
	struct buf out;

	/* One that is under way stays, and may arrive yet. */
	if (ticket[0] == '\0' || queue_show(a->q->queue, id, on_left, NULL))
		return;
	(void)text_copy(word.ticket, sizeof(word.ticket), ticket);
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_reported(&out, &word);
	for (const struct peer *p = a->q->peers; p != NULL; p = p->next)
		if (p->is.kind == ROLE_REPORT)
			channel_send(p->channel, IPC_REPORTED, buf_span(&out));
	buf_free(&out);
}
