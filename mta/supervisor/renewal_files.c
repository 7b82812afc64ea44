/* See renewal_files.h. */
#include "mta/supervisor/renewal_files.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/supervisor/private.h"
#include "mta/supervisor/renewal.h"

#define LOOK_MS     60000
#define EVENTS_SIZE 4096
#define EVENTS                                                      \
	(IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | \
	    IN_DELETE | IN_ATTRIB)

/* What tells a file from itself after a change; zero: it is not there. */
struct mark {
	uint64_t device, inode;
	int64_t size, seconds, nanoseconds;
};

struct renewal_files {
	struct supervisor *supervisor;
	const char **paths; /* of the configuration */
	struct mark *seen;  /* of each, when it was last looked at */
	size_t n;
	int notify; /* -1: the kernel does not tell */
	struct watch *watch;
	struct timer *look;   /* each minute */
	struct timer *settle; /* since the last change */
};

/* --- what they are -------------------------------------------------------- */

static struct mark
mark_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct mark){0};
	return (struct mark){st.st_dev, st.st_ino, st.st_size,
	    st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
}

static bool
is_same(const struct mark *a, const struct mark *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && a->seconds == b->seconds &&
	       a->nanoseconds == b->nanoseconds;
}

/* Has one changed since the last time? */
static bool
have_changed(struct renewal_files *files)
{
	bool changed = false;

	for (size_t i = 0; i < files->n; i++) {
		struct mark now = mark_of(files->paths[i]);

		changed = changed || !is_same(&now, &files->seen[i]);
		files->seen[i] = now;
	}
	return changed;
}

/* --- where they are ------------------------------------------------------- */

static void
watch_folder(const struct renewal_files *files, const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	if (!text_copy(folder, sizeof(folder), path))
		return;
	slash = strrchr(folder, '/');
	if (slash == NULL)
		(void)text_copy(folder, sizeof(folder), ".");
	else
		slash[slash == folder ? 1 : 0] = '\0';
	(void)inotify_add_watch(files->notify, folder, EVENTS);
}

/* Links lead elsewhere from time to time: each folder once more is none. */
static void
watch_folders(const struct renewal_files *files)
{
	char real[PATH_MAX];

	for (size_t i = 0; files->notify >= 0 && i < files->n; i++) {
		watch_folder(files, files->paths[i]);
		if (realpath(files->paths[i], real) != NULL)
			watch_folder(files, real);
	}
}

/* --- when they have changed ----------------------------------------------- */

static void
wait_until_settled(struct renewal_files *files)
{
	timer_start(files->settle,
	    files->supervisor->current->config->renewal.settle_ms);
}

static void
on_settle(void *arg)
{
	struct renewal_files *files = arg;

	if (have_changed(files))
		wait_until_settled(files);
	else
		renewal_look(files->supervisor);
}

static void
look(struct renewal_files *files)
{
	watch_folders(files);
	if (have_changed(files))
		wait_until_settled(files);
}

static void
on_look(void *arg)
{
	struct renewal_files *files = arg;

	look(files);
	timer_start(files->look, LOOK_MS);
}

/* Which file it was is of no matter. */
static void
on_notify(void *arg)
{
	struct renewal_files *files = arg;
	char events[EVENTS_SIZE]
	    __attribute__((aligned(sizeof(struct inotify_event))));

	while (read(files->notify, events, sizeof(events)) > 0)
		;
	look(files);
}

/* --- life ----------------------------------------------------------------- */

static void
gather_paths(struct renewal_files *files)
{
	const struct config *config = files->supervisor->current->config;

	files->paths = mem_array(
	    3 * config->ncertificates + 1, sizeof(files->paths[0]));
	for (size_t i = 0; i < config->ncertificates; i++) {
		const struct config_certificate *cert = &config
		                                             ->certificates[i];

		files->paths[files->n++] = cert->chain;
		files->paths[files->n++] = cert->key;
		if (cert->root != NULL)
			files->paths[files->n++] = cert->root;
	}
	files->seen = mem_array(files->n + 1, sizeof(files->seen[0]));
}

/* They may have changed since they were read: so nothing has been seen yet. */
struct renewal_files *
renewal_files_new(struct supervisor *sup)
{
	struct renewal_files *files = mem_new(sizeof(*files));

	files->supervisor = sup;
	gather_paths(files);
	files->look = timer_new(sup->loop, on_look, files);
	files->settle = timer_new(sup->loop, on_settle, files);
	files->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (files->notify >= 0)
		files->watch = watch_new(
		    sup->loop, files->notify, on_notify, files);
	on_look(files);
	return files;
}

void
renewal_files_free(struct renewal_files **filesp)
{
	struct renewal_files *files = *filesp;

	*filesp = NULL;
	if (files == NULL)
		return;
	watch_free(&files->watch);
	if (files->notify >= 0)
		(void)close(files->notify);
	timer_free(&files->look);
	timer_free(&files->settle);
	mem_free(files->paths);
	mem_free(files->seen);
	mem_free(files);
}
