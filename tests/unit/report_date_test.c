#include "reporting/report_date.h"

#include "tests/support/test.h"

#define UNTOUCHED INT64_C(-7)

static const struct {
	const char *text;
	enum report_date form;
	int64_t seconds;
} dates[] = {
    /* RFC 3339 5.6 */
    {"2016-04-01T00:00:00Z", REPORT_DATE_GOOD, 1459468800},
    {"2016-04-01T23:59:59Z", REPORT_DATE_GOOD, 1459555199},
    {"2016-04-01t00:00:00z", REPORT_DATE_GOOD, 1459468800},
    {"2016-04-01T00:00:00.25Z", REPORT_DATE_GOOD, 1459468800},
    {"2016-04-01T02:00:00+02:00", REPORT_DATE_GOOD, 1459468800},
    {"2016-03-31T18:30:00-05:30", REPORT_DATE_GOOD, 1459468800},
    /* RFC 3339 5.7: a leap second */
    {"2016-12-31T23:59:60Z", REPORT_DATE_GOOD, 1483228800},
    {"2016-02-29T00:00:00Z", REPORT_DATE_GOOD, 1456704000},
    {"1970-01-01T00:00:00Z", REPORT_DATE_GOOD, 0},
    {"9999-12-31T23:59:59Z", REPORT_DATE_GOOD, 253402300799},
    /* RFC 8460 4.4: 00:00-24:00 */
    {"2016-04-01T24:00:00Z", REPORT_DATE_GOOD, 1459555200},
    {" 2016-04-01T00:00:00Z\n", REPORT_DATE_GOOD, 1459468800},
    /* Microsoft */
    {"2023-01-10T00:00:00", REPORT_DATE_NO_ZONE, 1673308800},
    {"2023-01-10T00:00:00.0000000", REPORT_DATE_NO_ZONE, 1673308800},
    /* other forms that are clear */
    {"2016-04-01 00:00:00Z", REPORT_DATE_OTHER, 1459468800},
    {"2016-04-01 00:00:00", REPORT_DATE_OTHER, 1459468800},
    {"2016-04-01 02:00:00 +0200", REPORT_DATE_OTHER, 1459468800},
    {"2016-04-01T02:00:00+0200", REPORT_DATE_OTHER, 1459468800},
    {"2016-04-01T02:00:00+02", REPORT_DATE_OTHER, 1459468800},
    {"2016-04-01", REPORT_DATE_OTHER, 1459468800},
    /* none */
    {"", REPORT_DATE_BAD, UNTOUCHED},
    {"yesterday", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-31T00:00:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"2015-02-29T00:00:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-13-01T00:00:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-00-01T00:00:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-00T00:00:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T24:00:01Z", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T25:00:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T00:60:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T00:00:61Z", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T00:00:00Zulu", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T00:00:00+24:00", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T00:00:00+02:60", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T00:00:00+02:", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T00:00:00+02:00x", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T00:00:00 CET", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T00:00", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-04-01T", REPORT_DATE_BAD, UNTOUCHED},
    {"2016-4-1T00:00:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"16-04-01T00:00:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"1969-12-31T23:59:59Z", REPORT_DATE_BAD, UNTOUCHED},
    {"+016-04-01T00:00:00Z", REPORT_DATE_BAD, UNTOUCHED},
    {"Fri, 01 Apr 2016 00:00:00 +0000", REPORT_DATE_BAD, UNTOUCHED},
};

static void
dates_are_read_as_people_write_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(dates); i++) {
		int64_t seconds = UNTOUCHED;
		enum report_date form = report_date_read(
		    span_of(dates[i].text), &seconds);

		if (form != dates[i].form || seconds != dates[i].seconds)
			fail_msg("\"%s\": %d, %lld", dates[i].text, form,
			    (long long)seconds);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates_are_read_as_people_write_them),
	};

	return cmocka_run_group_tests_name("report_date", tests, NULL, NULL);
}
