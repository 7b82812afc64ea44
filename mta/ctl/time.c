/* See time.h. */
#include "mta/ctl/time.h"

#include <time.h>

#include "base/text.h"

#define DAY 86400

bool
time_read(const char *text, uint32_t *ret)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	struct span digits = span_of(text);
	uint32_t number, seconds = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (digits.n > 0 && digits.p[digits.n - 1] == units[i].unit)
			seconds = units[i].seconds;
	if (seconds == 0)
		seconds = 1;
	else
		digits.n--;
	if (!text_parse_u32(digits, &number) || number == 0 ||
	    number > UINT32_MAX / seconds)
		return false;
	*ret = number * seconds;
	return true;
}

bool
time_read_since(const char *text, int64_t now, int64_t *ret_day)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	uint32_t seconds;

	if (end != NULL && *end == '\0') {
		struct tm given = tm;

		*ret_day = timegm(&tm) / DAY;
		/* There is no 31 November: timegm() takes it for another. */
		return tm.tm_mday == given.tm_mday;
	}
	if (!time_read(text, &seconds))
		return false;
	*ret_day = (now - (int64_t)seconds) / DAY;
	return true;
}
