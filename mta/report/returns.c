/*
 * What came back by mail of reports that were taken: who delivers puts its
 * beginning into a folder (mta/report_mails.h), under the word of its report.
 *
 *   look > which report? > a notification that it failed? > given up, and the
 *                                                            place is silenced
 *
 * A place that takes everything and sends it back later is as dead as one
 * that refuses.  The mail itself goes to the contact, as any other; so nothing
 * is kept of it here, and whatever cannot be read is let go of.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/metrics.h"
#include "mta/report/private.h"
#include "mta/report_mails.h"
#include "reporting/bounce.h"
#include "reporting/reverse_path.h"

#define LOOK_MS      60000u /* without being told */
#define AGAIN_MS     10000u /* when the disk would not */
#define TURN_MAX     32     /* then others have their turn */
#define NOTIFY_BYTES 4096
#define HOUR_S       3600

struct returns {
	struct report_role *report;
	int folder; /* while it is looked into; else -1 */
	int notify; /* inotify; -1: none */
	struct watch *notified;
	ino_t watched; /* the folder that it tells of; 0: none */
	dev_t device;
	struct timer *look;
	int64_t swept; /* the hour */
	bool failing;  /* and that has been said */
};

/* --- one ------------------------------------------------------------------ */

static void
say(const char *name, enum log_level level, const char *event,
    const struct report_returned *of, const char *why)
{
	struct log_line line;

	log_begin(&line, level, event);
	log_str(&line, "id", name + REVERSE_PATH_WORD);
	if (of != NULL) {
		log_str(&line, "domain", of->domain);
		log_i64(&line, "start", of->day * REPORT_DAY_S);
		log_str(&line, "to", of->rua);
	}
	log_str(&line, "reason", why);
	log_end(&line);
}

/*
 * First the place, where a second time changes nothing; then the report, with
 * which the word goes.
 */
static int
take_failure(struct returns *returns, const char *name, const char *word,
    const struct report_returned *of, const char *said, struct err *err)
{
	const struct report_try try = {
	    .day = of->day, .domain = of->domain, .rua = of->rua};
	char why[BOUNCE_WHY_SIZE + 32];

	(void)snprintf(why, sizeof(why), "it was taken, and came back: %s",
	    said[0] == '\0' ? "no reason is given" : said);
	if (report_put_place(returns->report, &try, REPORT_BOUNCED, err) < 0 ||
	    report_store_bounced(returns->report->store, word, of, why, err) <
		0)
		return -1;
	metrics_add(METRIC_REPORTS_RETURNED, 1);
	say(name, LOG_LEVEL_WARN, "report-bounced", of, why);
	return 0;
}

/* The whole of it, as much as was put there; -1: errno says why not. */
static ssize_t
load(const struct returns *returns, const char *name, char *to)
{
	int fd = openat(
	    returns->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = -1;
	size_t done = 0;

	while (fd >= 0 && done < BOUNCE_LOOK_MAX &&
	       (n = read(fd, to + done, BOUNCE_LOOK_MAX - done)) > 0)
		done += (size_t)n;
	if (fd >= 0)
		(void)close(fd);
	return n < 0 ? -1 : (ssize_t)done;
}

static int
take_text(struct returns *returns, const char *name, struct span mail,
    struct err *err)
{
	char word[REVERSE_PATH_WORD + 1], why[BOUNCE_WHY_SIZE];
	struct report_returned of;
	enum bounce bounce;
	int rc;

	(void)snprintf(word, sizeof(word), "%.*s", REVERSE_PATH_WORD, name);
	rc = report_store_word(returns->report->store, word, &of, err);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		say(name, LOG_LEVEL_INFO, "report-bounce-ignored", NULL,
		    "of no report that is known, or one that came back before");
		return 0;
	}
	bounce = bounce_read(mail, of.rua, why);
	if (bounce == BOUNCE_FAILED)
		return take_failure(returns, name, word, &of, why, err);
	say(name, LOG_LEVEL_INFO, "report-bounce-ignored", &of,
	    bounce_name(bounce));
	return 0;
}

/* The disk would not, with this one: 1, or 0 when it was gone. */
static int
file_trouble(const char *name, struct err *err)
{
	if (errno == ENOENT)
		return 0;
	(void)err_set(err, ERR_TEMP, "4.3.0", "%s/%s: %s", REPORTS_BOUNCED_NAME,
	    name, strerrordesc_np(errno));
	return 1;
}

/* 1: not this one; -1: none, the store would not. */
static int
take(struct returns *returns, const char *name, struct err *err)
{
	char *text = mem_new(BOUNCE_LOOK_MAX);
	ssize_t n = load(returns, name, text);
	int rc;

	rc = n < 0 ? file_trouble(name, err)
	           : take_text(
			 returns, name, (struct span){text, (size_t)n}, err);
	mem_free(text);
	/* Without a sync: of one that comes back the word is not known. */
	if (rc == 0 && unlinkat(returns->folder, name, 0) < 0)
		rc = file_trouble(name, err);
	return rc;
}

/* --- when to look --------------------------------------------------------- */

/* The kernel may give the number of a folder that is gone to the next. */
static bool
is_gone(const char *events, size_t n)
{
	struct inotify_event event;
	bool gone = false;

	for (size_t at = 0; at + sizeof(event) <= n;
	     at += sizeof(event) + event.len) {
		memcpy(&event, events + at, sizeof(event));
		gone |= (event.mask & (IN_MOVE_SELF | IN_DELETE_SELF)) != 0;
	}
	return gone;
}

/* What else they say is to be found in the folder. */
static void
on_notify(void *arg)
{
	struct returns *returns = arg;
	char events[NOTIFY_BYTES];
	ssize_t n;

	while ((n = read(returns->notify, events, sizeof(events))) > 0)
		if (is_gone(events, (size_t)n))
			returns->watched = 0;
	timer_start(returns->look, 0);
}

static void
forget_notify(struct returns *returns)
{
	watch_free(&returns->notified);
	if (returns->notify >= 0)
		(void)close(returns->notify);
	returns->notify = -1;
}

/*
 * Without inotify there is still the look each minute.  The folder may be
 * another by now, when somebody put it back from a copy.
 */
static void
watch_folder(struct returns *returns)
{
	struct loop *loop = returns->report->role->loop;
	char path[64];
	struct stat st;

	if (fstat(returns->folder, &st) < 0 ||
	    (st.st_ino == returns->watched && st.st_dev == returns->device))
		return;
	returns->watched = st.st_ino;
	returns->device = st.st_dev;
	forget_notify(returns);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", returns->folder);
	returns->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (returns->notify >= 0 &&
	    inotify_add_watch(returns->notify, path,
		IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF) >= 0)
		returns->notified = watch_new(
		    loop, returns->notify, on_notify, returns);
}

static void
sweep(struct returns *returns)
{
	int64_t now = clock_wall();

	if (returns->swept == now / HOUR_S)
		return;
	returns->swept = now / HOUR_S;
	report_mails_sweep(returns->report->role->config->state, now);
}

/* How many are left; -1: one could not be taken, or the store would not. */
static int
take_listed(
    struct returns *returns, const struct report_mails *mails, struct err *err)
{
	size_t taken = 0;
	bool failed = false;

	for (size_t i = 0; i < mails->n && taken < TURN_MAX; i++) {
		int rc = report_open_store(returns->report, err);

		if (rc == 0)
			rc = take(returns, mails->list[i].name, err);
		if (rc < 0)
			return -1;
		failed |= rc == 1;
		taken += rc == 0;
	}
	return failed ? -1 : (int)(mails->n - taken);
}

static int
take_some(struct returns *returns, struct err *err)
{
	const char *state = returns->report->role->config->state;
	struct report_mails mails;
	int left = -1;

	returns->folder = report_folder_open(state, REPORTS_BOUNCED, err);
	if (returns->folder < 0)
		return -1;
	watch_folder(returns);
	if (report_mails_list(state, REPORTS_BOUNCED, &mails, err) == 0) {
		left = take_listed(returns, &mails, err);
		report_mails_free(&mails);
	}
	(void)close(returns->folder);
	returns->folder = -1;
	return left;
}

static void
on_look(void *arg)
{
	struct returns *returns = arg;
	struct err err;
	int left;

	sweep(returns);
	left = take_some(returns, &err);
	if (left < 0 && !returns->failing)
		log_event(LOG_LEVEL_ERROR, "report-bounce-trouble", err.text);
	returns->failing = left < 0;
	timer_start(returns->look, left < 0   ? AGAIN_MS
				   : left > 0 ? 0
					      : LOOK_MS);
}

/* --- life ----------------------------------------------------------------- */

struct returns *
returns_new(struct report_role *report)
{
	struct returns *returns = mem_new(sizeof(*returns));

	returns->report = report;
	returns->folder = returns->notify = -1;
	returns->swept = -1;
	returns->look = timer_new(report->role->loop, on_look, returns);
	timer_start(returns->look, 0);
	return returns;
}

void
returns_free(struct returns **returnsp)
{
	struct returns *returns = *returnsp;

	*returnsp = NULL;
	if (returns == NULL)
		return;
	forget_notify(returns);
	timer_free(&returns->look);
	mem_free(returns);
}
