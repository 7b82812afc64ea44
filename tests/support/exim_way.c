/*
 * LD_PRELOAD for Exim out of its package, which is not installed:
 *
 *     DANELAW_DNS=5353 LD_PRELOAD=.../libexim_way.so exim4 ...
 *
 * The account that it is built to run as is whoever runs it, and names come
 * from a name server at that port of 127.0.0.1.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The name that res_init() has in a library. */
int __res_init(void);

static char theirs[] = "Debian-exim";

struct passwd *
getpwnam(const char *name)
{
	struct passwd *found = getpwuid(getuid());

	if (found == NULL || strcmp(name, found->pw_name) == 0)
		return found;
	if (strcmp(name, theirs) != 0)
		return NULL;
	found->pw_name = theirs;
	return found;
}

struct group *
getgrnam(const char *name)
{
	struct group *found = getgrgid(getgid());

	if (found == NULL || strcmp(name, found->gr_name) == 0)
		return found;
	if (strcmp(name, theirs) != 0)
		return NULL;
	found->gr_name = theirs;
	return found;
}

static uint16_t
port_of(const char *digits)
{
	uint16_t port = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		port = (uint16_t)(10 * port + (*digits - '0'));
	return port;
}

int
__res_init(void)
{
	int (*init)(void) = NULL;
	void *found = dlsym(RTLD_NEXT, "__res_init");
	const char *words = getenv("DANELAW_DNS");

	if (found == NULL)
		return -1;
	memcpy(&init, &found, sizeof(init));
	if (init() != 0)
		return -1;
	if (words == NULL)
		return 0;
	_res.nscount = 1;
	_res.nsaddr_list[0] = (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_port = htons(port_of(words)),
	    .sin_addr = {htonl(INADDR_LOOPBACK)},
	};
	return 0;
}
