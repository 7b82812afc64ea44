/* An answer of TXT records, for the tests of who reads them. */
#pragma once
#include "dnssec/dnssec.h"

#define TXT_ANSWER_RECORDS 5
/* Room for a record, its lengths included. */
#define TXT_ANSWER_RDATA 70000

/*
 * Records with these texts, their strings of at most `most` octets each.  Good
 * until the next call.
 */
struct dns_answer txt_answer(const struct span *texts, size_t n, size_t most);
