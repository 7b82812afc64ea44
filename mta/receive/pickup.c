/* See pickup.h. */
#include "mta/receive/pickup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/net/loop.h"
#include "mta/receive/pickup_file.h"
#include "mta/receive/turns.h"

#define FILES_MAX    64    /* that wait for the disk */
#define LOOK_MS      60000 /* without being told */
#define LOCK_MS      1000  /* until the generation before us lets go */
#define TROUBLE_MS   5000  /* no room: look again */
#define NOTIFY_BYTES 4096

static loop_fn on_look;

struct receive *
pickup_receive(const struct pickup *pickup)
{
	return pickup->receive;
}

int
pickup_folder(const struct pickup *pickup)
{
	return pickup->folder;
}

void
pickup_log_trouble(const char *event, const char *path, int number)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_ERROR, event);
	log_str(&line, "file", path);
	log_str(&line, "reason", strerrordesc_np(number));
	log_end(&line);
}

/* --- A few files at a time --------------------------------------------- */

/* It is looked at again, and does not hold up the others. */
static void
put_off(struct pickup *pickup, const struct pickup_file *file)
{
	turns_put_off(&pickup->turns, file->name,
	    loop_now(pickup->receive->role->loop), clock_wall() - file->since);
	timer_start(pickup->look, TURNS_PUT_OFF_MS);
}

static void
store(struct pickup *pickup, struct pickup_file *file)
{
	file->next = pickup->storing;
	pickup->storing = file;
	pickup->nstoring++;
}

static bool
is_waiting(const struct pickup_file *file)
{
	return file->asking != NULL || file->filter.waits;
}

/* Where the next step is taken: that of a file which waits for nobody, or the
 * first of another one, so that who is slow with one holds up few. */
static struct pickup_file **
next_slot(struct pickup *pickup)
{
	struct pickup_file **empty = NULL;
	uid_t uids[TURNS_PLACES];
	size_t n = pickup_readers(pickup, uids);

	for (size_t i = 0; i < TURNS_PLACES; i++) {
		struct pickup_file **slot = &pickup->reading[i];

		if (*slot == NULL)
			empty = slot;
		else if (!is_waiting(*slot))
			return slot;
	}
	return pickup->pass != NULL || turns_waits(&pickup->turns, uids, n)
	           ? empty
	           : NULL;
}

/* A file that was taken in and is still there would be so again after a crash:
 * one is enough. */
static bool
may_step(const struct pickup *pickup)
{
	return !pickup->draining && pickup->nstuck == 0 &&
	       pickup->nstoring < FILES_MAX;
}

static void
next_step(struct pickup *pickup)
{
	if (may_step(pickup) && next_slot(pickup) != NULL)
		timer_start(pickup->step, 0);
}

static void
settle(
    struct pickup *pickup, struct pickup_file **slot, enum pickup_state state)
{
	struct pickup_file *file = *slot;

	if (state == PICKUP_READING || state == PICKUP_ASKING)
		return;
	*slot = NULL;
	if (state == PICKUP_STORING) {
		store(pickup, file);
		return;
	}
	if (state == PICKUP_PUT_OFF)
		put_off(pickup, file);
	pickup_file_free(&file);
	if (state != PICKUP_LATER)
		return;
	pickup_pass_end(pickup);
	turns_forget(&pickup->turns);
	pickup->again = false;
	timer_start(pickup->look, TROUBLE_MS);
}

static void
begin_next(struct pickup *pickup, struct pickup_file **slot)
{
	char waits[TURNS_NAME_SIZE];
	uid_t uids[TURNS_PLACES];
	size_t n = pickup_readers(pickup, uids);
	const char *name = waits;
	bool look;

	if (!turns_next(&pickup->turns, uids, n, waits, &look))
		name = pickup_pass_next(pickup);
	if (look)
		pickup_pass_begin(pickup);
	if (name != NULL)
		settle(pickup, slot, pickup_file_begin(pickup, name, slot));
}

static void
on_step(void *arg)
{
	struct pickup *pickup = arg;
	struct pickup_file **slot = next_slot(pickup);

	if (slot == NULL || !may_step(pickup))
		return;
	if (*slot != NULL)
		settle(pickup, slot, pickup_file_step(*slot));
	else
		begin_next(pickup, slot);
	next_step(pickup);
}

static void
let_go(struct pickup *pickup)
{
	watch_free(&pickup->watch);
	if (pickup->notify >= 0)
		(void)close(pickup->notify);
	if (pickup->folder >= 0)
		(void)close(pickup->folder);
	if (pickup->bad >= 0)
		(void)close(pickup->bad);
	pickup->notify = pickup->folder = pickup->bad = -1;
}

void
pickup_file_asked(struct pickup_file *file)
{
	next_step(file->pickup);
}

/* For `danelaw status`, too; "": it is over. */
static void
tell_stuck(struct pickup *pickup, const char *name, const char *why)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
	    "%s/%s was taken in and cannot be removed (%s): no other is until "
	    "it is gone",
	    pickup->receive->config->drop, name, why);
	receive_tell_trouble(
	    pickup->receive, RECEIVE_DROP, name[0] == '\0' ? "" : text);
}

bool
pickup_stuck(struct pickup_file *file, int number)
{
	struct pickup *pickup = file->pickup;

	/* Whoever comes next takes it in again, and says so. */
	if (pickup->draining)
		return false;
	if (file->stuck)
		return true;
	file->stuck = true;
	pickup->nstuck++;
	pickup_log_trouble("drop-stuck", file->name, number);
	tell_stuck(pickup, file->name, strerrordesc_np(number));
	return true;
}

static void
end_stuck(struct pickup *pickup)
{
	if (--pickup->nstuck > 0 || pickup->draining)
		return;
	log_event(LOG_LEVEL_INFO, "drop-goes-on", "what was stuck is gone");
	tell_stuck(pickup, "", "");
}

void
pickup_file_done(struct pickup_file *file)
{
	struct pickup *pickup = file->pickup;
	struct pickup_file **at = &pickup->storing;

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	pickup->nstoring--;
	if (file->stuck)
		end_stuck(pickup);
	pickup_file_free(&file);
	if (pickup->draining && pickup->nstoring == 0)
		let_go(pickup);
	next_step(pickup);
}

/* --- When to look ------------------------------------------------------ */

/* Our own marks are no news, and a pass for each would be long. */
static bool
has_news(const char *events, size_t n)
{
	const struct inotify_event *event;

	for (size_t at = 0; at < n; at += sizeof(*event) + event->len) {
		event = (const void *)(events + at);
		if (event->len == 0 || !drop_is_begun(event->name))
			return true;
	}
	return false;
}

static void
on_notify(void *arg)
{
	struct pickup *pickup = arg;
	char events[NOTIFY_BYTES]
	    __attribute__((aligned(sizeof(struct inotify_event))));
	bool news = false;
	ssize_t n;

	/* What they say is to be found in the folder. */
	while ((n = read(pickup->notify, events, sizeof(events))) > 0)
		news |= has_news(events, (size_t)n);
	if (news)
		pickup_pass_begin(pickup);
}

static int
open_folder(const char *path, const char *suffix)
{
	char full[SPOOL_FILE_MAX];

	(void)snprintf(full, sizeof(full), "%s%s", path, suffix);
	return open(full, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* False: another process still has the lock, or there is no folder. */
static bool
take_folder(struct pickup *pickup)
{
	const char *path = pickup->receive->config->drop;

	if (pickup->folder >= 0)
		return true;
	pickup->folder = open_folder(path, "");
	pickup->bad = open_folder(path, "-bad");
	if (pickup->folder < 0 || pickup->bad < 0)
		pickup_log_trouble("drop-trouble", path, errno);
	else if (flock(pickup->folder, LOCK_EX | LOCK_NB) == 0)
		return true;
	let_go(pickup);
	return false;
}

/* Without inotify there is still the look each minute. */
static void
watch_folder(struct pickup *pickup)
{
	const char *path = pickup->receive->config->drop;

	if (pickup->watch != NULL)
		return;
	if (pickup->notify < 0)
		pickup->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (pickup->notify < 0 ||
	    inotify_add_watch(pickup->notify, path, IN_MOVED_TO) < 0)
		return;
	pickup->watch = watch_new(
	    pickup->receive->role->loop, pickup->notify, on_notify, pickup);
}

static void
on_look(void *arg)
{
	struct pickup *pickup = arg;

	if (pickup->draining)
		return;
	if (!take_folder(pickup)) {
		timer_start(pickup->look, LOCK_MS);
		return;
	}
	watch_folder(pickup);
	timer_start(pickup->look, LOOK_MS);
	pickup_pass_begin(pickup);
}

struct pickup *
pickup_new(struct receive *receive)
{
	struct pickup *pickup = mem_new(sizeof(*pickup));

	pickup->receive = receive;
	pickup->folder = pickup->bad = pickup->notify = -1;
	pickup->look = timer_new(receive->role->loop, on_look, pickup);
	pickup->step = timer_new(receive->role->loop, on_step, pickup);
	timer_start(pickup->look, 0);
	return pickup;
}

/* The folder is wanted by who comes next. */
static void
leave_stuck(struct pickup *pickup)
{
	struct pickup_file *next;

	for (struct pickup_file *file = pickup->storing; file != NULL;
	     file = next) {
		next = file->next;
		if (file->stuck)
			pickup_file_done(file);
	}
}

void
pickup_drain(struct pickup *pickup)
{
	if (pickup == NULL)
		return;
	pickup->draining = true;
	pickup_pass_end(pickup);
	for (size_t i = 0; i < TURNS_PLACES; i++)
		pickup_file_free(&pickup->reading[i]);
	leave_stuck(pickup);
	if (pickup->nstoring == 0)
		let_go(pickup);
}

void
pickup_free(struct pickup **pickupp)
{
	struct pickup *pickup = *pickupp;

	*pickupp = NULL;
	if (pickup == NULL)
		return;
	pickup_drain(pickup);
	while (pickup->storing != NULL)
		pickup_file_done(pickup->storing);
	let_go(pickup);
	timer_free(&pickup->look);
	timer_free(&pickup->step);
	mem_free(pickup);
}
