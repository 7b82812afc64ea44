/* Private keys out of files, and base64. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "reporting/dkim_crypto.h"

#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

/* PEM of a fresh key, with a password if there is one. */
static void
make_pem(EVP_PKEY *key, const char *password, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	assert_non_null(key);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key,
			     password == NULL ? NULL : EVP_aes_128_cbc(), NULL,
			     0, NULL, (void *)(uintptr_t)password),
	    1);
	n = BIO_get_mem_data(bio, &text);
	buf_init(out, 10000);
	assert_int_equal(buf_add(out, (struct span){text, (size_t)n}), 0);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

static void
check(struct span pem, const char *why)
{
	struct err err = {.text = "taken"};
	struct dkim_key *key = NULL;
	int rc = dkim_key_read(pem, &key, &err);

	if ((rc == 0) != (why == NULL) ||
	    (why != NULL && strstr(err.text, why) == NULL))
		fail_msg("%s", err.text);
	if (rc < 0) {
		assert_int_equal(err.kind, ERR_PERM);
		assert_null(key);
	}
	dkim_key_free(&key);
}

static void
check_made(EVP_PKEY *key, const char *password, const char *why)
{
	struct buf pem;

	make_pem(key, password, &pem);
	check(buf_span(&pem), why);
	buf_free(&pem);
}

/* RFC 8301 3.2 */
static void
keys_have_their_sizes(void **state)
{
	(void)state;
	check_made(EVP_RSA_gen(1024), NULL, "1024 bits is too short");
	check_made(EVP_RSA_gen(2047), NULL, "2047 bits is too short");
	check_made(EVP_RSA_gen(2048), NULL, NULL);
	check_made(EVP_RSA_gen(4096), NULL, NULL);
	check_made(EVP_RSA_gen(4104), NULL, "4104 bits is too long");
}

static void
keys_are_of_two_types(void **state)
{
	(void)state;
	check_made(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, NULL);
	check_made(EVP_EC_gen("P-256"), NULL, "neither RSA nor Ed25519");
	check_made(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), NULL, "neither");
	check_made(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), NULL, "neither");
}

static void
what_is_no_key_is_said(void **state)
{
	static char cut[2000];

	(void)state;
	check(span_of(kit_rsa_pem), NULL);
	check(span_of(kit_ed25519_pem), NULL);
	check_made(EVP_RSA_gen(2048), "secret", "has a password");
	check((struct span){NULL, 0}, "no private key");
	check(SPAN("text"), "no private key");
	(void)snprintf(cut, sizeof(cut), "%s", kit_rsa_pem);
	check(span_first(span_of(cut), 900), "no private key");
	/* an octet of its middle, where a prime is */
	cut[900] = cut[900] == 'A' ? 'B' : 'A';
	check(span_of(cut), "differ");
}

/* Whoever changes keys may leave both in the file. */
static void
one_key_is_in_a_file(void **state)
{
	static const char certificate[] = "-----BEGIN CERTIFICATE-----\n"
					  "AAAA\n"
					  "-----END CERTIFICATE-----\n";
	static char both[8000];

	(void)state;
	(void)snprintf(
	    both, sizeof(both), "%s%s", kit_rsa_pem, kit_ed25519_pem);
	check(span_of(both), "more than one private key");
	(void)snprintf(both, sizeof(both), "%s%s%s", kit_ed25519_pem,
	    certificate, kit_rsa_pem);
	check(span_of(both), "more than one private key");
	(void)snprintf(both, sizeof(both), "%s%s", kit_rsa_pem, certificate);
	check(span_of(both), NULL);
}

/* RFC 6376 3.3, RFC 8463 3 */
static void
what_one_signs_the_other_half_verifies(void **state)
{
	const char *const pems[] = {kit_rsa_pem, kit_ed25519_pem};

	(void)state;
	for (size_t i = 0; i < ROWS(pems); i++) {
		unsigned char hash[DKIM_HASH_SIZE] = {1, 2, 3};
		struct dkim_key *key = NULL;
		struct err err;
		struct buf out;

		buf_init(&out, 1000);
		assert_int_equal(
		    dkim_key_read(span_of(pems[i]), &key, &err), 0);
		assert_int_equal(dkim_key_algorithm(key),
		    i == 0 ? DKIM_RSA_SHA256 : DKIM_ED25519_SHA256);
		assert_int_equal(dkim_key_sign(key, hash, &out, &err), 0);
		/* 256 and 64 octets, as base64 in one line */
		assert_int_equal(out.n, i == 0 ? 344 : 88);
		buf_free(&out);
		buf_init(&out, 60);
		assert_int_equal(dkim_key_sign(key, hash, &out, &err), -1);
		assert_int_equal(err.kind, ERR_TEMP);
		buf_free(&out);
		dkim_key_free(&key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_have_their_sizes),
	    cmocka_unit_test(keys_are_of_two_types),
	    cmocka_unit_test(what_is_no_key_is_said),
	    cmocka_unit_test(one_key_is_in_a_file),
	    cmocka_unit_test(what_one_signs_the_other_half_verifies),
	};

	return cmocka_run_group_tests_name("dkim_crypto", tests, NULL, NULL);
}
