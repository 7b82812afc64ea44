/* What is said of TLSA records that could be better. */
#include <stdio.h>
#include <string.h>

#include "tlsa/advice.h"

#include "tests/support/test.h"

#define RECORDS_MAX 8

struct row {
	const char *rule;
	const char *records; /* "3 1 1 N" each, N how many octets of data */
	uint32_t ttl;
	const char *says; /* what has to be in it; "": nothing is said */
};

static const struct row rows[] = {
    {"RFC 7672 3.1: as it should be", "3 1 1", 3600, ""},
    {"RFC 7672 3.1: and the second choice", "2 0 1", 3600, ""},
    {"RFC 7671 8.1: two keys", "3 1 1,3 1 1", 3600, ""},
    {"none", "", 3600, ""},
    {"RFC 7671 2: SHA-512 alone", "3 1 2", 3600, "1 is the one that everybody"},
    {"RFC 7671 2: SHA-512 of both usages", "3 1 2,2 0 2", 3600,
	"1 is the one that everybody"},
    {"RFC 7671 2: SHA-512 beside", "3 1 2,3 1 1", 3600, ""},
    {"RFC 7671 2: SHA-512 beside what nobody uses", "3 1 2,1 1 1", 3600,
	"1 is the one that everybody"},
    {"RFC 7671 10.1.2: a whole certificate", "3 0 0 800", 3600,
	"3 0 0 makes big answers: a digest is better, 3 0 1"},
    {"RFC 7671 5.2.1: a whole key of an authority", "2 1 0 300", 3600,
	"2 1 0 makes big answers"},
    {"RFC 7671 5.2.1: the key of an authority", "2 1 1", 3600,
	"2 1 1: usage 2 is best with selector 0"},
    {"RFC 7672 3.1.2: its stronger digest", "2 1 2,3 1 1", 3600, "2 1 2: "},
    {"RFC 7671 8.3: each key has each digest", "3 1 1,3 1 1,3 1 2,3 1 2", 3600,
	""},
    {"RFC 7671 8.3: a key without its stronger digest", "3 1 1,3 1 1,3 1 2",
	3600, "2 of 3 1 1, but 1 of 3 1 2"},
    {"RFC 7671 8.3: a key without its weaker digest", "2 0 1,2 0 2,2 0 2", 3600,
	"1 of 2 0 1, but 2 of 2 0 2"},
    {"RFC 7671 8.3: each usage by itself", "3 1 1,2 0 2", 3600, ""},
    {"RFC 7671 10.1.1: what fits", "3 1 1 1176", 3600, ""},
    {"RFC 7671 10.1.1: one octet more", "3 1 1 1177", 3600,
	"an answer has 1233 octets"},
    {"RFC 7671 13: a day", "3 1 1", 86400, ""},
    {"RFC 7671 13: more than a day", "3 1 1", 86401,
	"their TTL is 86401 seconds"},
    {"RFC 7671 13: not known", "3 1 1", 0, ""},
};

/* RFC 1035 4.1: what an answer has beside it is counted, too. */
static const char data[2000];

/* The number at the front, and the blank behind it; 0: there is none. */
static unsigned
number(const char **at)
{
	unsigned n = 0;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		n = 10 * n + (unsigned)(**at - '0');
	*at += **at == ' ';
	return n;
}

static void
read_records(const char *text, struct tlsa_record records[RECORDS_MAX],
    struct tlsa_set *set)
{
	set->n = 0;
	while (*text != '\0') {
		unsigned u = number(&text), s = number(&text);
		unsigned m = number(&text), n = number(&text);

		assert_true(set->n < RECORDS_MAX);
		if (n == 0)
			n = m == TLSA_SHA256 ? 32 : 64;
		records[set->n++] = (struct tlsa_record){.usage = (uint8_t)u,
		    .selector = (uint8_t)s,
		    .matching = (uint8_t)m,
		    .use = u < 2 ? TLSA_UNSUPPORTED : TLSA_IN_USE,
		    .data = {data, n}};
		text += *text == ',';
	}
	set->records = records;
}

static void
what_could_be_better_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tlsa_record records[RECORDS_MAX];
		struct tlsa_set set = {
		    .base = "mx.example.org", .ttl = rows[i].ttl};
		struct buf out;

		read_records(rows[i].records, records, &set);
		buf_init(&out, 4096);
		assert_int_equal(tlsa_advise(&set, &out), 0);
		assert_int_equal(buf_add(&out, (struct span){"", 1}), 0);
		if ((rows[i].says[0] == '\0') != (out.p[0] == '\0') ||
		    strstr(out.p, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].rule, out.p);
		buf_free(&out);
	}
}

/* Where it does not fit all of it is not said. */
static void
it_keeps_its_limit(void **state)
{
	struct tlsa_record records[RECORDS_MAX];
	struct tlsa_set set = {.base = "mx.example.org", .ttl = 100000};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf out;

		read_records(rows[i].records, records, &set);
		buf_init(&out, 20);
		assert_int_equal(tlsa_advise(&set, &out), -1);
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_could_be_better_is_said),
	    cmocka_unit_test(it_keeps_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
