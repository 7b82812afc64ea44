/* See tickets.h. */
#include "mta/receive/tickets.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "mta/net/tls_ticket.h"
#include "mta/receive/private.h"

#define LOOK_MS 600000

struct receive_tickets {
	struct tls_tickets *tls;
	struct timer *timer;
};

/* Old keys go also when nobody comes. */
static void
on_time(void *arg)
{
	struct receive_tickets *tickets = arg;

	tls_tickets_expire(tickets->tls);
	timer_start(tickets->timer, LOOK_MS);
}

struct receive_tickets *
receive_tickets_new(const struct receive *receive)
{
	const struct config_tls_server *config = &receive->config->tls_server;
	struct receive_tickets *tickets;

	if (!config->tickets)
		return NULL;
	tickets = mem_new(sizeof(*tickets));
	tickets->tls = tls_tickets_new(config->ticket_lifetime, NULL);
	tickets->timer = timer_new(receive->role->loop, on_time, tickets);
	timer_start(tickets->timer, LOOK_MS);
	return tickets;
}

void
receive_tickets_free(struct receive_tickets **ticketsp)
{
	struct receive_tickets *tickets = *ticketsp;

	*ticketsp = NULL;
	if (tickets == NULL)
		return;
	timer_free(&tickets->timer);
	tls_tickets_free(&tickets->tls);
	mem_free(tickets);
}

struct tls_tickets *
receive_tickets_tls(const struct receive_tickets *tickets)
{
	return tickets == NULL ? NULL : tickets->tls;
}

void
receive_tickets_seed(struct receive_tickets *tickets, int fd)
{
	struct tls_ticket_seed seed = {0};

	if (tickets == NULL) {
		(void)close(fd);
		return;
	}
	if (tls_ticket_seed_take(fd, &seed) == 0)
		tls_tickets_seed(tickets->tls, &seed);
	else
		log_event(
		    LOG_LEVEL_ERROR, "no-tickets", "what came is no seed");
	explicit_bzero(&seed, sizeof(seed));
}
