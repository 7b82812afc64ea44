/*
 * The TXT record of TLS-RPT: does a domain want reports, and where to?
 *
 * RFC 8460 3: at _smtp._tls.DOMAIN,
 * "v=TLSRPTv1; rua=mailto:tls@example.org,https://example.org/v1/tlsrpt".
 *
 * Input is what a stranger's zone says.  Pure; what is kept of the lent answer
 * is copied into the arena.
 */
#pragma once
#include "base/arena.h"
#include "dnssec/dnssec.h"

#define TLSRPT_PREFIX "_smtp._tls."

/* Of the places a record names, the first so many are used, */
#define TLSRPT_RUA_MAX 10
/* and of these none that is longer. */
#define TLSRPT_URI_MAX 1024
/* Room for whatever tlsrpt_record_read() finds. */
#define TLSRPT_RECORD_ARENA ((size_t)32 * 1024)

enum rua_scheme {
	RUA_NONE = 0,
	RUA_MAILTO,
	RUA_HTTPS,
};

struct tlsrpt_rua {
	enum rua_scheme scheme;
	/*
	 * An address with a domain in A-labels and normal form, decoded; or
	 * the https URI as it is published, which https_uri_read() reads, or
	 * refuses because https_uri_has_address().
	 * Never NULL, printable ASCII.
	 */
	const char *to;
};

enum tlsrpt_record_state {
	TLSRPT_RECORD_UNKNOWN = 0, /* nobody looked */
	TLSRPT_RECORD_FAILED,      /* not obtained or bogus: ask again later */
	TLSRPT_RECORD_NONE,        /* none, or more than one: no reports */
	TLSRPT_RECORD_MALFORMED,   /* one, and nowhere to send to */
	TLSRPT_RECORD_FOUND,       /* one, with a place at least */
};

struct tlsrpt_record {
	enum tlsrpt_record_state state;
	const struct tlsrpt_rua
	    *rua; /* with TLSRPT_RECORD_FOUND; no two alike */
	size_t nrua;
	const char *why; /* static; why there are no places, or "" */
};

struct tlsrpt_record tlsrpt_record_read(
    const struct dns_answer *answer, struct arena *arena);

/* "mailto:..." or "https:..." to a place; false: none we could send to. */
bool tlsrpt_rua_read(
    struct span uri, struct arena *arena, struct tlsrpt_rua *ret);

const char *tlsrpt_record_state_name(enum tlsrpt_record_state state);
const char *rua_scheme_name(enum rua_scheme scheme);
