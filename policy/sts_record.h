/*
 * The TXT record of MTA-STS: does a domain say that it has a policy, and which?
 *
 * RFC 8461 3.1: at _mta-sts.DOMAIN, "v=STSv1; id=20160831085700Z;".  The id is
 * a name for the policy's present text: another id, and the policy has to be
 * fetched anew.  Ids have no order.
 *
 * Input is what a stranger's zone says.  Pure; nothing is kept of the lent
 * answer.  What a cached policy means for the answer is in sts_cache.h.
 */
#pragma once
#include "dnssec/dnssec.h"

/* RFC 8461 3.1: 1 to 32 letters and digits. */
#define STS_ID_MAX 32

enum sts_record_state {
	STS_RECORD_UNKNOWN = 0, /* nobody looked: defer */
	STS_RECORD_NOT_ASKED,   /* by a fault of our own: the same */
	STS_RECORD_FAILED,      /* not obtained or bogus: it says nothing */
	STS_RECORD_NONE,        /* none, or more than one */
	STS_RECORD_MALFORMED,   /* one, and against the grammar: no policy */
	STS_RECORD_FOUND,       /* one, with an id */
};

struct sts_record {
	enum sts_record_state state;
	char id[STS_ID_MAX + 1]; /* with STS_RECORD_FOUND, else "" */
	const char *why;         /* static; why there is no id, or "" */
};

struct sts_record sts_record_read(const struct dns_answer *answer);

const char *sts_record_state_name(enum sts_record_state state);
