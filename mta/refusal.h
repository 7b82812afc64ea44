/*
 * What port 25 refuses for its own defence, by kind; docs/DEFENCE.md tells of
 * each.  Receive processes count, the supervisor adds up for `danelaw status`.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum refusal {
	REFUSAL_NONE = 0,
	REFUSAL_SESSIONS,
	REFUSAL_SESSIONS_CLIENT,
	REFUSAL_CONNECTIONS_CLIENT,
	REFUSAL_MESSAGES_CLIENT,
	REFUSAL_EARLY,
	REFUSAL_ERRORS,
	REFUSAL_UNKNOWN,
	REFUSAL_COMMANDS,
	REFUSAL_SLOW,
	REFUSAL_PROXY,
	REFUSAL_DNSBL,
	REFUSAL_GREYLIST,
	REFUSAL_CLEAR,
	REFUSAL_SPACE,
	REFUSAL_KINDS,
};

struct refusals {
	uint64_t counts[REFUSAL_KINDS];
};

/* "sessions_client": a word of the log, and a key with "refused_" before it. */
const char *refusal_name(enum refusal kind);

/* As a message between processes; reading is strict, as in ipc.h. */
void refusals_put(struct buf *out, const struct refusals *refusals);
bool refusals_take(struct span bytes, struct refusals *ret);
