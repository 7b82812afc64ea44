/*
 * One report to one place, once:
 *
 *   due > is it barred? > lease > report > mail > queue
 *                                          > POST
 *
 * The lease is a note that it is due again later, written before anything
 * leaves: who dies on the way makes the same report, with the same id, once
 * more (RFC 8460 4.4), and never none.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/host.h"
#include "mta/report/compose.h"
#include "mta/report/course.h"
#include "mta/report/places.h"
#include "mta/report/sender.h"
#include "reporting/bounce.h"
#include "reporting/reverse_path.h"
#include "reporting/timetable.h"

#define MAILS_MAX 8u
#define POSTS_MAX 8u
/* A host may take its time: each of those below one zone would. */
#define POSTS_OF_ZONE 2u
/* So many are looked at a tick: ten places of 500 names. */
#define LOOK_MAX  5000u
#define LEASE_S   600
#define ARENA_MAX ((size_t)1 << 20)
#define TYPE_GZIP "application/tlsrpt+gzip"

struct attempt {
	struct attempt *next;
	struct sender *sender;
	struct arena *arena; /* of all that stands below */
	struct report_try try;
	struct composed report;
	struct envelope envelope;
	struct envelope_rcpt rcpt;
	char from[REVERSE_PATH_SIZE];
	char orcpt[BOUNCE_ORCPT_SIZE];
	char ticket[REPORT_TICKET_SIZE];
	enum report_way way;
	struct https_uri uri;
	struct host_find *find;
	struct https_fetch *post;
	bool mailed; /* on its way to the disk */
};

/* --- ends ----------------------------------------------------------------- */

static void
drop(struct attempt *attempt)
{
	struct attempt **at = &attempt->sender->attempts;

	while (*at != attempt)
		at = &(*at)->next;
	*at = attempt->next;
	attempt->sender->nattempts--;
	host_find_cancel(&attempt->find);
	https_cancel(&attempt->post);
	composed_free(&attempt->report);
	arena_free(&attempt->arena);
	mem_free(attempt);
}

/* Written down; what cannot be is due again when the lease ends. */
static void
note(struct attempt *attempt, enum report_state state, int64_t next,
    const char *why)
{
	struct report_role *report = attempt->sender->report;
	struct report_try *try = &attempt->try;
	struct err err;
	int rc = report_open_store(report, &err);

	try->state = state;
	try->next = next;
	try->why = why;
	if (rc == 0)
		rc = report_store_note(report->store, try, &err);
	(void)report_went(report, REPORT_NOTES, rc, &err);
}

static void
end_given_up(struct attempt *attempt, const char *why)
{
	note(attempt, REPORT_GIVEN_UP, 0, why);
	report_log_try("report-given-up", &attempt->try);
	drop(attempt);
}

enum blame {
	OURS,
	THEIRS
};

/* A place pays for its own faults alone. */
static void
end_failed(struct attempt *attempt, const struct err *err, enum blame blame)
{
	int64_t again = report_tried_again(clock_wall(), attempt->try.tries);

	if (err->kind != ERR_PERM && again != 0) {
		note(attempt, REPORT_DUE, again, err->text);
		report_log_try("report-deferred", &attempt->try);
		drop(attempt);
		return;
	}
	if (blame == THEIRS)
		report_note_place(
		    attempt->sender->report, &attempt->try, REPORT_REFUSED);
	end_given_up(attempt, err->text);
}

/* --- by mail -------------------------------------------------------------- */

static void
on_queued(void *arg, uint64_t id, const struct err *err)
{
	struct attempt *attempt = arg;
	struct sender *sender = attempt->sender;
	struct report_try *try = &attempt->try;
	struct log_line line;
	char text[QUEUE_ID_SIZE];
	struct err failed;
	int rc;

	attempt->mailed = false;
	if (err != NULL) {
		end_failed(attempt, err, OURS);
		report_role_idle(sender->report);
		return;
	}
	try->state = REPORT_QUEUED;
	try->next = clock_wall() + REPORT_QUEUED_S;
	rc = report_open_store(sender->report, &failed);
	if (rc == 0)
		rc = report_store_queued(sender->report->store, try, &failed);
	(void)report_went(sender->report, REPORT_NOTES, rc, &failed);
	queue_id_text(id, text);
	log_begin(&line, LOG_LEVEL_INFO, "report-queued");
	log_str(&line, "domain", try->domain);
	log_i64(&line, "start", try->day * REPORT_DAY_S);
	log_str(&line, "to", try->rua);
	log_str(&line, "id", text);
	log_end(&line);
	drop(attempt);
	report_role_idle(sender->report);
}

/*
 * RFC 5321 4.4: where notifications go.  The contact's own, if it has no room
 * for more; then what comes back is nobody's but his.
 */
static int
name_sender(struct attempt *attempt, const struct report_ticket *ticket,
    struct err *err)
{
	const struct sender *sender = attempt->sender;
	const char *contact = sender->config->reporting.contact;
	int64_t today = clock_wall() / REPORT_DAY_S;
	char word[REVERSE_PATH_WORD + 1];

	if (reverse_path_word(
		&sender->secrets, today, ticket, attempt->try.rua, word) &&
	    reverse_path_write(contact, word, attempt->from))
		return report_store_put_word(
		    sender->report->store, word, today, &attempt->try, err);
	(void)text_copy(attempt->from, sizeof(attempt->from), contact);
	return 0;
}

/*
 * RFC 8460 3: "despite any TLS-related failures", and without being counted:
 * the envelope says so, which nobody but us can write.
 */
static int
address_mail(struct attempt *attempt, struct err *err)
{
	const struct report_try *try = &attempt->try;
	const struct config *config = attempt->sender->config;
	const struct report_ticket ticket = {
	    try->day, try->number, try->domain};
	struct inquiry nobody = {0};
	struct envelope whole;

	report_ticket_write(&ticket, attempt->ticket);
	if (name_sender(attempt, &ticket, err) < 0)
		return -1;
	bounce_orcpt(try->rua, attempt->orcpt);
	attempt->rcpt = (struct envelope_rcpt){.address = try->rua,
	    .orcpt = attempt->orcpt,
	    .notify = NOTIFY_DEFAULT};
	whole = (struct envelope){.sender = attempt->from,
	    .envid = "",
	    .helo = config->hostname,
	    .client = "",
	    .session = attempt->ticket,
	    .tls_wish = TLS_WISH_REPORT,
	    .internal = true,
	    .arrived = clock_wall(),
	    .rcpts = &attempt->rcpt,
	    .nrcpts = 1};
	return locals_settle(
	    locals_resolve(attempt->sender->locals, &nobody, &whole,
		attempt->arena, &attempt->envelope, err),
	    err);
}

static void
begin_mail(struct attempt *attempt)
{
	struct sender *sender = attempt->sender;
	const struct compose_mail mail = {.keys = &sender->keys,
	    .domain = attempt->try.domain,
	    .to = attempt->try.rua,
	    .number = attempt->try.number,
	    .now = clock_wall()};
	struct buf message = {0};
	struct err err;
	int rc = compose_mail(&attempt->report, &mail, &message, &err);

	if (rc == 0)
		rc = address_mail(attempt, &err);
	if (rc == 0)
		rc = mailing_send(sender->mailing, buf_span(&message),
		    &attempt->envelope, on_queued, attempt, &err);
	buf_free(&message);
	attempt->mailed = rc == 0;
	if (rc < 0)
		end_failed(attempt, &err, OURS);
}

/* --- by HTTPS ------------------------------------------------------------- */

/* RFC 8460 5.4: "other HTTP codes [...] local policy": they are tried again. */
static void
on_posted(void *arg, const struct https_result *result)
{
	struct attempt *attempt = arg;
	struct err err;

	attempt->post = NULL;
	if (result->kind != HTTPS_FINE) {
		(void)err_set(&err, ERR_TEMP, "4.4.0", "%s", result->text);
		end_failed(
		    attempt, &err, https_is_ours(result->kind) ? OURS : THEIRS);
		return;
	}
	note(attempt, REPORT_SENT, 0, "");
	report_log_try("report-sent", &attempt->try);
	report_note_place(
	    attempt->sender->report, &attempt->try, REPORT_ARRIVED);
	drop(attempt);
}

/* A refusal is ours; of a name that is wrong its owner has to hear. */
static void
on_addresses(const struct host_dns *host, void *arg)
{
	struct attempt *attempt = arg;
	struct net_address addresses[PLACE_ADDRESSES_MAX];
	struct https_request request = {.host = attempt->uri.host,
	    .port = attempt->uri.port,
	    .path = attempt->uri.path,
	    .addresses = addresses};
	const struct https_content content = {
	    TYPE_GZIP, buf_span(&attempt->report.gzipped)};
	struct err err;

	attempt->find = NULL;
	if (place_addresses(attempt->sender->config, &attempt->uri, host,
		addresses, &request.naddresses, &err) < 0) {
		end_failed(attempt, &err, err.kind == ERR_PERM ? OURS : THEIRS);
		return;
	}
	attempt->post = https_post(
	    attempt->sender->https, &request, &content, on_posted, attempt);
}

static void
begin_post(struct attempt *attempt)
{
	struct sender *sender = attempt->sender;
	struct err err;

	if (place_read(sender->config, attempt->try.rua, &attempt->uri, &err) <
	    0)
		end_failed(attempt, &err, OURS);
	else
		attempt->find = host_find(
		    sender->dns, attempt->uri.host, on_addresses, attempt);
}

/* --- the beginning -------------------------------------------------------- */

static bool
is_barred(struct attempt *attempt, int64_t now)
{
	const struct sender *sender = attempt->sender;
	char why[REPORT_STORE_WORDS];
	struct err err;
	int rc = report_barred(sender->report->store, sender->config,
	    attempt->try.domain, attempt->try.rua, now, why, &err);

	if (!report_went(sender->report, REPORT_READS, rc, &err) || rc == 0)
		return false;
	end_given_up(attempt, why);
	return true;
}

static void
begin_try(struct attempt *attempt, int64_t now)
{
	struct sender *sender = attempt->sender;
	struct report_try *try = &attempt->try;
	struct err err;
	int rc;

	if (is_barred(attempt, now))
		return;
	try->tries++;
	try->next = now + LEASE_S;
	rc = report_store_note(sender->report->store, try, &err);
	if (!report_went(sender->report, REPORT_NOTES, rc, &err)) {
		drop(attempt);
		return;
	}
	rc = compose_report(sender->report->store, sender->config, try->day,
	    try->domain, &attempt->report, &err);
	if (rc == 0)
		end_given_up(attempt, "what was counted is not there any more");
	else if (rc < 0)
		end_failed(attempt, &err, OURS);
	else if (attempt->way == REPORT_BY_POST)
		begin_post(attempt);
	else
		begin_mail(attempt);
}

/*
 * Not what is on its way already: a lease may end early, for the clock can be
 * set.  And none who has many names has all the places where others wait.
 */
static bool
has_turn(const struct sender *sender, enum report_way way,
    const struct report_try *try)
{
	const char *zone = agenda_zone(try->domain);
	size_t all = 0, same = 0;

	for (const struct attempt *a = sender->attempts; a != NULL;
	     a = a->next) {
		if (a->try.day == try->day &&
		    strcmp(a->try.domain, try->domain) == 0 &&
		    strcmp(a->try.rua, try->rua) == 0)
			return false;
		all += a->way == way;
		same += a->way == way &&
		        strcmp(agenda_zone(a->try.domain), zone) == 0;
	}
	if (way == REPORT_BY_MAIL)
		return all < MAILS_MAX;
	return all < POSTS_MAX && same < POSTS_OF_ZONE;
}

static void
take_due(
    struct sender *sender, enum report_way way, const struct report_try *try)
{
	struct attempt *attempt;
	struct attempt **end = &sender->attempts;

	if (!has_turn(sender, way, try))
		return;
	attempt = mem_new(sizeof(*attempt));
	attempt->way = way;
	attempt->sender = sender;
	attempt->arena = arena_new(ARENA_MAX);
	attempt->try = *try;
	attempt->try.domain = arena_strndup(
	    attempt->arena, try->domain, strlen(try->domain));
	attempt->try.id = "";
	attempt->try.rua = arena_strndup(
	    attempt->arena, try->rua, strlen(try->rua));
	attempt->try.why = "";
	while (*end != NULL)
		end = &(*end)->next;
	*end = attempt;
	sender->nattempts++;
	if (attempt->try.domain == NULL || attempt->try.rua == NULL)
		drop(attempt); /* a row that nobody of us wrote */
}

static void
take_mail(const struct report_try *try, void *arg)
{
	take_due(arg, REPORT_BY_MAIL, try);
}

static void
take_post(const struct report_try *try, void *arg)
{
	take_due(arg, REPORT_BY_POST, try);
}

static bool
has_room_for_posts(const struct sender *sender)
{
	size_t n = 0;

	for (const struct attempt *a = sender->attempts; a != NULL; a = a->next)
		n += a->way == REPORT_BY_POST;
	return n < POSTS_MAX;
}

bool
tries_begin(struct sender *sender, int64_t now)
{
	struct report_store *store = sender->report->store;
	struct attempt *attempt, *next;
	size_t had = sender->nattempts;
	struct err err;
	int rc = report_store_due(store, REPORT_BY_MAIL, now,
	    2 * (size_t)MAILS_MAX, take_mail, sender, &err);

	if (rc == 0 && has_room_for_posts(sender))
		rc = report_store_due(store, REPORT_BY_POST, now, LOOK_MAX,
		    take_post, sender, &err);
	/* New ones stand behind those that run. */
	attempt = sender->attempts;
	for (size_t i = 0; i < had; i++)
		attempt = attempt->next;
	for (; attempt != NULL; attempt = next) {
		next = attempt->next;
		if (rc == 0)
			begin_try(attempt, now);
		else
			drop(attempt);
	}
	return report_went(sender->report, REPORT_READS, rc, &err);
}

void
tries_cancel(struct sender *sender)
{
	struct attempt *next;

	for (struct attempt *a = sender->attempts; a != NULL; a = next) {
		next = a->next;
		if (!a->mailed)
			drop(a);
	}
}

void
tries_free(struct sender *sender)
{
	while (sender->attempts != NULL)
		drop(sender->attempts);
}
