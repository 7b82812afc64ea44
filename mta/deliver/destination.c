/*
 * What jobs with one target share: connections that wait for more mail.
 *
 * A link was opened under one plan.  As long as every plan for a target is
 * the same the target's key is enough to find it again.  A destination lives
 * while a delivery holds it or a link rests in it.
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

struct link *
destination_take(struct destination *destination)
{
	struct resting *resting = destination->resting;
	struct link *link;

	if (resting == NULL)
		return NULL;
	destination->resting = resting->next;
	link = resting->link;
	mem_free(resting);
	return link;
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
	while ((link = destination_take(destination)) != NULL)
		link_close(&link);
	destination_release(destination);
}
