/*
 * When to try again: exponential back-off with jitter, a lifetime, a delay
 * warning.  Pure.  Times are seconds.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Zero in any of these means the default named beside it. */
struct schedule {
	int64_t first;    /* after the first failure: 300 */
	int64_t longest;  /* never wait longer: 14400 */
	int64_t lifetime; /* RFC 5321 4.5.4.1: at least 4-5 days; 432000 */
	int64_t warning;  /* tell the sender after: 14400; < 0: never */
};

void schedule_defaults(struct schedule *schedule);

/*
 * Of a message that is of no use to anybody after a day (RFC 8460 5.5): it is
 * not kept longer, and nobody is told of a delay.
 */
#define SCHEDULE_BRIEF_S 86400
struct schedule schedule_brief(const struct schedule *schedule);

/*
 * The time of the next attempt after `attempts` failed ones (>= 1), the last
 * at `now`: first * 2^(attempts - 1), at most longest, and up to a quarter
 * more by `random`.  Never past the end of the lifetime, so that the last
 * attempt is made when it ends.
 */
int64_t schedule_next(const struct schedule *schedule, int64_t now,
    int64_t arrived, uint32_t attempts, uint32_t random);

/* Has it been queued for its whole lifetime? */
bool schedule_expired(
    const struct schedule *schedule, int64_t now, int64_t arrived);

/* Is the sender owed a word about the delay? */
bool schedule_late(
    const struct schedule *schedule, int64_t now, int64_t arrived);
