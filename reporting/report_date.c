#include "reporting/report_date.h"

#include <time.h>

#include "base/text.h"

#define YEAR_MIN 1970

/* Exactly n digits. */
static bool
take_digits(struct span *rest, size_t n, int *ret)
{
	uint32_t value;

	if (rest->n < n || !text_parse_u32(span_first(*rest, n), &value))
		return false;
	*rest = span_from(*rest, n);
	*ret = (int)value;
	return true;
}

static bool
take_char(struct span *rest, char c)
{
	if (rest->n == 0 || text_lower(rest->p[0]) != c)
		return false;
	*rest = span_from(*rest, 1);
	return true;
}

static bool
take_day(struct span *rest, struct tm *tm)
{
	if (!take_digits(rest, 4, &tm->tm_year) || !take_char(rest, '-') ||
	    !take_digits(rest, 2, &tm->tm_mon) || !take_char(rest, '-') ||
	    !take_digits(rest, 2, &tm->tm_mday))
		return false;
	return tm->tm_year >= YEAR_MIN && tm->tm_mon >= 1 && tm->tm_mon <= 12;
}

/* RFC 3339 5.6: time-secfrac */
static void
skip_fraction(struct span *rest)
{
	if (!take_char(rest, '.'))
		return;
	while (rest->n > 0 && text_is_digit(rest->p[0]))
		*rest = span_from(*rest, 1);
}

/* RFC 8460 4.4 has a day end at 24:00; RFC 3339 5.7: a leap second */
static bool
take_time(struct span *rest, struct tm *tm)
{
	if (!take_digits(rest, 2, &tm->tm_hour) || !take_char(rest, ':') ||
	    !take_digits(rest, 2, &tm->tm_min) || !take_char(rest, ':') ||
	    !take_digits(rest, 2, &tm->tm_sec))
		return false;
	skip_fraction(rest);
	if (tm->tm_hour == 24)
		return tm->tm_min == 0 && tm->tm_sec == 0;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* RFC 3339 5.6: time-offset; "+0200" and "+02" are none, and clear. */
static enum report_date
take_zone(struct span rest, int *ret_seconds)
{
	int sign = rest.n > 0 && rest.p[0] == '-' ? -1 : 1;
	int hours;
	int minutes = 0;
	bool colon;

	*ret_seconds = 0;
	if (rest.n == 0)
		return REPORT_DATE_NO_ZONE;
	if (take_char(&rest, 'z'))
		return rest.n == 0 ? REPORT_DATE_GOOD : REPORT_DATE_BAD;
	if (!take_char(&rest, '+') && !take_char(&rest, '-'))
		return REPORT_DATE_BAD;
	if (!take_digits(&rest, 2, &hours))
		return REPORT_DATE_BAD;
	colon = take_char(&rest, ':');
	if ((colon || rest.n > 0) && !take_digits(&rest, 2, &minutes))
		return REPORT_DATE_BAD;
	if (rest.n > 0 || hours > 23 || minutes > 59)
		return REPORT_DATE_BAD;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return colon ? REPORT_DATE_GOOD : REPORT_DATE_OTHER;
}

/* timegm() takes the 31st of April for the 1st of May. */
static bool
to_seconds(const struct tm *tm, int64_t *ret)
{
	struct tm day = {.tm_year = tm->tm_year - 1900,
	    .tm_mon = tm->tm_mon - 1,
	    .tm_mday = tm->tm_mday};
	time_t start = timegm(&day);

	if (day.tm_mday != tm->tm_mday)
		return false;
	*ret = start + (tm->tm_hour * INT64_C(60) + tm->tm_min) * 60 +
	       tm->tm_sec;
	return true;
}

enum report_date
report_date_read(struct span text, int64_t *ret)
{
	struct span rest = text_trim(text, " \t\r\n");
	enum report_date form = REPORT_DATE_GOOD;
	enum report_date zone = REPORT_DATE_OTHER;
	struct tm tm = {0};
	int offset = 0;
	int64_t seconds;

	if (!take_day(&rest, &tm))
		return REPORT_DATE_BAD;
	if (rest.n > 0) {
		if (!take_char(&rest, 't')) {
			form = REPORT_DATE_OTHER;
			if (!take_char(&rest, ' '))
				return REPORT_DATE_BAD;
		}
		if (!take_time(&rest, &tm))
			return REPORT_DATE_BAD;
		zone = take_zone(text_trim(rest, " "), &offset);
	}
	if (zone == REPORT_DATE_BAD || !to_seconds(&tm, &seconds))
		return REPORT_DATE_BAD;
	*ret = seconds - offset;
	return form == REPORT_DATE_OTHER ? form : zone;
}
