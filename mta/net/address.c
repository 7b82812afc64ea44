#include "mta/net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "dnssec/rdata.h"

bool
net_address_ip(const char *ip, uint16_t port, struct net_address *ret)
{
	struct net_address a = {.port = port};

	if (inet_pton(AF_INET, ip, a.ip) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, ip, a.ip) == 1)
		a.family = AF_INET6;
	else
		return false;
	*ret = a;
	return true;
}

bool
net_address_unix(const char *path, struct net_address *ret)
{
	struct net_address a = {.family = AF_UNIX};

	if (path[0] == '\0' || !text_copy(a.path, sizeof(a.path), path))
		return false;
	*ret = a;
	return true;
}

void
net_address_of(
    const struct host_address *host, uint16_t port, struct net_address *ret)
{
	*ret = (struct net_address){.port = port};
	ret->family = host->family == ADDRESS_IP6 ? AF_INET6 : AF_INET;
	memcpy(ret->ip, host->bytes, sizeof(ret->ip));
}

void
net_address_from(const struct sockaddr *from, struct net_address *ret)
{
	*ret = (struct net_address){.family = from->sa_family};
	if (from->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, from, sizeof(in));
		memcpy(ret->ip, &in.sin_addr, 4);
		ret->port = ntohs(in.sin_port);
	} else if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, from, sizeof(in6));
		memcpy(ret->ip, &in6.sin6_addr, 16);
		ret->port = ntohs(in6.sin6_port);
	}
}

unsigned
net_address_to(const struct net_address *address, struct sockaddr_storage *to)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memset(to, 0, sizeof(*to));
	if (address->family == AF_INET) {
		in.sin_port = htons(address->port);
		memcpy(&in.sin_addr, address->ip, 4);
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	if (address->family == AF_INET6) {
		in6.sin6_port = htons(address->port);
		memcpy(&in6.sin6_addr, address->ip, 16);
		memcpy(to, &in6, sizeof(in6));
		return sizeof(in6);
	}
	(void)text_copy(un.sun_path, sizeof(un.sun_path), address->path);
	memcpy(to, &un, sizeof(un));
	return sizeof(un);
}

void
net_address_host(const struct net_address *address, char to[NET_ADDRESS_TEXT])
{
	struct in6_addr in6;

	if (address->family == AF_UNIX) {
		(void)text_copy(to, NET_ADDRESS_TEXT, address->path);
		return;
	}
	memcpy(&in6, address->ip, sizeof(in6));
	if (address->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6)) {
		(void)inet_ntop(
		    AF_INET, address->ip + 12, to, NET_ADDRESS_TEXT);
		return;
	}
	if (inet_ntop(address->family, address->ip, to, NET_ADDRESS_TEXT) ==
	    NULL)
		(void)text_copy(to, NET_ADDRESS_TEXT, "unknown");
}

void
net_address_text(const struct net_address *address, char to[NET_ADDRESS_TEXT])
{
	char host[NET_ADDRESS_TEXT];
	bool brackets;

	net_address_host(address, host);
	if (address->family == AF_UNIX) {
		(void)text_copy(to, NET_ADDRESS_TEXT, host);
		return;
	}
	brackets = strchr(host, ':') != NULL;
	(void)snprintf(to, NET_ADDRESS_TEXT, "%s%.110s%s:%u",
	    brackets ? "[" : "", host, brackets ? "]" : "",
	    (unsigned)address->port);
}

bool
net_address_eq(const struct net_address *a, const struct net_address *b)
{
	return a->family == b->family && a->port == b->port &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 &&
	       strcmp(a->path, b->path) == 0;
}

static int
listen_error(const struct net_address *address, int fd, struct err *err)
{
	char text[NET_ADDRESS_TEXT];
	int saved = errno;

	net_address_text(address, text);
	if (fd >= 0)
		(void)close(fd);
	return err_set(err, ERR_PERM, "4.3.5", "cannot listen on %s: %s", text,
	    strerrordesc_np(saved));
}

int
net_listen(const struct net_address *address, int backlog, struct err *err)
{
	struct sockaddr_storage to;
	unsigned n = net_address_to(address, &to);
	int on = 1;
	int fd = socket(
	    address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return listen_error(address, fd, err);
	if (address->family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&to, n) < 0 || listen(fd, backlog) < 0)
		return listen_error(address, fd, err);
	return fd;
}
