/* The seed of tickets from the supervisor to a role. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/wire.h"
#include "mta/net/tls_ticket.h"

#define SIZE (8 + TLS_TICKET_SECRET)

int
tls_ticket_seed_give(const struct tls_ticket_seed *seed)
{
	char bytes[SIZE];
	ssize_t n;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	wire_store_u64(bytes, seed->hour);
	memcpy(bytes + 8, seed->secret, TLS_TICKET_SECRET);
	n = send(fds[0], bytes, sizeof(bytes), MSG_NOSIGNAL);
	explicit_bzero(bytes, sizeof(bytes));
	(void)close(fds[0]);
	if (n == (ssize_t)sizeof(bytes))
		return fds[1];
	(void)close(fds[1]);
	return -1;
}

int
tls_ticket_seed_take(int fd, struct tls_ticket_seed *ret)
{
	char bytes[SIZE + 1];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)close(fd);
	if (n == SIZE) {
		ret->hour = wire_load_u64(bytes);
		memcpy(ret->secret, bytes + 8, TLS_TICKET_SECRET);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return n == SIZE ? 0 : -1;
}
