/*
 * Policies that nobody asks for just now are refreshed before they expire
 * (RFC 8461 3.3, 10.2), and what is over is dropped:
 *
 *   timer > walk through the store > names that are due > a search for each,
 *   a few at a time > timer
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/net/loop.h"
#include "mta/sts/private.h"

#define FIRST_MS 60000u /* deliveries come first */
#define STEP_MS  250u   /* between two searches */
#define DUE_MAX  1000u  /* names of one walk, of those that are over, too, */
#define ROWS_MAX 10000u /* of so many rows: some are not due by their jitter */

struct sts_tend {
	struct sts_disk_job job; /* first */
	struct sts_finder *finder;
	struct timer *timer;
	int64_t now;
	char *due[DUE_MAX]; /* the one that expires first stands first */
	size_t ndue, at;    /* how many, and whose turn it is */
	size_t dropped;     /* by the walk */
	bool more;          /* than one walk takes */
};

static uint32_t
pause_of(const struct sts_tend *tend)
{
	return tend->finder->setup.config->mta_sts.refresh_ms;
}

/* --- the walk, on the worker ---------------------------------------------- */

static void
take_due(const char *domain, const struct sts_entry *entry, void *arg)
{
	struct sts_tend *tend = arg;

	if (tend->ndue < DUE_MAX &&
	    sts_cache_is_due(entry, tend->now, sts_jitter(domain)))
		tend->due[tend->ndue++] = mem_strdup(domain);
}

static int
work_walk(struct sts_store *store, struct sts_disk_job *job)
{
	struct sts_tend *tend = (struct sts_tend *)job;
	struct err err;
	int rc = sts_store_each_old(
	    store, tend->now, ROWS_MAX, take_due, tend, &job->err);
	/* A row that cannot be read keeps no other one there. */
	int swept = sts_store_sweep(
	    store, tend->now, DUE_MAX, &tend->dropped, &err);

	if (rc == 0 && swept < 0)
		job->err = err;
	return rc < 0 ? rc : swept;
}

/* --- the searches --------------------------------------------------------- */

/* Half of the places are left to deliveries, whatever those take. */
static bool
has_place(const struct sts_finder *finder)
{
	uint32_t places = finder->setup.config->mta_sts.fetches / 2;

	return finder->tended < (places == 0 ? 1 : places);
}

static void
begin_one(struct sts_tend *tend)
{
	struct sts_finder *finder = tend->finder;
	char *domain = tend->due[tend->at++];
	struct sts_row *row = sts_table_get(finder->table, domain);
	struct sts_search *search;

	if (row->search == NULL) {
		search = sts_search_begin(finder, row);
		search->tending = search->tended = true;
		finder->tended++;
	}
	mem_free(domain);
}

static void
on_walked(struct sts_disk_job *job)
{
	struct sts_tend *tend = (struct sts_tend *)job;
	struct log_line line;

	if (job->rc < 0) {
		log_begin(&line, LOG_LEVEL_ERROR, "sts-unreadable");
		log_str(&line, "reason", job->err.text);
		log_end(&line);
	}
	tend->more = tend->ndue == DUE_MAX || tend->dropped == DUE_MAX;
	timer_start(tend->timer,
	    tend->ndue > 0 || tend->more ? STEP_MS : pause_of(tend));
}

static void
begin_walk(struct sts_tend *tend)
{
	tend->now = clock_wall();
	tend->ndue = tend->at = tend->dropped = 0;
	tend->job.work = work_walk;
	tend->job.done = on_walked;
	sts_disk_run(tend->finder->disk, &tend->job);
}

static void
on_time(void *arg)
{
	struct sts_tend *tend = arg;

	if (tend->at == tend->ndue) {
		begin_walk(tend);
		return;
	}
	if (has_place(tend->finder))
		begin_one(tend);
	timer_start(tend->timer,
	    tend->at < tend->ndue || tend->more ? STEP_MS : pause_of(tend));
}

void
sts_finder_tend(struct sts_finder *finder)
{
	struct sts_tend *tend = mem_new(sizeof(*tend));

	tend->finder = finder;
	tend->timer = timer_new(finder->setup.loop, on_time, tend);
	finder->tend = tend;
	timer_start(
	    tend->timer, pause_of(tend) < FIRST_MS ? pause_of(tend) : FIRST_MS);
}

void
sts_tend_free(struct sts_tend **tendp)
{
	struct sts_tend *tend = *tendp;

	*tendp = NULL;
	if (tend == NULL)
		return;
	timer_free(&tend->timer);
	while (tend->at < tend->ndue)
		mem_free(tend->due[tend->at++]);
	mem_free(tend);
}
