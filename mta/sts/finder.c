/* Who asks for policies, and what is in memory; see finder.h. */
#include "mta/sts/finder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mta/net/https.h"
#include "mta/net/loop.h"
#include "mta/sts/private.h"

#define DISK_WAIT_MS 2000u
#define PATH_SIZE    1100

/* --- life ----------------------------------------------------------------- */

/* Who only looks makes no file, and may look without the daemon's rights. */
static bool
has_store(struct sts_finder *finder)
{
	const struct sts_finder_setup *setup = &finder->setup;
	char path[PATH_SIZE];

	(void)snprintf(
	    path, sizeof(path), "%s/" STS_STORE_FILE, setup->config->state);
	if (!setup->only_look || access(path, R_OK | W_OK) == 0)
		return true;
	if (errno != ENOENT)
		finder->blind = strerrordesc_np(errno);
	return false;
}

const char *
sts_finder_blind(const struct sts_finder *finder)
{
	return finder->blind;
}

struct sts_finder *
sts_finder_new(const struct sts_finder_setup *setup)
{
	struct sts_finder *finder = mem_new(sizeof(*finder));

	finder->setup = *setup;
	finder->table = sts_table_new(0, 0);
	if (has_store(finder))
		finder->disk = sts_disk_new(
		    setup->loop, setup->config->state, DISK_WAIT_MS);
	return finder;
}

void
sts_finder_free(struct sts_finder **finderp)
{
	struct sts_finder *finder = *finderp;
	struct sts_search *search;

	if (finder == NULL)
		return;
	/* The worker works for searches: it ends first, and the loop runs;
	 * whoever is called there may still ask. */
	sts_disk_free(&finder->disk);
	*finderp = NULL;
	sts_tend_free(&finder->tend);
	while ((search = sts_table_search(finder->table)) != NULL)
		sts_search_free(&search);
	https_free(&finder->https);
	sts_table_free(&finder->table);
	mem_free(finder);
}

static struct net_address
source(const char *ip)
{
	struct net_address address = {.family = 0};

	if (ip != NULL)
		(void)net_address_ip(ip, 0, &address);
	return address;
}

/* Only now: a machine without authorities may well never fetch anything. */
struct https *
sts_finder_https(struct sts_finder *finder, struct err *err)
{
	const struct config *config = finder->setup.config;
	struct https_setup setup = {
	    .loop = finder->setup.loop,
	    .ca_file = config->ca_file,
	    .source4 = source(config->source4),
	    .source6 = source(config->source6),
	    .timeout_ms = config->mta_sts.timeout_ms,
	    .at_once = config->mta_sts.fetches,
	    .waiting_max = config->limits.deliveries,
	};

	if (finder->https == NULL && https_new(&setup, &finder->https, err) < 0)
		return NULL;
	return finder->https;
}

void
sts_trouble(struct sts_finder *finder, bool *which, const char *text)
{
	const struct sts_finder_setup *setup = &finder->setup;

	if (*which == (text != NULL) || setup->on_trouble == NULL)
		return;
	*which = text != NULL;
	if (text != NULL)
		setup->on_trouble(setup->arg, text);
	else if (!finder->no_store && !finder->no_fetch)
		setup->on_trouble(setup->arg, "");
}

/* --- what is in memory ---------------------------------------------------- */

/* FNV-1a: any number, the same for a domain each time. */
uint32_t
sts_jitter(const char *domain)
{
	uint32_t hash = 2166136261u;

	for (; *domain != '\0'; domain++)
		hash = (hash ^ (unsigned char)*domain) * 16777619u;
	return hash;
}

struct sts_answer
sts_row_ask(const struct sts_row *row, int64_t now)
{
	static const struct sts_answer unread = {STS_STEP_DEFER, false,
	    "the cache of policies cannot be read", "RFC 8461 5.1"};

	return row->known == NULL
	           ? unread
	           : sts_cache_ask(&row->known->entry, &row->record, now,
			 sts_jitter(row->domain));
}

static uint32_t
seconds_left(const struct sts_row *row, const struct sts_answer *answer,
    uint64_t loop_ms, int64_t now)
{
	uint64_t left = row->record_until > loop_ms
	                    ? (row->record_until - loop_ms) / 1000
	                    : 0;
	int64_t life;

	if (sts_step_applies(answer->step)) {
		life = row->known->entry.expires_at - now;
		if (life < (int64_t)left)
			left = life < 0 ? 0 : (uint64_t)life;
	}
	return (uint32_t)left;
}

/*
 * RFC 8460 4.3.2.2: of the fetch that failed.  By another process, or before
 * this one was there: which way it failed nobody knows any more.
 */
static const char *
trouble_type_of(const struct sts_row *row, const struct sts_answer *answer)
{
	if (row->trouble_type[0] != '\0' || row->known == NULL ||
	    answer->step != STS_STEP_NONE ||
	    row->record.state != STS_RECORD_FOUND ||
	    row->known->entry.failures == 0)
		return row->trouble_type;
	return "sts-policy-fetch-error";
}

struct sts_found
sts_row_found(const struct sts_finder *finder, const struct sts_row *row,
    const struct sts_answer *answer, int64_t now)
{
	return (struct sts_found){
	    .answer = *answer,
	    .known = row->known,
	    .record = row->record,
	    .ttl = seconds_left(row, answer, loop_now(finder->setup.loop), now),
	    .trouble = row->trouble == NULL ? "" : row->trouble,
	    .trouble_type = trouble_type_of(row, answer),
	};
}

/* An entry that is used for the first time in a day is to be written. */
static bool
is_news(const struct sts_row *row, int64_t now)
{
	struct sts_entry entry = row->known->entry;

	return entry.state == STS_ENTRY_POLICY && sts_cache_used(&entry, now);
}

bool
sts_find_known(
    struct sts_finder *finder, const char *domain, struct sts_found *ret)
{
	struct sts_row *row = sts_table_find(finder->table, domain);
	int64_t now = clock_wall();
	struct sts_answer answer;

	if (row == NULL || row->known == NULL || finder->setup.ask_anew ||
	    row->record_until <= loop_now(finder->setup.loop))
		return false;
	answer = sts_row_ask(row, now);
	if (answer.step != STS_STEP_NONE &&
	    (answer.step != STS_STEP_USE || is_news(row, now)))
		return false;
	(void)sts_table_get(finder->table, domain);
	*ret = sts_row_found(finder, row, &answer, now);
	return true;
}

/* --- who asks ------------------------------------------------------------- */

struct sts_find *
sts_find(struct sts_finder *finder, const char *domain, bool insist,
    sts_found_fn *done, void *arg)
{
	struct sts_find *find = mem_new(sizeof(*find));
	struct sts_row *row = sts_table_get(finder->table, domain);
	struct sts_search *search = sts_search_begin(finder, row);

	find->done = done;
	find->arg = arg;
	find->search = search;
	find->next = search->waiting;
	find->link = &search->waiting;
	if (find->next != NULL)
		find->next->link = &find->next;
	search->waiting = find;
	search->tending = false;
	search->insist |= insist || finder->setup.ask_anew;
	return find;
}

void
sts_find_cancel(struct sts_find **findp)
{
	struct sts_find *find = *findp;

	*findp = NULL;
	if (find == NULL)
		return;
	*find->link = find->next;
	if (find->next != NULL)
		find->next->link = find->link;
	mem_free(find);
}

void
sts_finder_forget(struct sts_finder *finder, const char *domain)
{
	struct sts_row *row;

	if (domain[0] == '\0') {
		sts_table_forget(finder->table);
		return;
	}
	row = sts_table_find(finder->table, domain);
	if (row != NULL)
		sts_row_forget(row);
}

enum sts_state
sts_found_state(const struct sts_known *known, const struct sts_answer *answer,
    const char *host)
{
	switch (answer->step) {
	case STS_STEP_NONE:
		return answer->current ? STS_NONE : STS_NOT_OBTAINED;
	case STS_STEP_USE:
	case STS_STEP_REFRESH:
		return known == NULL
		           ? STS_UNKNOWN
		           : sts_policy_state(&known->entry.policy, host);
	case STS_STEP_DEFER:
	case STS_STEP_FETCH:
		break;
	}
	return STS_UNKNOWN;
}
