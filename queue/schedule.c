#include "queue/schedule.h"

/* Seconds. */
#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)

static void
set_default(int64_t *value, int64_t normal)
{
	if (*value == 0)
		*value = normal;
}

void
schedule_defaults(struct schedule *schedule)
{
	set_default(&schedule->first, 300);
	set_default(&schedule->longest, 4 * HOUR);
	set_default(&schedule->lifetime, 5 * DAY);
	set_default(&schedule->warning, 4 * HOUR);
}

struct schedule
schedule_brief(const struct schedule *schedule)
{
	struct schedule brief = *schedule;

	if (brief.lifetime > SCHEDULE_BRIEF_S)
		brief.lifetime = SCHEDULE_BRIEF_S;
	brief.warning = -1;
	return brief;
}

static int64_t
backoff(const struct schedule *schedule, uint32_t attempts)
{
	int64_t wait = schedule->first;

	for (uint32_t i = 1; i < attempts && wait < schedule->longest; i++)
		wait *= 2;
	return wait < schedule->longest ? wait : schedule->longest;
}

int64_t
schedule_next(const struct schedule *schedule, int64_t now, int64_t arrived,
    uint32_t attempts, uint32_t random)
{
	int64_t wait = backoff(schedule, attempts);
	int64_t end = arrived + schedule->lifetime;
	int64_t next;

	wait += wait / 4 * (int64_t)(random >> 8) >> 24;
	next = now + (wait > 0 ? wait : 1);
	return next > end && end > now ? end : next;
}

bool
schedule_expired(const struct schedule *schedule, int64_t now, int64_t arrived)
{
	return now - arrived >= schedule->lifetime;
}

bool
schedule_late(const struct schedule *schedule, int64_t now, int64_t arrived)
{
	return schedule->warning >= 0 && now - arrived >= schedule->warning;
}
