/*
 * Print reports, for tests/unit/report_schema.py and report_mail.py:
 *
 *     report_sample           as JSON, one a line
 *     report_sample NUMBER    the mail of one of them, from 0
 */
#include <stdio.h>

#include "base/text.h"
#include "reporting/gzip.h"
#include "reporting/mail.h"
#include "reporting/report_json.h"

#include "tests/support/report_made.h"
#include "tests/support/test.h"

#define LIMIT 100000

static const struct report *const reports[] = {
    &report_of_the_rfc, &report_in_full, &report_of_nothing};
static const char *const domains[] = {
    "company-y.example", "example.com", "xn--bcher-kva.example"};

static int
print_json(const struct report *report)
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

static int
print_mail(size_t i)
{
	struct report_outgoing mail = {.report = reports[i],
	    .domain = domains[i],
	    .to = "tls-reports@receiver.example",
	    .number = 1,
	    .now = 1795930000};
	struct buf json, packed, out;
	int rc;

	buf_init(&json, LIMIT);
	buf_init(&packed, LIMIT);
	buf_init(&out, LIMIT);
	rc = report_json(reports[i], &json);
	if (rc == 0)
		rc = gzip_write(buf_span(&json), &packed);
	mail.gzipped = buf_span(&packed);
	if (rc == 0)
		rc = report_mail_write(&mail, &out);
	if (rc == 0)
		(void)fwrite(out.p, 1, out.n, stdout);
	buf_free(&json);
	buf_free(&packed);
	buf_free(&out);
	return rc;
}

int
main(int argc, char **argv)
{
	uint32_t number;

	if (argc > 1)
		return !text_parse_u32(span_of(argv[1]), &number) ||
		       number >= ROWS(reports) || print_mail(number) < 0;
	for (size_t i = 0; i < ROWS(reports); i++)
		if (print_json(reports[i]) < 0)
			return 1;
	return 0;
}
