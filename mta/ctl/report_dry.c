/*
 * danelaw report send --dry-run: what would be sent of a day, to whom, and why
 * not.
 *
 * By the functions that the report role asks (mta/report/course.h, places.h,
 * compose.h), on a store that is only looked at: nothing is planned, noted or
 * sent.
 */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dnssec/name.h"
#include "dnssec/rdata.h"
#include "mta/config.h"
#include "mta/ctl/lookup.h"
#include "mta/ctl/report.h"
#include "mta/ctl/table.h"
#include "mta/ctl/time.h"
#include "mta/report/compose.h"
#include "mta/report/course.h"
#include "mta/report/places.h"
#include "reporting/timetable.h"

/* Of a report, read at a time: it has more if its record was changed often. */
#define TRIES_PAGE 100
#define A_PAGE     1000

struct tried {
	char rua[REPORT_STORE_PLACE];
	char why[REPORT_STORE_WORDS + 1];
	enum report_state state;
	int64_t next;
	bool is_shown;
};

struct dry {
	const struct report_work *work;
	const struct config *config;
	struct report_store *store;
	struct lookup lookup;
	struct table *table; /* NULL: as JSON */
	size_t nrows;        /* in it */
	int64_t day;
	/* Of one domain. */
	char domain[DNS_NAME_SIZE];
	bool is_planned;
	struct tried *tried;
	size_t ntried, room;
	unsigned number; /* of the last of them */
	struct composed report;
	struct err unmade; /* ERR_NONE: the report is there */
	struct arena *arena;
	struct tlsrpt_record record;
};

/* --- what is said --------------------------------------------------------- */

enum would {
	WOULD_NOT = 0,
	WOULD_BY_HAND, /* report send would, the night does not */
	WOULD_SEND,
};

static const char *
would_name(enum would would)
{
	switch (would) {
	case WOULD_NOT:
		return "not";
	case WOULD_BY_HAND:
		return "by-hand";
	case WOULD_SEND:
		return "send";
	}
	return "?";
}

static json_t *
size_of(const struct dry *dry, size_t octets)
{
	return dry->report.octets == 0 ? json_null()
	                               : json_integer((json_int_t)octets);
}

/* To "": to nobody. */
static void
say(struct dry *dry, enum would would, const char *rua, int64_t due,
    const char *why)
{
	bool sends = would == WOULD_SEND;
	const char *way = rua[0] == '\0'       ? ""
	                  : place_is_post(rua) ? "https"
	                                       : "mail";
	char day[REPORT_DAY_SIZE];
	json_t *item;

	report_day(dry->day, day);
	item = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s}",
	    "day", day, "domain", dry->domain, "would", would_name(would), "to",
	    rua, "way", way, "due",
	    sends ? json_integer((json_int_t)due) : json_null(), "octets",
	    size_of(dry, dry->report.octets), "gzipped",
	    size_of(dry, dry->report.gzipped.n), "id", dry->report.id, "reason",
	    why);
	if (dry->table == NULL) {
		table_json(stdout, item);
		return;
	}
	(void)json_object_del(item, "id");
	(void)json_object_del(item, "day");
	table_add(dry->table, item);
	json_decref(item);
	if (++dry->nrows % A_PAGE == 0)
		table_page(dry->table);
}

/* --- a place -------------------------------------------------------------- */

static struct tried *
find_tried(struct dry *dry, const char *rua)
{
	for (size_t i = 0; i < dry->ntried; i++)
		if (strcmp(dry->tried[i].rua, rua) == 0)
			return &dry->tried[i];
	return NULL;
}

/* What tries.c finds out on the way there. */
static int
judge_way(struct dry *dry, const char *rua, struct err *err)
{
	struct net_address addresses[PLACE_ADDRESSES_MAX];
	struct https_uri uri;
	struct host_dns host;
	size_t n;

	if (dry->unmade.kind != ERR_NONE) {
		*err = dry->unmade;
		return -1;
	}
	if (!place_is_post(rua) && dry->config->reporting.ndkim == 0)
		return err_set(
		    err, ERR_PERM, "5.7.0", "there is no key to sign with");
	if (!place_is_post(rua))
		return 0;
	if (place_read(dry->config, rua, &uri, err) < 0)
		return -1;
	lookup_host(&dry->lookup, uri.host, &host);
	if (place_addresses(dry->config, &uri, &host, addresses, &n, err) < 0)
		return -1;
	return 0;
}

/* Of what is in the way the first, in the order in which the sending finds it;
 * report send passes by all but what the way itself is. */
static void
say_unsent(struct dry *dry, const char *rua, int64_t due)
{
	bool is_old = dry->day <=
	              report_last_day(dry->work->now) - REPORT_DAYS_SENT;
	bool is_known = find_tried(dry, rua) != NULL;
	char barred[REPORT_STORE_WORDS];
	struct err err, way = {.kind = ERR_NONE};
	int rc = report_barred(dry->store, dry->config, dry->domain, rua,
	    dry->work->now, barred, &err);
	enum would would = judge_way(dry, rua, &way) < 0 ? WOULD_NOT
	                                                 : WOULD_BY_HAND;

	if (rc < 0)
		say(dry, WOULD_NOT, rua, 0, err.text);
	else if (!dry->is_planned && is_old)
		say(dry, would, rua, 0, "its day ended more than two days ago");
	else if (dry->is_planned && !is_known)
		say(dry, would, rua, 0,
		    "it was planned before the record named this place");
	else if (rc > 0)
		say(dry, would, rua, 0, barred);
	else if (would == WOULD_NOT)
		say(dry, would, rua, 0, way.text);
	else
		say(dry, WOULD_SEND, rua, due, "");
}

/* Nothing but report send takes it up again, where the record leads there. */
static void
say_given_up(struct dry *dry, const char *rua, const struct tried *tried,
    const char *unnamed)
{
	struct err way;

	if (unnamed != NULL)
		say(dry, WOULD_NOT, rua, 0, unnamed);
	else if (judge_way(dry, rua, &way) < 0)
		say(dry, WOULD_NOT, rua, 0, way.text);
	else
		say(dry, WOULD_BY_HAND, rua, 0, tried->why);
}

/* `unnamed`: why the record does not lead there today, or NULL. */
static void
judge_place(struct dry *dry, const char *rua, const char *unnamed)
{
	const struct config_reporting *reporting = &dry->config->reporting;
	struct tried *tried = find_tried(dry, rua);
	int64_t due = report_begins(
	    dry->day, dry->domain, reporting->spread_ms / 1000);

	if (tried != NULL) {
		tried->is_shown = true;
		due = tried->next;
	}
	if (due < dry->work->now)
		due = dry->work->now;
	if (tried != NULL && tried->state == REPORT_SENT)
		say(dry, WOULD_NOT, rua, 0, "its receiver has taken it");
	else if (tried != NULL && tried->state == REPORT_QUEUED)
		say(dry, WOULD_NOT, rua, 0, "its mail is in the queue");
	else if (tried != NULL && tried->state == REPORT_GIVEN_UP)
		say_given_up(dry, rua, tried, unnamed);
	else
		say_unsent(dry, rua, due);
}

/* --- a domain ------------------------------------------------------------- */

/* The next one, which counts when it is filled. */
static struct tried *
add_tried(struct dry *dry)
{
	size_t size = sizeof(dry->tried[0]);

	if (dry->ntried == dry->room) {
		dry->tried = mem_grow(dry->tried, dry->room * size,
		    (dry->room + TRIES_PAGE) * size);
		dry->room += TRIES_PAGE;
	}
	return &dry->tried[dry->ntried];
}

static void
take_try(const struct report_try *try, void *arg)
{
	struct dry *dry = arg;
	struct tried *to;

	if (try->day != dry->day || strcmp(try->domain, dry->domain) != 0)
		return;
	dry->number = try->number;
	to = add_tried(dry);
	if (!text_copy(to->rua, sizeof(to->rua), try->rua))
		return; /* a row that nobody of us wrote */
	(void)text_copy(to->why, sizeof(to->why), try->why);
	to->state = try->state;
	to->next = try->next;
	to->is_shown = false;
	dry->ntried++;
}

static int
load_tries(struct dry *dry, struct err *err)
{
	struct report_try behind = {.day = dry->day, .domain = dry->domain};
	int rc = report_store_planned(dry->store, dry->day, dry->domain, err);

	dry->ntried = 0;
	dry->number = 0;
	dry->is_planned = rc > 0;
	if (rc < 0)
		return -1;
	do {
		behind.number = dry->number;
		rc = report_store_list(
		    dry->store, &behind, TRIES_PAGE, take_try, dry, err);
	} while (rc == 0 && dry->number > behind.number);
	return rc;
}

static void
on_record(const struct dns_answer *answer, void *arg)
{
	struct dry *dry = arg;

	dry->record = tlsrpt_record_read(answer, dry->arena);
}

/* Where the record leads today, and where it led when that was planned. */
static void
judge_places(struct dry *dry, const struct report_course *course)
{
	bool is_out = course->goes == REPORT_GOES_OUT;

	for (size_t i = 0; i < course->nrua; i++)
		judge_place(dry, course->rua[i], NULL);
	for (size_t i = 0; i < dry->ntried; i++)
		if (!dry->tried[i].is_shown)
			judge_place(dry, dry->tried[i].rua,
			    is_out ? "it was given up, and the record does not"
				     " name it any more"
				   : course->why);
	/* Of what was planned before it has no say. */
	if (!is_out && (!dry->is_planned || dry->ntried == 0))
		say(dry, WOULD_NOT, "", 0, course->why);
}

static int
judge_record(struct dry *dry, struct err *err)
{
	char name[sizeof(TLSRPT_PREFIX) + DNS_NAME_SIZE];
	struct report_course course;

	(void)snprintf(name, sizeof(name), TLSRPT_PREFIX "%s", dry->domain);
	lookup_records(&dry->lookup, name, RR_TXT, on_record, dry);
	if (load_tries(dry, err) < 0 ||
	    report_course_of(dry->store, dry->config, dry->day, dry->domain,
		&dry->record, &course, err) < 0)
		return -1;
	judge_places(dry, &course);
	return 0;
}

static int
judge(struct dry *dry, struct err *err)
{
	const char *unwanted = report_unwanted(dry->config, dry->domain);
	int rc = compose_report(
	    dry->store, dry->config, dry->day, dry->domain, &dry->report, err);

	if (rc == 0)
		return err_set(err, ERR_PERM, "5.1.2",
		    "nothing was counted of it on that day");
	if (unwanted == NULL && dry->day > report_last_day(dry->work->now))
		unwanted = "the day is not over";
	if (unwanted != NULL) {
		say(dry, WOULD_NOT, "", 0, unwanted);
		return 0;
	}
	if (rc < 0 && err->kind != ERR_PERM)
		return -1;
	dry->unmade = rc < 0 ? *err : (struct err){.kind = ERR_NONE};
	return judge_record(dry, err);
}

static int
judge_one(struct dry *dry, const char *domain)
{
	struct err err;
	int rc;

	(void)text_copy(dry->domain, sizeof(dry->domain), domain);
	dry->arena = arena_new(TLSRPT_RECORD_ARENA);
	rc = judge(dry, &err);
	composed_free(&dry->report);
	arena_free(&dry->arena);
	return rc < 0 ? command_complain(domain, err.text) : EXIT_FINE;
}

/* --- the command ---------------------------------------------------------- */

static int
judge_all(struct dry *dry)
{
	char after[DNS_NAME_SIZE] = "", domain[DNS_NAME_SIZE];
	int status = EXIT_FINE;
	struct err err;
	int rc;

	while ((rc = report_store_next(dry->store, REPORT_COUNTED, dry->day,
		    after, domain, sizeof(domain), &err)) > 0) {
		if (judge_one(dry, domain) != EXIT_FINE)
			status = EXIT_WANTED;
		memcpy(after, domain, sizeof(after));
	}
	if (rc == 0 && after[0] == '\0')
		command_nothing(dry->work->options, "was counted on that day");
	return rc < 0 ? command_complain("report", err.text) : status;
}

static int
judge_named(struct dry *dry)
{
	int status = EXIT_FINE;

	for (int i = 0; i < dry->work->nnames; i++) {
		char domain[DNS_NAME_SIZE];
		struct err err;

		if (dns_name_from_domain(dry->work->names[i], domain, &err) < 0)
			status = command_complain(
			    dry->work->names[i], err.text);
		else if (judge_one(dry, domain) != EXIT_FINE)
			status = EXIT_WANTED;
	}
	return status;
}

static int
run(struct dry *dry)
{
	const struct report_work *work = dry->work;
	int status;

	if (!work->options->json)
		dry->table = table_new(stdout, work->now);
	status = work->nnames == 0 ? judge_all(dry) : judge_named(dry);
	if (dry->table != NULL)
		table_page(dry->table);
	table_free(&dry->table);
	mem_free(dry->tried);
	if (!work->config->reporting.send)
		(void)fputs("danelaw: report: nothing is sent now: "
			    "reporting { send = no }\n",
		    stderr);
	return status;
}

int
report_do_dry(struct report_work *work, int64_t day)
{
	const struct report_store_setup setup = {.folder = work->config->state,
	    .wait_ms = REPORT_WAIT_MS,
	    .only_look = true};
	struct dry dry = {.work = work, .config = work->config, .day = day};
	struct err damaged, err;
	int status;

	dry.store = report_store_open(&setup, &damaged, &err);
	if (dry.store == NULL)
		return command_complain("report", err.text);
	status = lookup_start(work->config, 0, &dry.lookup) < 0 ? EXIT_WANTED
	                                                        : run(&dry);
	lookup_close(&dry.lookup);
	report_store_close(&dry.store);
	return status;
}
