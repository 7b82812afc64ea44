/* What the key of a signature says, and how the DNS answers. */
#include <stdio.h>
#include <string.h>

#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

#define ASKED "sel._domainkey.example.org"

static const struct dkim_verify_setup at_now = {.now = KIT_NOW};

/* --- keys ----------------------------------------------------------------- */

/* RFC 6376 3.6.1. */
static const struct {
	const char *tags;
	const char *record;
	enum dkim_verdict verdict;
	const char *why;
} records[] = {
    {KIT_RSA, "h=sha1; ", DKIM_PERMERROR, "not for sha256"},
    {KIT_RSA, "s=tlsrpt; ", DKIM_PERMERROR, "this service"},
    {KIT_RSA, "t=y; ", DKIM_PASS, ""},
    {KIT_RSA, "t=s; ", DKIM_PASS, ""},
    {KIT_RSA "; i=x@example.org", "t=s; ", DKIM_PASS, ""},
    {KIT_RSA "; i=x@a.example.org", "", DKIM_PASS, ""},
    {KIT_RSA "; i=x@a.example.org", "t=s; ", DKIM_PERMERROR, "d= alone"},
    {KIT_ED, "", DKIM_PERMERROR, "another type"},
};

static void
records_bind_signatures(void **state)
{
	const struct kit_keys *keys = *state;

	for (size_t i = 0; i < ROWS(records); i++) {
		struct dkim_verifier *v = kit_verify(keys->rsa, records[i].tags,
		    KIT_MESSAGE, kit_record(keys->rsa, records[i].record));

		kit_expect(v, 0, records[i].verdict, records[i].why);
		dkim_verifier_free(&v);
	}
}

static void
a_service_can_be_asked_for(void **state)
{
	static const struct {
		const char *tags;
		enum dkim_verdict verdict;
	} rows[] = {{"s=tlsrpt; ", DKIM_PASS}, {"s=*; ", DKIM_PASS},
	    {"", DKIM_PASS}, {"s=email; ", DKIM_PERMERROR}};
	const struct dkim_verify_setup setup = {KIT_NOW, "tlsrpt"};
	const struct kit_keys *keys = *state;
	struct buf text;

	buf_init(&text, 10000);
	kit_claim(&text, keys->rsa, KIT_RSA, KIT_MESSAGE);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dkim_verifier *v = kit_verifier(
		    &setup, buf_span(&text), 1000);

		dkim_verifier_answer_text(
		    v, span_of(kit_record(keys->rsa, rows[i].tags)));
		kit_expect(v, 0, rows[i].verdict, "this service");
		dkim_verifier_free(&v);
	}
	buf_free(&text);
}

/* RFC 8301 3.2 */
static void
keys_have_their_sizes(void **state)
{
	static const struct {
		unsigned bits;
		enum dkim_verdict verdict;
	} rows[] = {{768, DKIM_FAIL}, {1023, DKIM_FAIL}, {1024, DKIM_PASS},
	    {4096, DKIM_PASS}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct kit_key *key = kit_key_rsa(rows[i].bits);
		struct dkim_verifier *v = kit_verify(
		    key, KIT_RSA, KIT_MESSAGE, kit_record(key, ""));

		kit_expect(v, 0, rows[i].verdict, "RFC 8301 3.2");
		assert_int_equal(
		    dkim_verifier_result(v, 0)->key_bits, rows[i].bits);
		dkim_verifier_free(&v);
		kit_key_free(&key);
	}
}

static void
an_empty_record_is_no_key(void **state)
{
	const struct kit_keys *keys = *state;
	struct dkim_verifier *v = kit_verify(
	    keys->ed25519, KIT_ED, KIT_MESSAGE, "");

	kit_expect(v, 0, DKIM_PERMERROR, "empty");
	dkim_verifier_free(&v);
}

static void
another_key_is_none(void **state)
{
	const struct kit_keys *keys = *state;
	struct kit_key *other = kit_key_ed25519();
	struct dkim_verifier *v = kit_verify(
	    keys->ed25519, KIT_ED, KIT_MESSAGE, kit_record(other, ""));

	kit_expect(v, 0, DKIM_FAIL, "RFC 6376 6.1.3");
	assert_int_equal(dkim_verifier_result(v, 0)->key_bits, 256);
	dkim_verifier_free(&v);
	v = kit_verify(
	    keys->ed25519, KIT_ED, KIT_MESSAGE, "v=DKIM1; k=ed25519; p=AAAA");
	kit_expect(v, 0, DKIM_PERMERROR, "none of its type");
	assert_int_equal(dkim_verifier_result(v, 0)->key_bits, 0);
	dkim_verifier_free(&v);
	kit_key_free(&other);
}

/* --- answers -------------------------------------------------------------- */

#define STRINGS_MAX 5000

/* Strings of at most n octets. */
static struct span
to_rdata(const char *text, size_t n, char to[STRINGS_MAX])
{
	struct span rest = span_of(text);
	size_t length = 0;

	while (rest.n > 0) {
		struct span piece = span_first(rest, n);

		to[length++] = (char)piece.n;
		memcpy(to + length, piece.p, piece.n);
		length += piece.n;
		rest = span_from(rest, piece.n);
	}
	return (struct span){to, length};
}

static struct dkim_verifier *
verify_answer(const struct kit_keys *keys, const struct dns_answer *answer)
{
	struct dkim_verifier *v;
	struct buf text;

	buf_init(&text, 10000);
	kit_claim(&text, keys->rsa, KIT_RSA, KIT_MESSAGE);
	v = kit_verifier(&at_now, buf_span(&text), 1000);
	assert_string_equal(dkim_verifier_question(v), ASKED);
	kit_expect(v, 0, DKIM_UNKNOWN, "not verified");
	dkim_verifier_answer(v, answer);
	assert_null(dkim_verifier_question(v));
	buf_free(&text);
	return v;
}

/* RFC 6376 3.6.2.1: what is asked; RFC 6376 6.1.2 (2), (3) */
static void
a_failed_lookup_is_no_missing_key(void **state)
{
	static const struct {
		struct dns_answer answer;
		enum dkim_verdict verdict;
		const char *why;
	} rows[] = {
	    {{0}, DKIM_TEMPERROR, "looked up"},
	    {{.trust = DNS_BOGUS}, DKIM_TEMPERROR, "looked up"},
	    {{.trust = DNS_INSECURE}, DKIM_PERMERROR, "no key"},
	    {{.trust = DNS_SECURE, .nxdomain = true}, DKIM_PERMERROR, "no key"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dkim_verifier *v = verify_answer(
		    *state, &rows[i].answer);

		kit_expect(v, 0, rows[i].verdict, rows[i].why);
		dkim_verifier_free(&v);
	}
}

/* One that is bogus is not used, whatever is in it. */
static void
bogus_records_do_not_count(void **state)
{
	static const enum dns_trust trusts[] = {
	    DNS_FAILED, DNS_BOGUS, DNS_INSECURE, DNS_SECURE};
	const struct kit_keys *keys = *state;
	char bytes[STRINGS_MAX];
	struct span rdata = to_rdata(kit_record(keys->rsa, ""), 255, bytes);

	for (size_t i = 0; i < ROWS(trusts); i++) {
		struct dkim_verifier *v = verify_answer(
		    keys, &(struct dns_answer){.trust = trusts[i],
			      .exists = true,
			      .rdata = &rdata,
			      .nrdata = 1});

		kit_expect(v, 0,
		    trusts[i] <= DNS_BOGUS ? DKIM_TEMPERROR : DKIM_PASS,
		    "looked up");
		dkim_verifier_free(&v);
	}
}

/* RFC 6376 3.6.2.2: strings are joined without blanks */
static void
strings_of_a_record_are_joined(void **state)
{
	const struct kit_keys *keys = *state;
	char bytes[STRINGS_MAX];

	for (size_t n = 1; n < 256; n += 127) {
		struct span rdata = to_rdata(
		    kit_record(keys->rsa, ""), n, bytes);
		struct dns_answer answer = {.trust = DNS_INSECURE,
		    .exists = true,
		    .rdata = &rdata,
		    .nrdata = 1};
		struct dkim_verifier *v = verify_answer(keys, &answer);

		kit_expect(v, 0, DKIM_PASS, "");
		dkim_verifier_free(&v);
		rdata.n--;
		v = verify_answer(keys, &answer);
		kit_expect(v, 0, DKIM_TEMPERROR, "malformed");
		dkim_verifier_free(&v);
	}
}

/* RFC 6376 6.1.2 (4): 'k' is the key, 'o' another, 'x' is text. */
static const struct {
	const char *records;
	enum dkim_verdict verdict;
	const char *why;
} several[] = {
    {"k", DKIM_PASS, ""},
    {"xk", DKIM_PASS, ""},
    {"kx", DKIM_PASS, ""},
    {"ok", DKIM_PASS, ""},
    {"xxxk", DKIM_PASS, ""},
    {"xxxxk", DKIM_PERMERROR, "no \"=\""},
    {"xo", DKIM_FAIL, "RFC 6376 6.1.3"},
    {"ox", DKIM_FAIL, "RFC 6376 6.1.3"},
    {"xr", DKIM_PERMERROR, "no \"=\""},
    {"rx", DKIM_PERMERROR, "revoked"},
};

static void
of_several_records_one_may_do(void **state)
{
	const struct kit_keys *keys = *state;
	struct kit_key *other = kit_key_rsa(1024);
	static char bytes[5][STRINGS_MAX];

	for (size_t i = 0; i < ROWS(several); i++) {
		struct span rdata[5];
		size_t n = strlen(several[i].records);
		struct dkim_verifier *v;

		for (size_t j = 0; j < n; j++) {
			char kind = several[i].records[j];
			const char *text = kind == 'x' ? "text" : "p=";

			if (kind == 'k' || kind == 'o')
				text = kit_record(
				    kind == 'k' ? keys->rsa : other, "");
			rdata[j] = to_rdata(text, 255, bytes[j]);
		}
		v = verify_answer(
		    keys, &(struct dns_answer){.trust = DNS_INSECURE,
			      .exists = true,
			      .rdata = rdata,
			      .nrdata = n});
		kit_expect(v, 0, several[i].verdict, several[i].why);
		assert_int_equal(dkim_verifier_result(v, 0)->key_bits,
		    several[i].verdict == DKIM_PERMERROR ? 0 : 1024);
		dkim_verifier_free(&v);
	}
	kit_key_free(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_bind_signatures),
	    cmocka_unit_test(a_service_can_be_asked_for),
	    cmocka_unit_test(keys_have_their_sizes),
	    cmocka_unit_test(an_empty_record_is_no_key),
	    cmocka_unit_test(another_key_is_none),
	    cmocka_unit_test(a_failed_lookup_is_no_missing_key),
	    cmocka_unit_test(bogus_records_do_not_count),
	    cmocka_unit_test(strings_of_a_record_are_joined),
	    cmocka_unit_test(of_several_records_one_may_do),
	};

	return cmocka_run_group_tests_name(
	    "dkim_key", tests, kit_keys_make, kit_keys_drop);
}
