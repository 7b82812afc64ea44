/* Which messages an operator means. */
#include <string.h>

#include "base/text.h"
#include "mta/queue/ask.h"
#include "mta/target.h"

bool
ask_canonical(char target[CONTROL_WORD_MAX])
{
	char text[CONTROL_WORD_MAX + 8] = "smtp:", canonical[TARGET_TEXT_MAX];
	struct target parsed;
	struct err err;

	if (target_parse(span_of(target), &parsed, &err) == 0) {
		target_text(&parsed, canonical);
		return text_copy(target, CONTROL_WORD_MAX, canonical);
	}
	/* An address and a port look as behind "smtp:". */
	(void)text_copy(text + 5, sizeof(text) - 5, target);
	if (strchr(target, ':') != NULL &&
	    target_parse(span_of(text), &parsed, &err) == 0) {
		target_text(&parsed, canonical);
		(void)text_copy(
		    target, CONTROL_WORD_MAX, strchr(canonical, ':') + 1);
	}
	return false;
}

/* The host of "host:25" or "[::1]:25". */
static struct span
host_of(const char *endpoint)
{
	struct span host = span_of(endpoint);
	const char *end = strrchr(endpoint, ':');

	if (end != NULL)
		host.n = (size_t)(end - endpoint);
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct span){host.p + 1, host.n - 2};
	return host;
}

/*
 * "mx:example.org" as it is, what stands behind its first colon, or the host
 * of that.
 */
static bool
matches_target(const char *wanted, const char *target)
{
	const char *colon = strchr(target, ':');

	if (wanted[0] == '\0' || strcmp(wanted, target) == 0)
		return true;
	if (colon == NULL)
		return false;
	return span_eq_nocase(span_of(wanted), span_of(colon + 1)) ||
	       span_eq_nocase(span_of(wanted), host_of(colon + 1));
}

static bool
contains(const char *text, const char *words)
{
	struct span rest = span_of(text), wanted = span_of(words);

	for (; rest.n >= wanted.n; rest = span_from(rest, 1)) {
		if (span_starts_nocase(rest, wanted))
			return true;
		if (rest.n == 0)
			break;
	}
	return false;
}

bool
ask_matches_entry(const struct control_request *request,
    const struct queue_entry *entry, int64_t now)
{
	const struct control_filter *filter = &request->filter;
	int64_t age = now - entry->job.arrived;

	if (filter->state[0] != '\0' &&
	    strcmp(filter->state, job_state_name(entry->state)) != 0)
		return false;
	if (filter->older != 0 && age < (int64_t)filter->older)
		return false;
	if (filter->newer != 0 && age > (int64_t)filter->newer)
		return false;
	return matches_target(request->target, entry->job.destination) &&
	       contains(entry->reason, filter->reason);
}

bool
ask_knows_state(const struct control_request *request)
{
	const char *wanted = request->filter.state;

	for (int state = JOB_WAITING; state <= JOB_HELD; state++)
		if (strcmp(wanted, job_state_name((enum job_state)state)) == 0)
			return true;
	return wanted[0] == '\0';
}

bool
ask_needs_envelope(const struct control_request *request)
{
	return request->filter.sender[0] != '\0' ||
	       request->filter.recipient[0] != '\0';
}

bool
ask_matches_address(const char *wanted, const char *address)
{
	struct span text = span_of(address), whole = span_of(wanted);
	const char *at = strrchr(address, '@');

	if (whole.n == 0)
		return true;
	if (strcmp(wanted, "<>") == 0)
		return text.n == 0;
	if (wanted[0] == '@')
		return at != NULL && span_eq_nocase(whole, span_of(at));
	return span_eq_nocase(whole, text);
}
