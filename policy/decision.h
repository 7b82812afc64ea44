/*
 * One decision, whole: what was known, what was planned, what was seen.  The
 * delivery acts on it, and the log, the queue's listing and `danelaw explain`
 * print it; none of them concludes anything of its own.
 */
#pragma once
#include "policy/policy.h"

struct decision {
	struct policy_facts facts;
	struct tls_plan plan;
	struct tls_seen seen;
};

/* "dane/verified/dane/dane": wanted, got, source, rule. */
#define DECISION_TEXT_SIZE 80
void decision_text(const struct tls_plan *plan, const struct tls_seen *seen,
    char to[DECISION_TEXT_SIZE]);

/* "testing-match/certificate": the policy's state, its verdict; "": none. */
#define DECISION_STS_SIZE 48
void decision_sts_text(const struct tls_plan *plan, const struct tls_seen *seen,
    char to[DECISION_STS_SIZE]);
