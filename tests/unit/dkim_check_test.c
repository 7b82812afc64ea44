/* Would a verifier take our signatures by what is published? */
#include <stdio.h>
#include <string.h>

#include "reporting/dkim_check.h"
#include "reporting/dkim_tags.h"

#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

#define ED "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
/* Another pair's. */
#define OTHER   "p=O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="
#define RECORDS 2

static const struct {
	const char *name;
	const char *records[RECORDS];
	enum dkim_published published;
	const char *why; /* a part of it; "" is all */
	bool tlsrpt_only;
} rows[] = {
    {"as it is to be", {"v=DKIM1; k=ed25519; " ED}, DKIM_IN_ORDER, "", false},
    {"t=s is no matter", {"v=DKIM1; k=ed25519; t=s; " ED}, DKIM_IN_ORDER, "",
	false},
    {"for all", {"k=ed25519; s=*; " ED}, DKIM_IN_ORDER, "", false},
    {"for both", {"k=ed25519; s=email:tlsrpt; " ED}, DKIM_IN_ORDER, "", false},
    {"for reports", {"k=ed25519; s=tlsrpt; " ED}, DKIM_IN_ORDER, "", true},
    {"nothing there", {NULL}, DKIM_MISSING, "no TXT record", false},
    {"two of them", {"k=ed25519; " ED, "k=ed25519; " ED}, DKIM_SEVERAL,
	"several records", false},
    {"another key", {"v=DKIM1; k=ed25519; " OTHER}, DKIM_OTHER_KEY,
	"another key", false},
    {"no k=, which is RSA", {"v=DKIM1; " ED}, DKIM_UNUSABLE, "another type",
	false},
    {"another type", {"v=DKIM1; k=rsa; " ED}, DKIM_UNUSABLE, "another type",
	false},
    {"cut off", {"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPa"},
	DKIM_UNUSABLE, "none of its type", false},
    {"revoked", {"v=DKIM1; k=ed25519; p="}, DKIM_UNUSABLE, "revoked", false},
    {"no key", {"v=DKIM1; k=ed25519"}, DKIM_UNUSABLE, "no p=", false},
    {"no list", {"v=DKIM1 k ed25519"}, DKIM_UNUSABLE, "", false},
    {"the version is not first", {"k=ed25519; v=DKIM1; " ED}, DKIM_UNUSABLE,
	"first tag", false},
    {"for mail alone", {"k=ed25519; s=email; " ED}, DKIM_UNUSABLE,
	"not for this service", false},
    {"for sha1", {"k=ed25519; h=sha1; " ED}, DKIM_UNUSABLE, "sha256", false},
    {"a test", {"k=ed25519; t=y; " ED}, DKIM_TESTED_ONLY, "t=y", false},
    {"a test of another", {"k=ed25519; t=y; " OTHER}, DKIM_OTHER_KEY,
	"another key", false},
};

static struct dkim_key *
read_key(const char *pem)
{
	struct dkim_key *key = NULL;
	struct err err;

	assert_int_equal(dkim_key_read(span_of(pem), &key, &err), 0);
	return key;
}

/* RFC 1035 3.3.14: one string of at most 255 octets after the other. */
static struct span
wire(const char *text, char *room)
{
	size_t n = strlen(text), at = 0;

	while (n > 0) {
		size_t part = n < 255 ? n : 255;

		room[at] = (char)(unsigned char)part;
		memcpy(room + at + 1, text, part);
		at += part + 1;
		text += part;
		n -= part;
	}
	return (struct span){room, at};
}

static void
check_texts(const struct dkim_key *key, const char *const records[RECORDS],
    enum dns_trust trust, struct dkim_check *ret, struct buf *text)
{
	char rooms[RECORDS][1024];
	struct span rdata[RECORDS];
	struct dns_answer answer = {.trust = trust, .rdata = rdata};

	for (size_t i = 0; i < RECORDS && records[i] != NULL; i++)
		rdata[answer.nrdata++] = wire(records[i], rooms[i]);
	answer.exists = answer.nrdata > 0;
	buf_init(text, DKIM_CHECK_TEXT);
	dkim_check(key, &answer, ret, text);
}

/* RFC 6376 3.6.1, RFC 6376 3.6.2.2, RFC 6376 6.1.2; RFC 8460 3 */
static void
what_is_published_is_judged(void **state)
{
	struct dkim_key *key = read_key(kit_ed25519_pem);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dkim_check got;
		struct buf text;

		print_message("# %s\n", rows[i].name);
		check_texts(key, rows[i].records, DNS_SECURE, &got, &text);
		assert_string_equal(dkim_published_name(got.published),
		    dkim_published_name(rows[i].published));
		assert_non_null(strstr(got.why, rows[i].why));
		assert_int_equal(
		    got.why[0] == '\0', rows[i].published == DKIM_IN_ORDER);
		assert_int_equal(got.tlsrpt_only, rows[i].tlsrpt_only);
		assert_true(got.secure);
		if (got.records == 1)
			assert_true(span_eq(
			    buf_span(&text), span_of(rows[i].records[0])));
		buf_free(&text);
	}
	dkim_key_free(&key);
}

/* RFC 6376 3.6.1, erratum 3017: however it is written. */
static void
rsa_is_the_same_in_both_forms(void **state)
{
	struct dkim_key *key = read_key(kit_rsa_pem);
	char record[1024], bare[1024];
	unsigned char der[1024];
	const char *const records[][RECORDS] = {
	    {kit_rsa_record}, {bare}, {record}};
	struct span p;
	struct buf text;
	size_t n;

	(void)state;
	/* An RSAPublicKey: without the 24 octets around it. */
	p = span_of(strstr(kit_rsa_record, "p=") + 2);
	assert_int_equal(dkim_base64_read(p, der, sizeof(der), &n), 0);
	buf_init(&text, sizeof(bare) - 3);
	assert_int_equal(
	    dkim_base64_write(
		(struct span){(const char *)der + 24, n - 24}, &text),
	    0);
	(void)snprintf(
	    bare, sizeof(bare), "p=%.*s", (int)text.n, (const char *)text.p);
	buf_free(&text);
	(void)snprintf(
	    record, sizeof(record), "k=rsa; s=tlsrpt; p=%.*s", (int)p.n, p.p);
	for (size_t i = 0; i < ROWS(records); i++) {
		struct dkim_check got;

		check_texts(key, records[i], DNS_INSECURE, &got, &text);
		buf_free(&text);
		assert_string_equal(got.why, "");
		assert_int_equal(got.published, DKIM_IN_ORDER);
		assert_false(got.secure);
	}
	dkim_key_free(&key);
}

static void
no_answer_is_no_record(void **state)
{
	struct dkim_key *key = read_key(kit_ed25519_pem);
	struct span malformed = {"\x09", 1};
	const struct {
		struct dns_answer answer;
		enum dkim_published published;
		const char *why;
	} answers[] = {
	    {{.trust = DNS_FAILED, .why = "timeout"}, DKIM_UNREACHED,
		"the lookup failed: timeout"},
	    {{.trust = DNS_FAILED}, DKIM_UNREACHED, "the lookup failed"},
	    {{.trust = DNS_BOGUS,
		 .exists = true,
		 .rdata = &malformed,
		 .nrdata = 1},
		DKIM_UNREACHED,
		"the DNSSEC signatures are wrong, so nobody gets it"},
	    {{.trust = DNS_SECURE, .nxdomain = true}, DKIM_MISSING,
		"there is no such name"},
	    {{.trust = DNS_INSECURE,
		 .exists = true,
		 .rdata = &malformed,
		 .nrdata = 1},
		DKIM_UNUSABLE, "the record is malformed"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(answers); i++) {
		struct dkim_check got;
		struct buf text;

		buf_init(&text, DKIM_CHECK_TEXT);
		dkim_check(key, &answers[i].answer, &got, &text);
		buf_free(&text);
		assert_int_equal(got.published, answers[i].published);
		assert_string_equal(got.why, answers[i].why);
	}
	assert_string_equal(
	    dkim_published_name((enum dkim_published)0), "unreached");
	dkim_key_free(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_published_is_judged),
	    cmocka_unit_test(rsa_is_the_same_in_both_forms),
	    cmocka_unit_test(no_answer_is_no_record),
	};

	return cmocka_run_group_tests_name("dkim_check", tests, NULL, NULL);
}
