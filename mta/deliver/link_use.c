/* What the owner of a link does with it; what the peer does is in link.c. */
#include <sys/socket.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/deliver/link_private.h"

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
	    .chunking = true,
	};

	link->deliver = deliver;
	link->setup = *setup;
	(void)text_copy(link->host, sizeof(link->host), setup->host);
	link->setup.host = link->host;
	(void)text_copy(link->key, sizeof(link->key), setup->key);
	link->setup.key = link->key;
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
	if (link->state == LINK_RESTING)
		link->state = LINK_READY;
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
link_send(struct link *link, struct job *job, const uint16_t *which, size_t n)
{
	/* Only where the answer matters is the body read for it. */
	bool matters = job->envelope->smtputf8 ||
	               (job->envelope->body == BODY_8BITMIME &&
			   (client_offers(link->client) & OFFER_8BITMIME) == 0);
	bool eight = matters && has_eight_bit(job);

	link->state = LINK_SENDING;
	link->job = job;
	link->answered = false;
	/* RFC 8689 2: only what the sender asked for, and where it may be. */
	client_say_requiretls(
	    link->client, job->envelope->tls_wish == TLS_WISH_REQUIRED &&
			      link->setup.plan.onward != ONWARD_NOT);
	client_send(link->client, job->envelope, which, n, job->size, eight);
	timer_start(link->later, 0);
}

void
link_rest(struct link *link)
{
	link->state = LINK_RESTING;
	link->since = loop_now(link->deliver->role->loop);
	link_set_deadline(link);
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

const struct tls_facts *
link_tls(const struct link *link)
{
	return &link->tls;
}

const char *
link_peer(const struct link *link)
{
	return client_peer(link->client);
}

const struct net_address *
link_local(const struct link *link)
{
	return &link->local;
}

bool
link_reused(const struct link *link)
{
	return link->uses > 1;
}

bool
link_alive(const struct link *link)
{
	return link->state == LINK_READY;
}

bool
link_unanswered(const struct link *link)
{
	return !link->answered;
}

bool
link_in_doubt(const struct link *link)
{
	return client_in_doubt(link->client);
}

/* RFC 9422 4.1: MAILMAX counts every MAIL of the session. */
bool
link_has_room(const struct link *link)
{
	const struct client_limits *peer = client_limits(link->client);
	uint32_t own = link->deliver->config->limits.messages_connection;

	return link->uses < own && peer->rcpt_domain_max == 0 &&
	       (peer->mail_max == 0 || link->uses < peer->mail_max);
}

const struct client_limits *
link_limits(const struct link *link)
{
	return client_limits(link->client);
}

void
link_close(struct link **linkp)
{
	struct link *link = *linkp;

	*linkp = NULL;
	if (link == NULL)
		return;
	if (link->state != LINK_READY && link->state != LINK_RESTING) {
		link_free(link);
		return;
	}
	link->state = LINK_QUITTING;
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
		link_flush(deliver->quitting);
		link_free(deliver->quitting);
	}
}
