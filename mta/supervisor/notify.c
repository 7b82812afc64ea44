#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "mta/supervisor/private.h"

void
notify_systemd(const char *state)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread asks */
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (path == NULL || !text_copy(to.sun_path, sizeof(to.sun_path), path))
		return;
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	(void)close(fd);
}

void
notify_launcher(int *fd, const char *words)
{
	if (*fd < 0)
		return;
	(void)dprintf(*fd, "%s\n", words);
	(void)close(*fd);
	*fd = -1;
}
