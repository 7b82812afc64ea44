/* See report_here.h. */
#include "mta/ctl/report_here.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "mta/config.h"
#include "reporting/inbox_store_senders.h"

#define DAY_S     INT64_C(86400)
#define ARENA_MAX ((size_t)256 << 20)
/* Who signs reports full of addresses must not hide those of others. */
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

struct report_here {
	const struct report_work *work;
	struct here_ask ask;
	struct arena *arena;
	struct inbound_view *view;   /* NULL: it cannot be read */
	int64_t first_day;           /* that is recorded; 0: none */
	struct here_sender *senders; /* by domain and result */
	size_t n;
	/* Whose come just now, and how many they were. */
	const char *domain, *result, *reporter;
	bool vouched;
	size_t share;
	struct here_sender *group; /* of the last call */
};

/* --- what reports name ---------------------------------------------------- */

static const char *
keep(struct report_here *here, const char *text)
{
	const char *kept = arena_strndup(here->arena, text, strlen(text));

	return kept == NULL ? "" : kept;
}

/* They come by domain, kind and reporter; who signs is not who says so. */
static bool
has_share(struct report_here *here, const struct inbox_sender *sender)
{
	if (strcmp(here->domain, sender->domain) != 0 ||
	    strcmp(here->result, sender->result_type) != 0 ||
	    strcmp(here->reporter, sender->reporter) != 0 ||
	    here->vouched != sender->vouched) {
		here->domain = keep(here, sender->domain);
		here->result = keep(here, sender->result_type);
		here->reporter = keep(here, sender->reporter);
		here->vouched = sender->vouched;
		here->share = 0;
	}
	return here->share++ < SHARE_MAX && here->n < ALL_MAX;
}

/* For one more, which is doubled whenever it is a power of two. */
static struct here_sender *
add_sender(struct report_here *here)
{
	size_t n = here->n++;
	size_t size = sizeof(here->senders[0]);

	if ((n & (n - 1)) == 0)
		here->senders = mem_grow(
		    here->senders, n * size, (n == 0 ? 1 : 2 * n) * size);
	return &here->senders[n];
}

static void
take_sender(const struct inbox_sender *sender, void *arg)
{
	struct report_here *here = arg;
	struct here_sender *to;

	if (!report_is_named(here->work, sender->domain) ||
	    sender->first_day > here->ask.last_day ||
	    (!sender->vouched && !here->ask.trusting) ||
	    !has_share(here, sender))
		return;
	to = add_sender(here);
	*to = (struct here_sender){.domain = here->domain,
	    .result = here->result,
	    .first_day = sender->first_day,
	    .last_day = sender->last_day,
	    .reported = sender->sessions,
	    .mx = keep(here, sender->mx),
	    .receiver = keep(here, sender->receiver),
	    .why = ""};
	/* Whatever a report says its time is, sessions are of two days. */
	if (to->last_day > to->first_day + 1)
		to->last_day = to->first_day + 1;
	memcpy(to->address, sender->address, sizeof(to->address));
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
	here->domain = here->result = here->reporter = "";
	here->arena = arena_new(ARENA_MAX);
	here->group = mem_array(GROUP_MAX, sizeof(here->group[0]));
	if (inbound_view_open(&store, &here->view, &here->first_day, &err) < 0)
		(void)command_complain("report", err.text);
	if (inbox_store_senders(
		&work->store, ask->first_day, take_sender, here, &err) < 0)
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

/* Is it of this group, or before it, or behind it? */
static int
compare_group(
    const struct here_sender *one, const char *domain, const char *result)
{
	int order = strcmp(one->domain, domain);

	return order != 0 ? order : strcmp(one->result, result);
}

static size_t
gather(struct report_here *here, const char *domain, const char *result)
{
	size_t from = 0, to = here->n, n = 0;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (compare_group(&here->senders[middle], domain, result) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	while (from < here->n && n < GROUP_MAX &&
	       compare_group(&here->senders[from], domain, result) == 0)
		here->group[n++] = here->senders[from++];
	return merge(here->group, n);
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

	group.senders = gather(here, domain, result);
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
