/* Signatures of messages, those of others and ones that only a test makes. */
#include <stdio.h>

#include "reporting/dkim_header.h"
#include "reporting/dkim_record.h"
#include "reporting/dkim_verify.h"

#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

static const struct dkim_verify_setup at_now = {.now = KIT_NOW};

/* --- RFC 8463 appendix A -------------------------------------------------- */

static void
answer_example(struct dkim_verifier *v)
{
	assert_string_equal(dkim_verifier_question(v),
	    "brisbane._domainkey.football.example.com");
	dkim_verifier_answer_text(v, span_of(kit_rfc8463_ed25519));
	assert_string_equal(
	    dkim_verifier_question(v), "test._domainkey.football.example.com");
	dkim_verifier_answer_text(v, span_of(kit_rfc8463_rsa));
	assert_null(dkim_verifier_question(v));
}

static void
example_of_rfc_8463_passes_in_any_pieces(void **state)
{
	(void)state;
	for (size_t n = 1; n < 1700; n = n * 2 + 1) {
		struct dkim_verifier *v = kit_verifier(
		    &at_now, span_of(kit_rfc8463), n);
		const struct dkim_result *result = dkim_verifier_result(v, 1);

		answer_example(v);
		assert_int_equal(dkim_verifier_count(v), 2);
		kit_expect(v, 0, DKIM_PASS, "");
		kit_expect(v, 1, DKIM_PASS, "");
		assert_string_equal(result->domain, "football.example.com");
		assert_string_equal(result->selector, "test");
		assert_string_equal(result->identity, "football.example.com");
		assert_int_equal(result->algorithm, DKIM_RSA_SHA256);
		assert_int_equal(result->key_bits, 1024);
		assert_int_equal(result->key_flags, DKIM_FLAG_ANY_SERVICE);
		assert_int_equal(result->signed_at, 1528637909);
		assert_true(dkim_verifier_covers(v, 1, "sUBJECT"));
		assert_true(dkim_verifier_covers(v, 1, "Message-ID"));
		assert_false(dkim_verifier_covers(v, 1, "Sender"));
		dkim_verifier_free(&v);
	}
}

/* Each octet that is not a blank counts, of header and body. */
static void
nothing_of_the_example_can_be_changed(void **state)
{
	static char text[4000];
	size_t n = strlen(kit_rfc8463);
	size_t header = (size_t)(strstr(kit_rfc8463, "From: ") - kit_rfc8463);

	(void)state;
	for (size_t i = header; i < n; i++) {
		struct dkim_verifier *v;

		if (strchr(" \r\n", kit_rfc8463[i]) != NULL)
			continue;
		memcpy(text, kit_rfc8463, n);
		/* Names of fields are of any case. */
		text[i] = text[i] == ':' ? ';' : (char)(text[i] ^ 1);
		v = kit_verifier(&at_now, (struct span){text, n}, n);
		while (dkim_verifier_question(v) != NULL)
			dkim_verifier_answer_text(v,
			    strstr(dkim_verifier_question(v), "test.") != NULL
				? span_of(kit_rfc8463_rsa)
				: span_of(kit_rfc8463_ed25519));
		kit_expect(v, 0, DKIM_FAIL, "RFC 6376 6.1.3");
		kit_expect(v, 1, DKIM_FAIL, "RFC 6376 6.1.3");
		dkim_verifier_free(&v);
	}
}

/* --- what is claimed ------------------------------------------------------ */

/* Rightly signed; KIT_RSA unless the tags say otherwise. */
static const struct {
	const char *tags;
	enum dkim_verdict verdict;
	const char *why;
} claims[] = {
    {KIT_RSA, DKIM_PASS, ""},
    {KIT_ED, DKIM_PASS, ""},
    {KIT_RSA "; c=relaxed/relaxed", DKIM_PASS, ""},
    {KIT_RSA "; c=relaxed/simple", DKIM_PASS, ""},
    {KIT_RSA "; c=simple/relaxed", DKIM_PASS, ""},
    {KIT_RSA "; c=relaxed", DKIM_PASS, ""},
    {KIT_ED "; c=relaxed/relaxed", DKIM_PASS, ""},
    {"b=@b; bh=@bh; v=1; a=rsa-sha256; d=example.org; s=sel; h=From", DKIM_PASS,
	""},
    {KIT_RSA "\r\n ; x=1001", DKIM_PASS, ""},
    {KIT_RSA "; x=999", DKIM_POLICY, "expired"},
    {"a=rsa-sha256; v=1; d=example.org; s=sel; h=To; bh=@bh; b=@b",
	DKIM_PERMERROR, "without From"},
    {"a=rsa-sha1; " KIT_TAGS, DKIM_FAIL, "RFC 8301 3.1"},
    {"a=x-y; " KIT_TAGS, DKIM_NEUTRAL, "a= is unknown"},
    /* RFC 6376 5.4: what is not there is the null string */
    {"a=rsa-sha256; v=1; d=example.org; s=sel; h=From:From:Cc; bh=@bh; b=@b",
	DKIM_PASS, ""},
};

static void
claims_are_judged(void **state)
{
	const struct kit_keys *keys = *state;

	for (size_t i = 0; i < ROWS(claims); i++) {
		bool ed = strstr(claims[i].tags, "ed25519") != NULL;
		const struct kit_key *key = ed ? keys->ed25519 : keys->rsa;
		struct dkim_verifier *v = kit_verify(
		    key, claims[i].tags, KIT_MESSAGE, kit_record(key, ""));

		assert_int_equal(dkim_verifier_count(v), 1);
		kit_expect(v, 0, claims[i].verdict, claims[i].why);
		dkim_verifier_free(&v);
	}
}

/* RFC 6376 3.5: l= counts octets of the canonical body, 20 of it */
static const struct {
	const char *tags;
	enum dkim_verdict verdict;
	unsigned behind;
} lengths[] = {
    {KIT_RSA "; c=simple/relaxed; l=20", DKIM_PASS, 0},
    {KIT_RSA "; c=simple/relaxed; l=19", DKIM_PASS, 1},
    {KIT_RSA "; c=simple/relaxed; l=0", DKIM_PASS, 20},
    {KIT_RSA "; c=simple/relaxed; l=21", DKIM_PERMERROR, 0},
    {KIT_RSA "; c=simple/relaxed; l=99999999999999999999", DKIM_PERMERROR, 0},
};

static void
lengths_are_judged(void **state)
{
	const struct kit_keys *keys = *state;

	for (size_t i = 0; i < ROWS(lengths); i++) {
		struct dkim_verifier *v = kit_verify(keys->rsa, lengths[i].tags,
		    KIT_MESSAGE, kit_record(keys->rsa, ""));
		const struct dkim_result *result = dkim_verifier_result(v, 0);

		kit_expect(v, 0, lengths[i].verdict, "RFC 6376 3.5");
		assert_true(result->has_length);
		assert_int_equal(result->unsigned_octets, lengths[i].behind);
		dkim_verifier_free(&v);
	}
}

/* RFC 6376 5.4.2: of equal names the last is the first */
static void
fields_of_one_name_count_from_below(void **state)
{
	const struct kit_keys *keys = *state;
	const char *tags = "v=1; a=ed25519-sha256; c=relaxed/relaxed; s=sel; "
			   "d=example.org; h=From:X:X; bh=@bh; b=@b";
	const char *record = kit_record(keys->ed25519, "");
	struct dkim_verifier *v;
	struct buf signed_one, more;

	buf_init(&signed_one, 10000);
	buf_init(&more, 10000);
	kit_claim(&signed_one, keys->ed25519, tags,
	    "X: 1\r\nX: 2\r\nX: 3\r\n" KIT_FROM "\r\n");
	/* one more on top is another message to be covered, and still passes */
	assert_int_equal(
	    buf_printf(&more, "X: 0\r\n%.*s", (int)signed_one.n, signed_one.p),
	    0);
	v = kit_verifier(&at_now, buf_span(&more), 100);
	dkim_verifier_answer_text(v, span_of(record));
	kit_expect(v, 0, DKIM_PASS, "");
	assert_false(dkim_verifier_covers(v, 0, "X"));
	assert_true(dkim_verifier_covers(v, 0, "From"));
	dkim_verifier_free(&v);
	/* one below takes its place */
	buf_clear(&more);
	assert_int_equal(buf_printf(&more, "%.*sX: 4\r\n\r\n",
			     (int)signed_one.n - 2, signed_one.p),
	    0);
	v = kit_verifier(&at_now, buf_span(&more), 100);
	dkim_verifier_answer_text(v, span_of(record));
	kit_expect(v, 0, DKIM_FAIL, "RFC 6376 6.1.3");
	dkim_verifier_free(&v);
	buf_free(&signed_one);
	buf_free(&more);
}

/* RFC 6376 5.4: a field that was signed as absent cannot be added */
static void
absence_is_signed(void **state)
{
	const struct kit_keys *keys = *state;
	const char *tags = "v=1; a=ed25519-sha256; c=relaxed/relaxed; s=sel; "
			   "d=example.org; h=From:From:Cc; bh=@bh; b=@b";
	static const char *const added[] = {
	    "Cc: x@example.com\r\n", "Cc:\r\n", KIT_FROM, "X: y\r\n"};

	for (size_t i = 0; i < ROWS(added); i++) {
		struct dkim_verifier *v;
		struct buf text;

		buf_init(&text, 10000);
		assert_int_equal(buf_add_str(&text, added[i]), 0);
		kit_claim(&text, keys->ed25519, tags, KIT_MESSAGE);
		v = kit_verifier(&at_now, buf_span(&text), 100);
		dkim_verifier_answer_text(
		    v, span_of(kit_record(keys->ed25519, "")));
		kit_expect(v, 0, added[i][0] == 'X' ? DKIM_PASS : DKIM_FAIL,
		    "RFC 6376 6.1.3");
		dkim_verifier_free(&v);
		buf_free(&text);
	}
}

/* RFC 6376 3.7: its own field is hashed once, last; others may be in h= */
static void
a_signature_may_sign_another(void **state)
{
	const struct kit_keys *keys = *state;
	const char *tags = "v=1; a=ed25519-sha256; d=example.org; s=sel; "
			   "h=From:DKIM-Signature:dkim-signature; bh=@bh; b=@b";
	struct buf one, two;
	struct dkim_verifier *v;

	buf_init(&one, 10000);
	buf_init(&two, 10000);
	kit_claim(&one, keys->ed25519, KIT_ED, KIT_MESSAGE);
	assert_int_equal(buf_add(&one, (struct span){"", 1}), 0);
	kit_claim(&two, keys->ed25519, tags, one.p);
	v = kit_verifier(&at_now, buf_span(&two), 100);
	assert_int_equal(dkim_verifier_count(v), 2);
	dkim_verifier_answer_text(v, span_of(kit_record(keys->ed25519, "")));
	assert_null(dkim_verifier_question(v));
	kit_expect(v, 0, DKIM_PASS, "");
	kit_expect(v, 1, DKIM_PASS, "");
	dkim_verifier_free(&v);
	buf_free(&one);
	buf_free(&two);
}

/* --- the message ---------------------------------------------------------- */

static void
a_body_that_was_changed_asks_for_no_key(void **state)
{
	const struct kit_keys *keys = *state;
	struct dkim_verifier *v;
	struct buf text;

	buf_init(&text, 10000);
	kit_claim(&text, keys->rsa, KIT_RSA, KIT_MESSAGE);
	assert_int_equal(buf_add_str(&text, "more"), 0);
	v = kit_verifier(&at_now, buf_span(&text), 1000);
	assert_null(dkim_verifier_question(v));
	kit_expect(v, 0, DKIM_FAIL, "the body is not the one signed");
	dkim_verifier_free(&v);
	buf_free(&text);
}

/* RFC 6376 6.1: a bad one beside a good one does no harm, up to eight */
static void
signatures_are_looked_at_one_by_one(void **state)
{
	const struct kit_keys *keys = *state;
	struct dkim_verifier *v;
	struct buf text;

	buf_init(&text, 10000);
	for (size_t i = 0; i < DKIM_SIGNATURES_MAX - 1; i++)
		assert_int_equal(
		    buf_add_str(&text, "dkim-signature : v=1; junk\r\n"), 0);
	kit_claim(&text, keys->rsa, KIT_RSA, KIT_MESSAGE);
	v = kit_verifier(&at_now, buf_span(&text), 1000);
	dkim_verifier_answer_text(v, span_of(kit_record(keys->rsa, "")));
	assert_int_equal(dkim_verifier_count(v), DKIM_SIGNATURES_MAX);
	for (size_t i = 0; i < DKIM_SIGNATURES_MAX - 1; i++)
		kit_expect(v, i, DKIM_PERMERROR, "no \"=\"");
	kit_expect(v, DKIM_SIGNATURES_MAX - 1, DKIM_PASS, "");
	dkim_verifier_free(&v);
	/* the ninth is not */
	buf_clear(&text);
	for (size_t i = 0; i < DKIM_SIGNATURES_MAX; i++)
		assert_int_equal(
		    buf_add_str(&text, "DKIM-Signature: junk\r\n"), 0);
	kit_claim(&text, keys->rsa, KIT_RSA, KIT_MESSAGE);
	v = kit_verifier(&at_now, buf_span(&text), 1000);
	assert_null(dkim_verifier_question(v));
	assert_int_equal(dkim_verifier_count(v), DKIM_SIGNATURES_MAX);
	dkim_verifier_free(&v);
	buf_free(&text);
}

/* RFC 5322 2.2: names of fields; RFC 5322 3.5: where a header ends */
static void
messages_of_every_shape(void **state)
{
	static const char *const messages[] = {KIT_FROM, KIT_FROM "\r\n",
	    KIT_FROM "\r\n\r\n\r\n", "From: a@example.org",
	    KIT_FROM "\r\nno end",
	    "no colon\r\n" KIT_FROM ": none\r\n \r\n\r\nx",
	    " blank first\r\n" KIT_FROM "\r\n"};
	const struct kit_keys *keys = *state;
	const char *tags = "v=1; a=ed25519-sha256; c=relaxed/relaxed; s=sel; "
			   "d=example.org; h=From:To; bh=@bh; b=@b";

	for (size_t i = 0; i < ROWS(messages); i++) {
		struct dkim_verifier *v = kit_verify(keys->ed25519, tags,
		    messages[i], kit_record(keys->ed25519, ""));

		if (i == 6) {
			/* it is the last line of the signature */
			assert_int_not_equal(
			    dkim_verifier_result(v, 0)->verdict, DKIM_PASS);
		} else
			kit_expect(v, 0, DKIM_PASS, "");
		dkim_verifier_free(&v);
	}
}

static void
unsigned_messages_have_no_results(void **state)
{
	static const char *const messages[] = {"", "\r\n",
	    "\r\nDKIM-Signature: v=1\r\n", KIT_MESSAGE,
	    "X-DKIM-Signature: v=1\r\n\r\n", "From: x\r\n DKIM-Signature: y"};

	(void)state;
	for (size_t i = 0; i < ROWS(messages); i++)
		for (size_t n = 1; n < 5; n++) {
			struct dkim_verifier *v = kit_verifier(
			    &at_now, span_of(messages[i]), n);

			assert_int_equal(dkim_verifier_count(v), 0);
			assert_null(dkim_verifier_question(v));
			dkim_verifier_free(&v);
		}
}

static int
feed_times(struct dkim_verifier *v, const char *text, size_t times)
{
	struct err err;

	for (size_t i = 0; i < times; i++)
		if (dkim_verifier_feed(v, span_of(text), &err) < 0)
			return -1;
	return 0;
}

static void
headers_are_not_without_end(void **state)
{
	struct dkim_verifier *v = dkim_verifier_new(&at_now);
	struct err err;

	(void)state;
	/* octets */
	assert_int_equal(feed_times(v, "0123456789abcdef", 16384), 0);
	assert_int_equal(dkim_verifier_feed(v, SPAN("x"), &err), -1);
	assert_int_equal(err.kind, ERR_PERM);
	assert_int_equal(dkim_verifier_feed(v, SPAN("\r\n\r\n"), &err), -1);
	assert_int_equal(dkim_verifier_end(v, &err), -1);
	assert_int_equal(dkim_verifier_count(v), 0);
	dkim_verifier_free(&v);
	/* fields */
	v = dkim_verifier_new(&at_now);
	assert_int_equal(feed_times(v, "a:\r\n", DKIM_FIELDS_MAX), 0);
	assert_int_equal(dkim_verifier_end(v, &err), 0);
	assert_int_equal(dkim_verifier_feed(v, SPAN("x"), &err), -1);
	assert_int_equal(err.kind, ERR_BUG);
	dkim_verifier_free(&v);
	v = dkim_verifier_new(&at_now);
	assert_int_equal(feed_times(v, "a:\r\n", DKIM_FIELDS_MAX + 1), 0);
	assert_int_equal(dkim_verifier_end(v, &err), -1);
	assert_int_equal(err.kind, ERR_PERM);
	dkim_verifier_free(&v);
	/* bodies are */
	v = dkim_verifier_new(&at_now);
	assert_int_equal(feed_times(v, "\r\n", 500000), 0);
	assert_int_equal(dkim_verifier_end(v, &err), 0);
	dkim_verifier_free(&v);
}

/* RFC 6376 3.6.2: the name to ask for is one that can be asked for */
static void
names_have_a_length(void **state)
{
	static const char label[] =
	    "a123456789a123456789a123456789a123456789a123456789a123456789";
	const struct kit_keys *keys = *state;
	char tags[1000];
	struct dkim_verifier *v;

	for (size_t n = 1; n <= 2; n++) {
		(void)snprintf(tags, sizeof(tags),
		    "v=1; a=rsa-sha256; h=From; bh=@bh; b=@b; s=%s%s%s; "
		    "d=%s.%s.example.org",
		    label, n == 2 ? "." : "", n == 2 ? label : "", label,
		    label);
		v = kit_verify(
		    keys->rsa, tags, KIT_MESSAGE, kit_record(keys->rsa, ""));
		kit_expect(
		    v, 0, n == 1 ? DKIM_PASS : DKIM_PERMERROR, "too long");
		dkim_verifier_free(&v);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(example_of_rfc_8463_passes_in_any_pieces),
	    cmocka_unit_test(nothing_of_the_example_can_be_changed),
	    cmocka_unit_test(claims_are_judged),
	    cmocka_unit_test(lengths_are_judged),
	    cmocka_unit_test(fields_of_one_name_count_from_below),
	    cmocka_unit_test(absence_is_signed),
	    cmocka_unit_test(a_signature_may_sign_another),
	    cmocka_unit_test(a_body_that_was_changed_asks_for_no_key),
	    cmocka_unit_test(signatures_are_looked_at_one_by_one),
	    cmocka_unit_test(messages_of_every_shape),
	    cmocka_unit_test(unsigned_messages_have_no_results),
	    cmocka_unit_test(headers_are_not_without_end),
	    cmocka_unit_test(names_have_a_length),
	};

	return cmocka_run_group_tests_name(
	    "dkim_verify", tests, kit_keys_make, kit_keys_drop);
}
