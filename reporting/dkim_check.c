/* See dkim_check.h. */
#include "reporting/dkim_check.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policy/txt.h"
#include "reporting/dkim_record.h"
#include "reporting/dkim_tags.h"

#define BASE64_MAX ((size_t)2 * DKIM_SIGNATURE_SIZE)

static_assert(DKIM_CHECK_TEXT == TXT_TEXT_MAX, "of one record");

static void
find(struct dkim_check *ret, enum dkim_published published, const char *why)
{
	ret->published = published;
	(void)text_copy(ret->why, sizeof(ret->why), why);
}

/* Is there one record to look at? */
static bool
is_one(const struct dns_answer *answer, struct dkim_check *ret)
{
	if (answer->trust <= DNS_BOGUS) {
		(void)snprintf(ret->why, sizeof(ret->why), "%s%s%s",
		    answer->trust == DNS_BOGUS ? "the DNSSEC signatures are "
						 "wrong, so nobody gets it"
					       : "the lookup failed",
		    answer->why == NULL ? "" : ": ",
		    answer->why == NULL ? "" : answer->why);
		return false;
	}
	ret->secure = answer->trust == DNS_SECURE;
	if (!answer->exists || answer->nrdata == 0) {
		find(ret, DKIM_MISSING,
		    answer->nxdomain ? "there is no such name"
				     : "there is no TXT record");
		return false;
	}
	ret->records = answer->nrdata;
	/* RFC 6376 3.6.2.2: "MUST be unique for a particular selector name" */
	if (answer->nrdata > 1)
		find(ret, DKIM_SEVERAL,
		    "there are several records, and verifiers may look at any "
		    "(RFC 6376 3.6.2.2)");
	return answer->nrdata == 1;
}

/*
 * The proof is what a verifier does: RSA keys are published in two forms, and
 * octets that differ may be the same key.
 */
static struct dkim_finding
try_key(const struct dkim_key *key, const struct dkim_record *record)
{
	static const unsigned char hash[DKIM_HASH_SIZE] = {1};
	unsigned char signature[DKIM_SIGNATURE_SIZE];
	struct dkim_finding finding = {DKIM_UNKNOWN, "OpenSSL does not sign"};
	unsigned bits;
	struct buf text;
	struct err err;
	size_t n;

	buf_init(&text, BASE64_MAX);
	if (dkim_key_sign(key, hash, &text, &err) == 0 &&
	    dkim_base64_read(
		buf_span(&text), signature, sizeof(signature), &n) == 0)
		finding = dkim_public_verify(dkim_key_algorithm(key),
		    (struct span){(const char *)record->key, record->nkey},
		    hash, (struct span){(const char *)signature, n}, &bits);
	buf_free(&text);
	return finding;
}

static void
judge(const struct dkim_key *key, struct span text, struct dkim_check *ret)
{
	enum dkim_algorithm algorithm = dkim_key_algorithm(key);
	struct dkim_record record, of_mail;
	struct dkim_finding finding = dkim_record_read(
	    text, "tlsrpt", algorithm, &record);

	if (finding.verdict != DKIM_PASS) {
		find(ret, DKIM_UNUSABLE, finding.why);
		return;
	}
	/* RFC 8460 3: "s=tlsrpt"; who knows mail alone does not take that. */
	ret->tlsrpt_only = dkim_record_read(text, "email", algorithm, &of_mail)
	                       .verdict != DKIM_PASS;
	finding = try_key(key, &record);
	if (finding.verdict == DKIM_FAIL)
		find(ret, DKIM_OTHER_KEY, "it is another key than ours");
	else if (finding.verdict != DKIM_PASS)
		find(ret, DKIM_UNUSABLE, finding.why);
	/* RFC 6376 3.6.1: "as if [...] unsigned" */
	else if ((record.flags & DKIM_FLAG_TESTING) != 0)
		find(ret, DKIM_TESTED_ONLY,
		    "t=y: verifiers take our reports for unsigned (RFC 6376 "
		    "3.6.1)");
	else
		find(ret, DKIM_IN_ORDER, "");
}

void
dkim_check(const struct dkim_key *key, const struct dns_answer *answer,
    struct dkim_check *ret, struct buf *ret_text)
{
	*ret = (struct dkim_check){.published = DKIM_UNREACHED};
	if (!is_one(answer, ret))
		return;
	if (txt_join(answer->rdata[0], ret_text) == 0)
		judge(key, buf_span(ret_text), ret);
	else
		find(ret, DKIM_UNUSABLE, "the record is malformed");
}

const char *
dkim_published_name(enum dkim_published published)
{
	switch (published) {
	case DKIM_UNREACHED:
		return "unreached";
	case DKIM_MISSING:
		return "missing";
	case DKIM_SEVERAL:
		return "several";
	case DKIM_UNUSABLE:
		return "unusable";
	case DKIM_OTHER_KEY:
		return "other-key";
	case DKIM_TESTED_ONLY:
		return "testing";
	case DKIM_IN_ORDER:
		return "in-order";
	}
	return "?";
}
