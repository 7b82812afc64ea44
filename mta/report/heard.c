/* What becomes of reports that are in the mail queue. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/ipc_event.h"
#include "mta/metrics.h"
#include "mta/report/private.h"
#include "reporting/record.h"
#include "reporting/timetable.h"

#define LOST_MAX  100u   /* at a time */
#define WORDS_MAX 20000u /* while they cannot be written */

void
report_log_try(const char *event, const struct report_try *try)
{
	struct log_line line;
	int64_t day = try->day * REPORT_DAY_S;

	metrics_add(METRIC_REPORTS_ACCEPTED, try->state == REPORT_SENT);
	metrics_add(METRIC_REPORTS_GIVEN_UP, try->state == REPORT_GIVEN_UP);
	log_begin(&line,
	    try->state == REPORT_GIVEN_UP ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	    event);
	log_str(&line, "domain", try->domain);
	log_i64(&line, "start", day);
	log_str(&line, "to", try->rua);
	if (try->tries > 0)
		log_u64(&line, "tries", try->tries);
	if (try->why[0] != '\0')
		log_str(&line, "reason", try->why);
	log_end(&line);
}

/* --- places --------------------------------------------------------------- */

/* 1: it is otherwise from now on. */
static int
judge_place(enum report_news news, int64_t now, struct report_trouble *trouble)
{
	bool good = news == REPORT_ACCEPTED || news == REPORT_ARRIVED;

	if (good && trouble->failures == 0)
		return 0;
	if (news == REPORT_ACCEPTED && trouble->doubted > now)
		return 0; /* as it did before it came back */
	if (good) {
		*trouble = (struct report_trouble){.failures = 0};
		return 1;
	}
	/* Of reports of one day to the same place one is enough. */
	if (trouble->until > now)
		return 0;
	trouble->failures++;
	trouble->until = now + report_silence(trouble->failures);
	if (news == REPORT_BOUNCED)
		trouble->doubted = trouble->until + REPORT_BOUNCE_S;
	return 1;
}

int
report_put_place(struct report_role *report, const struct report_try *try,
    enum report_news news, struct err *err)
{
	struct report_trouble trouble = {.failures = 0};

	if (report_open_store(report, err) < 0 ||
	    report_store_trouble(
		report->store, try->domain, try->rua, &trouble, err) < 0)
		return -1;
	if (judge_place(news, clock_wall(), &trouble) == 0)
		return 0;
	return report_store_put_trouble(
	    report->store, try->domain, try->rua, &trouble, err);
}

void
report_note_place(struct report_role *report, const struct report_try *try,
    enum report_news news)
{
	struct err err;

	if (report_put_place(report, try, news, &err) < 0)
		log_event(LOG_LEVEL_ERROR, "report-not-written", err.text);
}

/* --- words of the queue --------------------------------------------------- */

static enum report_state
state_of(enum ipc_outcome outcome)
{
	switch (outcome) {
	case OUTCOME_DELIVERED:
	case OUTCOME_RELAYED:
	case OUTCOME_STORED:
		return REPORT_SENT;
	case OUTCOME_FAILED:
		return REPORT_GIVEN_UP;
	case OUTCOME_RETRY:
	case OUTCOME_UNTRIED:
		break;
	}
	return REPORT_QUEUED;
}

static const char *
event_of(enum report_state state)
{
	switch (state) {
	case REPORT_SENT:
		return "report-sent";
	case REPORT_GIVEN_UP:
		return "report-given-up";
	case REPORT_DUE:
	case REPORT_QUEUED:
		break;
	}
	return "report-deferred";
}

struct word {
	struct word *next;
	struct ipc_reported is;
	enum report_teller teller;
	int64_t heard;
};

bool
report_heard(
    struct report_role *report, enum report_teller teller, struct span payload)
{
	struct word *word = mem_new(sizeof(*word));
	struct word **end = &report->words;
	struct report_ticket ticket;

	if (!ipc_take_reported(payload, &word->is) ||
	    !report_ticket_read(word->is.ticket, &ticket)) {
		log_event(LOG_LEVEL_ERROR, "bad-message", "of a report's mail");
		mem_free(word);
		return false;
	}
	if (report->nwords == WORDS_MAX) {
		log_event(LOG_LEVEL_ERROR, "report-not-written",
		    "too many words of reports' mails");
		mem_free(word);
		return false;
	}
	word->heard = clock_wall();
	word->teller = teller;
	if (report->last_word != NULL)
		end = &report->last_word->next;
	*end = report->last_word = word;
	report->nwords++;
	return true;
}

static void
drop_word(struct report_role *report)
{
	struct word *word = report->words;

	report->words = word->next;
	report->nwords--;
	if (report->words == NULL)
		report->last_word = NULL;
	mem_free(word);
}

static int
write_word(struct report_role *report, const struct word *word, struct err *err)
{
	char rua[TLSRPT_URI_MAX + 1];
	struct report_ticket ticket = {.domain = ""};
	struct report_try try;
	int rc;

	(void)report_ticket_read(word->is.ticket, &ticket);
	try = (struct report_try){.day = ticket.day,
	    .domain = ticket.domain,
	    .number = ticket.number,
	    .state = state_of(word->is.outcome),
	    .next = word->heard + REPORT_QUEUED_S,
	    .why = word->is.why};
	rc = report_store_heard(report->store, &try, rua, sizeof(rua), err);
	if (rc <= 0)
		return rc;
	try.rua = rua;
	report_log_try(event_of(try.state), &try);
	if (try.state != REPORT_QUEUED && word->teller == REPORT_DELIVERER)
		report_note_place(report, &try,
		    try.state == REPORT_SENT ? REPORT_ACCEPTED
					     : REPORT_REFUSED);
	return 0;
}

int
report_write_words(struct report_role *report, struct err *err)
{
	while (report->words != NULL) {
		if (write_word(report, report->words, err) < 0)
			return -1;
		drop_word(report);
	}
	return 0;
}

void
report_forget_words(struct report_role *report)
{
	while (report->words != NULL)
		drop_word(report);
}

/* --- silence -------------------------------------------------------------- */

struct lost {
	struct report_role *report;
	struct report_try tries[LOST_MAX];
	struct arena *arena;
	size_t n;
};

static void
take_lost(const struct report_try *try, void *arg)
{
	struct lost *lost = arg;
	struct report_try *to = &lost->tries[lost->n];

	*to = *try;
	to->domain = arena_strndup(
	    lost->arena, try->domain, strlen(try->domain));
	to->rua = arena_strndup(lost->arena, try->rua, strlen(try->rua));
	to->why = arena_strndup(lost->arena, try->why, strlen(try->why));
	if (to->domain != NULL && to->rua != NULL && to->why != NULL)
		lost->n++;
}

void
report_look_for_lost(struct report_role *report, int64_t now)
{
	struct lost *lost = mem_new(sizeof(*lost));
	struct err err;
	int rc;

	lost->arena = arena_new((size_t)1 << 20);
	rc = report_store_overdue(
	    report->store, now, LOST_MAX, take_lost, lost, &err);
	if (!report_went(report, REPORT_READS, rc, &err))
		lost->n = 0;
	for (size_t i = 0; i < lost->n; i++) {
		struct report_try *try = &lost->tries[i];
		bool silent = try->why[0] == '\0';

		try->state = REPORT_GIVEN_UP;
		try->next = REPORT_UNHEARD;
		if (silent)
			try->why = "nothing was heard of its mail in a day";
		rc = report_store_note(report->store, try, &err);
		if (!report_went(report, REPORT_NOTES, rc, &err))
			break;
		report_log_try("report-given-up", try);
		if (!silent) /* else it may have arrived, for all we know */
			report_note_place(report, try, REPORT_REFUSED);
	}
	arena_free(&lost->arena);
	mem_free(lost);
}
