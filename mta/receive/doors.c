/* The sockets we listen on, each by the listen block it belongs to. */
#include <sys/socket.h>

#include "mta/net/address.h"
#include "mta/receive/private.h"

static bool
is_in(const struct config_listen *listen, const struct net_address *address)
{
	struct net_address one;

	for (size_t i = 0; i < listen->naddresses; i++)
		if (net_address_ip(listen->addresses[i].ip,
			listen->addresses[i].port, &one) &&
		    net_address_eq(&one, address))
			return true;
	return false;
}

const char *
door_name(const struct config *config, int fd)
{
	struct sockaddr_storage own = {0};
	socklen_t n = sizeof(own);
	struct net_address address = {0};

	if (getsockname(fd, (struct sockaddr *)&own, &n) < 0)
		return "";
	net_address_from((const struct sockaddr *)&own, &address);
	for (size_t i = 0; i < config->nlistens; i++)
		if (is_in(&config->listens[i], &address))
			return config->listens[i].name;
	return "";
}
