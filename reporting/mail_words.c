#include "reporting/mail_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "reporting/report_json.h"
#include "reporting/result.h"

#define LINE 76
/* More is in the file beside. */
#define SHOWN_MAX 20

/* What is too long ends in "...", and no octet does harm. */
static int __attribute__((format(printf, 2, 3)))
put_line(struct buf *out, const char *fmt, ...)
{
	char whole[1024], line[LINE + 1];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(whole, sizeof(whole), fmt, ap);
	va_end(ap);
	text_escape(span_of(whole), line, sizeof(line));
	return buf_printf(out, "%s\r\n", line);
}

static int
put_head(
    const struct report_outgoing *mail, const char *submitter, struct buf *out)
{
	char start[REPORT_DATE_SIZE], end[REPORT_DATE_SIZE];

	report_date_text(mail->report->start, start);
	report_date_text(mail->report->end, end);
	if (put_line(out, "This is an aggregate TLS report (RFC 8460)") < 0 ||
	    put_line(out, "from %s", submitter) < 0 ||
	    put_line(out, "about mail to %s", mail->domain) < 0)
		return -1;
	return put_line(out, "from %s to %s.", start, end);
}

static int
put_failure(const struct report_failure *failure, struct buf *out)
{
	const char *word = failure->result == RESULT_OTHER
	                       ? failure->result_type
	                       : tls_result_name(failure->result);
	const char *host = failure->receiving_mx_hostname;

	if (host == NULL || host[0] == '\0')
		return put_line(
		    out, "  %" PRIu64 " %s", failure->sessions, word);
	return put_line(
	    out, "  %" PRIu64 " %s at %s", failure->sessions, word, host);
}

static int
put_failures(const struct report_policy *policy, struct buf *out)
{
	size_t n = policy->ndetails < SHOWN_MAX ? policy->ndetails : SHOWN_MAX;

	for (size_t i = 0; i < n; i++)
		if (put_failure(&policy->details[i], out) < 0)
			return -1;
	return n == policy->ndetails
	           ? 0
	           : put_line(out, "  and %zu more", policy->ndetails - n);
}

static int
put_policy(const struct report_policy *policy, struct buf *out)
{
	const char *type = policy->type == POLICY_TYPE_OTHER
	                       ? policy->type_text
	                       : report_policy_type_name(policy->type);

	if (put_line(out, "%s", "") < 0 ||
	    put_line(out, "Policy %s of %s:", type, policy->domain) < 0 ||
	    put_line(out,
		"  %" PRIu64 " sessions succeeded, %" PRIu64 " failed",
		policy->successes, policy->failures) < 0)
		return -1;
	return put_failures(policy, out);
}

int
mail_words_write(
    const struct report_outgoing *mail, const char *submitter, struct buf *out)
{
	const struct report *report = mail->report;
	size_t n = report->npolicies < SHOWN_MAX ? report->npolicies
	                                         : SHOWN_MAX;

	if (put_head(mail, submitter, out) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (put_policy(&report->policies[i], out) < 0)
			return -1;
	if (put_line(out, "%s", "") < 0)
		return -1;
	return put_line(
	    out, "The attached file, JSON packed by gzip, has all of it.");
}
