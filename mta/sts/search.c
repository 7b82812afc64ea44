/*
 * One search for the policy of one domain, in the order of what happens:
 *
 *   find_record > read > decide > tell > finish
 *                          |
 *                          `-> fetch > keep > decide ...
 *
 * A refresh comes behind tell: those who waited are gone by then, and who comes
 * while it goes on is told beside it.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/dnssec.h"
#include "dnssec/rdata.h"
#include "mta/net/loop.h"
#include "mta/sts/private.h"

/* RFC 8461 3.1 */
#define RECORD_PREFIX "_mta-sts."
/* However long DNS says; as with everything that deliveries go by. */
#define RECORD_TTL_MOST 300u

static void find_record(struct sts_search *search);
static void read_store(struct sts_search *search);
static void look_up(struct sts_search *search);
static void tell_beside(struct sts_search *search);
static void decide(struct sts_search *search);
static void fetch(struct sts_search *search);
static void keep(struct sts_search *search, sts_disk_done *done);
static void finish(struct sts_search *search);

struct sts_search *
sts_search_begin(struct sts_finder *finder, struct sts_row *row)
{
	if (row->search != NULL) {
		/* Who has a policy to go by waits for DNS, and no fetch. */
		if (row->search->fetch != NULL && row->search->query == NULL)
			look_up(row->search);
		return row->search;
	}
	row->search = mem_new(sizeof(*row->search));
	row->search->finder = finder;
	row->search->row = row;
	find_record(row->search);
	return row->search;
}

void
sts_search_free(struct sts_search **searchp)
{
	struct sts_search *search = *searchp;

	*searchp = NULL;
	while (search->waiting != NULL) {
		struct sts_find *find = search->waiting;

		sts_find_cancel(&find);
	}
	dns_cancel(&search->query);
	search->finder->tended -= search->tended;
	sts_fetch_cancel(&search->fetch);
	arena_free(&search->arena);
	sts_known_drop(&search->written);
	search->row->search = NULL;
	mem_free(search);
}

/* --- the record ----------------------------------------------------------- */

static void
on_record(const struct dns_answer *answer, void *arg)
{
	struct sts_search *search = arg;
	struct sts_row *row = search->row;
	uint32_t ttl = answer->ttl < RECORD_TTL_MOST ? answer->ttl
	                                             : RECORD_TTL_MOST;

	search->query = NULL;
	row->record = sts_record_read(answer);
	row->record_until = 0;
	if (row->record.state > STS_RECORD_FAILED)
		row->record_until = loop_now(search->finder->setup.loop) +
		                    1000 * (uint64_t)ttl;
	if (search->round == ROUND_FETCHED) {
		tell_beside(search);
		return;
	}
	search->round = ROUND_ASKED;
	read_store(search);
}

static void
look_up(struct sts_search *search)
{
	char name[sizeof(RECORD_PREFIX) + DNS_NAME_SIZE];

	(void)snprintf(
	    name, sizeof(name), RECORD_PREFIX "%s", search->row->domain);
	search->query = dns_lookup(
	    search->finder->setup.dns, name, RR_TXT, on_record, search);
}

static void
find_record(struct sts_search *search)
{
	struct sts_row *row = search->row;

	/* Without a store only DNS makes sure that there is a wait. */
	if (row->record_until > loop_now(search->finder->setup.loop) &&
	    search->finder->disk != NULL) {
		read_store(search);
		return;
	}
	look_up(search);
}

/* --- the store ------------------------------------------------------------ */

static int
work_read(struct sts_store *store, struct sts_disk_job *job)
{
	struct sts_search *search = (struct sts_search *)job;

	return sts_store_get(store, search->row->domain, search->arena,
	    &search->entry, &job->err);
}

static void
learn_nothing(struct sts_search *search)
{
	static const struct sts_entry empty = {.state = STS_ENTRY_EMPTY};

	if (search->row->known == NULL)
		sts_table_learn(search->finder->table, search->row,
		    sts_known_new(NULL, &empty));
}

/*
 * What is in memory and could not be written is not forgotten for it.  What
 * another process has tried counts here, too (RFC 8461 3.3).
 */
static bool
is_newer(const struct sts_entry *entry, const struct sts_known *known)
{
	if (known == NULL || entry->fetched_at > known->entry.fetched_at)
		return true;
	return entry->fetched_at == known->entry.fetched_at &&
	       entry->last_try > known->entry.last_try;
}

/* Not to have heard of a policy says nothing, unless the store says so, too. */
static void
take_unreadable(struct sts_search *search)
{
	struct sts_known *known = search->row->known;

	if (known != NULL && !sts_cache_counts(&known->entry, clock_wall()))
		sts_known_drop(&search->row->known);
	sts_row_trouble(search->row, search->job.err.text, "");
	sts_trouble(
	    search->finder, &search->finder->no_store, search->job.err.text);
	sts_log_disk(search, "sts-unreadable");
}

/*
 * What is known of the row was to be forgotten: a command has changed the
 * store, and what was read or asked before that is not what there is now.
 */
static bool
begins_anew(struct sts_search *search)
{
	if (search->row->record.state != STS_RECORD_UNKNOWN)
		return false;
	arena_free(&search->arena);
	search->round = ROUND_BEGUN;
	if (search->query == NULL)
		find_record(search);
	return true;
}

static void
on_read(struct sts_disk_job *job)
{
	struct sts_search *search = (struct sts_search *)job;
	struct sts_row *row = search->row;

	if (begins_anew(search))
		return;
	if (job->rc == 0)
		sts_trouble(search->finder, &search->finder->no_store, NULL);
	if (job->rc < 0)
		take_unreadable(search);
	else if (row->trouble_type[0] == '\0')
		sts_row_trouble(row, "", ""); /* it was our own, and is over */
	if (job->rc == 0 && is_newer(&search->entry, row->known)) {
		sts_table_learn(search->finder->table, row,
		    sts_known_new(search->arena, &search->entry));
		search->arena = NULL;
	}
	arena_free(&search->arena);
	decide(search);
}

/*
 * Another process may have learnt what this one has never heard of: no record
 * is no policy only if there is none on disk, either (RFC 8461 5.1).
 */
static void
read_store(struct sts_search *search)
{
	struct sts_finder *finder = search->finder;

	if (finder->disk == NULL) {
		learn_nothing(search);
		decide(search);
		return;
	}
	search->arena = arena_new(STS_POLICY_ARENA);
	search->job.work = work_read;
	search->job.done = on_read;
	sts_disk_run(finder->disk, &search->job);
}

/* --- the decision --------------------------------------------------------- */

/* RFC 8461 5.1: the policy refuses mail; or an operator asks. */
static bool
may_insist(const struct sts_search *search, int64_t now)
{
	const struct sts_row *row = search->row;

	if (!search->insist || row->known == NULL)
		return false;
	if (search->finder->setup.ask_anew)
		return row->record.state == STS_RECORD_FOUND ||
		       now <= row->known->entry.expires_at;
	return sts_cache_may_insist(&row->known->entry, now);
}

static void
tell(struct sts_search *search, int64_t now)
{
	struct sts_found found = sts_row_found(
	    search->finder, search->row, &search->answer, now);
	struct sts_find *waiting = search->waiting;

	found.fetched = search->round == ROUND_FETCHED;
	/* Who asks once more from the callback waits for the next round. */
	search->waiting = NULL;
	search->insist = false;
	if (waiting != NULL)
		waiting->link = &waiting;
	while (waiting != NULL) {
		struct sts_find *find = waiting;
		sts_found_fn *done = find->done;
		void *arg = find->arg;

		sts_find_cancel(&find);
		done(&found, arg);
	}
}

static void
note_use(struct sts_search *search, int64_t now)
{
	struct sts_known *known = search->row->known;

	if (search->tending || !sts_step_applies(search->answer.step))
		return;
	if (sts_cache_used(&known->entry, now))
		search->changed = true;
}

/*
 * They came while it is fetched anew, which may take a minute: they go by
 * what is cached, unless that is what refuses their mail.
 */
static void
tell_beside(struct sts_search *search)
{
	int64_t now = clock_wall();
	struct sts_answer answer = sts_row_ask(search->row, now);

	if (search->fetch == NULL || search->insist ||
	    !sts_step_applies(answer.step))
		return;
	search->answer = answer;
	note_use(search, now);
	tell(search, now);
}

static void
decide(struct sts_search *search)
{
	struct sts_row *row = search->row;
	int64_t now = clock_wall();
	bool again = false;

	if (begins_anew(search))
		return;
	search->answer = sts_row_ask(row, now);
	if (search->round != ROUND_FETCHED) {
		if (search->answer.step == STS_STEP_FETCH ||
		    may_insist(search, now)) {
			fetch(search);
			return;
		}
		again = search->answer.step == STS_STEP_REFRESH &&
		        !search->finder->setup.only_look;
	} else if (search->answer.step == STS_STEP_FETCH) {
		search->answer = sts_cache_untried(&row->known->entry, now);
	}
	note_use(search, now);
	tell(search, now);
	if (again)
		fetch(search);
	else
		finish(search);
}

/* --- the fetch ------------------------------------------------------------ */

static bool
is_same(const struct sts_known *known, const struct sts_entry *entry)
{
	return known->entry.state == STS_ENTRY_POLICY &&
	       span_eq(known->entry.policy.text, entry->policy.text);
}

static void
take_policy(struct sts_search *search, const struct sts_fetch_end *end,
    const struct sts_entry *entry)
{
	struct sts_row *row = search->row;
	bool same = is_same(row->known, entry);

	sts_row_trouble(row, "", "");
	sts_table_learn(
	    search->finder->table, row, sts_known_new(end->arena, entry));
	sts_log_policy(search, same);
}

static void
take_fetch(struct sts_search *search, const struct sts_fetch_end *end)
{
	struct sts_row *row = search->row;
	struct sts_fetch fetch = {end->fetched, &end->policy, search->id};
	struct sts_entry entry;

	/* It was to be forgotten meanwhile: whatever DNS has said since. */
	if (row->known == NULL)
		sts_row_forget(row);
	learn_nothing(search);
	entry = sts_cache_fetched(&row->known->entry, &fetch, clock_wall());
	search->changed |= end->fetched != STS_FETCHED_NOT_TRIED;
	if (end->fetched == STS_FETCHED_POLICY) {
		take_policy(search, end, &entry);
		return;
	}
	row->known->entry = entry;
	sts_row_trouble(row, end->why, end->result_type);
	sts_log_failure(search, end);
}

static void
on_kept(struct sts_disk_job *job)
{
	decide((struct sts_search *)job);
}

static void
on_fetched(const struct sts_fetch_end *end, void *arg)
{
	struct sts_search *search = arg;

	search->fetch = NULL;
	take_fetch(search, end);
	keep(search, on_kept);
}

static void
fetch(struct sts_search *search)
{
	struct sts_finder *finder = search->finder;
	struct sts_fetch_end end = {.result_type = ""};
	struct https *https;
	struct err err;

	search->round = ROUND_FETCHED;
	/* The record may be another one before the fetch has ended. */
	(void)text_copy(search->id, sizeof(search->id), search->row->record.id);
	https = sts_finder_https(finder, &err);
	sts_trouble(finder, &finder->no_fetch, https == NULL ? err.text : NULL);
	if (https != NULL) {
		search->fetch = sts_fetch_begin(finder->setup.dns, https,
		    finder->setup.config->mta_sts.port, search->row->domain,
		    on_fetched, search);
		return;
	}
	(void)snprintf(end.why, sizeof(end.why), "%s", err.text);
	take_fetch(search, &end);
	decide(search);
}

/* --- the end -------------------------------------------------------------- */

static int
work_write(struct sts_store *store, struct sts_disk_job *job)
{
	struct sts_search *search = (struct sts_search *)job;

	return sts_store_put(
	    store, search->row->domain, &search->entry, &job->err);
}

static void
on_written(struct sts_disk_job *job)
{
	struct sts_search *search = (struct sts_search *)job;

	sts_known_drop(&search->written);
	if (job->rc < 0)
		sts_log_disk(search, "sts-not-written");
	search->after(job);
}

/* Written down, if there is something new, and then `done`. */
static void
keep(struct sts_search *search, sts_disk_done *done)
{
	struct sts_finder *finder = search->finder;
	struct sts_known *known = search->row->known;

	if (!search->changed || finder->disk == NULL ||
	    finder->setup.only_look || known == NULL) {
		done(&search->job);
		return;
	}
	search->changed = false;
	search->written = sts_known_hold(known);
	search->entry = known->entry;
	search->job.work = work_write;
	search->job.done = on_written;
	search->after = done;
	sts_disk_run(finder->disk, &search->job);
}

static void
on_finished(struct sts_disk_job *job)
{
	struct sts_search *search = (struct sts_search *)job;

	/* Some came after the others had been told. */
	if (search->waiting != NULL) {
		search->round = ROUND_BEGUN;
		if (search->query == NULL)
			find_record(search);
		return;
	}
	sts_search_free(&search);
}

static void
finish(struct sts_search *search)
{
	keep(search, on_finished);
}
