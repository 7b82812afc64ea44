/*
 * Domain names: text, wire format and the international form.
 *
 * Text is in presentation format (RFC 1035 5.1) in one normal form: ASCII
 * letters folded to lower case, no dot at the end, bytes other than letters,
 * digits, "-" and "_" as \DDD.  So two names are equal when their texts are.
 * The root is ".".  Wire names are without compression.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/* RFC 1035 2.3.4: 255 octets on the wire, 63 in a label. */
#define DNS_WIRE_MAX  255
#define DNS_LABEL_MAX 63
/* Room for the longest text and its NUL: each octet as \DDD. */
#define DNS_NAME_SIZE 1024

/*
 * Read one wire name from the front of `in`; `in` then stands behind it.
 * False, with nothing changed, when it is cut short, too long or compressed.
 */
bool dns_name_read(struct span *in, char ret_text[DNS_NAME_SIZE]);

/* Text to wire.  False: an empty or too long label or name, a bad escape. */
bool dns_name_wire(
    const char *text, uint8_t ret_wire[DNS_WIRE_MAX], size_t *ret_n);

/* Any text of a name to its normal form; false when it is none. */
bool dns_name_normal(const char *text, char ret_text[DNS_NAME_SIZE]);

/* RFC 1123 2.1: letters, digits and inner hyphens; we let "_" pass, too. */
bool dns_name_is_host(const char *normal);

/* Is `name` the zone or below it?  Both in normal form. */
bool dns_name_in(const char *name, const char *zone);

/*
 * The domain of a mail address to the name to look up.  U-labels become
 * A-labels (RFC 5891 with the UTS 46 mapping, nontransitional); ASCII is only
 * brought to its normal form.  -1 (ERR_PERM, 5.1.2) when it is no host name.
 */
int dns_name_from_domain(
    const char *domain, char ret_text[DNS_NAME_SIZE], struct err *err);
