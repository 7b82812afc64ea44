#include "policy/sts_cache.h"

#include <string.h>

#include "base/text.h"

#define MINUTE ((int64_t)60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (366 * DAY)

/* RFC 8461 3.3: after a failure "five minutes or longer per version ID" */
#define PAUSE_FIRST (5 * MINUTE)
#define PAUSE_MOST  HOUR
/* With a policy at hand there is no hurry. */
#define REFRESH_PAUSE_FIRST HOUR
#define REFRESH_PAUSE_MOST  DAY
/*
 * After a fetch that succeeded: neither ids that change from one answer to the
 * next nor lives that are shorter make a fetch for each delivery.
 */
#define PAUSE_LEAST MINUTE
/* A policy that nobody used for so long may lapse. */
#define LATELY         (90 * DAY)
#define ALERT_FAILURES 3

/*
 * Seconds from `then` to `now`.  When the clock was set back nobody knows
 * them: as if it were long ago, so that nothing waits for that time to come.
 */
static int64_t
elapsed(int64_t now, int64_t then)
{
	return then > now ? INT64_MAX : now - then;
}

/* RFC 8461 5.1: "time-since-fetch has not exceeded its max_age" */
bool
sts_cache_counts(const struct sts_entry *entry, int64_t now)
{
	return entry->state == STS_ENTRY_POLICY && now <= entry->expires_at;
}

/*
 * RFC 8461 3.2: does it live on because it was fetched just now?  What lives
 * shorter than the pause serves until the next fetch may be, or most mail
 * would go as if there were no policy.
 */
static bool
serves(const struct sts_entry *entry, int64_t now)
{
	return entry->state == STS_ENTRY_POLICY &&
	       elapsed(now, entry->fetched_at) < PAUSE_LEAST;
}

/* Twice as long after each failure, from `first` to `most`. */
static int64_t
grown(uint32_t failures, int64_t first, int64_t most)
{
	while (failures > 1 && first < most) {
		first *= 2;
		failures--;
	}
	return first < most ? first : most;
}

static int64_t
clamped(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/*
 * May the policy of this id be fetched?  Of the ids that failed only the last
 * is remembered, so each of them waits the five minutes.
 */
static bool
may_fetch(const struct sts_entry *entry, const char *id, int64_t now)
{
	int64_t pause = PAUSE_LEAST;

	if (entry->failures > 0)
		/* RFC 8461 3.3: limit further attempts */
		pause = strcmp(id, entry->tried_id) == 0
		            ? grown(entry->failures, PAUSE_FIRST, PAUSE_MOST)
		            : PAUSE_FIRST;
	return elapsed(now, entry->last_try) >= pause;
}

/*
 * RFC 8461 3.3: "a suggested refresh frequency is once per day".  One that
 * lives not much longer is refreshed in the last quarter of its life, and one
 * that lives shorter is fetched when it is needed.
 */
static bool
is_old(const struct sts_entry *entry, int64_t now, uint32_t jitter)
{
	int64_t life = entry->expires_at - entry->fetched_at;
	int64_t age = clamped(life / 4 * 3, 0, DAY);

	/* However short its life is, nobody knows how much is left of it. */
	if (entry->fetched_at > now || entry->last_try > now)
		return true;
	if (life < DAY)
		return false;
	age += (int64_t)jitter % (age / 8 + 1);
	return elapsed(now, entry->fetched_at) >= age;
}

/* The nearer the end, the shorter the pauses after failures. */
static bool
may_refresh(const struct sts_entry *entry, int64_t now)
{
	int64_t most = clamped((entry->expires_at - now) / 4,
	    REFRESH_PAUSE_FIRST, REFRESH_PAUSE_MOST);

	return elapsed(now, entry->last_try) >=
	       grown(entry->failures, REFRESH_PAUSE_FIRST, most);
}

static bool
wants_refresh(const struct sts_entry *entry, int64_t now, uint32_t jitter)
{
	return sts_cache_counts(entry, now) && is_old(entry, now, jitter) &&
	       may_refresh(entry, now);
}

bool
sts_cache_is_due(const struct sts_entry *entry, int64_t now, uint32_t jitter)
{
	return wants_refresh(entry, now, jitter) &&
	       now - entry->last_used <= LATELY;
}

/* A fetch that has failed keeps nobody waiting who has a policy to go by. */
static enum sts_step
fetch_step(const struct sts_entry *entry, bool cached)
{
	return cached && entry->failures > 0 ? STS_STEP_REFRESH
	                                     : STS_STEP_FETCH;
}

/* DNS names an id. */
static struct sts_answer
ask_with_id(
    const struct sts_entry *entry, const char *id, int64_t now, uint32_t jitter)
{
	bool cached = sts_cache_counts(entry, now) || serves(entry, now);

	if (cached && strcmp(id, entry->id) == 0)
		return (struct sts_answer){wants_refresh(entry, now, jitter)
					       ? STS_STEP_REFRESH
					       : STS_STEP_USE,
		    true, "the cached policy has the id of the record",
		    "RFC 8461 3"};
	/* RFC 8461 3.1: ids have no order, any other one is news */
	if (may_fetch(entry, id, now))
		return (struct sts_answer){fetch_step(entry, cached), false,
		    cached ? "the record has another id than the cached policy"
			   : "there is a record and no cached policy",
		    "RFC 8461 5.1"};
	if (cached)
		return (struct sts_answer){STS_STEP_USE, false,
		    "the policy of the new id cannot be fetched yet, the "
		    "cached one applies",
		    "RFC 8461 3.3"};
	return (struct sts_answer){STS_STEP_NONE, false,
	    "the policy could not be fetched, and it is not time to try again",
	    "RFC 8461 3.3"};
}

/* DNS names none, or could not be asked. */
static struct sts_answer
ask_without_id(
    const struct sts_entry *entry, bool asked, int64_t now, uint32_t jitter)
{
	if (sts_cache_counts(entry, now))
		/* RFC 8461 10.2: refreshed "regardless of the TXT record" */
		return (struct sts_answer){wants_refresh(entry, now, jitter)
					       ? STS_STEP_REFRESH
					       : STS_STEP_USE,
		    asked,
		    "there is no record to go by, the cached policy applies",
		    "RFC 8461 5.1"};
	return (struct sts_answer){STS_STEP_NONE, asked,
	    asked ? "there is no record and no cached policy"
		  : "the record could not be looked up, and there is no "
		    "cached policy",
	    "RFC 8461 3.3"};
}

struct sts_answer
sts_cache_ask(const struct sts_entry *entry, const struct sts_record *record,
    int64_t now, uint32_t jitter)
{
	static const struct sts_answer unknown = {STS_STEP_DEFER, false,
	    "the policy cache or the record was not looked at", "RFC 8461 5.1"};

	if (entry->state == STS_ENTRY_UNKNOWN)
		return unknown;
	switch (record->state) {
	case STS_RECORD_UNKNOWN:
		return unknown;
	case STS_RECORD_NOT_ASKED:
		return sts_cache_untried(entry, now);
	case STS_RECORD_FAILED:
		return ask_without_id(entry, false, now, jitter);
	/* RFC 8461 3.1: a malformed one is as if there were none */
	case STS_RECORD_NONE:
	case STS_RECORD_MALFORMED:
		return ask_without_id(entry, true, now, jitter);
	case STS_RECORD_FOUND:
		return ask_with_id(entry, record->id, now, jitter);
	}
	return unknown;
}

/* RFC 8461 3.2: the life of a policy counts from its fetch. */
static void
note_policy(struct sts_entry *entry, const struct sts_fetch *fetch, int64_t now)
{
	entry->state = STS_ENTRY_POLICY;
	entry->policy = *fetch->policy;
	entry->fetched_at = now;
	entry->expires_at = now + entry->policy.max_age;
	entry->failures = 0;
	/* Refreshed without a record: as far as we know it has the old id. */
	if (fetch->id[0] != '\0')
		(void)text_copy(entry->id, sizeof(entry->id), fetch->id);
}

/*
 * RFC 8461 3.2: "up to this value from the last policy fetch time".  When the
 * clock was ahead then, the life counts from the day this is seen.
 */
static bool
settle(struct sts_entry *entry, int64_t now)
{
	if (entry->state != STS_ENTRY_POLICY || entry->fetched_at <= now)
		return false;
	entry->fetched_at = now;
	entry->expires_at = now + entry->policy.max_age;
	return true;
}

/* RFC 8461 3.3: what was cached stays, and applies. */
static void
note_failure(struct sts_entry *entry, int64_t now)
{
	(void)settle(entry, now);
	if (entry->failures < UINT32_MAX)
		entry->failures++;
}

struct sts_entry
sts_cache_fetched(
    const struct sts_entry *old, const struct sts_fetch *fetch, int64_t now)
{
	struct sts_entry entry = *old;

	if (fetch->fetched == STS_FETCHED_NOT_TRIED)
		return entry;
	if (fetch->fetched == STS_FETCHED_POLICY &&
	    fetch->policy->mode != STS_MODE_UNKNOWN)
		note_policy(&entry, fetch, now);
	else
		note_failure(&entry, now);
	entry.last_try = now;
	/* RFC 8461 3.3: what was tried by an id waits, whatever came since. */
	if (fetch->id[0] != '\0')
		(void)text_copy(
		    entry.tried_id, sizeof(entry.tried_id), fetch->id);
	return entry;
}

bool
sts_cache_may_insist(const struct sts_entry *entry, int64_t now)
{
	return sts_cache_counts(entry, now) &&
	       elapsed(now, entry->last_try) >=
	           grown(entry->failures, PAUSE_FIRST, PAUSE_MOST);
}

struct sts_answer
sts_cache_untried(const struct sts_entry *entry, int64_t now)
{
	if (sts_cache_counts(entry, now))
		return (struct sts_answer){STS_STEP_USE, false,
		    "the policy could not be looked for, the cached one "
		    "applies",
		    "RFC 8461 5.1"};
	return (struct sts_answer){STS_STEP_DEFER, false,
	    "the policy could not be looked for", "RFC 8461 3.3"};
}

bool
sts_cache_used(struct sts_entry *entry, int64_t now)
{
	bool settled = settle(entry, now);

	if (elapsed(now, entry->last_used) < DAY)
		return settled;
	entry->last_used = now;
	return true;
}

bool
sts_cache_is_over(const struct sts_entry *entry, int64_t now)
{
	if (entry->state == STS_ENTRY_UNKNOWN || sts_cache_counts(entry, now))
		return false;
	/* It may be the clock that is ahead: it has to be asked for, */
	if (entry->state == STS_ENTRY_POLICY &&
	    entry->last_try < entry->expires_at)
		/* or no clock is that wrong. */
		return now - entry->expires_at > YEAR;
	/* A day more, for what is known of failures. */
	return now - entry->last_try > DAY;
}

bool
sts_cache_alerts(const struct sts_entry *entry, int64_t now)
{
	/* RFC 8461 10.2: not with mode "none", which is how one leaves */
	return sts_cache_counts(entry, now) &&
	       entry->policy.mode != STS_MODE_NONE &&
	       entry->failures >= ALERT_FAILURES;
}

bool
sts_step_applies(enum sts_step step)
{
	return step == STS_STEP_USE || step == STS_STEP_REFRESH;
}

const char *
sts_entry_state_name(enum sts_entry_state state)
{
	switch (state) {
	case STS_ENTRY_UNKNOWN:
		return "unknown";
	case STS_ENTRY_EMPTY:
		return "empty";
	case STS_ENTRY_POLICY:
		return "policy";
	}
	return "?";
}

const char *
sts_step_name(enum sts_step step)
{
	switch (step) {
	case STS_STEP_DEFER:
		return "defer";
	case STS_STEP_NONE:
		return "none";
	case STS_STEP_USE:
		return "use";
	case STS_STEP_REFRESH:
		return "refresh";
	case STS_STEP_FETCH:
		return "fetch";
	}
	return "?";
}
