/*
 * DANE can be turned off for a while, and turns on again by itself.
 *
 * The file `dane-off` in the state folder holds three lines, since when, until
 * when and why.  What cannot be understood there is no permission: DANE is
 * on then.  The folder belongs to the roles' account, so nothing in it is
 * followed, and what is read is bounded.
 */
#include "mta/supervisor/dane.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mta/ctl/control.h"
#include "mta/net/channel.h"
#include "mta/supervisor/private.h"

#define FILE_MAX 512
#define LOOK_MS  1000

static void
log_switch(const struct dane *dane, const char *event, const char *why)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARN, event);
	if (dane->until.wall != 0)
		log_i64(&line, "until", dane->until.wall);
	log_str(&line, "reason", why);
	log_end(&line);
}

static bool
file_path(const struct supervisor *sup, const char *name, char to[1024])
{
	int n = snprintf(to, 1024, "%s/%s", sup->current->config->state, name);

	return n > 0 && n < 1024;
}

/* --- on disk -------------------------------------------------------------- */

static int
write_whole(int fd, const struct dane *dane)
{
	char text[FILE_MAX];
	int n = snprintf(text, sizeof(text),
	    "since %lld\nuntil %lld\nreason %s\n", (long long)dane->since,
	    (long long)dane->until.wall, dane->reason);

	if (n < 0 || (size_t)n >= sizeof(text) ||
	    write(fd, text, (size_t)n) != n)
		return -1;
	return fsync(fd);
}

/* What was said to be on must not be off again after a power failure. */
static int
sync_folder(const struct supervisor *sup)
{
	int fd = open(
	    sup->current->config->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);
	int saved = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = saved;
	return rc;
}

/* A new file takes the place of the old one, or nothing changes. */
static int
write_file(const struct supervisor *sup, const struct dane *dane)
{
	char path[1024], fresh[1024];
	int fd, rc;

	if (!file_path(sup, "dane-off", path) ||
	    !file_path(sup, "dane-off.new", fresh))
		return -1;
	(void)unlink(fresh);
	fd = open(
	    fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	rc = write_whole(fd, dane);
	if (close(fd) == 0 && rc == 0)
		rc = rename(fresh, path);
	/* Forgotten with the power it is on, and that is safe. */
	if (rc == 0)
		(void)sync_folder(sup);
	return rc;
}

static int
remove_file(const struct supervisor *sup)
{
	char path[1024];

	if (!file_path(sup, "dane-off", path))
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return -1;
	return sync_folder(sup);
}

/* A line "KEY VALUE\n" from the front of *text. */
static bool
take_line(struct span *text, const char *key, struct span *ret)
{
	size_t n = strlen(key);
	struct span value;
	const char *end;

	if (text->n < n || memcmp(text->p, key, n) != 0)
		return false;
	value = span_from(*text, n);
	end = value.n == 0 ? NULL : memchr(value.p, '\n', value.n);
	if (end == NULL)
		return false;
	*ret = span_first(value, (size_t)(end - value.p));
	*text = span_from(value, ret->n + 1);
	return true;
}

static bool
take_time(struct span *text, const char *key, int64_t *ret)
{
	struct span value;
	uint64_t number;

	if (!take_line(text, key, &value) || !text_parse_u64(value, &number) ||
	    number == 0 || number > INT64_MAX)
		return false;
	*ret = (int64_t)number;
	return true;
}

/* "since N\nuntil N\nreason TEXT\n" and nothing else. */
static bool
parse_file(struct span text, struct dane *ret)
{
	struct dane dane = *ret;
	struct span reason;

	if (!take_time(&text, "since ", &dane.since) ||
	    !take_time(&text, "until ", &dane.until.wall) ||
	    !take_line(&text, "reason ", &reason) || text.n > 0 ||
	    reason.n >= sizeof(dane.reason))
		return false;
	*ret = dane;
	(void)snprintf(
	    ret->reason, sizeof(ret->reason), "%.*s", (int)reason.n, reason.p);
	text_make_printable(ret->reason);
	return true;
}

static void
read_file(struct supervisor *sup)
{
	char path[1024], text[FILE_MAX];
	int fd = file_path(sup, "dane-off", path)
	             ? open(
			   path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
	             : -1;
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text));
	(void)close(fd);
	if (n >= 0 && parse_file((struct span){text, (size_t)n}, &sup->dane))
		return;
	log_switch(&sup->dane, "dane-on", "its file made no sense");
	(void)remove_file(sup);
}

/* --- in force ------------------------------------------------------------- */

int64_t
dane_off_until(const struct dane *dane)
{
	return clock_end_of(&dane->until, clock_wall(), clock_mono_ms());
}

void
dane_tell(struct child *child)
{
	const struct dane *dane = &child->supervisor->dane;
	struct ipc_dane say = {dane->until};
	struct buf out;

	if (child->channel == NULL)
		return;
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_dane(&out, &say);
	channel_send(child->channel, IPC_DANE, buf_span(&out));
	buf_free(&out);
}

static void
tell_all(const struct supervisor *sup)
{
	for (struct child *c = sup->children; c != NULL; c = c->next)
		if (c->kind == ROLE_DELIVER)
			dane_tell(c);
}

static void
turn_on(struct supervisor *sup, const char *why)
{
	sup->dane.until = (struct clock_end){0};
	sup->dane.reason[0] = '\0';
	timer_stop(sup->dane.timer);
	log_switch(&sup->dane, "dane-on", why);
	tell_all(sup);
}

static void
look_later(const struct dane *dane)
{
	uint64_t left = dane->until.mono_ms - clock_mono_ms();

	timer_start(dane->timer, left < LOOK_MS ? left : LOOK_MS);
}

/* A wall clock that is set on ends it, and set back begins nothing anew. */
static void
on_look(void *arg)
{
	struct supervisor *sup = arg;

	if (dane_off_until(&sup->dane) != 0) {
		look_later(&sup->dane);
		return;
	}
	(void)remove_file(sup);
	turn_on(sup, "its time is over");
}

static struct clock_end
end_in(int64_t seconds)
{
	return (struct clock_end){
	    clock_wall() + seconds, clock_mono_ms() + (uint64_t)seconds * 1000};
}

/* Whatever the disk says: on is the safe side. */
static int
switch_on(struct supervisor *sup, struct err *err)
{
	if (sup->dane.until.wall != 0)
		turn_on(sup, "the operator said so");
	if (remove_file(sup) == 0)
		return 0;
	return err_set(err, ERR_TEMP, "4.3.0",
	    "DANE is on, but the next start may find it off: %s/dane-off: %s",
	    sup->current->config->state, strerrordesc_np(errno));
}

int
dane_switch(struct supervisor *sup, uint32_t seconds, const char *reason,
    struct err *err)
{
	struct dane next = {.since = clock_wall()};

	if (seconds == 0)
		return switch_on(sup, err);
	next.until = end_in(seconds);
	(void)text_copy(next.reason, sizeof(next.reason), reason);
	text_make_printable(next.reason);
	if (write_file(sup, &next) < 0)
		return err_set(err, ERR_TEMP, "4.3.0",
		    "%s/dane-off: %s; DANE stays as it was",
		    sup->current->config->state, strerrordesc_np(errno));
	next.timer = sup->dane.timer;
	sup->dane = next;
	look_later(&sup->dane);
	log_switch(&sup->dane, "dane-off", next.reason);
	tell_all(sup);
	return 0;
}

/* 0: none, also when the clock went back, and nobody knows how much is left. */
static int64_t
time_left(const struct dane *dane, int64_t now)
{
	int64_t until = dane->until.wall;

	if (now < dane->since || until <= now ||
	    until - dane->since > CONTROL_DANE_MAX)
		return 0;
	return until - now;
}

void
dane_start(struct supervisor *sup)
{
	int64_t left;

	sup->dane.timer = timer_new(sup->loop, on_look, sup);
	read_file(sup);
	if (sup->dane.until.wall == 0)
		return;
	left = time_left(&sup->dane, clock_wall());
	if (left == 0) {
		(void)remove_file(sup);
		turn_on(sup, "its time was over");
		return;
	}
	sup->dane.until = end_in(left);
	look_later(&sup->dane);
	log_switch(&sup->dane, "dane-off", sup->dane.reason);
}

void
dane_end(struct supervisor *sup)
{
	timer_free(&sup->dane.timer);
}
