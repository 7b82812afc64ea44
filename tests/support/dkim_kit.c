/* See dkim_kit.h. */
#include "tests/support/dkim_kit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "reporting/dkim_canon.h"
#include "reporting/dkim_crypto.h"
#include "reporting/dkim_header.h"
#include "reporting/dkim_tags.h"

#include "tests/support/test.h"

const char kit_rsa_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQC4C5+/Pv7HJ6Co\n"
    "cxeBzyCD3chPPlvHQGglXLZDtOVhIcXnxxL4dcyb/z7PfmNXsDimrFnG/U+B1Bku\n"
    "RvYCDmU+BodcVKfIdrfnFziGR4RSx7KDCSfIQV/j7wIN7iTBH2sFYqeoVNXQUOcS\n"
    "qD9eXjUWbdGqj8Elu+5+ACi/5WQOx5CeYxttFJN6OzcCh0My/GxFMvQMWAF2Yf3H\n"
    "IQ4Sbu9X+Np9fydZPQIc1z7zrkYEopBOdvp05oS+dm1Rprkf2tu+a1T/AkPp+W/P\n"
    "zhaTZ3dmHDmmloNvedwMOartVKnKw9QDBYE5pYNuuBa0IyaDGF6s54gW7VQ8SeSG\n"
    "m5LXZ48rAgMBAAECggEADTwiFzsnpYOx18XlrVs16osC3MFOZp7jk7g95Sg3jItv\n"
    "XhJgngcT7oM67ZSYU+sjZRz6HHIFNdVeSt0l02ex8SAVZiwySptQRekovUNG/pBH\n"
    "bok0gqqXg4khpoXMan+LZH4/3JOJMqtMCqPttqgN/O3Ac5mrLpRRULSgjuLR61wK\n"
    "8b5Cof8osaxhxLqiQ5AarbmJ0ZJy6FWbU44QyundbFEdAPIL77ZjD+isLojzgYN9\n"
    "1gjIxnA/yGzaMRBezr86ctHuTl8xUgoiFRF/gvrFukzKIwYuIeu0uw2NhAoIRyT3\n"
    "qAkadmfVxZMIBNReHgh7O3++2J1AHn4zPZpGUHsr0QKBgQDjqc5QTupoSuoQrZ8g\n"
    "RpHgYK+uQXDN7YZJWzjM/dMf/t+UXTHxkvPSEqtj6ZMXJs2U16hQRPAJtRIReDrb\n"
    "Rza6tjfXtRuN06HmhWeQ+0mZ+S5dvcb0elCJnCf/tWTeMyEHiB0BdJ1lX8PYRuSE\n"
    "gPoFrnDaGMR9rLo37JfVgfljWwKBgQDO8/2ehDKWQhk0GtEtel61sSHyhgCIlX7v\n"
    "nLp9MgzpnrB95nwKRLmIfhFg/WNc3kRDtT3G9KdC5ZQy+BvQtm1BZRqBJ/XiGc/W\n"
    "wf143dIWL4v/EH4EFW1UyV+YiVwCm9B0zs8fcS6aNg6Q1l5eFjh2BRnRws0GaY5n\n"
    "M2K44jpccQKBgGW+mMbJTfdIK61CetAo2b7mVv1Qn8JYeeBE1XC/q2AsPu2GbPCi\n"
    "lTb4QwKG+8an/86aRs2A0an081s9WUhwXiQ5lWFgviy3PS7RxgREWZNninI4gzb1\n"
    "hxLI6BNelPK89PDxwszIuiL5FoSMwkn5fkOVvzepQ/9Kd3rQ0NaJnNPrAoGAfL/F\n"
    "BNWpbLvhV3BG4UQfbSSeUwQFtE9xWdy+6ZLPB9BZkTrrUIFG2YkszqtPRv7QZYQN\n"
    "/i0h2ghrwiGfGrustjvMs0g0RpvKlikPstj7t9XnbNQzMiD8a5yLnHZIWWY1TQQR\n"
    "BGIEdn7ZXuNptQtt8251tuTXE+NzLLBj9RChn3ECgYBF2Hz2dJJlAJOa/qIQDAVJ\n"
    "/0mdOiOqvuuEtaTL9gVwjU3vQruwrK6Uoj9SXu5oMQBVXsLhX/TBfhxBLJcxht7K\n"
    "3nYmEt6kaGIyX1eznG6J0aYx1g1MnQ1w2Zw+plW1+gJkPMgnEYCt9cxpvGFtLRhL\n"
    "AqLe5r+oZcAEfDBqnnpbTA==\n"
    "-----END PRIVATE KEY-----\n";

const char kit_rsa_record[] =
    "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQ"
    "EAuAufvz7+xyegqHMXgc8gg93ITz5bx0BoJVy2Q7TlYSHF58cS+HXMm/8+z3"
    "5jV7A4pqxZxv1PgdQZLkb2Ag5lPgaHXFSnyHa35xc4hkeEUseygwknyEFf4+"
    "8CDe4kwR9rBWKnqFTV0FDnEqg/Xl41Fm3Rqo/BJbvufgAov+VkDseQnmMbbR"
    "STejs3AodDMvxsRTL0DFgBdmH9xyEOEm7vV/jafX8nWT0CHNc+865GBKKQTn"
    "b6dOaEvnZtUaa5H9rbvmtU/wJD6flvz84Wk2d3Zhw5ppaDb3ncDDmq7VSpys"
    "PUAwWBOaWDbrgWtCMmgxherOeIFu1UPEnkhpuS12ePKwIDAQAB";

const char kit_ed25519_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

const char kit_rfc8463[] =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
    " date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    "\r\n"
    "Hi.\r\n"
    "\r\n"
    "We lost the game.  Are you hungry yet?\r\n"
    "\r\n"
    "Joe.\r\n"
    "\r\n";

const char kit_rfc8463_ed25519[] =
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaP"
    "cHURo=";

const char kit_rfc8463_rsa[] =
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHl"
    "OQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/b"
    "yYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hst"
    "T5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

struct kit_key {
	EVP_PKEY *key;
};

static struct kit_key *
wrap(EVP_PKEY *key)
{
	struct kit_key *kit = calloc(1, sizeof(*kit));

	assert_non_null(key);
	kit->key = key;
	return kit;
}

struct kit_key *
kit_key_rsa(unsigned bits)
{
	return wrap(EVP_RSA_gen(bits));
}

struct kit_key *
kit_key_ed25519(void)
{
	return wrap(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

struct kit_key *
kit_key_seed(struct span base64)
{
	unsigned char seed[32];
	size_t n;

	assert_int_equal(dkim_base64_read(base64, seed, sizeof(seed), &n), 0);
	return wrap(
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, n));
}

void
kit_key_free(struct kit_key **key)
{
	EVP_PKEY_free((*key)->key);
	free(*key);
	*key = NULL;
}

int
kit_keys_make(void **state)
{
	static struct kit_keys keys;

	keys.rsa = kit_key_rsa(1024);
	keys.ed25519 = kit_key_ed25519();
	*state = &keys;
	return 0;
}

int
kit_keys_drop(void **state)
{
	struct kit_keys *keys = *state;

	kit_key_free(&keys->rsa);
	kit_key_free(&keys->ed25519);
	return 0;
}

const char *
kit_record(const struct kit_key *key, const char *tags)
{
	static char text[4096];
	bool rsa = EVP_PKEY_is_a(key->key, "RSA") == 1;
	unsigned char raw[32];
	unsigned char *der = NULL;
	size_t n = sizeof(raw);
	struct buf p;

	buf_init(&p, 3000);
	if (rsa)
		n = (size_t)i2d_PUBKEY(key->key, &der);
	else
		assert_int_equal(
		    EVP_PKEY_get_raw_public_key(key->key, raw, &n), 1);
	assert_int_equal(
	    dkim_base64_write(
		(struct span){rsa ? (char *)der : (char *)raw, n}, &p),
	    0);
	(void)snprintf(text, sizeof(text), "v=DKIM1; k=%s; %sp=%.*s",
	    rsa ? "rsa" : "ed25519", tags, (int)p.n, p.p);
	OPENSSL_free(der);
	buf_free(&p);
	return text;
}

/* --- signatures ----------------------------------------------------------- */

static void
sign(const struct kit_key *key, const unsigned char *hash, struct buf *out)
{
	bool rsa = EVP_PKEY_is_a(key->key, "RSA") == 1;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->key, NULL);
	unsigned char bytes[2048];
	size_t n = sizeof(bytes);

	if (rsa) {
		assert_int_equal(EVP_PKEY_sign_init(context), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()), 1);
		assert_int_equal(
		    EVP_PKEY_sign(context, bytes, &n, hash, 32), 1);
	} else {
		assert_int_equal(
		    EVP_DigestSignInit(md, NULL, NULL, NULL, key->key), 1);
		assert_int_equal(EVP_DigestSign(md, bytes, &n, hash, 32), 1);
	}
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(context);
	assert_int_equal(
	    dkim_base64_write((struct span){(char *)bytes, n}, out), 0);
}

static void
collect(struct span bytes, void *arg)
{
	assert_int_equal(buf_add(arg, bytes), 0);
}

static enum dkim_canon
canon_in(const char *tags, const char *relaxed)
{
	return strstr(tags, relaxed) != NULL ? DKIM_RELAXED : DKIM_SIMPLE;
}

/* bh= of the body, as far as l= goes. */
static void
hash_body(const char *tags, const char *message, struct buf *out)
{
	const char *body = strstr(message, "\r\n\r\n");
	const char *l = strstr(tags, "l=");
	struct dkim_hash *hash = dkim_hash_new();
	unsigned char bytes[DKIM_HASH_SIZE];
	struct dkim_body canon;
	uint64_t length;
	struct buf text;

	buf_init(&text, (size_t)1 << 20);
	dkim_body_init(&canon, canon_in(tags, "/relaxed"), collect, &text);
	if (body != NULL)
		dkim_body_feed(&canon, span_of(body + 4));
	dkim_body_end(&canon);
	if (l != NULL &&
	    text_parse_u64(
		(struct span){l + 2, strspn(l + 2, "0123456789")}, &length) &&
	    length < text.n)
		text.n = (size_t)length;
	dkim_hash_add(hash, buf_span(&text));
	assert_int_equal(dkim_hash_end(hash, bytes), 0);
	assert_int_equal(
	    dkim_base64_write((struct span){(char *)bytes, sizeof(bytes)}, out),
	    0);
	dkim_hash_free(&hash);
	buf_free(&text);
}

/* `text` with `with` where `what` was; it is there once at most. */
static void
replace(struct buf *text, const char *what, struct span with)
{
	const char *at = memmem(text->p, text->n, what, strlen(what));
	struct buf out;
	size_t before;

	if (at == NULL)
		return;
	before = (size_t)(at - text->p);
	buf_init(&out, text->limit);
	assert_int_equal(buf_add(&out, span_first(buf_span(text), before)), 0);
	assert_int_equal(buf_add(&out, with), 0);
	assert_int_equal(
	    buf_add(&out, span_from(buf_span(text), before + strlen(what))), 0);
	buf_free(text);
	*text = out;
}

static void
hash_header(const char *tags, struct span field, const char *message,
    unsigned char hash[DKIM_HASH_SIZE])
{
	struct dkim_header header;
	struct span piece = span_of(message);
	struct dkim_tags list;
	struct dkim_cover cover = {.canon = canon_in(tags, "c=relaxed"),
	    .own = DKIM_NO_FIELD,
	    .field = field};

	dkim_header_init(&header);
	assert_int_equal(dkim_header_feed(&header, &piece), 0);
	if (!header.complete)
		assert_int_equal(dkim_header_end(&header), 0);
	assert_null(dkim_tags_read(span_of(tags), &list));
	cover.names = dkim_tags_find(&list, "h")->value;
	assert_int_equal(dkim_header_hash(&header, &cover, hash), 0);
	dkim_header_free(&header);
}

void
kit_claim(struct buf *out, const struct kit_key *key, const char *tags,
    const char *message)
{
	unsigned char hash[DKIM_HASH_SIZE];
	struct buf field, without, value;

	buf_init(&field, 100000);
	buf_init(&without, 100000);
	buf_init(&value, 8000);
	assert_int_equal(buf_printf(&field, "DKIM-Signature: %s", tags), 0);
	hash_body(tags, message, &value);
	replace(&field, "@bh", buf_span(&value));
	assert_int_equal(buf_add(&without, buf_span(&field)), 0);
	replace(&without, "@b\r\n ", SPAN(""));
	replace(&without, "@b", SPAN(""));
	hash_header(tags, buf_span(&without), message, hash);
	buf_clear(&value);
	sign(key, hash, &value);
	replace(&field, "@b", buf_span(&value));
	assert_int_equal(buf_add(out, buf_span(&field)), 0);
	assert_int_equal(buf_printf(out, "\r\n%s", message), 0);
	buf_free(&field);
	buf_free(&without);
	buf_free(&value);
}

struct dkim_verifier *
kit_verifier(
    const struct dkim_verify_setup *setup, struct span message, size_t n)
{
	struct dkim_verifier *v = dkim_verifier_new(setup);
	struct err err = {0};

	while (message.n > 0) {
		struct span piece = span_first(message, n);

		if (dkim_verifier_feed(v, piece, &err) < 0)
			fail_msg("%s", err.text);
		message = span_from(message, piece.n);
	}
	if (dkim_verifier_end(v, &err) < 0)
		fail_msg("%s", err.text);
	return v;
}

struct dkim_verifier *
kit_verify(const struct kit_key *key, const char *tags, const char *message,
    const char *record)
{
	static const struct dkim_verify_setup setup = {.now = KIT_NOW};
	struct dkim_verifier *v;
	struct buf text;

	buf_init(&text, 200000);
	kit_claim(&text, key, tags, message);
	v = kit_verifier(&setup, buf_span(&text), 17);
	if (dkim_verifier_question(v) != NULL)
		dkim_verifier_answer_text(v, span_of(record));
	buf_free(&text);
	return v;
}

void
kit_expect(const struct dkim_verifier *v, size_t i, enum dkim_verdict verdict,
    const char *why)
{
	const struct dkim_result *result = dkim_verifier_result(v, i);

	if (result->verdict != verdict ||
	    (verdict == DKIM_PASS ? result->why[0] != '\0'
				  : strstr(result->why, why) == NULL))
		fail_msg("%zu: %s, %s; not %s, %s", i,
		    dkim_verdict_name(result->verdict), result->why,
		    dkim_verdict_name(verdict), why);
}
