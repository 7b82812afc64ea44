#include "mta/ipc_event.h"

#include <assert.h>
#include <string.h>

#include "base/wire.h"
#include "mta/domain.h"
#include "reporting/session.h"

#define MX_MAX 1000

/* --- writing -------------------------------------------------------------- */

static int
put_texts(struct buf *out, const char *const *texts, size_t n)
{
	if (put_u32(out, (uint32_t)n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (put_blob(out, span_of(texts[i])) < 0)
			return -1;
	return 0;
}

static int
put_failure(struct buf *out, const struct report_failure *failed)
{
	const char *const texts[] = {failed->result_type,
	    failed->sending_mta_ip, failed->receiving_mx_hostname,
	    failed->receiving_mx_helo, failed->receiving_ip,
	    failed->additional_information, failed->failure_reason_code};

	if (put_u8(out, (uint8_t)failed->result) < 0)
		return -1;
	return put_texts(out, texts, sizeof(texts) / sizeof(texts[0]));
}

int
ipc_put_event(struct buf *out, const struct report_event *event)
{
	const struct report_policy *policy = event->policy;

	if (put_i64(out, event->day) < 0 || put_u64(out, event->sessions) < 0 ||
	    put_blob(out, span_of(event->domain)) < 0 ||
	    put_u8(out, (uint8_t)policy->type) < 0 ||
	    put_blob(out, span_of(policy->domain)) < 0 ||
	    put_texts(out, policy->strings, policy->nstrings) < 0 ||
	    put_texts(out, policy->mx, policy->nmx) < 0 ||
	    put_u8(out, event->failed != NULL) < 0)
		return -1;
	return event->failed == NULL ? 0 : put_failure(out, event->failed);
}

void
ipc_put_reported(struct buf *out, const struct ipc_reported *word)
{
	bool fits = put_u8(out, (uint8_t)word->outcome) == 0 &&
	            put_blob(out, span_of(word->ticket)) == 0 &&
	            put_blob(out, span_of(word->why)) == 0;

	assert(fits);
	(void)fits;
}

/* --- reading -------------------------------------------------------------- */

/* The event, and what it points to. */
struct ipc_event {
	struct report_event event;
	struct report_policy policy;
	struct report_failure failed;
};

static bool
take_text(struct cursor *in, struct arena *arena, const char **ret)
{
	struct span text;

	if (!take_chars(in, REPORT_STRING_MAX, &text))
		return false;
	*ret = arena_strndup(arena, text.p, text.n);
	return *ret != NULL;
}

static bool
take_texts(struct cursor *in, struct arena *arena, size_t most,
    const char *const **ret, size_t *ret_n)
{
	const char **texts;
	uint32_t n;

	if (!take_u32(in, &n) || n > most)
		return false;
	texts = arena_alloc(arena, n * sizeof(texts[0]) + 1);
	for (uint32_t i = 0; i < n; i++)
		if (texts == NULL || !take_text(in, arena, &texts[i]))
			return false;
	*ret = texts;
	*ret_n = n;
	return texts != NULL;
}

static bool
take_failure(struct cursor *in, struct arena *arena, struct report_failure *ret)
{
	const char *const *texts;
	uint8_t result;
	size_t n;

	if (!take_u8(in, &result) || result >= RESULTS ||
	    !take_texts(in, arena, 7, &texts, &n) || n != 7)
		return false;
	*ret = (struct report_failure){.result = (enum tls_result)result,
	    .result_type = texts[0],
	    .sending_mta_ip = texts[1],
	    .receiving_mx_hostname = texts[2],
	    .receiving_mx_helo = texts[3],
	    .receiving_ip = texts[4],
	    .additional_information = texts[5],
	    .failure_reason_code = texts[6]};
	return true;
}

static bool
take_policy(struct cursor *in, struct arena *arena, struct report_policy *ret)
{
	uint8_t type;

	if (!take_u8(in, &type) || type > POLICY_TYPE_STS ||
	    !take_text(in, arena, &ret->domain) ||
	    !take_texts(
		in, arena, REPORT_STRINGS_MAX, &ret->strings, &ret->nstrings) ||
	    !take_texts(in, arena, MX_MAX, &ret->mx, &ret->nmx))
		return false;
	ret->type = (enum report_policy_type)type;
	ret->type_text = "";
	return true;
}

const struct report_event *
ipc_take_event(struct span bytes, struct arena *arena)
{
	struct cursor in = cursor_of(bytes);
	struct ipc_event *e = arena_alloc(arena, sizeof(*e));
	uint8_t failed = 0;

	if (e == NULL || !take_i64(&in, &e->event.day) ||
	    !take_u64(&in, &e->event.sessions) ||
	    !take_text(&in, arena, &e->event.domain) ||
	    !take_policy(&in, arena, &e->policy) || !take_u8(&in, &failed) ||
	    failed > 1)
		return NULL;
	if (failed == 1 && !take_failure(&in, arena, &e->failed))
		return NULL;
	/* The store takes a name that is too long for damage. */
	if (!cursor_done(&in) || e->event.day < 0 || e->event.sessions == 0 ||
	    strlen(e->event.domain) >= DOMAIN_MAX)
		return NULL;
	e->event.policy = &e->policy;
	e->event.failed = failed == 1 ? &e->failed : NULL;
	return &e->event;
}

uint64_t
ipc_event_sessions(struct span bytes)
{
	struct cursor in = cursor_of(bytes);
	uint64_t sessions = 0;
	int64_t day;

	if (!take_i64(&in, &day) || !take_u64(&in, &sessions))
		return 1;
	return sessions == 0 ? 1 : sessions;
}

static bool
take_word(struct cursor *in, char *to, size_t size)
{
	struct span text;

	if (!take_chars(in, size - 1, &text))
		return false;
	if (text.n > 0)
		memcpy(to, text.p, text.n);
	to[text.n] = '\0';
	return true;
}

bool
ipc_take_reported(struct span bytes, struct ipc_reported *ret)
{
	struct cursor in = cursor_of(bytes);
	uint8_t outcome = 0;

	if (!take_u8(&in, &outcome) || outcome > OUTCOME_UNTRIED ||
	    !take_word(&in, ret->ticket, sizeof(ret->ticket)) ||
	    !take_word(&in, ret->why, sizeof(ret->why)) || !cursor_done(&in))
		return false;
	ret->outcome = (enum ipc_outcome)outcome;
	return true;
}
