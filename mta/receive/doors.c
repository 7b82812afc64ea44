/*
 * Where connections come in: listening sockets, and proxies in front of them.
 *
 *   accepted > from a proxy? > its header, within bounds > the session
 *           \> else                                       > the session
 */
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/net/conn.h"
#include "mta/net/loop.h"
#include "mta/receive/guard.h"
#include "mta/receive/private.h"
#include "mta/receive/proxy.h"

#define HEADER_MS   10000u /* for the whole of it */
#define READ_MAX    65536u /* octets that a connection gives at once */
#define PROXIED_MAX 10000u /* whose header is still to come */

struct door {
	struct receive *receive;
	struct listener *listener;
	const struct config_networks *proxy; /* NULL: none */
};

struct proxied { /* a connection whose header is still to come */
	struct proxied *next;
	struct proxied **at;
	struct doors *doors;
	struct conn *conn;
	struct buf in;
	char proxy[NET_ADDRESS_TEXT];
};

struct doors {
	struct receive *receive;
	struct door *doors;
	size_t ndoors;
	struct proxied *proxied;
	size_t nproxied;
};

static void
proxied_free(struct proxied *proxied)
{
	*proxied->at = proxied->next;
	if (proxied->next != NULL)
		proxied->next->at = proxied->at;
	proxied->doors->nproxied--;
	conn_close(&proxied->conn);
	buf_free(&proxied->in);
	mem_free(proxied);
}

static void
log_proxied(const struct proxied *proxied, enum log_level level,
    const char *event, const char *key, const char *value)
{
	struct log_line line;

	log_begin(&line, level, event);
	if (level != LOG_LEVEL_DEBUG)
		log_str(&line, "kind", refusal_name(REFUSAL_PROXY));
	log_str(&line, "proxy", proxied->proxy);
	log_str(&line, key, value);
	log_end(&line);
}

/* 4: whoever has the wrong header has none that could be answered. */
static void
refuse(struct proxied *proxied, const char *why)
{
	guard_count(proxied->doors->receive->guard, REFUSAL_PROXY);
	log_proxied(proxied, LOG_LEVEL_WARN, "refused", "reason", why);
	proxied_free(proxied);
}

static void
admit(struct proxied *proxied, const struct proxy_header *header, bool local)
{
	struct receive *receive = proxied->doors->receive;
	struct span rest = span_from(buf_span(&proxied->in), header->length);
	struct conn *conn = proxied->conn;
	struct net_address told = {0};
	char client[NET_ADDRESS_TEXT];

	/* An IPv4-mapped address is told as IPv4, as of a socket. */
	if (!local && net_address_ip(header->client, 0, &told))
		net_address_host(&told, client);
	else
		net_address_host(conn_peer(conn), client);
	log_proxied(proxied, LOG_LEVEL_DEBUG, "proxied", "client", client);
	proxied->conn = NULL;
	inbound_start(receive, conn, client, rest);
	proxied_free(proxied);
}

static void
on_data(void *arg, struct span bytes)
{
	struct proxied *proxied = arg;
	struct proxy_header header = {0};

	if (buf_add(&proxied->in, bytes) < 0) {
		refuse(proxied, "the PROXY header is too long");
		return;
	}
	switch (proxy_read(buf_span(&proxied->in), &header)) {
	case PROXY_BAD:
		refuse(proxied, "no PROXY header that we know");
		return;
	case PROXY_MORE:
		return;
	case PROXY_CLIENT:
		admit(proxied, &header, false);
		return;
	case PROXY_LOCAL:
		admit(proxied, &header, true);
		return;
	}
}

static void
on_deadline(void *arg)
{
	refuse(arg, "the PROXY header took too long");
}

static void
on_down(void *arg, const struct err *err)
{
	(void)err; /* a proxy looks whether we are there */
	proxied_free(arg);
}

static const struct conn_ops proxied_ops = {
    .on_data = on_data, .on_deadline = on_deadline, .on_down = on_down};

static void
proxied_start(struct doors *doors, struct conn *conn, const char *proxy)
{
	struct proxied *proxied;

	if (doors->nproxied >= PROXIED_MAX) {
		conn_close(&conn);
		return;
	}
	proxied = mem_new(sizeof(*proxied));
	proxied->doors = doors;
	proxied->conn = conn;
	buf_init(&proxied->in, PROXY_MAX + READ_MAX);
	(void)text_copy(proxied->proxy, sizeof(proxied->proxy), proxy);
	proxied->next = doors->proxied;
	proxied->at = &doors->proxied;
	if (proxied->next != NULL)
		proxied->next->at = &proxied->next;
	doors->proxied = proxied;
	doors->nproxied++;
	conn_adopt(conn, &proxied_ops, proxied);
	conn_deadline(conn, HEADER_MS);
}

static void
on_accept(void *owner, struct conn *conn)
{
	struct door *door = owner;
	char client[NET_ADDRESS_TEXT];

	net_address_host(conn_peer(conn), client);
	if (door->proxy != NULL && config_in_networks(door->proxy, client))
		proxied_start(door->receive->doors, conn, client);
	else
		inbound_start(door->receive, conn, client, (struct span){0});
}

static bool
is_address(const struct config_address *address, const struct net_address *at)
{
	struct net_address written;

	return net_address_ip(address->ip, address->port, &written) &&
	       net_address_eq(&written, at);
}

static bool
has_address(const struct config_listen *listen, const struct net_address *at)
{
	for (size_t i = 0; i < listen->naddresses; i++)
		if (is_address(&listen->addresses[i], at))
			return true;
	return false;
}

/* The supervisor hands sockets over without names; they know their own. */
static const struct config_listen *
listen_of(const struct config *config, int fd)
{
	struct sockaddr_storage own = {0};
	socklen_t n = sizeof(own);
	struct net_address at = {0};

	if (getsockname(fd, (struct sockaddr *)&own, &n) < 0)
		return NULL;
	net_address_from((const struct sockaddr *)&own, &at);
	for (size_t i = 0; i < config->nlistens; i++)
		if (has_address(&config->listens[i], &at))
			return &config->listens[i];
	return NULL;
}

static void
open_door(struct door *door, struct receive *receive, int fd)
{
	const struct config_listen *listen = listen_of(receive->config, fd);

	door->receive = receive;
	door->proxy = listen == NULL ? NULL : &listen->proxy;
	door->listener = listener_new(receive->role->loop, fd, on_accept, door);
	listener_name(door->listener, listen == NULL ? "" : listen->name);
}

struct doors *
doors_open(struct receive *receive)
{
	const struct role *role = receive->role;
	struct doors *doors = mem_new(sizeof(*doors));

	doors->receive = receive;
	doors->doors = mem_array(role->nfds, sizeof(doors->doors[0]));
	doors->ndoors = role->nfds;
	for (size_t i = 0; i < role->nfds; i++)
		open_door(&doors->doors[i], receive, role->fds[i]);
	return doors;
}

void
doors_shut(struct doors *doors)
{
	for (size_t i = 0; i < doors->ndoors; i++)
		listener_close(&doors->doors[i].listener);
	while (doors->proxied != NULL)
		proxied_free(doors->proxied);
}

void
doors_free(struct doors **doorsp)
{
	struct doors *doors = *doorsp;

	*doorsp = NULL;
	if (doors == NULL)
		return;
	doors_shut(doors);
	mem_free(doors->doors);
	mem_free(doors);
}
