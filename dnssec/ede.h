/*
 * Extended DNS errors (RFC 8914): a number and a name for what went wrong.
 *
 * libunbound 1.17 gives its caller no EDE option: not in the packet of the
 * answer, and not those of a forwarder.  What it gives for a bogus answer is
 * a line of text, and that line's words are translated here.  For an answer
 * that failed for another reason it gives a response code only, which is
 * "Other Error".
 */
#pragma once
#include <stdint.h>

/* The codes of RFC 8914 4 that can come out of dns_ede_of(). */
enum dns_ede {
	EDE_OTHER = 0,
	EDE_BOGUS = 6,
	EDE_SIGNATURE_EXPIRED = 7,
	EDE_SIGNATURE_NOT_YET_VALID = 8,
	EDE_DNSKEY_MISSING = 9,
	EDE_RRSIGS_MISSING = 10,
	EDE_NSEC_MISSING = 12,
};

/* From libunbound's reason for a bogus answer; NULL is EDE_BOGUS. */
enum dns_ede dns_ede_of(const char *why_bogus);

/* "Signature Expired": the name of the registry. */
const char *dns_ede_name(enum dns_ede ede);
