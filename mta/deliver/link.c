/*
 * One outbound connection and its SMTP or LMTP client.
 *
 *   OPENING > GREETING > [STARTTLS > SHAKING > GREETING] > READY
 *           > SENDING > READY > ... > IDLE > QUITTING
 *
 * Everything the peer sends goes through link_run(); the owner is called
 * from the loop only.
 */
#include <sys/socket.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/deliver/private.h"
#include "mta/net/conn.h"
#include "mta/net/tls.h"

#define BODY_CHUNK  (32u << 10)
#define OUTPUT_HIGH (256u << 10)

enum link_state {
	LINK_OPENING = 0,
	LINK_GREETING,
	LINK_SHAKING,
	LINK_READY,
	LINK_SENDING,
	LINK_FAILED,
	LINK_QUITTING, /* nobody's any more */
};

struct link {
	struct link *next; /* of those that are QUITTING */
	struct link **at;
	struct deliver *deliver;
	struct link_setup setup;
	char host[256];
	struct net_address from;
	struct conn *conn;
	struct client *client;
	enum link_state state;
	bool resting;
	bool feeding;  /* a body waits for the peer to take more */
	bool asked;    /* STARTTLS has been said */
	bool done;     /* every recipient has its reply */
	bool answered; /* the peer has said something since link_send() */
	uint32_t uses;
	struct job *job;     /* being sent */
	struct timer *later; /* an event that came inside a call */
	const struct link_ops *ops;
	void *owner;
	struct tls_seen seen;
	struct tls_facts tls;
};

static void link_run(struct link *link);

static void
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
static void
set_deadline(struct link *link)
{
	const struct config_timeouts *t = &link->deliver->config->timeouts;
	uint32_t ms = t->end;

	switch (client_waiting(link->client)) {
	case CLIENT_WAIT_NONE:
		ms = link->resting ? t->idle : t->mail;
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
	conn_deadline(link->conn, ms);
}

static void
flush(struct link *link)
{
	struct span out = client_output(link->client);

	if (out.n == 0 || link->conn == NULL)
		return;
	conn_write(link->conn, out);
	client_sent(link->client, out.n);
}

static void
link_fail(struct link *link, const struct err *err)
{
	struct err copy = *err;

	link->state = LINK_FAILED;
	conn_deadline(link->conn, 0);
	link->ops->on_failed(link->owner, &copy);
}

/* RFC 7435 3: STARTTLS whenever it is offered. */
static void
on_greeted(struct link *link)
{
	bool offered = (client_offers(link->client) & OFFER_STARTTLS) != 0;

	if (offered && !link->setup.plain && !link->setup.lmtp &&
	    !link->asked) {
		link->asked = true;
		client_starttls(link->client);
		return;
	}
	if (link->asked)
		link->seen.got = TLS_GOT_REFUSED;
	else if (!link->setup.plain)
		link->seen.got = TLS_GOT_NO_OFFER;
	client_proceed(link->client);
}

/* RFC 6066 3: an address is no server name. */
static const char *
server_name(const struct link *link)
{
	struct net_address address;

	return net_address_ip(link->host, 0, &address) ? "" : link->host;
}

static void
on_starttls(struct link *link)
{
	flush(link);
	link->state = LINK_SHAKING;
	conn_tls_connect(link->conn, link->deliver->tls, server_name(link));
	conn_deadline(link->conn, link->deliver->config->timeouts.tls);
}

/* The one place that lets mail onto a connection. */
static bool
may_send(const struct link *link)
{
	switch (policy_judge(&link->setup.plan, &link->seen)) {
	case VERDICT_DELIVER:
		return true;
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
		(void)err_set(&err, ERR_TEMP, "4.7.5",
		    "%s: not as secure as required (%s)", link->host,
		    link->setup.plan.why);
		link_fail(link, &err);
		return;
	}
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
	if (link->state == LINK_READY && link->resting)
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
	flush(link);
	set_deadline(link);
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
		flush(link);
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
	flush(link);
	set_deadline(link);
	return false;
}

static void
link_run(struct link *link)
{
	while (link_step(link))
		;
}

static void
on_up(void *arg)
{
	struct link *link = arg;

	link->state = LINK_GREETING;
	link_run(link);
}

static void
on_tls(void *arg, const struct tls_facts *facts)
{
	struct link *link = arg;
	struct err err;

	link->tls = *facts;
	if (!facts->up) {
		link->seen = (struct tls_seen){
		    TLS_GOT_BROKEN, "validation-failure"};
		(void)err_set(&err, ERR_TEMP, "4.7.5", "TLS with %s: %s",
		    link->host, facts->failure);
		link_fail(link, &err);
		return;
	}
	link->seen.got = TLS_GOT_ENCRYPTED;
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
			link->seen.got = TLS_GOT_BROKEN;
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

	if (link->resting) {
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

static const struct conn_ops link_conn_ops = {
    .on_up = on_up,
    .on_tls = on_tls,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

static void
on_later(void *arg)
{
	link_run(arg);
}

/* The address to deliver from, of the peer's family. */
static const struct net_address *
find_source(struct link *link)
{
	const struct config *config = link->deliver->config;
	const char *source = link->setup.to.family == AF_INET6
	                         ? config->source6
	                         : config->source4;

	if (link->setup.to.family == AF_UNIX || source == NULL ||
	    !net_address_ip(source, 0, &link->from))
		return NULL;
	return &link->from;
}

struct link *
link_open(
    const struct link_setup *setup, const struct link_ops *ops, void *owner)
{
	struct link *link = mem_new(sizeof(*link));
	struct deliver *deliver = setup->deliver;
	struct client_setup client = {
	    .helo = deliver->config->hostname,
	    .lmtp = setup->lmtp,
	};

	link->deliver = deliver;
	link->setup = *setup;
	(void)text_copy(link->host, sizeof(link->host), setup->host);
	link->setup.host = link->host;
	link->seen = setup->seen;
	link->ops = ops;
	link->owner = owner;
	link->client = client_new(&client);
	link->later = timer_new(deliver->role->loop, on_later, link);
	link->conn = conn_connect(deliver->role->loop, &setup->to,
	    find_source(link), &link_conn_ops, link);
	conn_deadline(link->conn, deliver->config->timeouts.connect);
	return link;
}

void
link_adopt(struct link *link, const struct link_ops *ops, void *owner)
{
	link->ops = ops;
	link->owner = owner;
	link->resting = false;
}

static bool
has_eight_bit(struct job *job)
{
	char chunk[BODY_CHUNK];
	size_t n = 0;
	bool found = false;
	struct err err;

	while (!found &&
	       message_read(job->in, chunk, sizeof(chunk), &n, &err) == 0 &&
	       n > 0)
		found = !text_is_ascii((struct span){chunk, n});
	message_rewind(job->in);
	return found;
}

void
link_send(struct link *link, struct job *job)
{
	/* Only where the answer matters is the body read for it. */
	bool eight = job->envelope->body == BODY_8BITMIME &&
	             (client_offers(link->client) & OFFER_8BITMIME) == 0 &&
	             has_eight_bit(job);

	link->state = LINK_SENDING;
	link->job = job;
	link->answered = false;
	client_send(link->client, job->envelope, job->rcpts, job->nrcpts,
	    job->size, eight);
	timer_start(link->later, 0);
}

void
link_rest(struct link *link)
{
	link->resting = true;
	set_deadline(link);
}

const struct client_result *
link_result(const struct link *link, size_t i)
{
	return client_result(link->client, i);
}

unsigned
link_offers(const struct link *link)
{
	return client_offers(link->client);
}

const struct tls_seen *
link_seen(const struct link *link)
{
	return &link->seen;
}

bool
link_reused(const struct link *link)
{
	return link->uses > 0;
}

bool
link_alive(const struct link *link)
{
	return link->state == LINK_READY;
}

bool
link_unanswered(const struct link *link)
{
	return !link->answered && !client_in_doubt(link->client);
}

uint32_t
link_uses(const struct link *link)
{
	return link->uses;
}

void
link_way(const struct link *link, struct way *way)
{
	way->host = link->host;
	net_address_text(&link->setup.to, way->address);
	way->tls = link->tls.up ? link->tls.version : "none";
	way->cipher = link->tls.up ? link->tls.cipher : "-";
	way->need = tls_need_name(link->setup.plan.need);
	way->by = tls_source_name(link->setup.plan.source);
}

void
link_close(struct link **linkp)
{
	struct link *link = *linkp;

	*linkp = NULL;
	if (link == NULL)
		return;
	if (link->state != LINK_READY) {
		link_free(link);
		return;
	}
	link->state = LINK_QUITTING;
	link->resting = false;
	timer_stop(link->later);
	client_quit(link->client);
	timer_start(link->later, 0);
	link->at = &link->deliver->quitting;
	link->next = *link->at;
	if (link->next != NULL)
		link->next->at = &link->next;
	*link->at = link;
}

void
links_end(struct deliver *deliver)
{
	while (deliver->quitting != NULL) {
		flush(deliver->quitting);
		link_free(deliver->quitting);
	}
}
