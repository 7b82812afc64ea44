/* What the supervisor hears of trouble of the report role. */
#include <string.h>

#include "base/log.h"
#include "mta/report/private.h"

#include "tests/support/test.h"

#define NEVER "never said"

static char said[1024];

static uint64_t clock_ms;

uint64_t __wrap_clock_mono_ms(void);

uint64_t
__wrap_clock_mono_ms(void)
{
	return clock_ms;
}

void __wrap_role_tell_trouble(struct role *role, const char *text);

void
__wrap_role_tell_trouble(struct role *role, const char *text)
{
	(void)role;
	assert_true(strlen(text) < sizeof(said));
	memcpy(said, text, strlen(text) + 1);
}

static unsigned lines;

void __wrap_log_event(
    enum log_level level, const char *event, const char *reason);

void
__wrap_log_event(enum log_level level, const char *event, const char *reason)
{
	(void)level;
	(void)event;
	(void)reason;
	lines++;
}

static void
neither_clears_the_other(void **state)
{
	static const struct {
		enum report_part which;
		const char *text, *heard;
	} rows[] = {
	    {REPORT_SENDING, "", NEVER},
	    {REPORT_TAKING, "inbox", "inbox"},
	    {REPORT_TAKING, "inbox", NEVER},
	    {REPORT_SENDING, "report", "report; inbox"},
	    {REPORT_TAKING, "other", "report; other"},
	    {REPORT_TAKING, "", "report"},
	    {REPORT_TAKING, "", NEVER},
	    {REPORT_SENDING, "", ""},
	};
	struct report_role report = {.role = NULL};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		memcpy(said, NEVER, sizeof(NEVER));
		report_tell_trouble(&report, rows[i].which, rows[i].text);
		assert_string_equal(said, rows[i].heard);
	}
}

/* As much as the supervisor keeps of it. */
static void
both_are_heard_however_long(void **state)
{
	struct report_role report = {.role = NULL};
	char text[500];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	report_tell_trouble(&report, REPORT_SENDING, text);
	report_tell_trouble(&report, REPORT_TAKING, text);
	assert_true(strlen(said) < 400);
	assert_non_null(strstr(said, "xx; xx"));
	report_tell_trouble(&report, REPORT_SENDING, "");
	assert_int_equal(strspn(said, "x"), strlen(said));
}

static bool
fails(struct report_role *report, const char *why)
{
	struct err err;

	(void)err_set(&err, ERR_TEMP, "4.3.0", "%s", why);
	return report_went(report, REPORT_NOTES, -1, &err);
}

/* Whoever follows another waits a minute for the store; then it is trouble. */
static void
a_store_may_be_anothers_for_a_minute(void **state)
{
	struct report_role report = {.role = NULL, .began = 5000};

	(void)state;
	memcpy(said, NEVER, sizeof(NEVER));
	clock_ms = 5000 + 59999;
	assert_false(fails(&report, "locked"));
	assert_string_equal(said, NEVER);
	clock_ms = 5000 + 60000;
	assert_false(fails(&report, "locked"));
	assert_string_equal(said, "locked");
	/* one that it had is its own */
	report.store = (struct report_store *)&report;
	clock_ms = 5000;
	assert_false(fails(&report, "full"));
	assert_string_equal(said, "full");
}

/* What can be read may yet not be written, and counts not where notes are. */
static void
trouble_lasts_as_long_as_what_has_it(void **state)
{
	static const struct {
		enum report_doing doing;
		const char *why, *heard;
		unsigned lines; /* of the log, so far */
	} rows[] = {
	    {REPORT_READS, "", "", 0},
	    {REPORT_NOTES, "locked", "locked", 1},
	    {REPORT_READS, "", "locked", 1},
	    {REPORT_COUNTS, "", "locked", 1},
	    {REPORT_NOTES, "locked", "locked", 1},
	    {REPORT_PLANS, "full", "full", 1},
	    {REPORT_NOTES, "", "full", 1},
	    {REPORT_READS, "gone", "gone", 1},
	    {REPORT_PLANS, "", "gone", 1},
	    {REPORT_READS, "", "", 2},
	    {REPORT_READS, "", "", 2},
	    {REPORT_COUNTS, "full", "full", 3},
	    {REPORT_NOTES, "", "full", 3},
	    {REPORT_COUNTS, "", "", 4},
	};
	struct report_role report = {.store = (struct report_store *)&report};

	(void)state;
	said[0] = '\0';
	lines = 0;
	for (size_t i = 0; i < ROWS(rows); i++) {
		bool good = rows[i].why[0] == '\0';
		struct err err;

		(void)err_set(&err, ERR_TEMP, "4.3.0", "%s", rows[i].why);
		assert_int_equal(
		    report_went(&report, rows[i].doing, good ? 0 : -1, &err),
		    good);
		if (strcmp(said, rows[i].heard) != 0 || lines != rows[i].lines)
			fail_msg("row %zu: \"%s\", %u", i, said, lines);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(neither_clears_the_other),
	    cmocka_unit_test(both_are_heard_however_long),
	    cmocka_unit_test(a_store_may_be_anothers_for_a_minute),
	    cmocka_unit_test(trouble_lasts_as_long_as_what_has_it),
	};

	return cmocka_run_group_tests_name("report_trouble", tests, NULL, NULL);
}
