/* The key record: what it says, and for whom. */
#include <string.h>

#include "reporting/dkim_crypto.h"
#include "reporting/dkim_record.h"

#include "tests/support/test.h"

#define ANY    DKIM_FLAG_ANY_SERVICE
#define NAMED  DKIM_FLAG_NAMED_SERVICE
#define K      "k=ed25519; p=AAAA"
#define SHA256 DKIM_RSA_SHA256
#define ED     DKIM_ED25519_SHA256

/* NULL: it is a key. */
static const struct {
	const char *text;
	const char *service;
	enum dkim_algorithm algorithm;
	const char *why;
	unsigned flags;
} rows[] = {
    {"v=DKIM1; p=AAAA", "email", SHA256, NULL, ANY},
    {"p=AAAA", "email", SHA256, NULL, ANY},
    {"k=rsa; p=AAAA;", "email", SHA256, NULL, ANY},
    {"v=DKIM1; p=AA\r\n AA; x=1", "email", SHA256, NULL, ANY},
    {"v=DKIM1; g=*; p=AAAA; n=a note", "email", SHA256, NULL, ANY},
    {"v=DKIM1; " K, "email", ED, NULL, ANY},
    /* RFC 6376 3.6.1: v= */
    {"v=DKIM2; p=AAAA", "email", SHA256, "not DKIM1", ANY},
    {"v=dkim1; p=AAAA", "email", SHA256, "not DKIM1", ANY},
    {"v=DKIM1.0; p=AAAA", "email", SHA256, "not DKIM1", ANY},
    {"v=; p=AAAA", "email", SHA256, "not DKIM1", ANY},
    {"p=AAAA; v=DKIM1", "email", SHA256, "not its first", ANY},
    /* RFC 6376 3.2: the list itself */
    {"v=DKIM1; p=AAAA; p=", "email", SHA256, "twice", 0},
    {"v=spf1 -all", "email", SHA256, "not DKIM1", ANY},
    {"some text", "email", SHA256, "no \"=\"", 0},
    {"", "email", SHA256, "empty", 0},
    /* RFC 6376 3.6.1: s= */
    {"s=email; p=AAAA", "email", SHA256, NULL, NAMED},
    {"s=*; p=AAAA", "email", SHA256, NULL, ANY},
    {"s=tlsrpt; p=AAAA", "tlsrpt", SHA256, NULL, NAMED},
    {"s= email : tlsrpt ; p=AAAA", "tlsrpt", SHA256, NULL, NAMED},
    {"s=tlsrpt:*; p=AAAA", "tlsrpt", SHA256, NULL, ANY | NAMED},
    {"s=tlsrpt; p=AAAA", "email", SHA256, "this service", 0},
    {"s=email; p=AAAA", "tlsrpt", SHA256, "this service", 0},
    {"s=; p=AAAA", "email", SHA256, "this service", 0},
    {"s=EMAIL; p=AAAA", "email", SHA256, "this service", 0},
    /* RFC 6376 3.6.1: t= */
    {"t=y; p=AAAA", "email", SHA256, NULL, ANY | DKIM_FLAG_TESTING},
    {"t=s; p=AAAA", "email", SHA256, NULL, ANY | DKIM_FLAG_STRICT},
    {"t=x : y:s; p=AAAA", "email", SHA256, NULL,
	ANY | DKIM_FLAG_TESTING | DKIM_FLAG_STRICT},
    {"t=ys; p=AAAA", "email", SHA256, NULL, ANY},
    {"t=; p=AAAA", "email", SHA256, NULL, ANY},
    /* RFC 6376 6.1.2: h=, also of keys for Ed25519 */
    {"h=sha1:sha256; p=AAAA", "email", SHA256, NULL, ANY},
    {"h=sha1; p=AAAA", "email", SHA256, "not for sha256", ANY},
    {"h=; p=AAAA", "email", SHA256, "not for sha256", ANY},
    {"h=sha1; " K, "email", ED, "not for sha256", ANY},
    /* RFC 6376 3.6.1: p= */
    {"v=DKIM1; p=", "email", SHA256, "revoked", ANY | DKIM_FLAG_REVOKED},
    {"v=DKIM1; p= ;", "email", SHA256, "revoked", ANY | DKIM_FLAG_REVOKED},
    {"v=DKIM1; k=x; p=", "email", ED, "revoked", ANY | DKIM_FLAG_REVOKED},
    {"v=DKIM1", "email", SHA256, "no p=", ANY},
    {"p=AAAA.", "email", SHA256, "no base64", ANY},
    /* RFC 6376 6.1.2: k=; RFC 8463 4.2 */
    {K, "email", SHA256, "another type", ANY},
    {"p=AAAA", "email", ED, "another type", ANY},
    {"k=RSA; p=AAAA", "email", SHA256, "another type", ANY},
    {"k=ed25519-sha256; p=AAAA", "email", ED, "another type", ANY},
    {"k=; p=AAAA", "email", SHA256, "another type", ANY},
    {"k=x; p=AAAA", "email", DKIM_ALGORITHM_OTHER, "another type", ANY},
};

static void
records_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dkim_record record;
		struct dkim_finding finding = dkim_record_read(
		    span_of(rows[i].text), rows[i].service, rows[i].algorithm,
		    &record);
		bool good = finding.verdict == DKIM_PASS;

		if (good != (rows[i].why == NULL) ||
		    (!good && strstr(finding.why, rows[i].why) == NULL) ||
		    record.flags != rows[i].flags ||
		    record.nkey != (good ? 3 : 0))
			fail_msg("%s: %s, flags %u", rows[i].text, finding.why,
			    record.flags);
		if (!good)
			assert_int_equal(finding.verdict, DKIM_PERMERROR);
	}
}

static void
keys_are_not_without_end(void **state)
{
	static char text[2 * DKIM_PUBLIC_MAX] = "p=";
	struct dkim_record record;
	struct dkim_finding finding;

	(void)state;
	memset(text + 2, 'A', DKIM_PUBLIC_MAX / 3 * 4);
	finding = dkim_record_read(
	    span_of(text), "email", DKIM_RSA_SHA256, &record);
	assert_int_equal(finding.verdict, DKIM_PASS);
	assert_int_equal(record.nkey, DKIM_PUBLIC_MAX);
	memset(text + 2, 'A', DKIM_PUBLIC_MAX / 3 * 4 + 4);
	finding = dkim_record_read(
	    span_of(text), "email", DKIM_RSA_SHA256, &record);
	assert_int_equal(finding.verdict, DKIM_PERMERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_are_judged),
	    cmocka_unit_test(keys_are_not_without_end),
	};

	return cmocka_run_group_tests_name("dkim_record", tests, NULL, NULL);
}
