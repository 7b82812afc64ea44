/* See landlock.h. */
#include "mta/sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* What the header of Debian 12 does not have; the numbers are the kernel's. */
#define FS_TRUNCATE   (UINT64_C(1) << 14) /* version 3 */
#define FS_IOCTL_DEV  (UINT64_C(1) << 15) /* version 5 */
#define NET_BIND_TCP  (UINT64_C(1) << 0)  /* version 4 */
#define NET_CONN_TCP  (UINT64_C(1) << 1)
#define SCOPE_SOCKET  (UINT64_C(1) << 0) /* version 6 */
#define SCOPE_SIGNAL  (UINT64_C(1) << 1)
#define RULE_NET_PORT 2

/* The first that lets a file go from one folder to another. */
#define VERSION_LEAST 2
#define VERSION_KNOWN 6 /* what later ones can refuse, we do not know */

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct port_rule {
	uint64_t access;
	uint64_t port;
};

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES                                                       \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE |               \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* To move such a thing elsewhere is to make it there; calls that make one are
 * on nobody's list. */
#define ODDITIES                                                         \
	(LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |   \
	    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	    LANDLOCK_ACCESS_FS_MAKE_SOCK)

static const uint64_t uses[] = {
    [GRANT_READ] = READS,
    [GRANT_WRITE] = READS | WRITES,
    [GRANT_GROW] = READS | WRITES | LANDLOCK_ACCESS_FS_MAKE_DIR,
    [GRANT_TAKE] = READS | WRITES | ODDITIES,
    [GRANT_LOCK] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
    [GRANT_RUN] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE,
};

/* What counts for a file; for more the kernel would refuse the rule. */
#define OF_FILES                                                      \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

/* --- the calls ------------------------------------------------------------ */

/* 0: the kernel has none, or it is off. */
static uint32_t
version_of_kernel(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return version < VERSION_LEAST ? 0 : (uint32_t)version;
}

/* Everything, as far as a kernel of this version knows it. */
static struct ruleset
all_of(uint32_t version, bool any_port)
{
	struct ruleset all = {.fs = LANDLOCK_ACCESS_FS_REFER * 2 - 1};

	if (version >= 3)
		all.fs |= FS_TRUNCATE;
	if (version >= 4)
		all.net = any_port ? NET_BIND_TCP : NET_BIND_TCP | NET_CONN_TCP;
	if (version >= 5)
		all.fs |= FS_IOCTL_DEV;
	if (version >= 6)
		all.scoped = SCOPE_SOCKET | SCOPE_SIGNAL;
	return all;
}

/* Old kernels take a shorter structure, and ours when the rest is zero. */
static int
make_ruleset(const struct ruleset *all)
{
	return (int)syscall(SYS_landlock_create_ruleset, all, sizeof(*all), 0);
}

static int
add_path(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {
	    .allowed_access = access, .parent_fd = fd};

	return (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int
add_port(int ruleset, uint16_t port, uint64_t access)
{
	struct port_rule rule = {access, port};

	return (int)syscall(
	    SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0);
}

/* --- rules ---------------------------------------------------------------- */

static void
say_missing(const char *path)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARN, "sandbox-missing");
	log_str(&line, "path", path);
	log_str(&line, "reason", strerrordesc_np(errno));
	log_end(&line);
}

static void
make_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
}

/* What has gone meanwhile is refused, and whoever needs it will say so. */
static int
add_grant(int ruleset, const struct grant *grant, uint64_t handled)
{
	struct stat st;
	uint64_t access = uses[grant->use] & handled;
	int fd, rc;

	if (grant->use == GRANT_LOCK)
		make_lock(grant->path);
	fd = open(grant->path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		say_missing(grant->path);
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		access &= OF_FILES;
	rc = add_path(ruleset, fd, access);
	(void)close(fd);
	return rc;
}

/* Port 0: the kernel chooses one, for a connection that goes out. */
static int
add_ports(int ruleset, const struct grants *grants, uint64_t handled)
{
	bool connects = grants->any_port || grants->nports > 0;

	if ((handled & NET_BIND_TCP) != 0 && connects &&
	    add_port(ruleset, 0, NET_BIND_TCP) < 0)
		return -1;
	if ((handled & NET_CONN_TCP) == 0)
		return 0;
	for (size_t i = 0; i < grants->nports; i++)
		if (add_port(ruleset, grants->ports[i], NET_CONN_TCP) < 0)
			return -1;
	return 0;
}

static int
enter(int ruleset, const struct grants *grants, const struct ruleset *all)
{
	for (size_t i = 0; i < grants->n; i++)
		if (add_grant(ruleset, &grants->list[i], all->fs) < 0)
			return -1;
	if (add_ports(ruleset, grants, all->net) < 0)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

enum sandbox_done
landlock_enter(const struct grants *grants, uint32_t *ret_version)
{
	uint32_t version = version_of_kernel();
	struct ruleset all = all_of(version, grants->any_port);
	int ruleset, rc;

	if (version == 0)
		return SANDBOX_ABSENT;
	ruleset = make_ruleset(&all);
	if (ruleset < 0)
		return SANDBOX_FAILED;
	rc = enter(ruleset, grants, &all);
	(void)close(ruleset);
	if (rc < 0)
		return SANDBOX_FAILED;
	*ret_version = version < VERSION_KNOWN ? version : VERSION_KNOWN;
	return SANDBOX_DONE;
}
