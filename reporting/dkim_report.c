#include "reporting/dkim_report.h"

#include <string.h>

#include "base/span.h"
#include "reporting/dkim_record.h"
#include "reporting/dkim_signature.h"
#include "reporting/dkim_verify.h"

/*
 * RFC 8460 5.3: TLS-Report-Domain and TLS-Report-Submitter; RFC 6376 5.4.1:
 * the rest.  Content-Type says where the report is in the body.
 */
const char *const dkim_report_fields[] = {"From", "To", "Subject", "Date",
    "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    "Reply-To", "Sender", "TLS-Report-Domain", "TLS-Report-Submitter", NULL};

/*
 * Does it cover what makes a report of this mail?  Else who has another mail
 * of this signer with his own words in it, say one that came back to him, can
 * give it a Content-Type under which these are the report.  Who does not sign
 * that signs what only a report has (RFC 8460 5.3).
 */
static bool
is_of_report(const struct dkim_verifier *verifier, size_t i)
{
	return dkim_verifier_covers(verifier, i, "Content-Type") ||
	       (dkim_verifier_covers(verifier, i, "TLS-Report-Domain") &&
		   dkim_verifier_covers(verifier, i, "TLS-Report-Submitter"));
}

/* NULL, or why this signature does not vouch for the report. */
static const char *
judge(const struct dkim_verifier *verifier, size_t i, const char *reporter)
{
	const struct dkim_result *result = dkim_verifier_result(verifier, i);

	/* RFC 8460 3: "a valid [...] signature by the reporting domain" */
	if (strcmp(result->domain, reporter) != 0)
		return "no signature is by the reporting domain (RFC 8460 3)";
	if (result->verdict != DKIM_PASS)
		return result->why;
	/* RFC 8460 3: "MUST NOT use the "l=" attribute" */
	if (result->has_length)
		return "l= leaves room for more body (RFC 8460 3)";
	/* RFC 6376 3.6.1: t=y is to be taken as if there were no signature */
	if ((result->key_flags & DKIM_FLAG_TESTING) != 0)
		return "the key is being tested (RFC 6376 3.6.1)";
	if (!is_of_report(verifier, i))
		return "neither Content-Type nor the fields of a report are "
		       "signed (RFC 8460 5.3)";
	return NULL;
}

/*
 * RFC 6376 6.1: a bad signature beside a good one does no harm.  What is said
 * is what is wrong with that of the reporter, if it has one.
 */
struct dkim_report
dkim_report_judge(const struct dkim_verifier *verifier, const char *reporter)
{
	struct dkim_report report = {
	    .why = "there is no signature (RFC 8460 3)"};
	char domain[DKIM_NAME_SIZE];

	if (!dkim_name_read(span_of(reporter), domain)) {
		report.why = "the reporter is no domain (RFC 8460 3)";
		return report;
	}
	for (size_t i = 0; i < dkim_verifier_count(verifier); i++) {
		const struct dkim_result *result = dkim_verifier_result(
		    verifier, i);
		const char *wrong = judge(verifier, i, domain);

		if (wrong == NULL)
			return (struct dkim_report){.vouched = true,
			    .is_own = true,
			    .signature = i,
			    .why = ""};
		if (report.is_own)
			continue;
		report.is_own = strcmp(result->domain, domain) == 0;
		report.signature = i;
		report.why = wrong;
	}
	return report;
}
