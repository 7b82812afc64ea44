/* See audit.h. */
#include "mta/deliver/audit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/audit_store.h"
#include "mta/deliver/delivery.h"

#define ROWS_MAX 4096
#define WRITE_MS 5000
#define AGAIN_MS 30000
#define WAIT_MS  2000
#define LAST_MS  500

struct audit {
	struct loop *loop;
	struct timer *timer;
	struct audit_store store;
	struct audit_table *counting;
	struct audit_table *writing; /* the worker's, or NULL */
	int rc;                      /* of the worker */
	struct err err;
	struct err damaged;
	bool failing; /* the last one did, and that has been said */
};

/* --- writing -------------------------------------------------------------- */

static loop_fn work_write, on_written;

static void
work_write(void *arg)
{
	struct audit *audit = arg;

	audit->rc = audit_store_add(&audit->store, audit->writing, clock_wall(),
	    &audit->damaged, &audit->err);
}

static void
keep_row(const struct audit_row *row, void *arg)
{
	audit_add(arg, row);
}

static void
tell_written(struct audit *audit)
{
	if (audit->damaged.kind != ERR_NONE)
		log_event(
		    LOG_LEVEL_ERROR, "audit-damaged", audit->damaged.text);
	if (audit->rc < 0 && !audit->failing)
		log_event(
		    LOG_LEVEL_ERROR, "audit-not-written", audit->err.text);
	if (audit->rc == 0 && audit->failing)
		log_event(LOG_LEVEL_INFO, "audit-written", NULL);
	audit->failing = audit->rc < 0;
}

static void
on_written(void *arg)
{
	struct audit *audit = arg;

	tell_written(audit);
	if (audit->rc < 0)
		audit_each(audit->writing, keep_row, audit->counting);
	audit_table_free(&audit->writing);
	if (audit_rows(audit->counting) > 0)
		timer_start(audit->timer, audit->rc < 0 ? AGAIN_MS : WRITE_MS);
}

static void
take_table(struct audit *audit)
{
	audit->writing = audit->counting;
	audit->counting = audit_table_new(ROWS_MAX);
}

static void
on_time(void *arg)
{
	struct audit *audit = arg;

	take_table(audit);
	work_run(audit->loop, work_write, on_written, audit);
}

void
deliver_audit_open(struct deliver *deliver)
{
	struct audit *audit = mem_new(sizeof(*audit));

	audit->loop = deliver->role->loop;
	audit->store = (struct audit_store){
	    .folder = deliver->config->state, .wait_ms = WAIT_MS};
	audit->counting = audit_table_new(ROWS_MAX);
	audit->timer = timer_new(audit->loop, on_time, audit);
	deliver->audit = audit;
}

void
deliver_audit_close(struct deliver *deliver)
{
	struct audit *audit = deliver->audit;

	if (audit == NULL)
		return;
	while (audit->writing != NULL)
		loop_run_once(audit->loop);
	timer_free(&audit->timer);
	deliver->audit = NULL;
	take_table(audit);
	audit->store.wait_ms = LAST_MS;
	if (audit_rows(audit->writing) > 0) {
		work_write(audit);
		tell_written(audit);
	}
	audit_table_free(&audit->writing);
	audit_table_free(&audit->counting);
	mem_free(audit);
}

/* --- counting ------------------------------------------------------------- */

static void
count(struct audit *audit, const struct audit_key *key, enum audit_end end)
{
	if (audit == NULL)
		return;
	audit_count(audit->counting, key, end, clock_wall());
	if (audit->writing == NULL && !timer_running(audit->timer))
		timer_start(audit->timer, WRITE_MS);
}

/* The next attempt counts, when there is only a next one. */
static bool
is_over_for_one(const struct delivery *d)
{
	for (size_t i = 0; i < d->job->nrcpts; i++)
		if (d->outcomes[i].outcome != OUTCOME_RETRY)
			return true;
	return false;
}

void
deliver_audit_settled(const struct delivery *d)
{
	const struct way *way = &d->way;
	struct audit_key key = {d->job->key, way->host, way->tls, way->audit};

	if (target_is_smtp(&d->job->target) && is_over_for_one(d))
		count(d->deliver->audit, &key,
		    way->audit[0] == '\0' ? AUDIT_ALLOWED : AUDIT_WOULD_REFUSE);
}

void
deliver_audit_given_up(const struct delivery *d)
{
	const struct refusal *refusal = &d->refusal;
	struct audit_key key = {
	    d->job->key, refusal->host, refusal->tls, refusal->why};

	if (refusal->why[0] != '\0' && !d->let_through)
		count(d->deliver->audit, &key, AUDIT_REFUSED);
}

/* Refused is what would have been delivered, had it only been audited. */
void
deliver_audit_skipped(struct delivery *d, const char *why)
{
	struct policy_facts facts = d->decision.facts;
	const struct tls_seen *seen = &d->decision.seen;
	struct tls_plan plan;

	if (!target_is_smtp(&d->job->target) || facts.enforcement == AUDIT)
		return;
	facts.enforcement = AUDIT;
	plan = policy_plan(&facts);
	/* One that was never reached has shown nothing, good or bad. */
	if (plan.wanted != TLS_DEFER && seen->got == TLS_GOT_NOTHING)
		return;
	if (!policy_would_refuse(&plan, seen))
		return;
	(void)text_copy(
	    d->refusal.host, sizeof(d->refusal.host), delivery_host(d));
	decision_text(&d->decision.plan, seen, d->refusal.tls);
	(void)text_copy(d->refusal.why, sizeof(d->refusal.why), why);
}
