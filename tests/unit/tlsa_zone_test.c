/* Records made from certificates and keys, and as the text of a zone. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "tlsa/object.h"
#include "tlsa/zone.h"

#include "tests/support/make_chain.h"
#include "tests/support/test.h"

#define ARENA_MAX 1000000
#define BASE      "mx.example.org"
#define OWNER     "_25._tcp." BASE
#define HEX32     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const struct shape shape = {.names = "DNS:" BASE};

static void
add_pem_of(struct buf *pem, const struct issued *one, const char *what)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;

	for (; *what != '\0'; what++) {
		if (*what == 'c')
			(void)PEM_write_bio_X509(bio, one->cert);
		else if (*what == 'k')
			(void)PEM_write_bio_PrivateKey(
			    bio, one->key, NULL, NULL, 0, NULL, NULL);
		else if (*what == 't' && !EVP_PKEY_is_a(one->key, "ED25519"))
			(void)PEM_write_bio_PrivateKey_traditional(
			    bio, one->key, NULL, NULL, 0, NULL, NULL);
		else if (*what == 't')
			(void)PEM_write_bio_PUBKEY(bio, one->key);
		else if (*what == 'p')
			(void)PEM_write_bio_PUBKEY(bio, one->key);
		else if (*what == 'e')
			(void)PEM_write_bio_PrivateKey(bio, one->key,
			    EVP_aes_128_cbc(), (const unsigned char *)"x", 1,
			    NULL, NULL);
		else if (*what == 'E')
			(void)PEM_write_bio_PrivateKey_traditional(bio,
			    one->key, EVP_aes_128_cbc(),
			    (const unsigned char *)"x", 1, NULL, NULL);
		else
			(void)BIO_puts(bio, "some text\n");
	}
	n = BIO_get_mem_data(bio, &p);
	assert_int_equal(buf_add(pem, (struct span){p, (size_t)n}), 0);
	BIO_free(bio);
}

/* RFC 6698 2.1.2, RFC 6698 2.1.3: what openssl(1) would compute. */
static void
records_are_made_of_certificates_and_keys(void **state)
{
	static const struct shape kinds[] = {{.names = "DNS:" BASE},
	    {.names = "DNS:" BASE, .rsa_bits = 2048},
	    {.names = "DNS:" BASE, .ed25519 = true}};
	static const struct {
		const char *what;
		size_t n;
		bool cert; /* the first one is a certificate */
	} rows[] = {{"c", 1, true}, {"k", 1, false}, {"p", 1, false},
	    {"xcx", 1, true}, {"ck", 2, true}, {"t", 1, false}};

	(void)state;
	for (size_t kind = 0; kind < ROWS(kinds); kind++) {
		struct issued one = issue(&kinds[kind], NULL);

		for (size_t i = 0; i < ROWS(rows) * 6; i++) {
			uint8_t selector = (uint8_t)(i / ROWS(rows) % 2);
			uint8_t matching = (uint8_t)(i / ROWS(rows) / 2);
			size_t row = i % ROWS(rows);
			struct arena *arena = arena_new(ARENA_MAX);
			struct tlsa_object objects[2];
			struct tlsa_record record;
			struct buf pem, want;
			struct err err;
			size_t n = 0;

			buf_init(&pem, ARENA_MAX);
			buf_init(&want, ARENA_MAX);
			add_pem_of(&pem, &one, rows[row].what);
			add_association(&want, &one, selector, matching);
			assert_int_equal(tlsa_objects_read(buf_span(&pem),
					     arena, objects, 2, &n, &err),
			    0);
			assert_int_equal(n, rows[row].n);
			assert_int_equal(
			    tlsa_object_record(&objects[0], 3, selector,
				matching, arena, &record, &err),
			    rows[row].cert || selector == 1 ? 0 : -1);
			if (rows[row].cert || selector == 1) {
				assert_true(
				    span_eq(record.data, buf_span(&want)));
				assert_int_equal(record.use, TLSA_IN_USE);
			}
			buf_free(&pem);
			buf_free(&want);
			arena_free(&arena);
		}
		issued_free(&one);
	}
}

static void
what_is_no_certificate_is_refused(void **state)
{
	static const struct {
		const char *rule, *text, *what;
		size_t room;
		const char *why;
	} rows[] = {
	    {"empty", "", "", 2, "empty"},
	    {"text", "hello\n", "", 2, "neither certificates nor keys"},
	    {"a key with a password", "", "e", 2, "has a password"},
	    {"one of an old file", "", "E", 2, "has a password"},
	    {"too many", "", "ccc", 2, "more than 2"},
	    {"no DER in it",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END "
		"CERTIFICATE-----\n",
		"", 2, "a certificate that is none"},
	    {"a key that is none",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"", 2, "a key that is none"},
	};
	struct issued one = issue(&shape, NULL);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_new(ARENA_MAX);
		struct tlsa_object objects[2];
		struct err err = {0};
		struct buf pem;
		size_t n = 7;

		buf_init(&pem, ARENA_MAX);
		assert_int_equal(buf_add_str(&pem, rows[i].text), 0);
		add_pem_of(&pem, &one, rows[i].what);
		if (tlsa_objects_read(buf_span(&pem), arena, objects,
			rows[i].room, &n, &err) != -1 ||
		    n != 7 || err.kind != ERR_PERM ||
		    strstr(err.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].rule, err.text);
		buf_free(&pem);
		arena_free(&arena);
	}
	issued_free(&one);
}

static void
records_that_nobody_would_use_are_not_made(void **state)
{
	static const uint8_t rows[][3] = {
	    {0, 0, 1}, {1, 1, 1}, {4, 1, 1}, {3, 2, 1}, {3, 1, 3}};
	struct arena *arena = arena_new(ARENA_MAX);
	struct issued one = issue(&shape, NULL);
	struct tlsa_object object;
	struct tlsa_record record;
	struct buf pem;
	struct err err;
	size_t n;

	(void)state;
	buf_init(&pem, ARENA_MAX);
	add_pem_of(&pem, &one, "c");
	assert_int_equal(
	    tlsa_objects_read(buf_span(&pem), arena, &object, 1, &n, &err), 0);
	/* RFC 7672 3.1.3 */
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(
		    tlsa_object_record(&object, rows[i][0], rows[i][1],
			rows[i][2], arena, &record, &err),
		    -1);
	buf_free(&pem);
	issued_free(&one);
	arena_free(&arena);
}

/* RFC 6698 2.2: three decimal numbers and hexadecimal digits. */
static void
printed_as_a_zone_has_it(void **state)
{
	static const char data[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
	    30, 31};
	struct tlsa_record record = {.usage = 2,
	    .selector = 0,
	    .matching = 1,
	    .data = {data, sizeof(data)}};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(tlsa_zone_print(OWNER, 300, &record, &out), 0);
	assert_true(span_eq(
	    buf_span(&out), SPAN(OWNER ".\t300\tIN\tTLSA\t2 0 1 " HEX32 "\n")));
	buf_clear(&out);
	assert_int_equal(tlsa_zone_print("a..b", 3600, &record, &out), -1);
	assert_int_equal(
	    tlsa_zone_print("a\\092e.example", 3600, &record, &out), -1);
	assert_int_equal(out.n, 0);
	buf_free(&out);
}

static const struct text {
	const char *rule, *text;
	int rc;
	size_t n;
	const char *owner;
	uint32_t ttl;
} texts[] = {
    {"a line of a zone", OWNER ". 300 IN TLSA 3 1 1 " HEX32 "\n", 0, 1, OWNER,
	300},
    {"no line end", OWNER ". IN TLSA 3 1 1 " HEX32, 0, 1, OWNER, 3600},
    {"data alone", "3 1 1 " HEX32 "\n", 0, 1, "", 0},
    {"tabs and blanks", " 3\t1 1\t" HEX32 " ", 0, 1, "", 0},
    {"several lines", OWNER ". 300 IN TLSA (\n 3 1 1 ; ours\n  " HEX32 " )\n",
	0, 1, OWNER, 300},
    {"digits in groups",
	"3 1 1 0001020304050607 08090a0b0c0d0e0f "
	"1011121314151617 18191a1b1c1d1e1f",
	0, 1, "", 0},
    {"a group that is a type's name, too", "3 1 1 AAAA bbbb", 0, 1, "", 0},
    {"upper case", "_25._TCP.MX.Example.ORG. 1 IN TLSA 3 1 1 ABCD", 0, 1, OWNER,
	1},
    {"RFC 3597 5", OWNER ". 1 IN TYPE52 \\# 5 030101abcd", 0, 1, OWNER, 1},
    {"other records beside it",
	"; a zone\n\n" BASE ". 1 IN A 192.0.2.1\r\n" OWNER
	". 1 IN TLSA 3 1 1 abcd\n",
	0, 1, OWNER, 1},
    {"bad ones of other types", "a CERT 0\na IN MX 10\n", 0, 0, NULL, 0},
    {"nothing", "", 0, 0, NULL, 0},
    {"only a comment", "; 3 1 1 abcd\n", 0, 0, NULL, 0},
    {"RFC 6698 2.2: no digit", "3 1 1 xyz", -1, 0, NULL, 0},
    {"RFC 6698 2.2: half an octet", "3 1 1 abc", -1, 0, NULL, 0},
    {"half an octet in a line of a zone", OWNER ". 1 IN TLSA 3 1 1 abc", -1, 0,
	NULL, 0},
    {"no data", "3 1 1", -1, 0, NULL, 0},
    {"a number too big", "300 1 1 abcd", -1, 0, NULL, 0},
    {"in a line of a zone", OWNER ". 1 IN TLSA 3 300 1 abcd", -1, 0, NULL, 0},
    {"a name like the type", "tlsa.example. 1 IN TLSA 3 1 1 abcd", 0, 1,
	"tlsa.example", 1},
    {"words", "hello there", -1, 0, NULL, 0},
    {"a directive", "$ORIGIN example.org.\n", -1, 0, NULL, 0},
    {"a directive that reads like a record", "$TTL 1 IN TLSA 3 1 1 abcd", -1, 0,
	NULL, 0},
    {"too many", "3 1 1 aa\n3 1 1 bb\n3 1 1 cc\n", -1, 0, NULL, 0},
    {"one bad line", "3 1 1 aa\nxyz\n", -1, 0, NULL, 0},
};

static void
read_as_people_write_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++) {
		struct arena *arena = arena_new(ARENA_MAX);
		struct tlsa_entry entries[2];
		struct err err = {0};
		size_t n = 0;
		int rc = tlsa_zone_read(
		    span_of(texts[i].text), arena, entries, 2, &n, &err);

		if (rc != texts[i].rc || n != texts[i].n ||
		    (n > 0 &&
			(strcmp(entries[0].owner, texts[i].owner) != 0 ||
			    entries[0].ttl != texts[i].ttl ||
			    entries[0].rdata.n < 5 ||
			    memcmp(entries[0].rdata.p, "\3\1\1", 3) != 0)))
			fail_msg(
			    "%s: %d, %zu, %s", texts[i].rule, rc, n, err.text);
		assert_int_equal(err.text[0] == '\0', rc == 0);
		arena_free(&arena);
	}
}

static void
why_it_is_no_record(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
	    {"3 1 1", "no data behind the three numbers"},
	    {"3 1 1 zz", "not octets of two hexadecimal digits"},
	    {"3 1 1 012 3 4", "not octets of two hexadecimal digits"},
	    {"300 1 1 abcd", "usage, selector and matching type (0 to 255)"},
	    {"hello there", "alone or behind NAME TTL IN TLSA"},
	    {OWNER ". IN TLSA 3 1 1", "no data behind the three numbers"},
	    {"a..b. 1 IN TLSA 3 1 1 abcd", "NAME TTL IN TLSA in front"},
	    {"$TTL 300", "directives are not read"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_new(ARENA_MAX);
		struct tlsa_entry entry;
		struct err err = {0};
		size_t n;

		assert_int_equal(tlsa_zone_read(span_of(rows[i].text), arena,
				     &entry, 1, &n, &err),
		    -1);
		if (strstr(err.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].text, err.text);
		arena_free(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_are_made_of_certificates_and_keys),
	    cmocka_unit_test(what_is_no_certificate_is_refused),
	    cmocka_unit_test(records_that_nobody_would_use_are_not_made),
	    cmocka_unit_test(printed_as_a_zone_has_it),
	    cmocka_unit_test(read_as_people_write_it),
	    cmocka_unit_test(why_it_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
