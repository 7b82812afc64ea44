/*
 * The resolver's settings as libunbound reads them.
 *
 * Inside of dnssec/ only.  Files, names and addresses are checked here, so
 * that an operator is told what is wrong; libunbound would only say "syntax
 * error", or at the first lookup nothing at all.
 */
#pragma once
#include "base/buf.h"
#include "dnssec/dnssec.h"

#define DNS_TIMEOUT_MS_DEFAULT  30000u
#define DNS_LOOKUPS_MAX_DEFAULT 2000u
#define DNS_TTL_MAX_DEFAULT     86400u
#define ANCHOR_HOLDDOWN_DEFAULT (30u * 86400u)

/* -1 (ERR_PERM, 5.3.5): a bad name, address or file; or over buf's limit. */
int dns_conf_write(
    const struct dns_setup *setup, struct buf *conf, struct err *err);

/*
 * The files it names.  -1 (ERR_PERM, 5.3.5) with file, line and reason when
 * they cannot be read or libunbound could make nothing of them.
 */
int dns_check_anchor(const char *path, struct err *err);
int dns_check_hints(const char *path, struct err *err);
