/*
 * A message, verified whole and in pieces, with an answer for each question;
 * then signed by us, and verified again.  Its first octet says how long the
 * pieces are.
 */
#include <assert.h>

#include "reporting/dkim_report.h"
#include "reporting/dkim_sign.h"
#include "reporting/dkim_verify.h"

#define NOW    1700000000
#define RECORD "v=DKIM1; k=ed25519; "
#define PUBLIC "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 8463 A.1 */
static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

/* NULL: the header is beyond every measure. */
static struct dkim_verifier *
verify(struct span message, size_t n)
{
	static const struct dkim_verify_setup setup = {NOW, "tlsrpt"};
	struct dkim_verifier *v = dkim_verifier_new(&setup);
	size_t questions = 0;
	struct err err;
	int rc = 0;

	while (rc == 0 && message.n > 0) {
		rc = dkim_verifier_feed(v, span_first(message, n), &err);
		message = span_from(message, n);
	}
	if (rc == 0)
		rc = dkim_verifier_end(v, &err);
	if (rc < 0)
		dkim_verifier_free(&v);
	while (v != NULL && dkim_verifier_question(v) != NULL) {
		dkim_verifier_answer_text(v, SPAN(RECORD PUBLIC));
		assert(++questions <= DKIM_SIGNATURES_MAX);
	}
	return v;
}

static void
check(const struct dkim_verifier *v)
{
	assert(dkim_verifier_count(v) <= DKIM_SIGNATURES_MAX);
	for (size_t i = 0; i < dkim_verifier_count(v); i++) {
		const struct dkim_result *result = dkim_verifier_result(v, i);
		bool good = result->verdict == DKIM_PASS;

		assert(result->verdict != DKIM_UNKNOWN);
		assert(good == (result->why[0] == '\0'));
		assert(!good || result->domain[0] != '\0');
		assert(!good || result->key_bits == 256);
	}
}

static void
check_same(const struct dkim_verifier *a, const struct dkim_verifier *b)
{
	assert(dkim_verifier_count(a) == dkim_verifier_count(b));
	for (size_t i = 0; i < dkim_verifier_count(a); i++)
		assert(dkim_verifier_result(a, i)->why ==
		       dkim_verifier_result(b, i)->why);
}

/* 0 with the fields; -1 when it is no message that can be signed. */
static int
sign(struct span message, size_t n, const struct dkim_sign_setup *setup,
    struct buf *out)
{
	struct dkim_signer *signer = NULL;
	struct err err;
	int rc = dkim_signer_new(setup, &signer, &err);

	while (rc == 0 && message.n > 0) {
		rc = dkim_signer_feed(signer, span_first(message, n), &err);
		message = span_from(message, n);
	}
	if (rc == 0)
		rc = dkim_signer_end(signer, out, &err);
	dkim_signer_free(&signer);
	return rc;
}

/* It passes; and is the reporter's, if it could be a report. */
static void
check_passes(const struct dkim_verifier *verifier)
{
	assert(dkim_verifier_result(verifier, 0)->verdict == DKIM_PASS);
	assert(dkim_report_judge(verifier, "example.org").vouched ==
	       (dkim_verifier_covers(verifier, 0, "Content-Type") ||
		   (dkim_verifier_covers(verifier, 0, "TLS-Report-Domain") &&
		       dkim_verifier_covers(
			   verifier, 0, "TLS-Report-Submitter"))));
}

/* What we sign passes. */
static void
check_ours(struct span message, size_t n)
{
	struct dkim_key *key = NULL;
	struct dkim_sign_key keys[1];
	struct dkim_sign_setup setup = {.domain = "example.org",
	    .keys = keys,
	    .nkeys = 1,
	    .header = n % 2 == 0 ? DKIM_RELAXED : DKIM_SIMPLE,
	    .body = n % 4 < 2 ? DKIM_RELAXED : DKIM_SIMPLE,
	    .oversigned = dkim_report_fields,
	    .now = NOW,
	    .lifetime = 60};
	struct buf out;
	struct err err;

	assert(dkim_key_read(span_of(pem), &key, &err) == 0);
	keys[0] = (struct dkim_sign_key){key, "sel"};
	buf_init(&out, 1u << 20);
	if (sign(message, n, &setup, &out) == 0 &&
	    buf_add(&out, message) == 0) {
		struct dkim_verifier *v = verify(buf_span(&out), n);

		/* A field more, and it may be beyond the measure. */
		if (v != NULL)
			check_passes(v);
		dkim_verifier_free(&v);
	}
	buf_free(&out);
	dkim_key_free(&key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = {(const char *)data, size};
	struct dkim_verifier *whole, *pieces;
	size_t n;

	if (size == 0)
		return 0;
	n = 1 + data[0];
	message = span_from(message, 1);
	whole = verify(message, message.n + 1);
	pieces = verify(message, n);
	assert((whole == NULL) == (pieces == NULL));
	if (whole != NULL) {
		check(whole);
		check_same(whole, pieces);
	}
	dkim_verifier_free(&whole);
	dkim_verifier_free(&pieces);
	if (message.n > 0)
		check_ours(message, n);
	return 0;
}
