/* Entries of the MTA-STS cache and answers of DNS, for tables. */
#pragma once
#include "policy/sts_cache.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400
#define WEEK   (7 * DAY)
#define NOW    ((int64_t)2000000000)

/* For tables: a record with an id, and answers without one. */
#define FOUND(name)                                              \
	{                                                        \
		.state = STS_RECORD_FOUND, .id = name, .why = "" \
	}
#define ABSENT                                          \
	{                                               \
		.state = STS_RECORD_NONE, .why = "none" \
	}
#define BROKEN                                                 \
	{                                                      \
		.state = STS_RECORD_MALFORMED, .why = "broken" \
	}
#define FAILED                                              \
	{                                                   \
		.state = STS_RECORD_FAILED, .why = "failed" \
	}
#define NOT_ASKED                                            \
	{                                                    \
		.state = STS_RECORD_NOT_ASKED, .why = "room" \
	}
#define UNKNOWN                                        \
	{                                              \
		.state = STS_RECORD_UNKNOWN, .why = "" \
	}

/* Entries as they would be at NOW, all used at that time. */
#define EMPTY                            \
	{                                \
		.state = STS_ENTRY_EMPTY \
	}
#define TRIED(ago, name, n)                                        \
	{                                                          \
		.state = STS_ENTRY_EMPTY, .last_try = NOW - (ago), \
		.tried_id = name, .failures = n,                   \
	}
#define POLICY(ago, life, name) TRIED_POLICY(ago, life, name, ago, name, 0)
#define TRIED_POLICY(ago, life, name, tried_ago, tried_name, n)        \
	{                                                              \
		.state = STS_ENTRY_POLICY,                             \
		.policy = {.mode = STS_MODE_ENFORCE, .max_age = life}, \
		.id = name, .fetched_at = NOW - (ago),                 \
		.expires_at = NOW - (ago) + (life), .last_used = NOW,  \
		.last_try = NOW - (tried_ago), .tried_id = tried_name, \
		.failures = n,                                         \
	}

/* Their steps. */
#define USE     STS_STEP_USE
#define REFRESH STS_STEP_REFRESH
#define FETCH   STS_STEP_FETCH
#define NONE    STS_STEP_NONE
#define DEFER   STS_STEP_DEFER
