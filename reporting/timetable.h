/*
 * When a report goes out, how often it is tried, and how it is known on its
 * way (RFC 8460 4.1, 5.5).  Pure.  Times are seconds.
 *
 *   day ends > offset of the domain > record > places > tries, for a day
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Of sessions that end with the day something may still be under way. */
#define REPORT_GRACE_S 60
/* RFC 8460 5.5: "SHOULD [...] up to 24 hours"; of a mail in our queue. */
#define REPORT_RETRY_S 86400
/* The queue has the mail for that long; then it may be on its last try. */
#define REPORT_QUEUED_S (REPORT_RETRY_S + 7200)
/* A report of a day before these is of no use to anybody any more. */
#define REPORT_DAYS_SENT 2

/* The last day of which nothing is under way any more. */
int64_t report_last_day(int64_t now);

/*
 * RFC 8460 4.1: when the record of a domain is looked up: after the day, and
 * after a time that is the domain's own, less than `spread`.
 */
int64_t report_begins(int64_t day, const char *domain, uint32_t spread);

/*
 * RFC 8460 5.5: when to try again after so many tries that failed, the last at
 * `now`: in five minutes, then twice as long each time, up to four hours.  0:
 * no more; all of them take 21 hours.
 */
#define REPORT_TRIES_MAX 11
#define REPORT_PAUSE_S   (INT64_C(4) * 3600)
int64_t report_tried_again(int64_t now, uint32_t tries);

/*
 * For how long nothing is sent to a place where reports could not be
 * delivered so many days in a row: a day, then twice as long each time, up to
 * 32 days.  0: it is not suppressed.
 */
#define REPORT_SILENCE_S (INT64_C(32) * 86400)
int64_t report_silence(uint32_t failures);

/*
 * A place that took a report and sent it back has not taken the next one for
 * good before that long: RFC 5321 4.5.4.1, a queue gives up after five days.
 */
#define REPORT_BOUNCE_S (INT64_C(7) * 86400)

/* A report on its way to one place, in the queue and in its log. */
struct report_ticket {
	int64_t day;
	unsigned number;
	const char *domain; /* points into the text that was read */
};

/* "tlsrpt-20786-1-example.com" */
#define REPORT_TICKET_SIZE 300
void report_ticket_write(
    const struct report_ticket *ticket, char to[REPORT_TICKET_SIZE]);
bool report_ticket_read(const char *text, struct report_ticket *ret);
