/* What is published of our keys, and that others can verify by it. */
#include <stdio.h>

#include "reporting/dkim_publish.h"
#include "reporting/dkim_report.h"
#include "reporting/dkim_sign.h"

#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

#define MESSAGE                                                       \
	"From: tls@example.org\r\nTLS-Report-Domain: example.com\r\n" \
	"TLS-Report-Submitter: example.org\r\n\r\nA report.\r\n"

static struct dkim_key *
read_key(const char *pem)
{
	struct dkim_key *key = NULL;
	struct err err;

	assert_int_equal(dkim_key_read(span_of(pem), &key, &err), 0);
	return key;
}

/* RFC 6376 3.6.1, RFC 8463 4.2; the second is the key of RFC 8463 A.2 */
static void
a_record_has_the_public_half(void **state)
{
	struct dkim_key *rsa = read_key(kit_rsa_pem);
	struct dkim_key *ed25519 = read_key(kit_ed25519_pem);
	struct buf out;

	(void)state;
	buf_init(&out, 2000);
	assert_int_equal(dkim_publish_record(rsa, &out), 0);
	assert_int_equal(buf_add(&out, SPAN("\0")), 0);
	assert_true(
	    span_starts_nocase(buf_span(&out), SPAN("v=DKIM1; k=rsa; p=")));
	assert_string_equal(strstr(out.p, "p="), strstr(kit_rsa_record, "p="));
	buf_clear(&out);
	assert_int_equal(dkim_publish_record(ed25519, &out), 0);
	assert_int_equal(buf_add(&out, SPAN("\0")), 0);
	assert_string_equal(out.p,
	    "v=DKIM1; k=ed25519; "
	    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
	buf_free(&out);
	dkim_key_free(&rsa);
	dkim_key_free(&ed25519);
}

static void
a_small_buffer_is_said(void **state)
{
	const char *const pems[] = {kit_rsa_pem, kit_ed25519_pem};

	(void)state;
	for (size_t i = 0; i < ROWS(pems); i++) {
		struct dkim_key *key = read_key(pems[i]);
		struct buf out;

		buf_init(&out, 40);
		assert_int_equal(dkim_publish_record(key, &out), -1);
		buf_free(&out);
		buf_init(&out, 20);
		assert_int_equal(dkim_publish_record(key, &out), -1);
		buf_free(&out);
		dkim_key_free(&key);
	}
}

/* RFC 1035 3.3, RFC 6376 3.6.2.2 */
static void
a_line_has_strings_of_255_octets(void **state)
{
	static const struct {
		size_t length, strings;
	} rows[] = {{1, 1}, {255, 1}, {256, 2}, {510, 2}, {511, 3}};
	char record[600], joined[600];

	(void)state;
	memset(record, 'x', sizeof(record));
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct span rest;
		size_t strings = 0, n = 0;
		struct buf out;

		buf_init(&out, 2000);
		assert_int_equal(
		    dkim_publish_line("sel.a", "example.org",
			(struct span){record, rows[i].length}, &out),
		    0);
		rest = buf_span(&out);
		assert_true(span_starts_nocase(
		    rest, SPAN("sel.a._domainkey.example.org. TXT \"")));
		assert_int_equal(out.p[out.n - 1], '\n');
		rest = span_from(
		    rest, strlen("sel.a._domainkey.example.org. TXT"));
		while (span_starts_nocase(rest, SPAN(" \""))) {
			size_t length = 0;

			rest = span_from(rest, 2);
			while (rest.p[length] != '"')
				length++;
			assert_in_range(length, 1, 255);
			memcpy(joined + n, rest.p, length);
			n += length;
			rest = span_from(rest, length + 1);
			strings++;
		}
		assert_int_equal(rest.n, 1);
		assert_int_equal(strings, rows[i].strings);
		assert_int_equal(n, rows[i].length);
		buf_free(&out);
		buf_init(&out, rows[i].length + 30);
		assert_int_equal(
		    dkim_publish_line("sel.a", "example.org",
			(struct span){record, rows[i].length}, &out),
		    -1);
		buf_free(&out);
	}
}

static void
sign(const struct dkim_key *key, struct buf *out)
{
	const struct dkim_sign_key keys[] = {{key, "sel"}};
	const struct dkim_sign_setup setup = {.domain = "example.org",
	    .keys = keys,
	    .nkeys = 1,
	    .oversigned = dkim_report_fields,
	    .now = KIT_NOW};
	struct dkim_signer *signer = NULL;
	struct err err;

	assert_int_equal(dkim_signer_new(&setup, &signer, &err), 0);
	assert_int_equal(dkim_signer_feed(signer, SPAN(MESSAGE), &err), 0);
	assert_int_equal(dkim_signer_end(signer, out, &err), 0);
	assert_int_equal(buf_add(out, SPAN(MESSAGE)), 0);
	dkim_signer_free(&signer);
}

/*
 * RFC 8460 3 wants "tlsrpt"; who only knows mail (erratum 5889) asks for
 * "email".
 */
static void
what_we_sign_is_verified_by_what_we_publish(void **state)
{
	static const char *const services[] = {"tlsrpt", "email"};
	const char *const pems[] = {kit_rsa_pem, kit_ed25519_pem};

	(void)state;
	for (size_t i = 0; i < ROWS(pems) * ROWS(services); i++) {
		const struct dkim_verify_setup setup = {
		    KIT_NOW, services[i % ROWS(services)]};
		struct dkim_key *key = read_key(pems[i / ROWS(services)]);
		struct dkim_verifier *v;
		struct buf message, record;

		buf_init(&message, 10000);
		buf_init(&record, 2000);
		sign(key, &message);
		assert_int_equal(dkim_publish_record(key, &record), 0);
		v = kit_verifier(&setup, buf_span(&message), 1000);
		dkim_verifier_answer_text(v, buf_span(&record));
		kit_expect(v, 0, DKIM_PASS, "");
		assert_true(dkim_report_judge(v, "example.org").vouched);
		dkim_verifier_free(&v);
		buf_free(&message);
		buf_free(&record);
		dkim_key_free(&key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_has_the_public_half),
	    cmocka_unit_test(a_small_buffer_is_said),
	    cmocka_unit_test(a_line_has_strings_of_255_octets),
	    cmocka_unit_test(what_we_sign_is_verified_by_what_we_publish),
	};

	return cmocka_run_group_tests_name("dkim_publish", tests, NULL, NULL);
}
