/*
 * What jobs with one target share: connections that wait for more mail.
 *
 * A link was opened under one decision.  While the facts of that hold (RFC
 * 6698 8.2: for as long as the records may be kept) more mail may follow on
 * it without looking anything up; later, when a new decision for the same
 * address asks for the same.  A destination lives while a delivery holds it
 * or a link rests in it.
 */
#include <search.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/deliver/link.h"
#include "mta/deliver/private.h"

struct resting {
	struct resting *next;
	struct destination *destination;
	struct link *link;
};

struct destination {
	char key[TARGET_TEXT_MAX]; /* first: compared by it */
	struct deliver *deliver;
	uint32_t held;
	struct resting *resting; /* the one used last is first */
};

int
destination_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct destination *
destination_get(struct deliver *deliver, const char *key)
{
	struct destination **found = tfind(
	    key, &deliver->destinations, destination_compare);
	struct destination *destination;

	if (found != NULL)
		return *found;
	destination = mem_new(sizeof(*destination));
	(void)text_copy(destination->key, sizeof(destination->key), key);
	destination->deliver = deliver;
	(void)tsearch(destination, &deliver->destinations, destination_compare);
	return destination;
}

static void
destination_check(struct destination *destination)
{
	if (destination->held > 0 || destination->resting != NULL)
		return;
	(void)tdelete(destination, &destination->deliver->destinations,
	    destination_compare);
	mem_free(destination);
}

void
destination_hold(struct destination *destination)
{
	destination->held++;
}

void
destination_release(struct destination *destination)
{
	destination->held--;
	destination_check(destination);
}

static struct link *
take_at(struct resting **at)
{
	struct resting *resting = *at;
	struct link *link = resting->link;

	*at = resting->next;
	mem_free(resting);
	return link;
}

struct link *
destination_take(struct destination *destination, uint64_t now)
{
	struct resting **at = &destination->resting;

	while (*at != NULL && !link_is_fresh((*at)->link, now))
		at = &(*at)->next;
	return *at == NULL ? NULL : take_at(at);
}

struct link *
destination_take_like(struct destination *destination,
    const struct net_address *to, const char *key, unsigned offers)
{
	struct resting **at = &destination->resting;

	while (
	    *at != NULL && (!link_is_like((*at)->link, to, key) ||
			       (link_offers((*at)->link) & offers) != offers))
		at = &(*at)->next;
	return *at == NULL ? NULL : take_at(at);
}

static void
on_idle_end(void *owner)
{
	struct resting *resting = owner;
	struct destination *destination = resting->destination;
	struct resting **at = &destination->resting;

	while (*at != resting)
		at = &(*at)->next;
	*at = resting->next;
	link_close(&resting->link);
	mem_free(resting);
	destination_check(destination);
}

static const struct link_ops resting_ops = {.on_idle_end = on_idle_end};

void
destination_keep(struct destination *destination, struct link *link)
{
	struct resting *resting = mem_new(sizeof(*resting));

	resting->destination = destination;
	resting->link = link;
	resting->next = destination->resting;
	destination->resting = resting;
	link_adopt(link, &resting_ops, resting);
	link_rest(link);
}

void
destination_close_idle(struct destination *destination)
{
	struct link *link;

	destination->held++;
	while (destination->resting != NULL) {
		link = take_at(&destination->resting);
		link_close(&link);
	}
	destination_release(destination);
}
