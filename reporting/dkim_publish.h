/*
 * What we publish of a key that signs our reports: the record, and its line
 * for a zone.  Pure.
 */
#pragma once
#include "base/buf.h"
#include "reporting/dkim_crypto.h"

/* RFC 1035 3.3: a string of a TXT record */
#define DKIM_STRING_MAX 255

/*
 * Append "v=DKIM1; k=rsa; p=...".  RFC 8460 3 would have "s=tlsrpt", which
 * verifiers of mail never heard of (erratum 5889); without s= a key is for
 * every service.  -1: over the limit, or no public half.
 */
int dkim_publish_record(const struct dkim_key *key, struct buf *out)
    __attribute__((warn_unused_result));

/*
 * Append "SELECTOR._domainkey.DOMAIN. TXT "..." "..."" and a line end; the
 * record is one of dkim_publish_record().  -1: over the limit.
 */
int dkim_publish_line(const char *selector, const char *domain,
    struct span record, struct buf *out) __attribute__((warn_unused_result));
