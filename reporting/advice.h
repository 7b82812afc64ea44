/*
 * What a result of RFC 8460 4.3 means for the domain that got the report, and
 * what its operator can do.
 */
#pragma once
#include "reporting/report.h"

struct advice {
	const char *means; /* a sentence or two */
	const char *check; /* the causes, likely ones first */
	const char *remedy;
	const char *rfc; /* "RFC 8460 4.3.1" */
};

/* Never NULL: RESULT_OTHER's is for words that nobody knows. */
const struct advice *advice_for(enum tls_result result);
