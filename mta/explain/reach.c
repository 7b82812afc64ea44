#include "mta/explain/reach.h"

#include <string.h>
#include <unistd.h>

#include "mta/explain/visit.h"
#include "mta/net/loop.h"

#define CHAIN_MAX (1u << 20)
#define HELO_MAX  256
#define SLOW_MS   3000

struct reacher {
	struct loop *loop;
	struct visit *visit;
	struct reached *ret;
	char address[NET_ADDRESS_TEXT];
	reach_slow *slow;
	struct err err; /* why there is nothing to show, if so */
};

static void
on_slow(void *arg)
{
	struct reacher *reacher = arg;

	reacher->slow(reacher->address);
}

static const char *
shortfall(const struct visit_seen *seen)
{
	if (seen->problem[0] != '\0')
		return seen->problem;
	return seen->seen.got == TLS_GOT_NO_OFFER ? "STARTTLS is not offered"
	                                          : "no certificate was shown";
}

static void
on_visited(const struct visit_seen *seen, void *arg)
{
	struct reacher *reacher = arg;

	reacher->ret->tls = seen->tls;
	if (!seen->tls.up || tls_peer_chain_pem(visit_tls(reacher->visit),
				 &reacher->ret->chain) < 0)
		(void)err_set(
		    &reacher->err, ERR_TEMP, "4.7.5", "%s", shortfall(seen));
	loop_stop(reacher->loop);
}

int
reach(const struct net_address *to, struct tls_client *client,
    const struct tls_demand *demand, uint32_t timeout_ms, reach_slow *slow,
    struct reached *ret, struct err *err)
{
	char name[HELO_MAX] = "";
	struct reacher reacher = {.loop = loop_new(), .ret = ret, .slow = slow};
	struct timer *timer = timer_new(reacher.loop, on_slow, &reacher);
	struct visit_setup setup = {
	    .loop = reacher.loop,
	    .to = to,
	    .helo = name,
	    .tls = client,
	    .demand = demand,
	    .connect_ms = timeout_ms,
	    .talk_ms = timeout_ms,
	    .tls_ms = timeout_ms,
	};

	/* There need be no configuration that would name this host. */
	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
		memcpy(name, "localhost", sizeof("localhost"));
	net_address_text(to, reacher.address);
	buf_init(&ret->chain, CHAIN_MAX);
	timer_start(timer, SLOW_MS);
	reacher.visit = visit_new(&setup, on_visited, &reacher);
	loop_run(reacher.loop);
	visit_free(&reacher.visit);
	timer_free(&timer);
	loop_free(&reacher.loop);
	if (reacher.err.kind == ERR_NONE)
		return 0;
	*err = reacher.err;
	return err_wrap(err, reacher.address);
}
