/* The ports we listen on, and the folders roles may write to. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/drop.h"
#include "mta/net/address.h"
#include "mta/role.h"
#include "mta/supervisor/private.h"
#include "queue/spool.h"

#define BACKLOG 1024
#define TRIES   20

static struct listening *
find_listening(struct supervisor *sup, const char *text)
{
	for (struct listening *l = sup->listening; l != NULL; l = l->next)
		if (strcmp(l->text, text) == 0)
			return l;
	return NULL;
}

static int
open_one(struct supervisor *sup, const struct config_address *address,
    enum role_kind kind, struct err *err)
{
	static const struct timespec pause = {.tv_nsec = 100000000};
	struct listening *l = find_listening(sup, address->text);
	struct net_address to;
	int fd;

	if (l != NULL) {
		l->wanted = true;
		l->kind = kind;
		return 0;
	}
	if (!net_address_ip(address->ip, address->port, &to))
		return err_set(
		    err, ERR_BUG, "4.3.5", "%s is no address", address->text);
	fd = net_listen(&to, BACKLOG, err);
	/* Roles of a supervisor that was killed let go within moments. */
	for (int i = 0; fd < 0 && sup->current == NULL && i < TRIES; i++) {
		(void)nanosleep(&pause, NULL);
		fd = net_listen(&to, BACKLOG, err);
	}
	if (fd < 0)
		return -1;
	l = mem_new(sizeof(*l));
	(void)text_copy(l->text, sizeof(l->text), address->text);
	l->fd = fd;
	l->wanted = true;
	l->kind = kind;
	l->next = sup->listening;
	sup->listening = l;
	return 0;
}

static int
open_all(struct supervisor *sup, const struct config_listen *listen,
    enum role_kind kind, struct err *err)
{
	for (size_t i = 0; i < listen->naddresses; i++)
		if (open_one(sup, &listen->addresses[i], kind, err) < 0)
			return -1;
	return 0;
}

int
sockets_open(
    struct supervisor *sup, const struct config *config, struct err *err)
{
	size_t n = config->admin.naddresses;

	for (struct listening *l = sup->listening; l != NULL; l = l->next)
		l->wanted = false;
	for (size_t i = 0; i < config->nlistens; i++)
		n += config->listens[i].naddresses;
	if (n > ROLE_LISTEN_MAX)
		return err_set(err, ERR_PERM, "4.3.5",
		    "%s: %zu addresses to listen on, the most is %d",
		    config->file, n, ROLE_LISTEN_MAX);
	for (size_t i = 0; i < config->nlistens; i++)
		if (open_all(sup, &config->listens[i], ROLE_RECEIVE, err) < 0)
			return -1;
	return open_all(sup, &config->admin, ROLE_WEB, err);
}

void
sockets_trim(struct supervisor *sup)
{
	struct listening **at = &sup->listening;

	while (*at != NULL) {
		struct listening *l = *at;

		if (l->wanted) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		(void)close(l->fd);
		mem_free(l);
	}
}

void
sockets_close(struct supervisor *sup)
{
	for (struct listening *l = sup->listening; l != NULL; l = l->next)
		l->wanted = false;
	sockets_trim(sup);
}

/* Only ever a folder: whose name it stands in, may be a role's to change. */
static int
give(const struct generation *generation, const char *path, struct err *err)
{
	int fd, rc = -1;

	if (generation->account.uid == 0)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		rc = fchown(
		    fd, generation->account.uid, generation->account.gid);
	if (rc < 0)
		(void)err_set(err, ERR_PERM, "4.3.5",
		    "%s: cannot be given to \"%s\": %s", path,
		    generation->config->user, strerrordesc_np(errno));
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* 1, 0, or -1 with errno. */
static int
has_mode(int fd, mode_t mode)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -1 : (st.st_mode & 07777) == mode;
}

/*
 * The kernel drops the bit for the group, silently, from who has neither that
 * group nor CAP_FSETID; users' mail would then not be the roles' to read.  So
 * what is right already is not touched.
 */
static int
set_mode(int fd, mode_t mode, const char *path, struct err *err)
{
	int done = has_mode(fd, mode);

	if (done == 0)
		done = fchmod(fd, mode) < 0 ? -1 : has_mode(fd, mode);
	if (done > 0)
		return 0;
	if (done < 0)
		return err_set(err, ERR_PERM, "4.3.5", "%s: %s", path,
		    strerrordesc_np(errno));
	return err_set(err, ERR_PERM, "4.3.5",
	    "%s: mode %04o cannot be set; is CAP_FSETID missing?", path,
	    (unsigned)mode);
}

/* Through a descriptor: a role must not lead root astray with a link. */
static int
make_folder(const struct generation *generation, const char *path, mode_t mode,
    struct err *err)
{
	int fd, rc = -1;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_PERM, "4.3.5", "%s: %s", path,
		    strerrordesc_np(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		rc = generation->account.uid == 0
		         ? 0
		         : fchown(fd, generation->account.uid,
			       generation->account.gid);
	if (rc < 0)
		(void)err_set(err, ERR_PERM, "4.3.5", "%s: %s", path,
		    strerrordesc_np(errno));
	else
		rc = set_mode(fd, mode, path, err);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* Where sendmail(1) puts mail, and where goes what was none. */
static int
make_drop(const struct generation *generation, struct err *err)
{
	char bad[SPOOL_FILE_MAX];
	const char *drop = generation->config->drop;
	int n = snprintf(bad, sizeof(bad), "%s-bad", drop);

	if (n < 0 || (size_t)n >= sizeof(bad))
		return err_set(err, ERR_PERM, "4.3.5", "%s: too long", drop);
	if (make_folder(generation, drop, DROP_MODE, err) < 0)
		return -1;
	return make_folder(generation, bad, 0700, err);
}

/* Local programs must get to the drop folder, and see nothing on the way. */
static int
make_root(const char *path, struct err *err)
{
	if (mkdir(path, 0700) == 0)
		(void)chmod(path, 0711);
	else if (errno != EEXIST)
		return err_set(err, ERR_PERM, "4.3.5", "%s: %s", path,
		    strerrordesc_np(errno));
	return 0;
}

/* Files of another account could not be written: say so at once. */
static int
check_owner(const struct generation *generation, struct err *err)
{
	const struct config *config = generation->config;
	uid_t wanted = generation->account.uid == 0 ? geteuid()
	                                            : generation->account.uid;
	char path[SPOOL_FILE_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/journal", config->spool);
	if (lstat(path, &st) < 0 || st.st_uid == wanted)
		return 0;
	return err_set(err, ERR_PERM, "4.3.5",
	    "%s belongs to account %u, not to the one the roles run as; if no "
	    "other program uses it: chown -R %s %s",
	    path, (unsigned)st.st_uid,
	    config->user == NULL ? "ACCOUNT" : config->user, config->spool);
}

/* The folders above the spool, as far as they are missing. */
static void
make_parents(const char *path)
{
	char part[SPOOL_PATH_MAX];

	for (size_t n = 1; path[n] != '\0' && n < sizeof(part); n++) {
		if (path[n] != '/')
			continue;
		memcpy(part, path, n);
		part[n] = '\0';
		(void)mkdir(part, 0755); /* making the spool will tell */
	}
}

int
spool_make(const struct generation *generation, struct err *err)
{
	static const char *const folders[] = {
	    "segment", "large", "journal", "history"};
	const struct config *config = generation->config;
	struct spool spool = {0};
	char path[SPOOL_FILE_MAX];

	if (!text_copy(spool.path, sizeof(spool.path), config->spool))
		return err_set(
		    err, ERR_PERM, "4.3.5", "%s: too long", config->spool);
	spool_defaults(&spool);
	make_parents(spool.path);
	if (check_owner(generation, err) < 0 ||
	    make_root(spool.path, err) < 0 || spool_prepare(&spool, err) < 0 ||
	    give(generation, spool.path, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", spool.path, folders[i]);
		if (give(generation, path, err) < 0)
			return -1;
	}
	if (make_folder(generation, config->state, 0700, err) < 0)
		return -1;
	return make_drop(generation, err);
}

bool
socket_is_alive(const struct net_address *address)
{
	struct sockaddr_storage to;
	unsigned n = net_address_to(address, &to);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = fd >= 0 &&
	             connect(fd, (const struct sockaddr *)&to, n) == 0;

	if (fd >= 0)
		(void)close(fd);
	return alive;
}
