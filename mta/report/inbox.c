/* The mails in the folder, and what becomes of each; see inbox.h. */
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/report/inbox_private.h"
#include "mta/report/reader_wire.h"
#include "mta/report_ours.h"

#define LOOK_MS      60000 /* without being told */
#define PAUSE_MS     30000
#define STORE_MS     2000 /* for the command, which writes, too */
#define DAY          INT64_C(86400)
#define NOTIFY_BYTES 4096
#define PATH_SIZE    1024

/* --- what becomes of one -------------------------------------------------- */

static void
next(struct inbox *inbox, uint64_t ms)
{
	inbox->mail = (struct report_mail){.name = ""};
	timer_start(inbox->look, ms);
}

void
inbox_next(struct inbox *inbox)
{
	next(inbox, 0);
}

void
inbox_pause(struct inbox *inbox, const struct err *err)
{
	log_event(LOG_LEVEL_ERROR, "report-inbox-trouble", err->text);
	next(inbox, PAUSE_MS);
}

static void
set_aside(struct inbox *inbox, const char *why)
{
	const char *name = inbox->mail.name;
	struct log_line line;
	struct err err;

	if (report_mail_set_aside(inbox->setup.config->state, name, why,
		clock_wall(), &err) < 0) {
		inbox_pause(inbox, &err);
		return;
	}
	log_begin(&line, LOG_LEVEL_INFO, "report-set-aside");
	log_str(&line, "id", name);
	log_str(&line, "reason", why);
	log_end(&line);
	inbox_wait_over(&inbox->waits, name);
	next(inbox, 0);
}

static void
say_waits(const struct inbox *inbox, const char *why, uint64_t ms)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "report-waits");
	log_str(&line, "id", inbox->mail.name);
	log_u64(&line, "seconds", ms / 1000);
	log_str(&line, "reason", why);
	log_end(&line);
}

void
inbox_refuse(struct inbox *inbox, const struct err *err)
{
	bool old = clock_wall() - inbox->mail.arrived > INBOX_WAIT_DAYS * DAY;
	uint64_t ms = 0;

	if (err->kind != ERR_PERM && !old)
		ms = inbox_wait_again(&inbox->waits, inbox->mail.name,
		    loop_now(inbox->setup.loop));
	if (ms == 0) {
		set_aside(inbox, err->text);
		return;
	}
	say_waits(inbox, err->text, ms);
	next(inbox, 0);
}

static void
say_received(const struct inbox *inbox, const struct reader_result *result,
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
	log_begin(&line, LOG_LEVEL_INFO, "report-received");
	log_str(&line, "id", inbox->mail.name);
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
inbox_take(struct inbox *inbox, const struct reader_result *result)
{
	const struct config *config = inbox->setup.config;
	const struct inbox_origin origin = {
	    .domain = report_about(config, result->about, &result->report),
	    .signer = result->signer,
	    .received = clock_wall(),
	    .notes = result->notes};
	enum inbox_added added;
	struct err err;

	if (origin.domain == NULL) {
		set_aside(inbox, "it is about no domain of the configuration");
		return;
	}
	if (result->signer[0] == '\0') {
		set_aside(inbox, "nobody vouches for it (RFC 8460 3)");
		return;
	}
	if (inbox_store_add(
		&inbox->store, &result->report, &origin, &added, &err) < 0) {
		inbox_pause(inbox, &err);
		return;
	}
	say_received(inbox, result, origin.domain, added == INBOX_KNOWN);
	/* One that stays is read again, and known. */
	if (report_mail_remove(config->state, inbox->mail.name, &err) < 0) {
		inbox_pause(inbox, &err);
		return;
	}
	inbox_wait_over(&inbox->waits, inbox->mail.name);
	next(inbox, 0);
}

/* --- when to look --------------------------------------------------------- */

static void
sweep(struct inbox *inbox)
{
	int64_t now = clock_wall();

	if (inbox->swept == now / DAY)
		return;
	inbox->swept = now / DAY;
	report_mails_sweep(inbox->setup.config->state, now);
}

static void
on_look(void *arg)
{
	struct inbox *inbox = arg;
	const struct report_mail *found;
	struct report_mails mails;
	struct err err;
	uint64_t ms;

	if (inbox->mail.name[0] != '\0')
		return;
	sweep(inbox);
	if (report_mails_list(
		inbox->setup.config->state, REPORTS_IN, &mails, &err) < 0) {
		inbox_pause(inbox, &err);
		return;
	}
	found = inbox_wait_next(
	    &inbox->waits, &mails, loop_now(inbox->setup.loop), &ms);
	if (found != NULL)
		inbox->mail = *found;
	report_mails_free(&mails);
	if (inbox->mail.name[0] != '\0')
		inbox_read(inbox);
	else
		timer_start(inbox->look, ms < LOOK_MS ? ms : LOOK_MS);
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
	if (inbox->mail.name[0] == '\0')
		timer_start(inbox->look, 0);
}

/* Without inotify there is still the look each minute. */
static void
watch_folder(struct inbox *inbox)
{
	const char *state = inbox->setup.config->state;
	char path[PATH_SIZE];
	struct err err;
	int folder = report_folder_open(state, REPORTS_IN, &err);

	if (folder < 0) {
		log_event(LOG_LEVEL_ERROR, "report-inbox-trouble", err.text);
		return;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
	inbox->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inbox->notify >= 0 &&
	    inotify_add_watch(inbox->notify, path, IN_MOVED_TO) >= 0)
		inbox->notified = watch_new(
		    inbox->setup.loop, inbox->notify, on_notify, inbox);
	(void)close(folder);
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
	buf_init(&inbox->answers, READER_ANSWERS_MAX);
	inbox->look = timer_new(setup->loop, on_look, inbox);
	watch_folder(inbox);
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
