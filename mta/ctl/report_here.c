/* See report_here.h. */
#include "mta/ctl/report_here.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "mta/config.h"
#include "mta/ctl/report_shares.h"
#include "reporting/inbox_store_senders.h"

#define DAY_S     INT64_C(86400)
#define ARENA_MAX ((size_t)1 << 30)
/* Of one reporter in a group, of a group, and in all. */
#define SHARE_MAX 500u
#define GROUP_MAX 5000u
#define ALL_MAX   200000u

/* Of an address, on two days: an alert is an outcome each. */
#define SEEN_MAX ((size_t)2 * (INBOUND_OUTCOMES + UINT8_MAX))
struct seen_list {
	uint64_t sessions;
	struct inbound_seen kinds[SEEN_MAX];
	size_t n;
};

/* Senders of one kind of failures about one domain; they stand together. */
struct here_kind {
	const char *domain, *result;
	size_t first, n;
	bool cut; /* these are not all */
};

/* Whose come just now. */
struct here_now {
	char *domain, *result, *reporter;
	bool vouched;
	size_t share; /* of the reporter in the group */
	bool is_kept; /* the group is the last of the kinds */
	bool is_cut;  /* and has more senders than are looked at */
	struct shares_zone *zone;
};

struct report_here {
	const struct report_work *work;
	struct here_ask ask;
	struct arena *arena;
	struct inbound_view *view; /* NULL: it cannot be read */
	int64_t first_day;         /* that is recorded; 0: none */
	struct shares *shares;     /* of ALL_MAX */
	struct here_kind *kinds;   /* by domain and result */
	size_t nkinds;
	bool full; /* there are more kinds than these */
	struct here_sender *senders;
	size_t n;
	struct here_now now;
	struct here_sender *group; /* of the last call */
};

/* --- what reports name ---------------------------------------------------- */

static const char *
keep(struct report_here *here, const char *text)
{
	return arena_strndup(here->arena, text, strlen(text));
}

static void
replace(char **text, const char *by)
{
	mem_free(*text);
	*text = mem_strdup(by);
}

static void
leave(struct report_here *here)
{
	mem_free(here->now.domain);
	mem_free(here->now.result);
	mem_free(here->now.reporter);
	here->now = (struct here_now){0};
}

/* They come by domain, kind and reporter; who signs is not who says so. */
static void
enter(struct report_here *here, const struct inbox_sender *sender)
{
	struct here_now *now = &here->now;
	bool same = now->domain != NULL &&
	            strcmp(now->domain, sender->domain) == 0 &&
	            strcmp(now->result, sender->result_type) == 0;

	if (!same) {
		replace(&now->domain, sender->domain);
		replace(&now->result, sender->result_type);
		now->is_kept = now->is_cut = false;
	}
	if (same && now->vouched == sender->vouched &&
	    strcmp(now->reporter, sender->reporter) == 0)
		return;
	replace(&now->reporter, sender->reporter);
	now->vouched = sender->vouched;
	now->share = 0;
	now->zone = shares_zone(here->shares,
	    shares_name(sender->vouched ? sender->reporter : NULL));
}

static bool
is_asked(const struct report_here *here, const struct inbox_sender *sender)
{
	return report_is_named(here->work, sender->domain) &&
	       sender->first_day <= here->ask.last_day &&
	       (sender->vouched || here->ask.trusting);
}

/* The first time, to know how many there are. */
static void
want_sender(const struct inbox_sender *sender, void *arg)
{
	struct report_here *here = arg;

	if (!is_asked(here, sender))
		return;
	enter(here, sender);
	if (here->now.share++ < SHARE_MAX)
		shares_want(here->shares, here->now.zone);
}

/* For one more, which is doubled whenever it is a power of two. */
static void *
room(void *array, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return array;
	return mem_grow(array, n * size, (n == 0 ? 1 : 2 * n) * size);
}

/* The group of now; NULL: there is no room for one more. */
static struct here_kind *
kind_of_now(struct report_here *here)
{
	struct here_kind kind = {.first = here->n, .cut = here->now.is_cut};

	if (here->now.is_kept)
		return &here->kinds[here->nkinds - 1];
	kind.domain = keep(here, here->now.domain);
	kind.result = keep(here, here->now.result);
	if (here->nkinds == ALL_MAX || kind.domain == NULL ||
	    kind.result == NULL) {
		here->full = true;
		return NULL;
	}
	here->kinds = room(here->kinds, here->nkinds, sizeof(kind));
	here->kinds[here->nkinds] = kind;
	here->now.is_kept = true;
	return &here->kinds[here->nkinds++];
}

static void
add_sender(struct report_here *here, const struct inbox_sender *sender)
{
	const char *mx = keep(here, sender->mx);
	const char *receiver = keep(here, sender->receiver);
	struct here_sender *to;

	here->senders = room(here->senders, here->n, sizeof(here->senders[0]));
	to = &here->senders[here->n++];
	*to = (struct here_sender){.zone = here->now.zone->name,
	    .first_day = sender->first_day,
	    .last_day = sender->last_day,
	    .reported = sender->sessions,
	    .mx = mx == NULL ? "" : mx,
	    .receiver = receiver == NULL ? "" : receiver,
	    .why = ""};
	/* Whatever a report says its time is, sessions are of two days. */
	if (to->last_day > to->first_day + 1)
		to->last_day = to->first_day + 1;
	memcpy(to->address, sender->address, sizeof(to->address));
}

/* Of the kind of now there are more; it may be that none has room. */
static void
cut(struct report_here *here)
{
	here->now.is_cut = true;
	if (here->now.is_kept)
		here->kinds[here->nkinds - 1].cut = true;
	else
		here->full = true;
}

static void
take_sender(const struct inbox_sender *sender, void *arg)
{
	struct report_here *here = arg;
	struct here_kind *kind;

	if (!is_asked(here, sender))
		return;
	enter(here, sender);
	/* A kind has room where one of its senders has: whoever thinks up kinds
	 * takes none from others. */
	if (here->now.share++ >= SHARE_MAX ||
	    !shares_take(here->shares, here->now.zone)) {
		cut(here);
		return;
	}
	kind = kind_of_now(here);
	if (kind == NULL)
		return;
	add_sender(here, sender);
	kind->n++;
}

static int
read_senders(struct report_here *here, inbox_sender_fn *fn, struct err *err)
{
	int rc = inbox_store_senders(
	    &here->work->store, here->ask.first_day, fn, here, err);

	leave(here);
	return rc;
}

struct report_here *
report_here_new(const struct report_work *work, const struct here_ask *ask)
{
	const struct inbound_store store = {
	    .folder = work->config->state, .wait_ms = REPORT_WAIT_MS};
	struct report_here *here = mem_new(sizeof(*here));
	struct err err;

	here->work = work;
	here->ask = *ask;
	here->shares = shares_new(ALL_MAX);
	here->arena = arena_new(ARENA_MAX);
	here->group = mem_array(GROUP_MAX, sizeof(here->group[0]));
	if (inbound_view_open(&store, &here->view, &here->first_day, &err) < 0)
		(void)command_complain("report", err.text);
	if (read_senders(here, want_sender, &err) < 0 ||
	    read_senders(here, take_sender, &err) < 0)
		(void)command_complain("report", err.text);
	return here;
}

void
report_here_free(struct report_here **herep)
{
	struct report_here *here = *herep;

	*herep = NULL;
	if (here == NULL)
		return;
	inbound_view_close(&here->view);
	arena_free(&here->arena);
	shares_free(&here->shares);
	mem_free(here->kinds);
	mem_free(here->senders);
	mem_free(here->group);
	mem_free(here);
}

/* --- a group -------------------------------------------------------------- */

static int
by_address(const void *a, const void *b)
{
	const struct here_sender *x = a, *y = b;
	int order = memcmp(x->address, y->address, sizeof(x->address));

	if (order != 0)
		return order;
	if (x->first_day != y->first_day)
		return x->first_day < y->first_day ? -1 : 1;
	return (x->last_day > y->last_day) - (x->last_day < y->last_day);
}

/* Of several reports, or to several hosts. */
static size_t
merge(struct here_sender *list, size_t n)
{
	size_t left = 0;

	if (n == 0)
		return 0;
	qsort(list, n, sizeof(list[0]), by_address);
	for (size_t i = 1; i < n; i++) {
		struct here_sender *last = &list[left];

		if (by_address(last, &list[i]) != 0) {
			list[++left] = list[i];
			continue;
		}
		last->reported += list[i].reported;
		if (strcmp(last->mx, list[i].mx) != 0)
			last->mx = "";
		if (strcmp(last->receiver, list[i].receiver) != 0)
			last->receiver = "";
	}
	return left + 1;
}

static int
by_kind(const void *a, const void *b)
{
	const struct here_kind *x = a, *y = b;
	int order = strcmp(x->domain, y->domain);

	return order != 0 ? order : strcmp(x->result, y->result);
}

/* Of too many each zone has its turns. */
static size_t
choose(struct here_sender *to, const struct here_sender *from, size_t n)
{
	struct shares *shares = shares_new(GROUP_MAX);
	size_t chosen = 0;

	for (size_t i = 0; i < n; i++)
		shares_want(shares, shares_zone(shares, from[i].zone));
	for (size_t i = 0; i < n; i++)
		if (shares_take(shares, shares_zone(shares, from[i].zone)))
			to[chosen++] = from[i];
	shares_free(&shares);
	return chosen;
}

static void
gather(struct report_here *here, const char *domain, const char *result,
    struct here_group *group)
{
	const struct here_kind key = {.domain = domain, .result = result};
	const struct here_kind *kind = here->nkinds == 0
	                                   ? NULL
	                                   : bsearch(&key, here->kinds,
						 here->nkinds, sizeof(key),
						 by_kind);

	group->cut = kind == NULL ? here->full : kind->cut;
	if (kind == NULL || kind->n == 0)
		return;
	group->cut |= kind->n > GROUP_MAX;
	group->senders = merge(group->list,
	    choose(group->list, &here->senders[kind->first], kind->n));
}

/* --- what was seen -------------------------------------------------------- */

static const char *
why_not_recorded(const struct report_here *here, int64_t day)
{
	const struct config *config = here->work->config;
	int64_t today = here->work->now / DAY_S;

	if (here->view == NULL)
		return "the records cannot be read";
	if (!config_counts_inbound(config))
		return "sessions with us are not counted";
	if (here->first_day == 0)
		return "counting has not begun";
	if (day < today - (int64_t)config->reporting.inbound_days)
		return "that day is no longer kept";
	return day < here->first_day ? "counting began later"
	                             : "nothing was counted that day";
}

/* A day that is not over yet has been counted up to a while ago. */
static enum here_known
judge_day(const struct report_here *here, int64_t day,
    const struct inbound_day *is, const char **ret_why)
{
	int64_t start = day * DAY_S;
	int64_t end = start + DAY_S;

	if (end > here->work->now)
		end = here->work->now;
	*ret_why = "";
	if (is->last == 0) {
		*ret_why = why_not_recorded(here, day);
		return HERE_NOT_RECORDED;
	}
	if (is->first > start + INBOUND_GAP)
		*ret_why = "counting began within that day";
	else if (is->gap > 0 || is->last < end - INBOUND_GAP)
		*ret_why = "counting stopped for a part of that day";
	else if (is->untold > 0)
		*ret_why = "more came that day than could be told apart";
	return **ret_why == '\0' ? HERE_RECORDED : HERE_IN_PART;
}

static void
take_seen(const struct inbound_seen *seen, void *arg)
{
	struct seen_list *list = arg;

	list->sessions += seen->sessions;
	if (list->n < SEEN_MAX)
		list->kinds[list->n++] = *seen;
}

static int
by_sessions(const void *a, const void *b)
{
	const struct inbound_seen *x = a, *y = b;

	return (x->sessions < y->sessions) - (x->sessions > y->sessions);
}

/* The kinds of two days as of one: of all of them the most frequent. */
static void
join_days(struct seen_list *list, struct here_sender *one)
{
	one->sessions = list->sessions;
	for (size_t i = 0; i < list->n; i++)
		list->kinds[i].day = one->first_day;
	list->n = inbound_merge(list->kinds, list->n);
	if (list->n > 0)
		qsort(
		    list->kinds, list->n, sizeof(list->kinds[0]), by_sessions);
	for (size_t i = 0; i < list->n && i < HERE_KINDS; i++)
		one->kinds[one->nkinds++] = list->kinds[i];
}

/* Of two days the one that is known less is what is said. */
static void
look_up(struct report_here *here, struct here_sender *one)
{
	struct seen_list list = {.n = 0};

	one->known = HERE_RECORDED;
	for (int64_t day = one->first_day; day <= one->last_day; day++) {
		struct inbound_day is = {0};
		enum here_known known;
		const char *why;
		struct err err;

		if (here->view != NULL &&
		    (inbound_view_day(here->view, day, &is, &err) < 0 ||
			inbound_view_look(here->view, day, one->address,
			    take_seen, &list, &err) < 0)) {
			(void)command_complain("report", err.text);
			inbound_view_close(&here->view);
			is = (struct inbound_day){0};
		}
		known = judge_day(here, day, &is, &why);
		if (known < one->known) {
			one->known = known;
			one->why = why;
		}
	}
	join_days(&list, one);
}

/* --- the answer ----------------------------------------------------------- */

static int
by_worth(const void *a, const void *b)
{
	const struct here_sender *x = a, *y = b;
	int seen = (y->sessions > 0) - (x->sessions > 0);

	if (seen != 0)
		return seen;
	if (x->known != y->known)
		return x->known > y->known ? -1 : 1;
	if (x->reported != y->reported)
		return x->reported > y->reported ? -1 : 1;
	return by_address(a, b);
}

struct here_group
report_here_find(struct report_here *here, const char *domain,
    const char *result, size_t most)
{
	struct here_group group = {.list = here->group};

	gather(here, domain, result, &group);
	for (size_t i = 0; i < group.senders; i++) {
		look_up(here, &here->group[i]);
		group.seen += here->group[i].sessions > 0;
	}
	if (group.senders > 0)
		qsort(here->group, group.senders, sizeof(here->group[0]),
		    by_worth);
	group.n = group.senders < most ? group.senders : most;
	return group;
}
