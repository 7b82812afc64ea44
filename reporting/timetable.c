#include "reporting/timetable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define DAY_S   INT64_C(86400)
#define FIRST_S 300
/* 2^5 days are the longest silence. */
#define SILENCE_DOUBLINGS 5
#define PREFIX            "tlsrpt-"

_Static_assert(REPORT_SILENCE_S == DAY_S << SILENCE_DOUBLINGS, "the longest");

/* The same for the same text, today and tomorrow (FNV-1a). */
static uint64_t
hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

/* Its upper half: the lower bits of names that are alike are alike. */
static uint32_t
mixed(const char *text)
{
	uint64_t hash = hash_of(text);

	return (uint32_t)((hash ^ hash >> 29) >> 32);
}

int64_t
report_last_day(int64_t now)
{
	return (now - REPORT_GRACE_S) / DAY_S - 1;
}

int64_t
report_begins(int64_t day, const char *domain, uint32_t spread)
{
	uint64_t part = (uint64_t)mixed(domain) * spread >> 32;

	return (day + 1) * DAY_S + REPORT_GRACE_S + (int64_t)part;
}

int64_t
report_tried_again(int64_t now, uint32_t tries)
{
	int64_t wait = FIRST_S;

	if (tries >= REPORT_TRIES_MAX)
		return 0;
	for (uint32_t i = 1; i < tries; i++)
		wait *= 2;
	return now + (wait < REPORT_PAUSE_S ? wait : REPORT_PAUSE_S);
}

int64_t
report_silence(uint32_t failures)
{
	uint32_t n = failures - 1;

	if (failures == 0)
		return 0;
	return DAY_S << (n < SILENCE_DOUBLINGS ? n : SILENCE_DOUBLINGS);
}

/* --- tickets -------------------------------------------------------------- */

void
report_ticket_write(
    const struct report_ticket *ticket, char to[REPORT_TICKET_SIZE])
{
	(void)snprintf(to, REPORT_TICKET_SIZE, PREFIX "%" PRId64 "-%u-%.253s",
	    ticket->day, ticket->number, ticket->domain);
}

/* Digits up to a hyphen; NULL: none, or too many. */
static const char *
take_number(const char *text, int64_t *ret)
{
	const char *at = text;

	*ret = 0;
	for (; text_is_digit(*at) && at - text < 9; at++)
		*ret = *ret * 10 + (*at - '0');
	return at == text || *at != '-' ? NULL : at + 1;
}

bool
report_ticket_read(const char *text, struct report_ticket *ret)
{
	int64_t number;

	if (strncmp(text, PREFIX, sizeof(PREFIX) - 1) != 0)
		return false;
	text = take_number(text + sizeof(PREFIX) - 1, &ret->day);
	if (text == NULL || (text = take_number(text, &number)) == NULL)
		return false;
	ret->number = (unsigned)number;
	ret->domain = text;
	return text[0] != '\0';
}
