/* What the log has of searches. */
#include "base/log.h"

#include "base/clock.h"
#include "mta/sts/private.h"

/* A command says itself what it sees. */
static bool
is_silent(const struct sts_search *search)
{
	return search->finder->setup.only_look ||
	       search->finder->setup.ask_anew;
}

void
sts_log_disk(const struct sts_search *search, const char *event)
{
	struct log_line line;

	if (is_silent(search))
		return;
	log_begin(&line, LOG_LEVEL_ERROR, event);
	log_str(&line, "domain", search->row->domain);
	log_str(&line, "reason", search->job.err.text);
	log_end(&line);
}

void
sts_log_policy(const struct sts_search *search, bool same)
{
	const struct sts_entry *entry = &search->row->known->entry;
	struct log_line line;

	if (is_silent(search))
		return;
	log_begin(&line, same ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "sts-policy");
	log_str(&line, "domain", search->row->domain);
	log_str(&line, "mode", sts_mode_name(entry->policy.mode));
	log_u64(&line, "mx", entry->policy.nmx);
	log_u64(&line, "max_age", entry->policy.max_age);
	log_str(&line, "id", entry->id);
	log_end(&line);
}

/* RFC 8461 3.3, 10.2: the administrator is told while there is time. */
void
sts_log_failure(
    const struct sts_search *search, const struct sts_fetch_end *end)
{
	const struct sts_entry *entry = &search->row->known->entry;
	struct log_line line;

	if (is_silent(search))
		return;
	log_begin(&line,
	    end->busy                               ? LOG_LEVEL_INFO
	    : end->fetched == STS_FETCHED_NOT_TRIED ? LOG_LEVEL_ERROR
	    : sts_cache_alerts(entry, clock_wall()) ? LOG_LEVEL_WARN
						    : LOG_LEVEL_INFO,
	    "sts-fetch-failed");
	log_str(&line, "domain", search->row->domain);
	log_str(&line, "reason", end->why);
	log_u64(&line, "failures", entry->failures);
	if (entry->state == STS_ENTRY_POLICY)
		log_i64(&line, "expires", entry->expires_at);
	log_end(&line);
}
