/* Reports of ours that the operator removes: who sends them hears of it. */
#include "base/mem.h"
#include "base/text.h"
#include "mta/ipc_event.h"
#include "mta/net/channel.h"
#include "mta/queue/ask.h"

#define UNTOLD_MAX 10000u

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

/* Before it could be told: its report role was away. */
struct untold {
	struct untold *next;
	char ticket[REPORT_TICKET_SIZE];
};

/* False: there is nobody. */
static bool
tell(const struct queue_role *q, const char *ticket)
{
	struct ipc_reported word = {
	    .outcome = OUTCOME_FAILED, .why = "removed from the queue by hand"};
	bool heard = false;
	struct buf out;

	(void)text_copy(word.ticket, sizeof(word.ticket), ticket);
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_reported(&out, &word);
	for (const struct peer *p = q->peers; p != NULL; p = p->next)
		if (p->is.kind == ROLE_REPORT) {
			channel_send(p->channel, IPC_REPORTED, buf_span(&out));
			heard = true;
		}
	buf_free(&out);
	return heard;
}

/* Too many, and the report role finds out after a day, by itself. */
static void
keep(struct queue_role *q, const char *ticket)
{
	struct untold *untold;

	if (q->nuntold == UNTOLD_MAX)
		return;
	untold = mem_new(sizeof(*untold));
	(void)text_copy(untold->ticket, sizeof(untold->ticket), ticket);
	untold->next = q->untold;
	q->untold = untold;
	q->nuntold++;
}

void
ask_removed(struct answer *a, uint64_t id, const char *ticket)
{
	/* One that is under way stays, and may arrive yet. */
	if (ticket[0] == '\0' || queue_show(a->q->queue, id, on_left, NULL))
		return;
	if (!tell(a->q, ticket))
		keep(a->q, ticket);
}

static void
drop_first(struct queue_role *q)
{
	struct untold *untold = q->untold;

	q->untold = untold->next;
	q->nuntold--;
	mem_free(untold);
}

void
removed_tell(struct queue_role *q)
{
	while (q->untold != NULL && tell(q, q->untold->ticket))
		drop_first(q);
}

void
removed_forget(struct queue_role *q)
{
	while (q->untold != NULL)
		drop_first(q);
}
