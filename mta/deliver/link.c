/*
 * One outbound connection and its SMTP or LMTP client.
 *
 *   OPENING > GREETING > [STARTTLS > SHAKING > GREETING] > READY
 *           > SENDING > READY > ... > IDLE > QUITTING
 *
 * Everything the peer sends goes through link_run(); the owner is called
 * from the loop only.
 */
#include "base/mem.h"
#include "base/text.h"
#include "mta/deliver/link_private.h"

#define OUTPUT_HIGH (256u << 10)
#define WAITS_MAX   10 /* times the time for one thing */

void
link_free(struct link *link)
{
	if (link->at != NULL) {
		*link->at = link->next;
		if (link->next != NULL)
			link->next->at = link->at;
	}
	conn_close(&link->conn);
	client_free(&link->client);
	timer_free(&link->later);
	mem_free(link);
}

/* The deadline belongs to what we wait for (RFC 5321 4.5.3.2). */
static uint32_t
time_for(const struct link *link)
{
	const struct config_timeouts *t = &link->deliver->config->timeouts;
	uint32_t ms = 0;

	switch (link->wait) {
	case CLIENT_WAIT_NONE:
		ms = link->state == LINK_RESTING ? t->idle : t->mail;
		break;
	case CLIENT_WAIT_GREETING:
		ms = t->greeting;
		break;
	case CLIENT_WAIT_HELLO:
		ms = t->hello;
		break;
	case CLIENT_WAIT_STARTTLS:
		ms = t->starttls;
		break;
	case CLIENT_WAIT_MAIL:
		ms = t->mail;
		break;
	case CLIENT_WAIT_RCPT:
		ms = t->rcpt;
		break;
	case CLIENT_WAIT_DATA:
		ms = t->data;
		break;
	case CLIENT_WAIT_BLOCK:
		ms = t->block;
		break;
	case CLIENT_WAIT_END:
		ms = t->end;
		break;
	case CLIENT_WAIT_QUIT:
		ms = t->quit;
		break;
	}
	return ms;
}

/*
 * It begins anew with whatever the peer says, but not for ever: one that says
 * its replies octet by octet would hold our place for weeks.
 */
void
link_set_deadline(struct link *link)
{
	enum client_wait wait = client_waiting(link->client);
	uint64_t now = loop_now(link->deliver->role->loop), most;
	uint32_t ms;

	if (wait != link->wait)
		link->since = now;
	link->wait = wait;
	ms = time_for(link);
	most = link->since + (uint64_t)WAITS_MAX * ms;
	if (ms > 0 && now + ms > most)
		ms = most > now ? (uint32_t)(most - now) : 1;
	conn_deadline(link->conn, ms);
}

void
link_flush(struct link *link)
{
	struct span out = client_output(link->client);

	if (out.n == 0 || link->conn == NULL)
		return;
	conn_write(link->conn, out);
	client_sent(link->client, out.n);
	link->since = loop_now(link->deliver->role->loop);
}

static void
link_fail(struct link *link, const struct err *err)
{
	struct err copy = *err;

	link->state = LINK_FAILED;
	conn_deadline(link->conn, 0);
	link->ops->on_failed(link->owner, &copy);
}

/* RFC 8689 4.2.1: what is up and falls short is given up with QUIT. */
static void
turn_away(struct link *link, const struct err *err)
{
	link->state = LINK_READY;
	conn_deadline(link->conn, 0);
	link->ops->on_failed(link->owner, err);
}

static void
on_greeted(struct link *link)
{
	link_choose_tls(link);
	if (link->asked && link->seen.got == TLS_GOT_NOTHING)
		client_starttls(link->client);
	else
		client_proceed(link->client);
}

static void
on_starttls(struct link *link)
{
	link_flush(link);
	link->state = LINK_SHAKING;
	link_demand(link);
	conn_deadline(link->conn, link->deliver->config->timeouts.tls);
}

/*
 * The one place that lets mail onto a new connection.  One that has rested
 * was let through here for a plan of the same key, see destination.c.
 */
static bool
may_send(const struct link *link)
{
	switch (policy_judge(&link->setup.plan, &link->seen)) {
	case VERDICT_DELIVER:
		return link_keeps_promise(link);
	case VERDICT_CLEAR:
		return link->setup.plain;
	case VERDICT_NEXT_HOST:
		break;
	}
	return false;
}

static void
on_greeting_done(struct link *link)
{
	struct err err;

	if (!may_send(link)) {
		link_say_insecure(link, &err);
		turn_away(link, &err);
		return;
	}
	link_forget(link);
	link->state = LINK_READY;
	link->ops->on_ready(link->owner);
}

static void
on_sent(struct link *link, bool alive)
{
	link->state = alive ? LINK_READY : LINK_FAILED;
	link->done = false;
	link->job = NULL;
	link->uses++;
	conn_deadline(link->conn, 0);
	link->ops->on_done(link->owner, alive);
}

static void
on_client_ready(struct link *link)
{
	if (link->state == LINK_GREETING)
		on_greeting_done(link);
	else if (link->state == LINK_SENDING && link->done)
		on_sent(link, true);
}

static void
on_client_failed(struct link *link)
{
	/* RFC 3207 4: 220 was not followed by TLS, or never came. */
	if (link->asked && link->seen.got == TLS_GOT_NOTHING)
		link_see_broken(link, client_error(link->client));
	if (link->state == LINK_RESTING)
		link->ops->on_idle_end(link->owner);
	else if (link->state == LINK_SENDING && link->done)
		on_sent(link, false);
	else if (link->state != LINK_FAILED)
		link_fail(link, client_error(link->client));
}

/* The checksum is good before the last byte goes out: see reader.h. */
static void
feed_chunk(struct link *link)
{
	char chunk[BODY_CHUNK];
	size_t n = 0;
	struct err err;

	if (message_read(link->job->in, chunk, sizeof(chunk), &n, &err) < 0)
		client_broken(link->client, &err);
	else
		client_body(link->client, (struct span){chunk, n}, n == 0);
}

/* False when the peer must take something first. */
static bool
feed_body(struct link *link)
{
	link->feeding = conn_backlog(link->conn) >= OUTPUT_HIGH;
	if (!link->feeding)
		feed_chunk(link);
	/* What is small goes out in one piece, with its end. */
	if (client_output(link->client).n >= BODY_CHUNK)
		link_flush(link);
	link_set_deadline(link);
	return !link->feeding;
}

/* One event; false when nothing more is to be done for now. */
static bool
link_step(struct link *link)
{
	switch (client_next(link->client)) {
	case CLIENT_GREETED:
		on_greeted(link);
		return true;
	case CLIENT_STARTTLS:
		on_starttls(link);
		return false;
	case CLIENT_READY:
		link_flush(link);
		on_client_ready(link);
		return false;
	case CLIENT_BODY:
		return feed_body(link);
	case CLIENT_DONE:
		link->done = true; /* READY or FAILED follows */
		return true;
	case CLIENT_FAILED:
	case CLIENT_CLOSED:
		if (link->state == LINK_QUITTING)
			link_free(link);
		else
			on_client_failed(link);
		return false;
	case CLIENT_IDLE:
		break;
	}
	link_flush(link);
	link_set_deadline(link);
	return false;
}

void
link_run(struct link *link)
{
	while (link_step(link))
		;
}

static void
on_up(void *arg)
{
	struct link *link = arg;

	link->local = *conn_local(link->conn);
	link->state = LINK_GREETING;
	link_run(link);
}

static void
on_tls(void *arg, const struct tls_facts *facts)
{
	struct link *link = arg;
	struct err err;

	link_see(link, facts);
	if (!facts->up) {
		link_say_broken(link, facts->failure, &err);
		link_fail(link, &err);
		return;
	}
	link->state = LINK_GREETING;
	client_tls_done(link->client);
	link_run(link);
}

static void
on_data(void *arg, struct span bytes)
{
	struct link *link = arg;

	link->answered = true;
	client_feed(link->client, bytes);
	link_run(link);
}

static void
on_drained(void *arg)
{
	struct link *link = arg;

	if (link->state == LINK_SENDING && link->feeding)
		link_run(link);
}

static void
link_broken(struct link *link, const struct err *err)
{
	if (link->state == LINK_QUITTING) {
		link_free(link);
		return;
	}
	if (link->state == LINK_OPENING || link->state == LINK_SHAKING) {
		if (link->state == LINK_SHAKING)
			link_see_broken(link, err);
		link_fail(link, err);
		return;
	}
	client_broken(link->client, err);
	link_run(link);
}

static void
on_deadline(void *arg)
{
	struct link *link = arg;
	const char *what = link->state == LINK_OPENING ? "connection"
	                   : link->state == LINK_SHAKING
	                       ? "TLS handshake"
	                       : client_wait_name(client_waiting(link->client));
	struct err err;

	if (link->state == LINK_RESTING) {
		link->ops->on_idle_end(link->owner);
		return;
	}
	(void)err_set(&err, ERR_TEMP, "4.4.2", "%s: timeout waiting for %s",
	    link->host, what);
	link_broken(link, &err);
}

static void
on_down(void *arg, const struct err *err)
{
	struct link *link = arg;
	struct err named = *err;

	(void)err_wrap(&named, link->host);
	link_broken(link, &named);
}

const struct conn_ops link_conn_ops = {
    .on_up = on_up,
    .on_tls = on_tls,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_deadline,
    .on_down = on_down,
};
