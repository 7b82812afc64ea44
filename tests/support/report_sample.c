/* Print reports as JSON, one a line, for tests/unit/report_schema.py. */
#include <stdio.h>

#include "reporting/report_json.h"

#include "tests/support/report_made.h"

#define LIMIT 100000

static int
print(const struct report *report)
{
	struct buf out;
	int rc;

	buf_init(&out, LIMIT);
	rc = report_json(report, &out);
	if (rc == 0)
		(void)printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
	return rc;
}

int
main(void)
{
	return print(&report_of_the_rfc) < 0 || print(&report_in_full) < 0 ||
	       print(&report_of_nothing) < 0;
}
