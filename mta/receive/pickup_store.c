/*
 * A drop that was read goes into the spool, and out of the folder:
 *
 *   renamed to NAME.try > durable > [notification durable] > removed
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mta/receive/pickup_file.h"

#define RETRY_MS 5000

static void
log_accepted(const struct pickup_file *file, const struct err *err)
{
	const struct envelope *envelope = &file->envelope;
	struct log_line line;
	char id[QUEUE_ID_SIZE];

	queue_id_text(file->id, id);
	log_begin(&line, err == NULL ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
	    err == NULL ? "accepted" : "not-accepted");
	log_str(&line, "session", file->session);
	log_u64(&line, "uid", file->uid);
	log_str(&line, "id", id);
	log_str(&line, "from", envelope->sender);
	log_str(&line, "to",
	    envelope->nrcpts == 1 ? envelope->rcpts[0].address : "(several)");
	log_u64(&line, "rcpts", envelope->nrcpts);
	log_u64(&line, "size", file->header.message);
	if (file->again)
		log_str(&line, "again", "yes");
	if (err != NULL) {
		log_str(&line, "dsn", err->enhanced);
		log_str(&line, "reason", err->text);
	}
	log_end(&line);
}

bool
pickup_is_there(const struct pickup_file *file)
{
	struct stat ours, there;

	return fstat(file->fd, &ours) == 0 &&
	       fstatat(pickup_folder(file->pickup), file->name, &there,
		   AT_SYMLINK_NOFOLLOW) == 0 &&
	       there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

/* False: errno is why; of what is no file any more it does not matter. */
static bool
is_removed(const struct pickup_file *file)
{
	return !pickup_is_there(file) ||
	       unlinkat(pickup_folder(file->pickup), file->name, 0) == 0 ||
	       errno == ENOENT || errno == EISDIR;
}

/* Everything that came of it is durable. */
static void
finish(struct pickup_file *file)
{
	file->nrefused = 0; /* told, or none is owed */
	if (is_removed(file) || !pickup_stuck(file, errno))
		pickup_file_done(file);
	else
		timer_start(file->retry, RETRY_MS);
}

static void
go_on(struct pickup_file *file, enum pickup_state state)
{
	if (state == PICKUP_GONE)
		finish(file);
	else if (state == PICKUP_LATER)
		timer_start(file->retry, RETRY_MS);
}

static void
on_bounced(void *arg, uint64_t id, const struct err *err)
{
	struct pickup_file *file = arg;

	(void)id;
	go_on(file, err == NULL ? PICKUP_GONE : pickup_not_bounced(file, err));
}

/* The message is durable by now: only this is tried again. */
void
pickup_tell_sender(void *arg)
{
	struct pickup_file *file = arg;

	go_on(file,
	    file->nrefused > 0 ? pickup_bounce(file, on_bounced) : PICKUP_GONE);
}

static void
on_stored(void *arg, uint64_t id, const struct err *err)
{
	struct pickup_file *file = arg;

	(void)id;
	log_accepted(file, err);
	if (err != NULL) {
		/* And it would not be the next time. */
		if (err->kind == ERR_PERM)
			pickup_reject(file->pickup, file->name, err->text);
		pickup_file_done(file);
		return;
	}
	pickup_receive(file->pickup)->accepted++;
	pickup_tell_sender(file);
}

/* A note for whoever finds it after a crash. */
static void
mark(struct pickup_file *file)
{
	char name[sizeof(file->name)];
	int folder = pickup_folder(file->pickup);

	if (file->again)
		return;
	(void)snprintf(name, sizeof(name), "%.32s" DROP_BEGUN, file->name);
	if (renameat(folder, file->name, folder, name) == 0)
		(void)text_copy(file->name, sizeof(file->name), name);
}

enum pickup_state
pickup_commit(struct pickup_file *file)
{
	struct err err;

	/* Filters have refused some meanwhile. */
	if (pickup_bounce_waits(file, &err))
		return pickup_put_off(file, &err);
	if (file->message == NULL) {
		/* Nobody is left: only the sender hears of it. */
		mark(file);
		timer_start(file->retry, 0);
		return PICKUP_STORING;
	}
	if (pickup_expand(file, &err) < 0)
		return pickup_not_judged(file, &err);
	mark(file);
	file->envelope.arrived = clock_wall();
	intake_commit(&file->message, &file->envelope, on_stored, file);
	return PICKUP_STORING;
}
