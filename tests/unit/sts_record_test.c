/* The TXT record of MTA-STS: which of them counts, and what it says. */
#include <string.h>

#include "policy/sts_record.h"

#include "tests/support/test.h"
#include "tests/support/txt_answer.h"

#define RECORDS TXT_ANSWER_RECORDS
#define ID32    "abcdefghijklmnopqrstuvwxyz012345"
/* For tables. */
#define BYTES(s)                    \
	{                           \
		"" s, sizeof(s) - 1 \
	}
#define V "v=STSv1;"

static struct sts_record
read_texts(const struct span *texts, size_t n, size_t most)
{
	struct dns_answer answer = txt_answer(texts, n, most);

	return sts_record_read(&answer);
}

static void
check(const struct sts_record *record, enum sts_record_state state,
    const char *id, const char *name)
{
	if (record->state != state || strcmp(record->id, id) != 0 ||
	    (record->why[0] == '\0') != (state == STS_RECORD_FOUND))
		fail_msg("%s: %s, id \"%s\", %s", name,
		    sts_record_state_name(record->state), record->id,
		    record->why);
}

/* RFC 8461 3.1: NULL is malformed, "" is none. */
static const struct {
	const char *text;
	const char *id;
} texts[] = {
    {V " id=20160831085700Z;", "20160831085700Z"},
    {V "id=a", "a"},
    {V "id=" ID32, ID32},
    {V "id=" ID32 "6", NULL},
    {V " \t id=a \t;\t ", "a"},
    {V "id=AbZ9 ; x=1", "AbZ9"},
    /* the order of the fields does not matter, others do not count */
    {V "x=1; _-.=2", NULL},
    {V "x_-.=!<>~:; id=a;", "a"},
    {V "v=STSv2; id=a", "a"},
    {V "ID=b; id=a", "a"},
    /* RFC 8461 3.2: the first of doubled fields counts */
    {V "id=a; id=b", "a"},
    {V "id=a; id=b-c", "a"},
    {V "id=b-c; id=a", NULL},
    /* required, and with a value */
    {V, NULL},
    {V " ", NULL},
    {V "id=", NULL},
    {V "id", NULL},
    {V "ID=a", NULL},
    {V "id =a", NULL},
    {V "id= a", NULL},
    {V "id=a-b", NULL},
    {V "id=a b", NULL},
    {V "id=\xc3\xa9", NULL},
    {V "id=a ", NULL}, /* white space belongs to a ";" */
    {V ";id=a", NULL},
    {V "id=a;;", NULL},
    {V "id=a; ;", NULL},
    {V "id=a; x=", NULL},
    {V "id=a; =x", NULL},
    {V "id=a; x", NULL},
    {V "id=a; x=a=b", NULL},
    {V "id=a; x=\xc3\xa9", NULL},
    {V "id=a; x=\x7f", NULL},
    {V "id=a; x=a\tb", NULL},
    {V "id=a; " ID32 "=1", "a"},
    {V "id=a; " ID32 "6=1", NULL},
    {V "id=a; -x=1", NULL},
    {V "id=a; x%=1", NULL},
    {V "id=a\n", NULL},
    /* not ours: discarded, also when it stands alone */
    {"v=STSv1 ;id=a", ""}, /* erratum 6285 */
    {"v=STSv1\t; id=a", ""},
    {" " V "id=a", ""},
    {"v=stsv1;id=a", ""},
    {"V=STSv1;id=a", ""},
    {"v=STSv1", ""},
    {"v=STSv10;id=a", ""},
    {"id=a;v=STSv1;", ""},
    {"v=spf1 -all", ""},
    {"", ""},
};

/* RFC 8461 3.1: strings of one record are joined, wherever they are cut. */
static void
one_record_has_an_id(void **state)
{
	static const size_t cuts[] = {255, 1, 3, 7, 8, 9};

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++)
		for (size_t k = 0; k < ROWS(cuts); k++) {
			struct span text = span_of(texts[i].text);
			struct sts_record record = read_texts(
			    &text, 1, cuts[k]);

			if (texts[i].id == NULL)
				check(
				    &record, STS_RECORD_MALFORMED, "", text.p);
			else if (texts[i].id[0] == '\0')
				check(&record, STS_RECORD_NONE, "", text.p);
			else
				check(&record, STS_RECORD_FOUND, texts[i].id,
				    text.p);
		}
}

/* RFC 8461 3.1: those that begin otherwise are discarded; one must remain. */
static void
exactly_one_record_counts(void **state)
{
	static const struct {
		const char *texts[RECORDS];
		enum sts_record_state state;
		const char *id;
	} rows[] = {
	    {{NULL}, STS_RECORD_NONE, ""},
	    {{"x", V "id=a", "v=spf1"}, STS_RECORD_FOUND, "a"},
	    {{V "id=a", "v=STSv1 ;id=b"}, STS_RECORD_FOUND, "a"},
	    {{V "id=a", "v=STSv2;id=b"}, STS_RECORD_FOUND, "a"},
	    {{V "id=a", V "id=b"}, STS_RECORD_NONE, ""},
	    {{V "id=a", V "id=a"}, STS_RECORD_NONE, ""},
	    {{V "id=a", "x", V}, STS_RECORD_NONE, ""},
	    {{V, V, V}, STS_RECORD_NONE, ""},
	    {{"x", V}, STS_RECORD_MALFORMED, ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct span list[RECORDS];
		struct sts_record record;
		size_t n = 0;

		for (; n < RECORDS && rows[i].texts[n] != NULL; n++)
			list[n] = span_of(rows[i].texts[n]);
		record = read_texts(list, n, 255);
		check(&record, rows[i].state, rows[i].id, "row");
	}
}

/* RFC 8461 5.1: a lookup that failed says nothing, and is no absence. */
static void
failed_lookups_say_nothing(void **state)
{
	static const struct {
		enum dns_trust trust;
		struct span rdata;
		enum sts_record_state state;
	} rows[] = {
	    {DNS_FAILED, BYTES("\x0cv=STSv1;id=a"), STS_RECORD_FAILED},
	    {DNS_BOGUS, BYTES("\x0cv=STSv1;id=a"), STS_RECORD_FAILED},
	    {DNS_INSECURE, BYTES("\x0cv=STSv1;id=a"), STS_RECORD_FOUND},
	    {DNS_SECURE, BYTES("\x0cv=STSv1;id=a"), STS_RECORD_FOUND},
	    {DNS_SECURE, BYTES("\x0cv=STSv1;id=a\0"), STS_RECORD_FOUND},
	    {DNS_SECURE, BYTES("\0\x0cv=STSv1;id=a"), STS_RECORD_FOUND},
	    /* RFC 1035 3.3.14: lengths that do not add up */
	    {DNS_SECURE, BYTES("\x0dv=STSv1;id=a"), STS_RECORD_FAILED},
	    {DNS_SECURE, BYTES("\x0bv=STSv1;id=a"), STS_RECORD_FAILED},
	    {DNS_SECURE, BYTES(""), STS_RECORD_FAILED},
	    {DNS_SECURE, BYTES("\0"), STS_RECORD_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dns_answer answer = {.trust = rows[i].trust,
		    .exists = true,
		    .rdata = &rows[i].rdata,
		    .nrdata = 1};
		struct sts_record record = sts_record_read(&answer);

		check(&record, rows[i].state,
		    rows[i].state == STS_RECORD_FOUND ? "a" : "", "row");
	}
}

/* What we did not ask says nothing of the domain, whatever else stands there. */
static void
what_was_not_asked_is_no_failure(void **state)
{
	static const struct span rdata = BYTES("\x0cv=STSv1;id=a");
	struct dns_answer answer = {.not_asked = true};
	struct sts_record record = sts_record_read(&answer);

	(void)state;
	check(&record, STS_RECORD_NOT_ASKED, "", "no room");
	answer.trust = DNS_SECURE;
	answer.rdata = &rdata;
	answer.nrdata = 1;
	record = sts_record_read(&answer);
	check(&record, STS_RECORD_NOT_ASKED, "", "no sense");
}

/* As long as a record can be: 65535 octets on the wire. */
static void
long_records_are_read(void **state)
{
	static char text[TXT_ANSWER_RDATA];
	/* 255 whole strings, and one of 254 */
	struct span s = {text, (size_t)255 * 255 + 254};
	struct sts_record record;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, V "id=a;x=", 15);
	record = read_texts(&s, 1, 255);
	check(&record, STS_RECORD_FOUND, "a", "longest");
	text[s.n - 1] = '=';
	record = read_texts(&s, 1, 255);
	check(&record, STS_RECORD_MALFORMED, "", "longest");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_record_has_an_id),
	    cmocka_unit_test(exactly_one_record_counts),
	    cmocka_unit_test(failed_lookups_say_nothing),
	    cmocka_unit_test(what_was_not_asked_is_no_failure),
	    cmocka_unit_test(long_records_are_read),
	};

	return cmocka_run_group_tests_name("sts_record", tests, NULL, NULL);
}
