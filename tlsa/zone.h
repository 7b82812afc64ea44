/*
 * TLSA records as the text of a zone, read and printed by ldns.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tlsa/tlsa.h"

/* One record with its place in a zone. */
struct tlsa_entry {
	const char *owner; /* normal form; "" when it was not written */
	uint32_t ttl;
	struct span rdata; /* wire format, for tlsa_read() */
};

/*
 * "_25._tcp.mx.example.org.  3600  IN  TLSA  3 1 1 0123..." and the end of the
 * line.  -1: the owner is no host name in normal form, or over the buffer's limit.
 */
int tlsa_zone_print(const char *owner, uint32_t ttl,
    const struct tlsa_record *record, struct buf *out);

/*
 * All TLSA records of a text: lines of a zone, as one writes them and as
 * dig(1) prints them, or the data alone ("3 1 1 0123...").  Comments,
 * parentheses and records of other types are allowed; relative names and
 * directives are not ("$ORIGIN").  Entries are in the arena.  -1 (ERR_PERM)
 * names the line that is none, or says that there are more than `room`.
 */
int tlsa_zone_read(struct span text, struct arena *arena,
    struct tlsa_entry *ret, size_t room, size_t *ret_n, struct err *err);
