/* Domain names as mail writes them: letters, digits, hyphens.  Pure. */
#pragma once
#include <stdbool.h>

#include "base/span.h"

#define DOMAIN_MAX 254 /* RFC 1035 2.3.4: 253 octets as text, and a NUL */

/*
 * Copy `text` folded to lower case; false, and `to` untouched, when it is no
 * domain: labels of 1 to 63 letters, digits and inner hyphens (RFC 5321
 * 4.1.2), no dot at the end, the last label not all digits (that would be an
 * address).  Internationalised names are written as A-labels.
 */
bool domain_fold(struct span text, char to[DOMAIN_MAX]);

/* As domain_fold(), and with a dot inside: a fully qualified name. */
bool domain_is_qualified(struct span text);
