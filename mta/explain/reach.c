#include "mta/explain/reach.h"

#include <string.h>
#include <unistd.h>

#include "mta/net/conn.h"
#include "mta/net/loop.h"
#include "mta/smtp/client.h"

#define CHAIN_MAX (1u << 20)
#define HELO_MAX  256

struct reacher {
	struct loop *loop;
	struct conn *conn;
	struct client *client;
	struct tls_client *tls;
	const struct tls_demand *demand;
	struct reached *ret;
	struct err err;
	bool up;
};

static void reacher_run(struct reacher *reacher);

static void
give_up(struct reacher *reacher, const struct err *why)
{
	if (!reacher->up)
		reacher->err = *why;
	loop_stop(reacher->loop);
}

static void
on_greeted(struct reacher *reacher)
{
	struct err err;

	if ((client_offers(reacher->client) & OFFER_STARTTLS) != 0) {
		client_starttls(reacher->client);
		return;
	}
	(void)err_set(&err, ERR_TEMP, "4.7.4", "STARTTLS is not offered");
	give_up(reacher, &err);
}

static void
flush(struct reacher *reacher)
{
	struct span out = client_output(reacher->client);

	if (out.n == 0)
		return;
	conn_write(reacher->conn, out);
	client_sent(reacher->client, out.n);
}

/* One event; false when nothing more is to be done for now. */
static bool
reacher_step(struct reacher *reacher)
{
	switch (client_next(reacher->client)) {
	case CLIENT_GREETED:
		on_greeted(reacher);
		return true;
	case CLIENT_STARTTLS:
		flush(reacher);
		conn_tls_connect(reacher->conn, reacher->tls, reacher->demand);
		return false;
	case CLIENT_READY:
		client_quit(reacher->client);
		return true;
	case CLIENT_FAILED:
		give_up(reacher, client_error(reacher->client));
		return false;
	case CLIENT_CLOSED:
		loop_stop(reacher->loop);
		return false;
	case CLIENT_BODY:
	case CLIENT_DONE:
	case CLIENT_IDLE:
		break;
	}
	flush(reacher);
	return false;
}

static void
reacher_run(struct reacher *reacher)
{
	while (reacher_step(reacher))
		;
}

static void
on_up(void *arg)
{
	reacher_run(arg);
}

static void
on_tls(void *arg, const struct tls_facts *facts)
{
	struct reacher *reacher = arg;
	const struct tls *tls = conn_tls(reacher->conn);
	struct err err;

	reacher->ret->tls = *facts;
	if (!facts->up || tls_peer_chain_pem(tls, &reacher->ret->chain) < 0) {
		(void)err_set(&err, ERR_TEMP, "4.7.5", "TLS: %s",
		    facts->up ? "no certificate was shown" : facts->failure);
		give_up(reacher, &err);
		return;
	}
	reacher->up = true;
	client_tls_done(reacher->client);
	reacher_run(reacher);
}

static void
on_data(void *arg, struct span bytes)
{
	struct reacher *reacher = arg;

	client_feed(reacher->client, bytes);
	reacher_run(reacher);
}

static void
on_drained(void *arg)
{
	(void)arg;
}

static void
on_deadline(void *arg)
{
	struct reacher *reacher = arg;
	struct err err;

	(void)err_set(&err, ERR_TEMP, "4.4.2", "timeout waiting for %s",
	    client_wait_name(client_waiting(reacher->client)));
	give_up(reacher, &err);
}

static void
on_down(void *arg, const struct err *err)
{
	give_up(arg, err);
}

static const struct conn_ops ops = {
    .on_up = on_up,
    .on_tls = on_tls,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

int
reach(const struct net_address *to, struct tls_client *client,
    const struct tls_demand *demand, uint32_t timeout_ms, struct reached *ret,
    struct err *err)
{
	char name[HELO_MAX] = "";
	struct client_setup setup = {.helo = name};
	struct reacher reacher = {.tls = client, .demand = demand, .ret = ret};
	char text[NET_ADDRESS_TEXT];

	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
		memcpy(name, "localhost", sizeof("localhost"));
	buf_init(&ret->chain, CHAIN_MAX);
	reacher.loop = loop_new();
	reacher.client = client_new(&setup);
	reacher.conn = conn_connect(reacher.loop, to, NULL, &ops, &reacher);
	conn_deadline(reacher.conn, timeout_ms);
	loop_run(reacher.loop);
	conn_abort(&reacher.conn);
	client_free(&reacher.client);
	loop_free(&reacher.loop);
	if (reacher.up)
		return 0;
	*err = reacher.err;
	net_address_text(to, text);
	return err_wrap(err, text);
}
