/*
 * The grammar of SMTP envelopes: addresses and paths (RFC 5321 4.1.2, with
 * the UTF-8 forms of RFC 6531 3.3), parameters (RFC 5321 4.1.2) and xtext
 * (RFC 3461 4).  Pure functions over borrowed bytes; nothing is allocated.
 *
 * Two liberties, both common in the wild and both harmless: blanks behind
 * "FROM:" and "TO:" are skipped, and a mailbox may stand without its angle
 * brackets.  A source route is checked and dropped (RFC 5321 C).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"
#include "queue/envelope.h"

/* RFC 5321 4.5.3.1.1, 4.5.3.1.2 and 4.5.3.1.3, in octets. */
#define GRAMMAR_LOCAL_MAX  64
#define GRAMMAR_DOMAIN_MAX 255
#define GRAMMAR_PATH_MAX   256
/* RFC 1035 2.3.4 */
#define GRAMMAR_LABEL_MAX 63
/* RFC 3461 4.4 and 4.2 */
#define GRAMMAR_ENVID_MAX 100
#define GRAMMAR_ORCPT_MAX 500

enum path_kind {
	PATH_REVERSE = 0, /* MAIL FROM: may be <> */
	PATH_FORWARD,     /* RCPT TO: may be <postmaster> */
};

/* Without brackets, NUL-terminated, the domain in lower case. */
struct address {
	char text[ENVELOPE_ADDRESS_MAX + 1];
	bool utf8; /* has octets above 127: needs SMTPUTF8 */
};

/*
 * Take a path from the front of *in, up to the blank or the end behind it.
 * Errors are permanent and carry 5.1.7/5.1.8 (reverse) or 5.1.3/5.1.2
 * (forward): bad mailbox, bad domain.
 */
int grammar_path(struct span *in, enum path_kind kind,
    struct address *ret_address, struct err *err);

/* The whole text is one mailbox, "local@domain". */
int grammar_mailbox(struct span text, enum path_kind kind,
    struct address *ret_address, struct err *err);

/* The same with as few quotes as can be; `to`, or the address itself. */
const char *grammar_least_quoted(
    const char *address, char to[ENVELOPE_ADDRESS_MAX + 1]);

bool grammar_is_local_part(struct span s);
/* A name of letters, digits, hyphens and UTF-8; no final dot. */
bool grammar_is_domain(struct span s);
/* "[192.0.2.1]", "[IPv6:2001:db8::1]", "[tag:content]" */
bool grammar_is_literal(struct span s);
bool grammar_is_xtext(struct span s);
/* RFC 3461 4.4: xtext of printable characters. */
bool grammar_is_envid(struct span s);
/* RFC 3461 4.2 and, for the type utf-8, RFC 6533 3. */
bool grammar_is_orcpt(struct span s);
/* RFC 3461 4.1: NOTIFY_* together. */
bool grammar_notify(struct span value, uint8_t *ret);

enum param_take {
	PARAM_BAD = 0,
	PARAM_END,
	PARAM_TAKEN,
};

/* RFC 5321 4.1.2 esmtp-param; value.p is NULL without "=". */
struct param {
	struct span name;
	struct span value;
};

enum param_take grammar_param(struct span *in, struct param *ret_param);
