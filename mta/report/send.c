/*
 * A day of reports, from its domains to the places where they go:
 *
 *   the day is over > agenda > record of the domain > plan in the store
 *                  > tries.c: what is due > mail queue or HTTPS
 *
 * The store knows what was planned and what became of it; the agenda is made
 * anew whenever the role starts.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/net/loop.h"
#include "mta/report/course.h"
#include "mta/report/sender.h"
#include "mta/resolver.h"
#include "reporting/mail.h"
#include "reporting/record.h"
#include "reporting/timetable.h"

#define TICK_MS   1000u
#define AWAY_MS   5000u   /* the store is: to ask for it takes time */
#define FILL_MAX  1000u   /* domains a tick */
#define WALK_MS   600000u /* from the end of one to the next */
#define POSTS_MAX 8u      /* as tries.c has at once */
#define POST_MS   300000u /* ten megabytes, and a slow line */
/* Where what is to be done cannot be written down: not at once again. */
#define AGAIN_S 60

/* --- the agenda ----------------------------------------------------------- */

static void
begin_agenda(struct sender *sender, int64_t now)
{
	agenda_free(&sender->agenda);
	sender->day = report_last_day(now) - REPORT_DAYS_SENT;
	sender->after[0] = '\0';
}

/* It waits for its time, or for an answer. */
static bool
is_known(const struct sender *sender, int64_t day, const char *domain)
{
	return agenda_has(&sender->agenda, day, domain) ||
	       lookups_have(sender, day, domain);
}

/*
 * Another walk through the days: what was counted after the last one had
 * passed its name, such as a session that was told of late.
 */
static void
walk_again(struct sender *sender, int64_t now)
{
	uint64_t clock = clock_mono_ms();

	if (sender->day < report_last_day(now)) {
		sender->walked = clock;
		return;
	}
	if (clock - sender->walked < WALK_MS)
		return;
	sender->walked = clock;
	sender->day = report_last_day(now) - REPORT_DAYS_SENT;
	sender->after[0] = '\0';
}

/* False: the store cannot be read. */
static bool
fill(struct sender *sender, int64_t now)
{
	const struct config_reporting *reporting = &sender->config->reporting;
	char next[DNS_NAME_SIZE];
	struct err err;
	int rc = 1;

	/* The clock was set back: what was planned meanwhile stays so. */
	if (sender->day > report_last_day(now))
		begin_agenda(sender, now);
	walk_again(sender, now);
	/* Where nothing is looked for nothing went well. */
	if (sender->day >= report_last_day(now))
		return true;
	for (size_t n = 0; n < FILL_MAX && sender->day < report_last_day(now);
	     n++) {
		int64_t day = sender->day + 1;

		rc = report_store_next(sender->report->store, REPORT_UNPLANNED,
		    day, sender->after, next, sizeof(next), &err);
		if (rc < 0)
			break;
		memcpy(sender->after, next, sizeof(next));
		if (rc == 0)
			sender->day = day;
		else if (!is_known(sender, day, next))
			agenda_add(&sender->agenda,
			    agenda_item_new(report_begins(day, next,
						reporting->spread_ms / 1000),
				day, next));
	}
	return report_went(sender->report, REPORT_READS, rc, &err);
}

/* --- the plan ------------------------------------------------------------- */

static void
begin_line(
    struct log_line *line, const char *event, const struct agenda_item *item)
{
	log_begin(line, LOG_LEVEL_INFO, event);
	log_str(line, "domain", item->domain);
	log_i64(line, "start", item->day * REPORT_DAY_S);
}

static void
log_plan(const struct agenda_item *item, size_t places, const char *why)
{
	struct log_line line;

	begin_line(&line, "report-planned", item);
	log_u64(&line, "places", places);
	if (places == 0)
		log_str(&line, "reason", why);
	log_end(&line);
}

/* Nobody knows yet whether it wants a report. */
static void
log_put_off(const struct agenda_item *item, int64_t until, const char *why)
{
	struct log_line line;

	begin_line(&line, "report-not-planned", item);
	log_u64(&line, "tries", item->tries);
	log_i64(&line, "seconds", until - clock_wall());
	log_str(&line, "reason", why);
	log_end(&line);
}

static void
put_off(struct sender *sender, struct agenda_item *item, int64_t until)
{
	item->due = until;
	agenda_add(&sender->agenda, item);
}

/* To these places, or to none.  Takes the item. */
static void
plan(struct sender *sender, struct agenda_item *item, const char *const *rua,
    size_t n, const char *why)
{
	int64_t now = clock_wall();
	char id[REPORT_ID_SIZE];
	const struct report_plan plan = {.day = item->day,
	    .domain = item->domain,
	    .id = id,
	    .rua = rua,
	    .nrua = n,
	    .first = now};
	struct err err;
	int rc = report_open_store(sender->report, &err);

	report_id(item->day * REPORT_DAY_S, item->domain,
	    sender->config->hostname, id);
	if (rc == 0)
		rc = report_store_plan(sender->report->store, &plan, &err);
	if (!report_went(sender->report, REPORT_PLANS, rc, &err)) {
		put_off(sender, item, now + AGAIN_S);
		return;
	}
	log_plan(item, n, why);
	agenda_item_free(&item);
}

void
sender_leave_out(
    struct sender *sender, struct agenda_item *item, const char *why)
{
	plan(sender, item, NULL, 0, why);
}

/* --- the record ----------------------------------------------------------- */

/* RFC 8460 5.5: what could not be looked up is looked up again, for a day. */
void
sender_take_failure(
    struct sender *sender, struct agenda_item *item, const char *why)
{
	int64_t again = report_tried_again(clock_wall(), ++item->tries);

	if (again == 0) {
		plan(sender, item, NULL, 0, why);
		return;
	}
	log_put_off(item, again, why);
	put_off(sender, item, again);
}

void
sender_take_record(struct sender *sender, struct agenda_item *item,
    const struct tlsrpt_record *record)
{
	struct report_course course;
	struct err err;
	int rc = report_open_store(sender->report, &err);

	if (rc == 0)
		rc = report_course_of(sender->report->store, sender->config,
		    item->day, item->domain, record, &course, &err);
	if (!report_went(sender->report, REPORT_READS, rc, &err)) {
		put_off(sender, item, clock_wall() + AGAIN_S);
		return;
	}
	switch (course.goes) {
	case REPORT_GOES_LATER:
		sender_take_failure(sender, item, course.why);
		return;
	case REPORT_GOES_NOWHERE:
	case REPORT_GOES_OUT:
		plan(sender, item, course.rua, course.nrua, course.why);
		return;
	}
}

/* --- every second --------------------------------------------------------- */

/* Also when it begins: nobody may have been there when the clock was set. */
static void
mind_clock(struct sender *sender, int64_t now)
{
	struct report_role *report = sender->report;
	struct err err;
	int rc;

	if (clock_set_back(&sender->clock, now, clock_mono_ms()) > 0)
		sender->may_be_ahead = true;
	if (!sender->may_be_ahead)
		return;
	rc = report_store_set_back(report->store, now, &err);
	if (report_went(report, REPORT_SETS_BACK, rc, &err))
		sender->may_be_ahead = false;
}

static void
on_tick(void *arg)
{
	struct sender *sender = arg;
	struct report_role *report = sender->report;
	int64_t now = clock_wall();
	struct err err;
	int rc;

	timer_start(sender->timer, TICK_MS);
	rc = report_open_store(report, &err);
	/* One that is open already says nothing of reading it. */
	if (rc < 0) {
		(void)report_went(report, REPORT_READS, rc, &err);
		timer_start(sender->timer, AWAY_MS);
		return;
	}
	rc = report_forget_old(report, &err);
	if (rc != 0)
		(void)report_went(report, REPORT_SWEEPS, rc, &err);
	mind_clock(sender, now);
	if (!fill(sender, now))
		return;
	lookups_begin(sender, now);
	if (tries_begin(sender, now))
		report_look_for_lost(report, now);
}

static void
on_dns(void *arg)
{
	struct sender *sender = arg;

	dns_process(sender->dns);
}

/* --- life ----------------------------------------------------------------- */

static void
load_secrets(struct sender *sender)
{
	const struct config_reporting *reporting = &sender->config->reporting;

	for (size_t i = 0; i < reporting->ndkim; i++)
		reverse_path_add(&sender->secrets,
		    bundle_find(sender->report->role->bundle, "reverse-path",
			reporting->dkim[i].selector));
}

static void
on_word(void *arg, struct span payload)
{
	report_take_word(arg, REPORT_QUEUER, payload);
}

static int
load_keys(struct sender *sender, struct err *err)
{
	struct role *role = sender->report->role;
	int rc = report_keys_load(
	    role->config, role->bundle, &sender->keys, err);

	bundle_forget(role->bundle, "dkim");
	return rc;
}

static int
open_ways(struct sender *sender, struct err *err)
{
	struct role *role = sender->report->role;
	const struct https_setup https = {.loop = role->loop,
	    .ca_file = role->config->ca_file,
	    .timeout_ms = POST_MS,
	    .at_once = POSTS_MAX};

	if (load_keys(sender, err) < 0 ||
	    locals_new(role->config, role->bundle, &sender->locals, err) < 0 ||
	    mailing_new(role, &sender->mailing, err) < 0 ||
	    https_new(&https, &sender->https, err) < 0)
		return -1;
	sender->dns = resolver_open(role->config, err);
	return sender->dns == NULL ? -1 : 0;
}

struct sender *
sender_new(struct report_role *report, struct err *err)
{
	struct role *role = report->role;
	struct sender *sender;

	*err = (struct err){.kind = ERR_NONE};
	if (!role->config->reporting.send)
		return NULL;
	sender = mem_new(sizeof(*sender));
	sender->report = report;
	sender->config = role->config;
	sender->may_be_ahead = true;
	load_secrets(sender);
	begin_agenda(sender, clock_wall());
	if (open_ways(sender, err) < 0) {
		sender_free(&sender);
		return NULL;
	}
	mailing_listen(sender->mailing, on_word, report);
	sender->watch = watch_new(
	    role->loop, dns_fd(sender->dns), on_dns, sender);
	sender->timer = timer_new(role->loop, on_tick, sender);
	timer_start(sender->timer, TICK_MS);
	return sender;
}

void
sender_again(struct sender *sender, int64_t day, const char *domain)
{
	agenda_add(&sender->agenda, agenda_item_new(clock_wall(), day, domain));
}

void
sender_drain(struct sender *sender)
{
	timer_stop(sender->timer);
	lookups_cancel(sender);
	tries_cancel(sender);
}

bool
sender_busy(const struct sender *sender)
{
	return mailing_busy(sender->mailing);
}

void
sender_peer(struct sender *sender, int fd)
{
	mailing_peer(sender->mailing, fd);
}

void
sender_free(struct sender **senderp)
{
	struct sender *sender = *senderp;

	*senderp = NULL;
	if (sender == NULL)
		return;
	lookups_cancel(sender);
	tries_free(sender);
	agenda_free(&sender->agenda);
	timer_free(&sender->timer);
	watch_free(&sender->watch);
	dns_free(&sender->dns);
	https_free(&sender->https);
	mailing_free(&sender->mailing);
	locals_free(&sender->locals);
	report_keys_free(&sender->keys);
	mem_wipe_free(sender, sizeof(*sender));
}
