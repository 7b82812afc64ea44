/* When a report goes out, how often it is tried, how it is known again. */
#include <stdio.h>
#include <string.h>

#include "reporting/timetable.h"

#include "tests/support/test.h"

#define DAY   INT64_C(20785) /* 2026-11-28 */
#define DAY_S 86400
#define HOUR  3600

static void
sending_begins_after_the_day_and_is_spread(void **state)
{
	enum {
		DOMAINS = 4000,
		PARTS = 8
	};
	unsigned parts[PARTS] = {0};
	char domain[32];

	(void)state;
	for (int i = 0; i < DOMAINS; i++) {
		int64_t at, offset;

		(void)snprintf(domain, sizeof(domain), "d%d.example", i);
		at = report_begins(DAY, domain, 4 * HOUR);
		offset = at - (DAY + 1) * DAY_S - REPORT_GRACE_S;
		assert_in_range(offset, 0, 4 * HOUR - 1);
		parts[offset * PARTS / (4 * HOUR)]++;
		/* RFC 8460 4.1: its own, day by day. */
		assert_int_equal(
		    report_begins(DAY + 7, domain, 4 * HOUR) - at, 7 * DAY_S);
	}
	for (size_t i = 0; i < PARTS; i++)
		assert_in_range(parts[i], DOMAINS / PARTS * 8 / 10,
		    DOMAINS / PARTS * 12 / 10);
	assert_int_equal(report_begins(DAY, "d1.example", 0),
	    (DAY + 1) * DAY_S + REPORT_GRACE_S);
}

/* What ends with the day may be told a moment later. */
static void
a_day_is_over_when_all_of_it_was_told(void **state)
{
	static const struct {
		int64_t now, last;
	} rows[] = {
	    {DAY * DAY_S + REPORT_GRACE_S - 1, DAY - 2},
	    {DAY * DAY_S + REPORT_GRACE_S, DAY - 1},
	    {DAY * DAY_S + DAY_S - 1, DAY - 1},
	    {DAY * DAY_S + DAY_S, DAY - 1},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(report_last_day(rows[i].now), rows[i].last);
}

/* RFC 8460 5.5 */
static void
tries_come_less_and_less_often_for_a_day(void **state)
{
	static const int64_t waits[] = {
	    300, 600, 1200, 2400, 4800, 9600, 14400, 14400, 14400, 14400};
	int64_t now = 1000, begun = now;

	(void)state;
	for (size_t i = 0; i < ROWS(waits); i++) {
		int64_t next = report_tried_again(now, (uint32_t)i + 1);

		assert_int_equal(next - now, waits[i]);
		now = next;
	}
	assert_int_equal(report_tried_again(now, REPORT_TRIES_MAX), 0);
	assert_int_equal(report_tried_again(now, UINT32_MAX), 0);
	assert_in_range(now - begun, 20 * HOUR, DAY_S);
	assert_int_equal(report_tried_again(now, 0) - now, 300);
}

static void
a_dead_place_is_left_alone_longer_and_longer(void **state)
{
	static const struct {
		uint32_t failures;
		int64_t days;
	} rows[] = {{0, 0}, {1, 1}, {2, 2}, {3, 4}, {5, 16}, {6, 32}, {7, 32},
	    {UINT32_MAX, 32}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(
		    report_silence(rows[i].failures), rows[i].days * DAY_S);
}

static void
a_ticket_comes_back(void **state)
{
	char text[REPORT_TICKET_SIZE], name[254];
	struct report_ticket ticket = {DAY, 12, name}, got;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	report_ticket_write(&ticket, text);
	assert_true(report_ticket_read(text, &got));
	assert_int_equal(got.day, DAY);
	assert_int_equal(got.number, 12);
	assert_string_equal(got.domain, name);
	ticket.domain = "a-b.example";
	report_ticket_write(&ticket, text);
	assert_string_equal(text, "tlsrpt-20785-12-a-b.example");
	assert_true(report_ticket_read(text, &got));
	assert_string_equal(got.domain, "a-b.example");
}

static void
what_is_no_ticket_is_none(void **state)
{
	static const char *const rows[] = {"", "tlsrpt-", "tlsrpt-1",
	    "tlsrpt-1-", "tlsrpt-1-2", "tlsrpt-1-2-", "tlsrpt--2-a",
	    "tlsrpt-1--a", "tlsrpt-1x-2-a", "tlsrpt-1-2x-a", "TLSRPT-1-2-a",
	    "-1-2-a", "tlsrpt-1234567890-2-a", "tlsrpt-1-1234567890-a"};
	struct report_ticket got;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (report_ticket_read(rows[i], &got))
			fail_msg("%s", rows[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sending_begins_after_the_day_and_is_spread),
	    cmocka_unit_test(a_day_is_over_when_all_of_it_was_told),
	    cmocka_unit_test(tries_come_less_and_less_often_for_a_day),
	    cmocka_unit_test(a_dead_place_is_left_alone_longer_and_longer),
	    cmocka_unit_test(a_ticket_comes_back),
	    cmocka_unit_test(what_is_no_ticket_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
