/* See refusal.h. */
#include "mta/refusal.h"

#include <assert.h>

#include "base/wire.h"

static const char *const names[] = {
    [REFUSAL_NONE] = "none",
    [REFUSAL_SESSIONS] = "sessions",
    [REFUSAL_SESSIONS_CLIENT] = "sessions_client",
    [REFUSAL_CONNECTIONS_CLIENT] = "connections_client",
    [REFUSAL_MESSAGES_CLIENT] = "messages_client",
    [REFUSAL_EARLY] = "early_talker",
    [REFUSAL_ERRORS] = "errors",
    [REFUSAL_UNKNOWN] = "unknown_recipients",
    [REFUSAL_COMMANDS] = "commands",
    [REFUSAL_SLOW] = "slow",
    [REFUSAL_PROXY] = "proxy",
    [REFUSAL_DNSBL] = "dnsbl",
    [REFUSAL_GREYLIST] = "greylist",
    [REFUSAL_CLEAR] = "clear",
    [REFUSAL_SPACE] = "space",
};

const char *
refusal_name(enum refusal kind)
{
	return names[kind];
}

void
refusals_put(struct buf *out, const struct refusals *refusals)
{
	int rc = 0;

	for (unsigned k = 0; k < REFUSAL_KINDS; k++)
		rc |= put_u64(out, refusals->counts[k]);
	assert(rc == 0); /* a message has room for that */
}

bool
refusals_take(struct span bytes, struct refusals *ret)
{
	struct cursor in = cursor_of(bytes);
	struct refusals refusals = {0};

	for (unsigned k = 0; k < REFUSAL_KINDS; k++)
		(void)take_u64(&in, &refusals.counts[k]);
	if (!cursor_done(&in))
		return false;
	*ret = refusals;
	return true;
}
