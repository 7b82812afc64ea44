/*
 * What a report says of one session: from the decision about a host to the
 * outcome under each policy that applied to it (RFC 8460 4, 4.3).
 *
 *     nothing applies   no-policy-found   TLS, or none
 *     TLSA records      tlsa              by itself, whoever decided
 *     MTA-STS           sts               by itself, testing or in force
 *
 * The receiver's policies alone are reported: what the operator's floor or a
 * sender's REQUIRETLS asks beyond them is nobody's failure but ours.  Of a
 * message whose sender waives TLS nothing is reported; such are our own
 * reports (RFC 8460 3).
 *
 * Pure.  Nothing is owned: outcomes point into what they were made of.
 */
#pragma once
#include "base/arena.h"
#include "policy/decision.h"
#include "policy/sts_policy.h"
#include "policy/sts_record.h"
#include "reporting/report.h"

/* NULL is "" in all texts. */
struct report_session {
	const struct decision *decision; /* of one host, at its end */
	/* The policy that decision->facts.sts tells of; NULL: none. */
	const struct sts_policy *sts;
	/*
	 * Where no policy could be had: the record, the type of RFC 8460
	 * 4.3.2.2, and why in words.
	 */
	enum sts_record_state sts_record;
	const char *sts_trouble;
	const char *sts_why;
	/* In words: why the handshake failed, DANE, WebPKI for the host. */
	const char *tls_why;
	const char *dane_why;
	const char *host_why;
};

struct report_outcome {
	enum report_policy_type type;
	const char *domain;         /* RFC 8460 1.1, normal form */
	const struct tlsa_set *set; /* NULL: there are no records to show */
	const struct sts_policy *sts;
	struct span text; /* of MTA-STS, as served; empty: none to show */
	bool failed;
	enum tls_result result; /* when it has failed, and no RESULT_OTHER */
	const char *reason;     /* then, or "" */
	const char *mx_host;    /* as the MX record has it, or "" */
};

#define REPORT_OUTCOMES 2

/* How many: none for a session that was not made, or is not reported. */
size_t report_session_of(const struct report_session *session,
    struct report_outcome out[REPORT_OUTCOMES]);

/* Bounds of what is told of a policy, so that none fills a report. */
#define REPORT_STRINGS_MAX 1200
#define REPORT_STRING_MAX  4096
/* Room for whatever report_policy_of() makes. */
#define REPORT_POLICY_ARENA ((size_t)1 << 20)

/*
 * The policy of the outcome as a report has it, without counts: texts of
 * records (RFC 6698 2.2) or lines as served, and the patterns.  Lines that
 * are no UTF-8 have "?" in place of what is not ASCII; what is longer than
 * REPORT_STRING_MAX ends in "..." there.  -1: over the arena's limit.
 */
int report_policy_of(const struct report_outcome *outcome, struct arena *arena,
    struct report_policy *ret);
