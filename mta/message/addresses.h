/*
 * The addresses of a header field or a command line (RFC 5322 3.4): names in
 * front of <angle brackets>, quoted strings, comments, groups, source routes.
 * Pure; nothing nests, nothing is allocated.
 *
 * What comes out is "local@domain" as it stood, without blanks and comments;
 * its grammar is still to be checked (mta/smtp/grammar.h).  An address
 * without a domain gets "@" and `origin`.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"

/* 0, or -1 to end the reading with *err filled in. */
typedef int address_found(void *arg, const char *address, struct err *err);

/* -1 (ERR_PERM, 5.1.3) when the text is no list of addresses. */
int addresses_read(struct span text, const char *origin, address_found *found,
    void *arg, struct err *err);
