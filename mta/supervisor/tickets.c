#include "mta/supervisor/tickets.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/net/channel.h"
#include "mta/supervisor/private.h"

#define LOOK_MS 600000

static void
wipe(struct tickets *tickets)
{
	explicit_bzero(&tickets->seed, sizeof(tickets->seed));
	tickets->there = false;
}

static void
advance(struct supervisor *sup)
{
	struct tickets *tickets = &sup->tickets;

	if (tickets->there &&
	    tls_ticket_seed_advance(&tickets->seed, clock_mono_ms() / 1000,
		sup->current->config->tls_server.ticket_lifetime) < 0)
		wipe(tickets);
}

static void
on_time(void *arg)
{
	struct supervisor *sup = arg;

	advance(sup);
	timer_start(sup->tickets.timer, LOOK_MS);
}

void
tickets_start(struct supervisor *sup)
{
	struct tickets *tickets = &sup->tickets;

	tickets->there = tls_ticket_seed_new(
			     &tickets->seed, clock_mono_ms() / 1000) == 0;
	if (!tickets->there)
		log_event(LOG_LEVEL_ERROR, "no-tickets", "no randomness");
	tickets->timer = timer_new(sup->loop, on_time, sup);
	timer_start(tickets->timer, LOOK_MS);
}

void
tickets_end(struct supervisor *sup)
{
	timer_free(&sup->tickets.timer);
	wipe(&sup->tickets);
}

void
tickets_tell(struct child *child)
{
	const struct tickets *tickets = &child->supervisor->tickets;
	int fd;

	if (!child->generation->config->tls_server.tickets)
		return;
	advance(child->supervisor);
	fd = tickets->there ? tls_ticket_seed_give(&tickets->seed) : -1;
	if (fd >= 0)
		channel_send_fd(
		    child->channel, IPC_TICKETS, (struct span){NULL, 0}, fd);
}
