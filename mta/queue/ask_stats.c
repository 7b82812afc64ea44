/*
 * Counts: of the whole queue, and of its jobs by destination and by reason,
 * each by age in steps that double, as qshape(1) shows them.
 *
 * Destinations and reasons are kept once in memory, so that their addresses
 * are their names here.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "mta/queue/ask.h"

#define AGES     10
#define AGE_ONE  300   /* seconds */
#define ROWS_MAX 65536 /* different names */
#define ROWS_OUT 2000

static const char *const ages[AGES] = {
    "5m", "10m", "20m", "40m", "80m", "160m", "320m", "640m", "1280m", "older"};

struct row {
	const char *name; /* NULL: free */
	uint64_t jobs;
	uint64_t held;
	int64_t oldest;
	uint64_t by_age[AGES];
};

/* Open addressing; a power of two, never more than half full. */
struct rows {
	struct row *list;
	size_t n, size;
};

struct stats {
	const struct answer *a;
	struct rows destinations;
	struct rows reasons;
};

static struct row *
find_slot(const struct rows *rows, const char *name)
{
	size_t at = (size_t)((uintptr_t)name >> 4) * 0x9e3779b97f4a7c15u;

	for (at >>= 32;; at++) {
		struct row *row = &rows->list[at & (rows->size - 1)];

		if (row->name == NULL || row->name == name)
			return row;
	}
}

static void
grow(struct rows *rows)
{
	struct rows bigger = {.size = rows->size == 0 ? 64 : 2 * rows->size};

	bigger.list = mem_array(bigger.size, sizeof(bigger.list[0]));
	for (size_t i = 0; i < rows->size; i++)
		if (rows->list[i].name != NULL)
			*find_slot(&bigger, rows->list[i].name) = rows->list[i];
	bigger.n = rows->n;
	mem_free(rows->list);
	*rows = bigger;
}

/* NULL: there are enough. */
static struct row *
find_row(struct rows *rows, const char *name)
{
	struct row *row;

	if (2 * rows->n >= rows->size)
		grow(rows);
	row = find_slot(rows, name);
	if (row->name == NULL) {
		if (rows->n >= ROWS_MAX)
			return NULL;
		row->name = name;
		rows->n++;
	}
	return row;
}

static size_t
age_step(int64_t age)
{
	size_t step = 0;

	for (int64_t end = AGE_ONE; step < AGES - 1 && age >= end; end *= 2)
		step++;
	return step;
}

static void
count_in(struct rows *rows, const char *name, const struct queue_entry *entry,
    int64_t now)
{
	struct row *row = find_row(rows, name);

	if (row == NULL)
		return;
	row->jobs++;
	row->held += entry->state == JOB_HELD;
	row->by_age[age_step(now - entry->job.arrived)]++;
	if (row->oldest == 0 || entry->job.arrived < row->oldest)
		row->oldest = entry->job.arrived;
}

static void
on_entry(void *arg, const struct queue_entry *entry)
{
	struct stats *stats = arg;

	count_in(
	    &stats->destinations, entry->job.destination, entry, stats->a->now);
	if (entry->reason[0] != '\0')
		count_in(&stats->reasons, entry->reason, entry, stats->a->now);
}

/* Most first; free ones last. */
static int
by_jobs(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->jobs < y->jobs) - (x->jobs > y->jobs);
}

static int
put_row(struct answer *a, const char *by, const struct row *row)
{
	struct control_item *item = control_item_new();
	int rc;

	control_put_text(item, "by", by);
	control_put_number(item, "jobs", (int64_t)row->jobs);
	control_put_number(item, "held", (int64_t)row->held);
	control_put_number(item, "oldest", row->oldest);
	for (size_t i = 0; i < AGES; i++)
		control_put_number(item, ages[i], (int64_t)row->by_age[i]);
	control_put_text(item, "name", row->name);
	rc = control_write_item(item, &a->out);
	control_item_free(&item);
	return rc;
}

static int
put_rows(struct answer *a, const char *by, struct rows *rows)
{
	int rc = 0;

	if (rows->size > 0)
		qsort(rows->list, rows->size, sizeof(rows->list[0]), by_jobs);
	for (size_t i = 0;
	     rc == 0 && i < rows->n && i < a->request->limit && i < ROWS_OUT;
	     i++)
		rc = put_row(a, by, &rows->list[i]);
	mem_free(rows->list);
	return rc;
}

static int
put_counts(struct answer *a)
{
	struct control_item *more = control_item_new();
	struct queue_counts c;
	int rc;

	queue_count(a->q->queue, &c);
	control_put_number(more, "messages", (int64_t)c.messages);
	control_put_number(more, "waiting", (int64_t)c.waiting);
	control_put_number(more, "ready", (int64_t)c.ready);
	control_put_number(more, "leased", (int64_t)c.leased);
	control_put_number(more, "held", (int64_t)c.held);
	control_put_number(more, "destinations", (int64_t)c.destinations);
	control_put_number(more, "segments", (int64_t)c.segments);
	control_put_number(more, "segment_bytes", (int64_t)c.segment_bytes);
	control_put_number(more, "journal_bytes", (int64_t)c.journal_bytes);
	control_put_number(more, "memory", (int64_t)c.memory);
	control_put_number(more, "delivered", (int64_t)a->q->delivered);
	control_put_number(more, "deferred", (int64_t)a->q->deferred);
	control_put_number(more, "failed", (int64_t)a->q->failed);
	rc = control_write_done(more, &a->out);
	control_item_free(&more);
	return rc;
}

int
ask_stats(struct answer *a)
{
	struct stats stats = {.a = a};
	uint64_t position = 0;
	int rc;

	while (queue_list(a->q->queue, &position, on_entry, &stats))
		;
	rc = put_rows(a, "target", &stats.destinations);
	rc |= put_rows(a, "reason", &stats.reasons);
	return rc == 0 ? put_counts(a) : -1;
}
