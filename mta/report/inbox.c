/* The mails in the folder, and what becomes of each; see inbox.h. */
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/metrics.h"
#include "mta/report/inbox_private.h"
#include "mta/report/reader_wire.h"
#include "mta/report_ours.h"

#define LOOK_MS      60000 /* without being told */
#define PAUSE_MS     30000
#define PATIENCE_MS  1000 /* for a key, when others are to be read */
#define STORE_MS     2000 /* for the command, which writes, too */
#define DAY          INT64_C(86400)
#define HOUR         3600
#define NOTIFY_BYTES 4096
#define PATH_SIZE    1024

/* --- what becomes of one -------------------------------------------------- */

/* The place is free. */
static void
leave(struct inbox_item *item)
{
	item->step = INBOX_FREE;
	item->is_again = false;
	item->mail = (struct report_mail){.name = ""};
	buf_free(&item->answers);
	item->asked = 0;
	inbox_look(item->inbox);
}

static void
tell_trouble(const struct inbox *inbox, const char *trouble)
{
	if (inbox->setup.on_trouble != NULL)
		inbox->setup.on_trouble(inbox->setup.owner, trouble);
}

void
inbox_done(struct inbox_item *item)
{
	inbox_wait_over(&item->inbox->waits, item->mail.name);
	tell_trouble(item->inbox, "");
	leave(item);
}

void
inbox_trouble(const struct inbox *inbox, const struct err *err)
{
	log_event(LOG_LEVEL_ERROR, "report-inbox-trouble", err->text);
	tell_trouble(inbox, err->text);
}

static void
pause_all(struct inbox *inbox, const struct err *err)
{
	inbox_trouble(inbox, err);
	inbox->paused_until = loop_now(inbox->setup.loop) + PAUSE_MS;
}

void
inbox_pause(struct inbox_item *item, const struct err *err)
{
	pause_all(item->inbox, err);
	leave(item);
}

static void
set_aside(struct inbox_item *item, const char *why, const char *from)
{
	const char *name = item->mail.name;
	struct log_line line;
	struct err err;

	if (report_mail_set_aside(
		item->inbox->setup.config->state, name, why, from, &err) < 0) {
		inbox_pause(item, &err);
		return;
	}
	metrics_add(METRIC_REPORT_MAILS_ASIDE, 1);
	log_begin(&line, LOG_LEVEL_INFO, "report-set-aside");
	log_str(&line, "id", name);
	log_str(&line, "from", from);
	log_str(&line, "reason", why);
	log_end(&line);
	inbox_done(item);
}

static void
say_waits(const struct inbox_item *item, const char *why, const char *from,
    uint64_t ms)
{
	struct log_line line;

	report_mail_waits(item->inbox->setup.config->state, item->mail.name,
	    why, from, clock_wall() + (int64_t)(ms / 1000));
	log_begin(&line, LOG_LEVEL_INFO, "report-waits");
	log_str(&line, "id", item->mail.name);
	log_str(&line, "from", from);
	log_u64(&line, "seconds", ms / 1000);
	log_str(&line, "reason", why);
	log_end(&line);
}

void
inbox_refuse(struct inbox_item *item, const struct err *err, const char *from)
{
	struct inbox *inbox = item->inbox;
	bool old = clock_wall() - item->mail.arrived > INBOX_WAIT_DAYS * DAY;
	uint64_t ms = 0;

	if (err->kind != ERR_PERM && !old)
		ms = inbox_wait_again(
		    &inbox->waits, &item->mail, loop_now(inbox->setup.loop));
	if (ms == 0) {
		set_aside(item, err->text, from);
		return;
	}
	say_waits(item, err->text, from, ms);
	leave(item);
}

static void
say_received(const struct inbox_item *item, const struct reader_result *result,
    const char *domain, bool known)
{
	const struct report *report = &result->report;
	uint64_t successes = 0, failures = 0;
	struct log_line line;

	/* Bounded each, and a thousand at most: no sum overflows. */
	for (size_t i = 0; i < report->npolicies; i++) {
		successes += report->policies[i].successes;
		failures += report->policies[i].failures;
	}
	metrics_add(METRIC_REPORT_MAILS_COUNTED, !known);
	log_begin(&line, LOG_LEVEL_INFO, "report-received");
	log_str(&line, "id", item->mail.name);
	log_str(&line, "domain", domain);
	log_str(&line, "reporter", result->signer);
	log_str(&line, "organization", report->organization);
	log_str(&line, "report", report->id);
	log_u64(&line, "successes", successes);
	log_u64(&line, "failures", failures);
	log_str(&line, "known", known ? "yes" : "no");
	log_end(&line);
}

/* RFC 8460 3: only what its reporter vouches for counts. */
void
inbox_take(struct inbox_item *item, const struct reader_result *result)
{
	struct inbox *inbox = item->inbox;
	const struct config *config = inbox->setup.config;
	const struct inbox_origin origin = {
	    .domain = report_about(config, result->about, &result->report),
	    .signer = result->signer,
	    .received = clock_wall(),
	    .notes = result->notes};
	enum inbox_added added;
	struct err err;

	if (origin.domain == NULL) {
		set_aside(item, "it is about no domain of the configuration",
		    result->signer);
		return;
	}
	if (result->signer[0] == '\0') {
		set_aside(item, "nobody vouches for it (RFC 8460 3)", "");
		return;
	}
	if (inbox_store_add(
		&inbox->store, &result->report, &origin, &added, &err) < 0) {
		inbox_pause(item, &err);
		return;
	}
	say_received(item, result, origin.domain, added == INBOX_KNOWN);
	/* One that stays is read again, and known. */
	if (report_mail_remove(config->state, item->mail.name, &err) < 0) {
		inbox_pause(item, &err);
		return;
	}
	inbox_done(item);
}

/* --- when to look --------------------------------------------------------- */

static void
sweep(struct inbox *inbox)
{
	int64_t now = clock_wall();

	if (inbox->swept == now / HOUR)
		return;
	inbox->swept = now / HOUR;
	report_mails_sweep(inbox->setup.config->state, now);
}

void
inbox_look(struct inbox *inbox)
{
	timer_start(inbox->look, 0);
}

/* What they say is to be found in the folder. */
static void
on_notify(void *arg)
{
	struct inbox *inbox = arg;
	char events[NOTIFY_BYTES]
	    __attribute__((aligned(sizeof(struct inotify_event))));

	while (read(inbox->notify, events, sizeof(events)) > 0)
		;
	inbox_look(inbox);
}

/*
 * Without inotify there is still the look each minute.  -1: there is no folder,
 * so nobody can put anything into it.
 */
static int
watch_folder(struct inbox *inbox, struct err *err)
{
	const char *state = inbox->setup.config->state;
	char path[PATH_SIZE];
	int folder = report_folder_open(state, REPORTS_IN, err);

	if (folder < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
	inbox->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inbox->notify >= 0 &&
	    inotify_add_watch(inbox->notify, path, IN_MOVED_TO) >= 0)
		inbox->notified = watch_new(
		    inbox->setup.loop, inbox->notify, on_notify, inbox);
	(void)close(folder);
	inbox->is_watched = true;
	return 0;
}

void
inbox_ready(struct inbox_item *item)
{
	item->step = INBOX_READY;
	inbox_look(item->inbox);
}

/* NULL: there is none. */
static struct inbox_item *
find_item(struct inbox *inbox, enum inbox_step step, bool is_again)
{
	for (size_t i = 0; i < INBOX_WORK_MAX; i++)
		if (inbox->items[i].step == step &&
		    inbox->items[i].is_again == is_again)
			return &inbox->items[i];
	return NULL;
}

static struct inbox_work
work_of(const struct inbox *inbox)
{
	struct inbox_work work = {.n = 0};

	for (size_t i = 0; i < INBOX_WORK_MAX; i++)
		if (inbox->items[i].step != INBOX_FREE)
			inbox_work_add(&work, inbox->items[i].mail.name,
			    inbox->items[i].is_again);
	return work;
}

/* The next of the folder; false: there is none, for *ret_ms. */
static bool
next_mail(struct inbox *inbox, const struct inbox_work *work,
    struct report_mail *ret, uint64_t *ret_ms)
{
	const struct report_mail *found;
	struct report_mails mails;
	struct err err;

	if ((!inbox->is_watched && watch_folder(inbox, &err) < 0) ||
	    report_mails_list(
		inbox->setup.config->state, REPORTS_IN, &mails, &err) < 0) {
		pause_all(inbox, &err);
		*ret_ms = PAUSE_MS;
		return false;
	}
	found = inbox_wait_next(
	    &inbox->waits, &mails, work, loop_now(inbox->setup.loop), ret_ms);
	if (found != NULL)
		*ret = *found;
	if (mails.n == 0)
		tell_trouble(inbox, ""); /* nothing waits for its end */
	report_mails_free(&mails);
	return found != NULL;
}

static struct inbox_item *
begin(struct inbox *inbox, struct inbox_item *place,
    const struct inbox_work *work, uint64_t *ret_ms)
{
	if (!next_mail(inbox, work, &place->mail, ret_ms))
		return NULL;
	place->step = INBOX_READY;
	place->is_again = inbox_wait_is_known(&inbox->waits, place->mail.name);
	return place;
}

/*
 * All places are taken.  For a new one the first that asked gives up, once it
 * has had some time: it asks again later, where new ones do not push.
 */
static void
make_room(struct inbox *inbox, struct inbox_work *work, uint64_t *ret_ms)
{
	uint64_t now = loop_now(inbox->setup.loop);
	struct inbox_item *first = NULL;
	struct report_mail mail;

	work->is_full_of_again = true;
	if (!next_mail(inbox, work, &mail, ret_ms))
		return;
	for (size_t i = 0; i < INBOX_WORK_MAX; i++) {
		struct inbox_item *item = &inbox->items[i];

		if (item->step == INBOX_ASKING && !item->is_again &&
		    (first == NULL || item->asked_at < first->asked_at))
			first = item;
	}
	if (first == NULL)
		return;
	if (now - first->asked_at >= PATIENCE_MS)
		inbox_hurry(first);
	else
		*ret_ms = first->asked_at + PATIENCE_MS - now;
}

/* New ones first; those that only wait for a key are in nobody's way. */
static struct inbox_item *
choose(struct inbox *inbox, uint64_t *ret_ms)
{
	struct inbox_item *ready = find_item(inbox, INBOX_READY, false);
	struct inbox_item *again = find_item(inbox, INBOX_READY, true);
	struct inbox_item *place = find_item(inbox, INBOX_FREE, false);
	struct inbox_work work = work_of(inbox);

	*ret_ms = UINT64_MAX;
	if (ready != NULL)
		return ready;
	if (again != NULL)
		work.is_full_of_again = true;
	if (place != NULL)
		ready = begin(inbox, place, &work, ret_ms);
	else if (again == NULL)
		make_room(inbox, &work, ret_ms);
	return ready != NULL ? ready : again;
}

static void
on_look(void *arg)
{
	struct inbox *inbox = arg;
	uint64_t now = loop_now(inbox->setup.loop), ms;
	struct inbox_item *item;

	if (inbox->reading != NULL)
		return; /* its end looks again */
	if (now < inbox->paused_until) {
		timer_start(inbox->look, inbox->paused_until - now);
		return;
	}
	sweep(inbox);
	item = choose(inbox, &ms);
	if (item != NULL)
		inbox_read(item);
	else if (!timer_running(inbox->look)) /* one that gave up is ready */
		timer_start(inbox->look, ms < LOOK_MS ? ms : LOOK_MS);
}

/* --- life ----------------------------------------------------------------- */

struct inbox *
inbox_new(const struct inbox_setup *setup)
{
	struct inbox *inbox = mem_new(sizeof(*inbox));

	inbox->setup = *setup;
	inbox->store = (struct inbox_store){
	    .folder = setup->config->state, .wait_ms = STORE_MS};
	inbox->notify = inbox->result = -1;
	inbox->swept = -1;
	for (size_t i = 0; i < INBOX_WORK_MAX; i++) {
		inbox->items[i].inbox = inbox;
		buf_init(&inbox->items[i].answers, READER_ANSWERS_MAX);
	}
	inbox->look = timer_new(setup->loop, on_look, inbox);
	timer_start(inbox->look, 0);
	return inbox;
}

void
inbox_free(struct inbox **inboxp)
{
	struct inbox *inbox = *inboxp;

	*inboxp = NULL;
	if (inbox == NULL)
		return;
	inbox_read_end(inbox);
	watch_free(&inbox->notified);
	if (inbox->notify >= 0)
		(void)close(inbox->notify);
	timer_free(&inbox->look);
	mem_free(inbox);
}
