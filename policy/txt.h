/*
 * Records of the form "v=...; name=value; name=value", as MTA-STS and TLS-RPT
 * have them (RFC 8461 3.1, RFC 8460 3): which TXT record of an answer is the
 * one, and what fields it has.
 *
 * Input is what a stranger's zone says.  Pure; nothing is kept of the lent
 * answer.
 */
#pragma once
#include "base/buf.h"
#include "dnssec/dnssec.h"

/* RFC 1035 3.1: the data of a record has a length of 16 bits. */
#define TXT_TEXT_MAX 65535

/* RFC 5234 B.1: WSP */
#define TXT_WSP " \t"

/*
 * Append what one record says: its strings, joined without blanks.  -1 when
 * they are not what RFC 1035 3.3.14 says, lengths and octets.
 */
int txt_join(struct span rdata, struct buf *to);

enum txt_found {
	TXT_FAILED = 0, /* the lookup failed, or the answer is malformed */
	TXT_NONE,
	TXT_SEVERAL,
	TXT_ONE,
};

/*
 * Of the records that begin with `version`, "v=STSv1;", letter by letter.
 * With TXT_ONE what follows the version is in *rest, which was given to
 * buf_init() with TXT_TEXT_MAX; otherwise nothing is said of what is there.
 */
enum txt_found txt_find(
    const struct dns_answer *answer, struct span version, struct buf *rest);

struct txt_field {
	struct span name, value;
};

/*
 * Take a field, and the ";" behind it, from the front of *rest; false at the
 * end of it.  *why is NULL, or what is wrong with the field; no more are then
 * to be read.  Neither name nor value has been looked at.
 */
bool txt_next(struct span *rest, struct txt_field *ret_field, const char **why);

/* 1 to 32 letters, digits, "_", "-" and ".", a letter or digit first. */
bool txt_is_name(struct span name);
/* Printable ASCII without "=" and ";", not empty. */
bool txt_is_value(struct span value);
/*
 * A field that nobody knows: NULL, or what is wrong with its name or value.
 */
const char *txt_check_unknown(const struct txt_field *field);
