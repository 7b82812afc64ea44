/*
 * What the DNS has at the name of a key that signs our reports: would a
 * verifier take our signatures by it?  Pure, and what stands in the answer is
 * taken for a stranger's.
 */
#pragma once
#include "base/buf.h"
#include "dnssec/dnssec.h"
#include "reporting/dkim_crypto.h"

/* Zero claims nothing. */
enum dkim_published {
	DKIM_UNREACHED = 0, /* there was no answer, or a bogus one */
	DKIM_MISSING,       /* no record at the name */
	DKIM_SEVERAL,       /* RFC 6376 3.6.2.2: "undefined" */
	DKIM_UNUSABLE,      /* the record is none, or is not for this */
	DKIM_OTHER_KEY,
	DKIM_TESTED_ONLY, /* t=y: as if nobody had signed */
	DKIM_IN_ORDER,
};

#define DKIM_CHECK_WHY  200
#define DKIM_CHECK_TEXT 65535 /* octets; no record has more */

struct dkim_check {
	enum dkim_published published;
	char why[DKIM_CHECK_WHY]; /* a sentence; "" when it is in order */
	bool tlsrpt_only;         /* s=: others than for reports may refuse */
	bool secure;              /* DNSSEC vouches for the answer */
	size_t records;
};

/*
 * Lent to the call.  *ret_text, given to buf_init() with DKIM_CHECK_TEXT, has the
 * text of the one record, or nothing.
 */
void dkim_check(const struct dkim_key *key, const struct dns_answer *answer,
    struct dkim_check *ret, struct buf *ret_text);

/* One word. */
const char *dkim_published_name(enum dkim_published published);
