/*
 * The records of domains, twenty at a time.
 *
 * Whoever runs a zone says how long an answer takes.  So none has all the
 * places (agenda_has_turn()), none keeps one for long while others wait, and
 * what gave way is looked up again later, as what failed.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dnssec/rdata.h"
#include "mta/report/course.h"
#include "mta/report/sender.h"

/* So long one may take when all places are taken and others are due, */
#define TURN_MS 2000u
/* and so long in any case, whatever the resolver's patience is. */
#define LONGEST_MS 30000u
/* Whose turn it is not comes again after so long, behind those due now. */
#define ASIDE_S 2
/* So many are looked at a tick. */
#define LOOK_MAX 5000u

struct lookup {
	struct lookup *next;
	struct sender *sender;
	struct agenda_item *item;
	struct dns_query *query;
	uint64_t began; /* clock_mono_ms() */
};

/* Out of the list; what it was about is the caller's. */
static struct agenda_item *
drop(struct lookup *lookup)
{
	struct lookup **at = &lookup->sender->lookups;
	struct agenda_item *item = lookup->item;

	while (*at != lookup)
		at = &(*at)->next;
	*at = lookup->next;
	mem_free(lookup);
	return item;
}

static void
on_record(const struct dns_answer *answer, void *arg)
{
	struct lookup *lookup = arg;
	struct sender *sender = lookup->sender;
	struct arena *arena = arena_new(TLSRPT_RECORD_ARENA);
	struct tlsrpt_record record = tlsrpt_record_read(answer, arena);

	sender_take_record(sender, drop(lookup), &record);
	arena_free(&arena);
}

/* RFC 8460 3: TXT at _smtp._tls.DOMAIN; what is no name there has none. */
static void
begin(struct sender *sender, struct agenda_item *item)
{
	char name[sizeof(TLSRPT_PREFIX) + DNS_NAME_SIZE];
	struct lookup *lookup = mem_new(sizeof(*lookup));
	struct lookup **end = &sender->lookups;

	lookup->sender = sender;
	lookup->item = item;
	lookup->began = clock_mono_ms();
	while (*end != NULL)
		end = &(*end)->next;
	*end = lookup;
	(void)snprintf(name, sizeof(name), TLSRPT_PREFIX "%s", item->domain);
	lookup->query = dns_lookup(
	    sender->dns, name, RR_TXT, on_record, lookup);
}

static void
give_up(struct lookup *lookup, const char *why)
{
	struct sender *sender = lookup->sender;

	dns_cancel(&lookup->query);
	sender_take_failure(sender, drop(lookup), why);
}

/* The oldest one, if it had its time. */
static bool
give_way(struct sender *sender)
{
	struct lookup *oldest = sender->lookups;

	if (clock_mono_ms() - oldest->began < TURN_MS)
		return false;
	give_up(oldest, "its lookup took longer than others could wait");
	return true;
}

static size_t
list_running(const struct sender *sender,
    const struct agenda_item *running[AGENDA_LOOKUPS_MAX])
{
	size_t n = 0;

	for (const struct lookup *l = sender->lookups; l != NULL; l = l->next)
		running[n++] = l->item;
	return n;
}

/* False: there is no room, and the item is on the agenda as it was. */
static bool
take_turn(struct sender *sender, struct agenda_item *item, int64_t now)
{
	const struct agenda_item *running[AGENDA_LOOKUPS_MAX];
	size_t n = list_running(sender, running);
	const char *unwanted = report_unwanted(sender->config, item->domain);

	if (unwanted != NULL) {
		sender_leave_out(sender, item, unwanted);
		return true;
	}
	if (!agenda_has_turn(item, running, n)) {
		item->due = now + ASIDE_S;
		agenda_add(&sender->agenda, item);
		return true;
	}
	if (n == AGENDA_LOOKUPS_MAX && !give_way(sender)) {
		agenda_add(&sender->agenda, item);
		return false;
	}
	begin(sender, item);
	return true;
}

void
lookups_begin(struct sender *sender, int64_t now)
{
	struct agenda_item *item;
	bool room = true;

	while (sender->lookups != NULL &&
	       clock_mono_ms() - sender->lookups->began >= LONGEST_MS)
		give_up(sender->lookups, "its lookup took too long");
	for (unsigned n = 0; room && n < LOOK_MAX; n++) {
		item = agenda_next(&sender->agenda, now);
		room = item != NULL && take_turn(sender, item, now);
	}
}

bool
lookups_have(const struct sender *sender, int64_t day, const char *domain)
{
	for (const struct lookup *l = sender->lookups; l != NULL; l = l->next)
		if (l->item->day == day && strcmp(l->item->domain, domain) == 0)
			return true;
	return false;
}

void
lookups_cancel(struct sender *sender)
{
	while (sender->lookups != NULL) {
		struct agenda_item *item;

		dns_cancel(&sender->lookups->query);
		item = drop(sender->lookups);
		agenda_item_free(&item);
	}
}
