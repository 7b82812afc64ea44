#include "mta/explain/visit.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/net/conn.h"
#include "mta/net/loop.h"
#include "mta/smtp/client.h"

struct visit {
	struct visit_setup setup;
	struct conn *conn;
	struct client *client;
	bool up;    /* somebody is there */
	bool asked; /* STARTTLS has been said */
	struct visit_seen seen;
	visit_done *done; /* NULL: called */
	void *arg;
};

static void
visit_end(struct visit *visit)
{
	visit_done *done = visit->done;

	visit->done = NULL;
	conn_deadline(visit->conn, 0);
	if (done != NULL)
		done(&visit->seen, visit->arg);
}

/* RFC 3207 4: STARTTLS was said, and no TLS has come of it. */
static void
visit_fail(struct visit *visit, const char *why)
{
	struct visit_seen *seen = &visit->seen;

	if (visit->asked && seen->seen.got == TLS_GOT_NOTHING)
		seen->seen = tls_seen_without(TLS_GOT_BROKEN);
	if (seen->problem[0] == '\0')
		(void)text_copy(seen->problem, sizeof(seen->problem), why);
	visit_end(visit);
}

static void
visit_flush(struct visit *visit)
{
	struct span out = client_output(visit->client);

	if (out.n == 0)
		return;
	conn_write(visit->conn, out);
	client_sent(visit->client, out.n);
}

static void
on_greeted(struct visit *visit)
{
	struct tls_seen *seen = &visit->seen.seen;

	if (visit->asked && seen->got == TLS_GOT_NOTHING) {
		*seen = tls_seen_without(TLS_GOT_REFUSED);
		(void)text_copy(visit->seen.problem,
		    sizeof(visit->seen.problem),
		    client_error(visit->client)->text);
	} else if (visit->setup.demand == NULL) {
		*seen = tls_seen_without(TLS_GOT_NOT_ASKED);
	} else if ((client_offers(visit->client) & OFFER_STARTTLS) != 0) {
		visit->asked = true;
		client_starttls(visit->client);
		return;
	} else {
		*seen = tls_seen_without(TLS_GOT_NO_OFFER);
	}
	client_proceed(visit->client);
}

/* One event; false when nothing more is to be done for now. */
static bool
visit_step(struct visit *visit)
{
	switch (client_next(visit->client)) {
	case CLIENT_GREETED:
		on_greeted(visit);
		return true;
	case CLIENT_STARTTLS:
		visit_flush(visit);
		conn_tls_connect(
		    visit->conn, visit->setup.tls, visit->setup.demand);
		conn_deadline(visit->conn, visit->setup.tls_ms);
		return false;
	case CLIENT_READY:
		visit->seen.ready = true;
		visit->seen.offers = client_offers(visit->client);
		client_quit(visit->client);
		return true;
	case CLIENT_CLOSED:
		visit_end(visit);
		return false;
	case CLIENT_FAILED:
		visit_fail(visit, client_error(visit->client)->text);
		return false;
	case CLIENT_BODY:
	case CLIENT_DONE:
	case CLIENT_IDLE:
		break;
	}
	visit_flush(visit);
	return false;
}

/* After the callback nothing is left to see, and the visit may be gone. */
static void
visit_run(struct visit *visit)
{
	while (visit_step(visit))
		;
}

static void
on_up(void *arg)
{
	struct visit *visit = arg;

	visit->up = true;
	conn_deadline(visit->conn, visit->setup.talk_ms);
	visit_run(visit);
}

static void
on_data(void *arg, struct span bytes)
{
	struct visit *visit = arg;

	if (visit->done == NULL)
		return;
	client_feed(visit->client, bytes);
	visit_run(visit);
}

static void
on_tls(void *arg, const struct tls_facts *facts)
{
	struct visit *visit = arg;

	visit->seen.tls = *facts;
	visit->seen.seen = tls_seen_of(visit->setup.plan, facts);
	if (!facts->up) {
		visit_fail(visit, facts->failure);
		return;
	}
	conn_deadline(visit->conn, visit->setup.talk_ms);
	client_tls_done(visit->client);
	visit_run(visit);
}

static void
on_drained(void *arg)
{
	(void)arg;
}

/* All has been seen; not every server waits to answer QUIT, or does. */
static void
visit_cut(struct visit *visit, const char *why)
{
	if (client_waiting(visit->client) == CLIENT_WAIT_QUIT)
		visit_end(visit);
	else
		visit_fail(visit, why);
}

/* Not all that is waited for is an answer. */
static const char *
waited_for(const struct visit *visit)
{
	enum client_wait wait = client_waiting(visit->client);

	if (!visit->up)
		return "connection";
	if (wait == CLIENT_WAIT_NONE)
		return "TLS handshake";
	return client_wait_name(wait);
}

static void
on_deadline(void *arg)
{
	struct visit *visit = arg;
	char why[128];

	(void)snprintf(
	    why, sizeof(why), "timeout waiting for %s", waited_for(visit));
	visit_cut(visit, why);
}

static void
on_down(void *arg, const struct err *err)
{
	visit_cut(arg, err->text);
}

static const struct conn_ops ops = {
    .on_up = on_up,
    .on_tls = on_tls,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

struct visit *
visit_new(const struct visit_setup *setup, visit_done *done, void *arg)
{
	struct client_setup client = {.helo = setup->helo};
	struct visit *visit = mem_new(sizeof(*visit));

	visit->setup = *setup;
	visit->done = done;
	visit->arg = arg;
	visit->client = client_new(&client);
	visit->conn = conn_connect(
	    setup->loop, setup->to, setup->from, &ops, visit);
	conn_deadline(visit->conn, setup->connect_ms);
	return visit;
}

const struct tls *
visit_tls(const struct visit *visit)
{
	return conn_tls(visit->conn);
}

void
visit_free(struct visit **visitp)
{
	struct visit *visit = *visitp;

	*visitp = NULL;
	if (visit == NULL)
		return;
	conn_abort(&visit->conn);
	client_free(&visit->client);
	mem_free(visit);
}
