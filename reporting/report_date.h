/* Times in reports (RFC 8460 4.4, RFC 3339 5.6), as people really write them. */
#pragma once
#include <stdint.h>

#include "base/span.h"

enum report_date {
	REPORT_DATE_BAD = 0,
	REPORT_DATE_GOOD,    /* RFC 3339 */
	REPORT_DATE_NO_ZONE, /* taken for UTC */
	REPORT_DATE_OTHER,   /* a day alone, a blank for "T", "+0200" */
};

/* Seconds of UTC, from 1970 to 9999; *ret is untouched by REPORT_DATE_BAD. */
enum report_date report_date_read(struct span text, int64_t *ret);
