/* What happens next with a message, for people. */
#include <stdio.h>

#include "base/clock.h"
#include "mta/queue/ask.h"

/* 1st, 2nd, 3rd, 4th, ... 11th, 12th, 13th, ... 21st */
static const char *
ordinal_ending(uint32_t n)
{
	if (n / 10 % 10 == 1)
		return "th";
	switch (n % 10) {
	case 1:
		return "st";
	case 2:
		return "nd";
	case 3:
		return "rd";
	default:
		return "th";
	}
}

static void
write_when(const struct queue_entry *entry, int64_t now, char *to, size_t size)
{
	char words[CLOCK_WORDS_SIZE];

	switch (entry->state) {
	case JOB_WAITING:
		clock_words(entry->due > now ? entry->due - now : 0, words);
		(void)snprintf(to, size, "will be tried %sin %s",
		    entry->job.attempts > 0 ? "again " : "", words);
		return;
	case JOB_READY:
		(void)snprintf(to, size, "waits for its turn");
		return;
	case JOB_LEASED:
		(void)snprintf(to, size, "is being tried now");
		return;
	case JOB_HELD:
		break;
	}
	(void)snprintf(to, size, "held, to be tried once it is released");
}

void
ask_words(const struct queue_entry *entry, int64_t now, int64_t ends,
    char to[ASK_WORDS_SIZE])
{
	uint32_t attempt = entry->job.attempts + 1;
	char when[80], date[CLOCK_RFC5322_SIZE];

	write_when(entry, now, when, sizeof(when));
	clock_rfc5322(ends, date);
	(void)snprintf(to, ASK_WORDS_SIZE,
	    "%s, for the %u%s time; given up on %s", when, (unsigned)attempt,
	    ordinal_ending(attempt), date);
}
