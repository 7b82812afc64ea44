/*
 * The seed of session tickets: made as the daemon starts, moved on as time
 * goes, told to each receive role as it starts.  It outlives a reload and
 * nothing else, and is never on disk.  See mta/net/tls_ticket.h.
 */
#pragma once
#include <stdbool.h>

#include "mta/net/tls_ticket.h"

struct child;
struct supervisor;
struct timer;

struct tickets {
	bool there; /* without it no role gives any */
	struct tls_ticket_seed seed;
	struct timer *timer;
};

void tickets_start(struct supervisor *sup);
/* Wipes. */
void tickets_end(struct supervisor *sup);
/* Say it to a receive role that starts, if it is to give tickets. */
void tickets_tell(struct child *child);
