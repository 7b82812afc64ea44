/* The words of RFC 8460 4, and policies as a report has them. */
#include <string.h>

#include "reporting/result.h"
#include "reporting/session.h"

#include "tests/support/test.h"

/* RFC 8460 4.3 */
static const char *const words[RESULTS] = {
    [RESULT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
    [RESULT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
    [RESULT_CERTIFICATE_EXPIRED] = "certificate-expired",
    [RESULT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
    [RESULT_VALIDATION_FAILURE] = "validation-failure",
    [RESULT_TLSA_INVALID] = "tlsa-invalid",
    [RESULT_DNSSEC_INVALID] = "dnssec-invalid",
    [RESULT_DANE_REQUIRED] = "dane-required",
    [RESULT_STS_POLICY_FETCH_ERROR] = "sts-policy-fetch-error",
    [RESULT_STS_POLICY_INVALID] = "sts-policy-invalid",
    [RESULT_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
};

static void
words_are_those_of_the_rfc(void **state)
{
	static const char *const types[] = {
	    "", "no-policy-found", "tlsa", "sts"};

	(void)state;
	for (int i = RESULT_OTHER + 1; i < RESULTS; i++) {
		assert_string_equal(
		    tls_result_name((enum tls_result)i), words[i]);
		assert_int_equal(tls_result_of(span_of(words[i])), i);
	}
	for (int i = 0; i < (int)ROWS(types); i++) {
		assert_string_equal(
		    report_policy_type_name((enum report_policy_type)i),
		    types[i]);
		assert_int_equal(report_policy_type_of(span_of(types[i])), i);
	}
	assert_string_equal(tls_result_name(RESULT_OTHER), "");
	assert_int_equal(tls_result_of(SPAN("")), RESULT_OTHER);
	assert_int_equal(tls_result_of(SPAN("tlsa")), RESULT_OTHER);
	assert_int_equal(
	    tls_result_of(SPAN("STARTTLS-NOT-SUPPORTED")), RESULT_OTHER);
	assert_int_equal(report_policy_type_of(SPAN("STS")), POLICY_TYPE_OTHER);
}

#define BYTES(s) ((struct span){"" s, sizeof(s) - 1})

static void
policies_are_told_as_they_are(void **state)
{
	static const struct tlsa_record records[] = {
	    {.usage = 3,
		.selector = 1,
		.matching = 1,
		.use = TLSA_IN_USE,
		.data = {"\x01\xab\xff", 3}},
	    {.usage = 255, .selector = 0, .matching = 2, .data = {"", 0}},
	};
	static const struct tlsa_set two = {
	    .base = "base.example", .records = records, .n = 2};
	static const char *const mx[] = {"mx.example.org", "*.example.net"};
	static const struct sts_policy sts = {.mx = mx, .nmx = 2};
	struct report_outcome outcome = {
	    .type = POLICY_TYPE_TLSA, .domain = "base.example", .set = &two};
	struct arena *arena = arena_new(REPORT_POLICY_ARENA);
	struct report_policy ret;

	(void)state;
	assert_int_equal(report_policy_of(&outcome, arena, &ret), 0);
	assert_string_equal(ret.type_text, "tlsa");
	assert_int_equal(ret.nstrings, 2);
	assert_string_equal(ret.strings[0], "3 1 1 01abff");
	assert_string_equal(ret.strings[1], "255 0 2 ");
	assert_int_equal(ret.nmx, 0);
	outcome = (struct report_outcome){.type = POLICY_TYPE_STS,
	    .domain = "example.org",
	    .sts = &sts,
	    .text = BYTES(
		"version: STSv1\r\nmx: mx.example.org\n\n"
		"mx: *.example.net\nx: \xc3\xbc\nbad\xff\0 \xc3\xbc")};
	assert_int_equal(report_policy_of(&outcome, arena, &ret), 0);
	assert_string_equal(ret.type_text, "sts");
	assert_string_equal(ret.domain, "example.org");
	assert_int_equal(ret.nstrings, 5);
	assert_string_equal(ret.strings[0], "version: STSv1");
	assert_string_equal(ret.strings[1], "mx: mx.example.org");
	assert_string_equal(ret.strings[2], "mx: *.example.net");
	assert_string_equal(ret.strings[3], "x: \xc3\xbc");
	/* RFC 7493 2.1 */
	assert_string_equal(ret.strings[4], "bad?? ??");
	assert_int_equal(ret.nmx, 2);
	assert_string_equal(ret.mx[1], "*.example.net");
	outcome = (struct report_outcome){
	    .type = POLICY_TYPE_NONE, .domain = "example.org"};
	assert_int_equal(report_policy_of(&outcome, arena, &ret), 0);
	assert_string_equal(ret.type_text, "no-policy-found");
	assert_int_equal(ret.nstrings + ret.nmx, 0);
	arena_free(&arena);
}

/* However long a stranger's policy is. */
static void
policies_are_bounded(void **state)
{
	static char text[STS_POLICY_MAX];
	static char data[65535];
	static struct tlsa_record records[TLSA_RECORDS_MAX];
	struct tlsa_set many = {.records = records, .n = TLSA_RECORDS_MAX};
	struct report_outcome outcome = {
	    .type = POLICY_TYPE_STS, .text = {text, sizeof(text)}};
	struct arena *arena = arena_new(REPORT_POLICY_ARENA);
	struct report_policy ret;

	(void)state;
	memset(text, '\n', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i += 2)
		text[i] = 'x';
	assert_int_equal(report_policy_of(&outcome, arena, &ret), 0);
	assert_int_equal(ret.nstrings, REPORT_STRINGS_MAX);
	arena_reset(arena);
	memset(text, 'x', sizeof(text));
	assert_int_equal(report_policy_of(&outcome, arena, &ret), 0);
	assert_int_equal(ret.nstrings, 1);
	assert_int_equal(strlen(ret.strings[0]), REPORT_STRING_MAX);
	assert_string_equal(ret.strings[0] + REPORT_STRING_MAX - 4, "x...");
	arena_reset(arena);
	outcome.text.n = REPORT_STRING_MAX; /* as much as fits */
	assert_int_equal(report_policy_of(&outcome, arena, &ret), 0);
	assert_int_equal(strlen(ret.strings[0]), REPORT_STRING_MAX);
	assert_string_equal(ret.strings[0] + REPORT_STRING_MAX - 4, "xxxx");
	arena_reset(arena);
	for (size_t i = 0; i < ROWS(records); i++)
		records[i].data = (struct span){data, sizeof(data)};
	outcome = (struct report_outcome){
	    .type = POLICY_TYPE_TLSA, .set = &many};
	assert_int_equal(report_policy_of(&outcome, arena, &ret), 0);
	assert_in_range(
	    strlen(ret.strings[63]), REPORT_STRING_MAX - 1, REPORT_STRING_MAX);
	arena_free(&arena);
	arena = arena_new(1000);
	assert_int_equal(report_policy_of(&outcome, arena, &ret), -1);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_are_those_of_the_rfc),
	    cmocka_unit_test(policies_are_told_as_they_are),
	    cmocka_unit_test(policies_are_bounded),
	};

	return cmocka_run_group_tests_name("report_policy", tests, NULL, NULL);
}
