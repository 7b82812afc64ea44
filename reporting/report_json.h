/*
 * A report as its receiver reads it: the JSON of RFC 8460 4.4.
 *
 * I-JSON (RFC 7493): UTF-8, no name twice, no number that a double cannot
 * hold.  The same report gives the same octets.  docs/tlsrpt.schema.json says
 * what comes out, and a test holds this to it.
 */
#pragma once
#include "base/buf.h"
#include "reporting/report.h"

/* RFC 7493 2.2; what is more counts as this. */
#define REPORT_JSON_COUNT ((UINT64_C(1) << 53) - 1)

/*
 * What is not said (an empty text, no lines, no details) is left out.  A
 * failure of RESULT_OTHER has its result_type, others their own word.  Octets
 * of a text that is no UTF-8 become "?".  -1: over the limit of the buffer.
 */
int report_json(const struct report *report, struct buf *out);

/* "2016-04-01T00:00:00Z" (RFC 3339 5.6) */
#define REPORT_DATE_SIZE 24
void report_date_text(int64_t wall, char to[REPORT_DATE_SIZE]);
