/*
 * An MTA-STS policy: the text that a domain serves (RFC 8461 3.2), read and
 * asked.
 *
 *     version: STSv1
 *     mode: enforce
 *     mx: mail.example.com
 *     mx: *.example.net
 *     max_age: 604800
 *
 * The grammar is held to, but for empty lines and a max_age that is too
 * large; docs/decisions-policy.md says why.  A text that breaks it is no
 * policy at all: no part of it is used.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/policy.h"

/* RFC 8461 3.3: the size it suggests. */
#define STS_POLICY_MAX 65536
/* Patterns in one policy; more, and it is refused. */
#define STS_MX_MAX 1000
/* RFC 8461 3.2: a year, in seconds.  What is larger counts as this. */
#define STS_MAX_AGE 31557600
/* Room for whatever sts_policy_read() accepts. */
#define STS_POLICY_ARENA ((size_t)3 * STS_POLICY_MAX)

enum sts_mode {
	STS_MODE_UNKNOWN = 0, /* nothing was read: defer */
	STS_MODE_NONE,        /* treat the domain as if it had no policy */
	STS_MODE_TESTING,     /* check and report, deliver all the same */
	STS_MODE_ENFORCE,
};

struct sts_policy {
	enum sts_mode mode;
	uint32_t max_age;      /* seconds, from the fetch */
	const char *const *mx; /* "mail.example.com", "*.example.net" */
	size_t nmx;
	struct span text; /* as served */
};

/*
 * `body` is copied: the policy stands on the arena alone.  -1 (ERR_TEMP: no
 * message fails by it) with the line and what is wrong in it, fit for the
 * sts-policy-invalid of a report; *ret is then untouched.
 */
int sts_policy_read(struct span body, struct arena *arena,
    struct sts_policy *ret, struct err *err);

/*
 * RFC 8461 4.1: does one of the patterns match?  `host` as the MX record has
 * it, in A-labels; case and a dot at its end do not matter.
 */
bool sts_policy_allows_mx(const struct sts_policy *policy, const char *host);

/* What the policy says of a host, as a fact for policy_plan(). */
enum sts_state sts_policy_state(
    const struct sts_policy *policy, const char *host);

const char *sts_mode_name(enum sts_mode mode);
