/*
 * What could be better about a set of TLSA records that do work: for who
 * publishes them.  Pure.
 */
#pragma once
#include "base/buf.h"
#include "tlsa/tlsa.h"

/* RFC 7671 10.1.1: what passes as one datagram everywhere (IPv6's least MTU
 * without its headers). */
#define TLSA_ANSWER_GOOD 1232u
/* RFC 7671 13: so long an unplanned change of keys may have to wait. */
#define TLSA_TTL_GOOD 86400u

/*
 * A line for each thing that is not as it should be, with the section that says
 * so; none when all is well.  A TTL of 0 is not known.  -1: over *out's limit.
 */
int tlsa_advise(const struct tlsa_set *set, struct buf *out);
