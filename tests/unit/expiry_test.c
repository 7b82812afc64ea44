/* When a certificate that ends is worth a line, and when an alarm. */
#include "mta/supervisor/expiry.h"

#include "tests/support/test.h"

#define DAY INT64_C(86400)
#define NOW INT64_C(1800000000)

static void
it_is_said_at_30_14_and_7_days_and_daily(void **state)
{
	static const struct {
		int64_t left; /* seconds */
		unsigned urgency;
	} rows[] = {
	    {1000 * DAY, 0},
	    {30 * DAY, 0},
	    {30 * DAY - 1, 1},
	    {14 * DAY, 1},
	    {14 * DAY - 1, 2},
	    {7 * DAY, 2},
	    {7 * DAY - 1, EXPIRY_ALARM},
	    {6 * DAY, EXPIRY_ALARM},
	    {6 * DAY - 1, EXPIRY_ALARM + 1},
	    {1, EXPIRY_ALARM + 6},
	    {0, EXPIRY_ALARM + 6},
	    {-1, EXPIRY_ALARM + 7},
	    {-DAY, EXPIRY_ALARM + 7},
	    {-DAY - 1, EXPIRY_ALARM + 8},
	    {-NOW, EXPIRY_ALARM + 6 + (unsigned)((NOW + DAY - 1) / DAY)},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (expiry_urgency(NOW + rows[i].left, NOW) != rows[i].urgency)
			fail_msg("row %zu: %u", i,
			    expiry_urgency(NOW + rows[i].left, NOW));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_said_at_30_14_and_7_days_and_daily),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
