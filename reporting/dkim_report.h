/*
 * DKIM of a TLS-RPT report by mail (RFC 8460 3, 5.3): what is signed of one
 * that we send, and whether one that we got is its reporter's.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct dkim_verifier;

/* RFC 6376 3.6.1, RFC 8460 3: s= of the key record; as setup.service. */
#define DKIM_REPORT_SERVICE "tlsrpt"

/*
 * For struct dkim_sign_setup.  Each of these fields stands once in a report
 * or not at all, so they are all oversigned.
 */
extern const char *const dkim_report_fields[];

struct dkim_report {
	bool vouched;     /* RFC 8460 3: else the report MUST be ignored */
	bool is_own;      /* the reporter has signed, well or not */
	size_t signature; /* whose result it is, if so */
	const char *why;  /* static; "" when vouched */
};

/*
 * `reporter` is the domain that says it made the report.  Its signature, not
 * that of a domain above, has to be there and has to pass, without l= and
 * with a key that is out of testing.  It has to cover Content-Type, or both
 * fields of RFC 8460 5.3.  The verifier has been asked for
 * DKIM_REPORT_SERVICE.
 */
struct dkim_report dkim_report_judge(
    const struct dkim_verifier *verifier, const char *reporter);
