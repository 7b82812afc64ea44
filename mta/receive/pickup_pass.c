/* What there is in the folder; see pickup.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/receive/pickup_file.h"

#define TEMPORARY_S 86400 /* a program has died over it */
#define COMPLAINTS  10    /* about what stays or is no mail, a pass */

bool
pickup_may_complain(struct receive *receive)
{
	return receive->complaints++ < COMPLAINTS;
}

void
pickup_reject(struct pickup *pickup, const char *name, const char *why)
{
	struct log_line line;
	struct stat st = {0};
	bool moved;

	(void)fstatat(pickup->folder, name, &st, AT_SYMLINK_NOFOLLOW);
	/* The folder of somebody else cannot be moved; an empty one can go. */
	moved = renameat(pickup->folder, name, pickup->bad, name) == 0 ||
	        unlinkat(pickup->folder, name, AT_REMOVEDIR) == 0;
	/* What may be mail is told one by one, and of the rest how many. */
	if ((!moved || !drop_is_name(name)) &&
	    !pickup_may_complain(pickup->receive)) {
		pickup->untold++;
		return;
	}
	log_begin(&line, LOG_LEVEL_WARN, "drop-refused");
	log_str(&line, "file", name);
	log_u64(&line, "uid", st.st_uid);
	log_str(&line, "moved", moved ? "yes" : "no");
	log_str(&line, "reason", why);
	log_end(&line);
}

static void
log_untold(struct pickup *pickup)
{
	struct log_line line;

	if (pickup->untold == 0)
		return;
	log_begin(&line, LOG_LEVEL_WARN, "drop-refused");
	log_str(&line, "file", "(several)");
	log_u64(&line, "more", pickup->untold);
	log_end(&line);
	pickup->untold = 0;
}

void
pickup_pass_end(struct pickup *pickup)
{
	if (pickup->pass != NULL)
		(void)closedir(pickup->pass);
	pickup->pass = NULL;
	log_untold(pickup);
}

void
pickup_pass_begin(struct pickup *pickup)
{
	int fd;

	pickup->again = pickup->pass != NULL;
	if (pickup->pass != NULL || pickup->draining || pickup->folder < 0)
		return;
	fd = openat(pickup->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pickup->pass = fd < 0 ? NULL : fdopendir(fd);
	pickup->receive->complaints = 0;
	if (pickup->pass != NULL)
		timer_start(pickup->step, 0);
	else
		pickup_log_trouble(
		    "drop-trouble", pickup->receive->config->drop, errno);
}

static bool
has_name(const struct pickup_file *file, const char *name)
{
	return strncmp(file->name, name, DROP_NAME_SIZE - 1) == 0;
}

static bool
is_with_us(const struct pickup *pickup, const char *name)
{
	for (size_t i = 0; i < TURNS_PLACES; i++)
		if (pickup->reading[i] != NULL &&
		    has_name(pickup->reading[i], name))
			return true;
	for (const struct pickup_file *f = pickup->storing; f != NULL;
	     f = f->next)
		if (has_name(f, name))
			return true;
	return turns_knows(&pickup->turns, name);
}

size_t
pickup_readers(const struct pickup *pickup, uid_t to[TURNS_PLACES])
{
	size_t n = 0;

	for (size_t i = 0; i < TURNS_PLACES; i++)
		if (pickup->reading[i] != NULL)
			to[n++] = pickup->reading[i]->uid;
	return n;
}

/* Who has many that are slow does not hold up what others hand in. */
static bool
has_turn(struct pickup *pickup, const char *name)
{
	uid_t uids[TURNS_PLACES];
	size_t n = pickup_readers(pickup, uids);
	struct stat st;

	if (n == 0 ||
	    fstatat(pickup->folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    turns_has(uids, n, st.st_uid))
		return true;
	turns_wait(&pickup->turns, name, st.st_uid);
	return false;
}

/* Its writer is long dead. */
static void
sweep(struct pickup *pickup, const char *name)
{
	struct stat st;

	if (fstatat(pickup->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    clock_wall() - st.st_mtime > TEMPORARY_S &&
	    unlinkat(pickup->folder, name, 0) < 0)
		pickup_reject(pickup, name, "left half written");
}

/* May it be a drop, that somebody has to look into now? */
static bool
is_next(struct pickup *pickup, const char *name)
{
	uint64_t now = loop_now(pickup->receive->role->loop);

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	if (drop_is_temporary(name))
		sweep(pickup, name);
	else if (!drop_is_name(name))
		pickup_reject(pickup, name, "not the name of a drop");
	else
		return !is_with_us(pickup, name) &&
		       !turns_is_put_off(&pickup->turns, name, now) &&
		       has_turn(pickup, name);
	return false;
}

/* Everybody may put any number of names there, and clients wait meanwhile. */
const char *
pickup_pass_next(struct pickup *pickup)
{
	uint64_t begun = clock_mono_ms();

	while (pickup->pass != NULL) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): ours alone */
		const struct dirent *entry = readdir(pickup->pass);

		if (entry == NULL)
			pickup_pass_end(pickup);
		else if (is_next(pickup, entry->d_name))
			return entry->d_name;
		else if (clock_mono_ms() != begun)
			return NULL;
	}
	if (pickup->again)
		pickup_pass_begin(pickup);
	return NULL;
}
