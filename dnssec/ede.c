/* The words of libunbound's validator, and what RFC 8914 calls them. */
#include "dnssec/ede.h"

#include <stddef.h>
#include <string.h>

/*
 * The first row whose words stand in the reason.  A reason may tell a
 * history, from the answer back to its cause, so causes come first.
 */
static const struct {
	const char *words;
	enum dns_ede ede;
} reasons[] = {
    {"signature expired", EDE_SIGNATURE_EXPIRED},
    {"signature before inception", EDE_SIGNATURE_NOT_YET_VALID},
    {"no keys have a DS", EDE_DNSKEY_MISSING},
    {"no DNSKEY", EDE_DNSKEY_MISSING},
    {"No DNSKEY", EDE_DNSKEY_MISSING},
    {"no signatures", EDE_RRSIGS_MISSING},
    {"no DNSSEC records", EDE_NSEC_MISSING},
    {"no NSEC", EDE_NSEC_MISSING},
    {"no DS and", EDE_NSEC_MISSING},
    {"proof failed", EDE_NSEC_MISSING},
    {"did not prove", EDE_NSEC_MISSING},
    {"failed to prove", EDE_NSEC_MISSING},
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

enum dns_ede
dns_ede_of(const char *why_bogus)
{
	for (size_t i = 0; why_bogus != NULL && i < REASONS; i++)
		if (strstr(why_bogus, reasons[i].words) != NULL)
			return reasons[i].ede;
	return EDE_BOGUS;
}

const char *
dns_ede_name(enum dns_ede ede)
{
	switch (ede) {
	case EDE_OTHER:
		break;
	case EDE_BOGUS:
		return "DNSSEC Bogus";
	case EDE_SIGNATURE_EXPIRED:
		return "Signature Expired";
	case EDE_SIGNATURE_NOT_YET_VALID:
		return "Signature Not Yet Valid";
	case EDE_DNSKEY_MISSING:
		return "DNSKEY Missing";
	case EDE_RRSIGS_MISSING:
		return "RRSIGs Missing";
	case EDE_NSEC_MISSING:
		return "NSEC Missing";
	}
	return "Other Error";
}
