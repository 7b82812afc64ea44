/*
 * Is this certificate chain fit to be presented?  For check-config and for
 * the supervisor before it starts roles with it.
 */
#pragma once
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

/*
 * 0 when the pair can be used; warnings may still stand in *problems, one a
 * line.  -1 when it cannot: not PEM, key does not match, chain out of order,
 * leaf expired or not yet valid.  `hostname` is a name the leaf should cover
 * (a warning when it does not).
 */
int tls_check_pair(struct span chain_pem, struct span key_pem,
    const char *hostname, struct buf *problems);
