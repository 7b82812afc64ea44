/*
 * From an address to where its mail goes: the configuration's answer with
 * international domains as A-labels and Maildir templates filled in.  Pure.
 */
#pragma once
#include "mta/config.h"
#include "mta/domain.h"
#include "mta/target.h"
#include "queue/envelope.h"

/*
 * The domain of an address, folded, U-labels as A-labels (RFC 5890 2.3.2.1).
 * "" when the address has none or it cannot be written so.
 */
void route_domain(const char *address, char to[DOMAIN_MAX]);

/*
 * The key of the destination: the text of the target.  "" when there is
 * no way: a local part that cannot be part of a path, a domain that is none.
 */
void route_key(
    const struct config *config, const char *address, char to[TARGET_TEXT_MAX]);

/* The same of a recipient: an alias that was expanded goes nowhere else. */
void route_rcpt(const struct config *config, const struct envelope_rcpt *rcpt,
    char to[TARGET_TEXT_MAX]);

/*
 * Does what comes back of a report of ours come to this address?  Who takes
 * mail has seen that we made it (mta/locals.h).
 */
bool route_is_bounce(const struct config *config, const char *address);

/* Is mail to this address to be read as reports about TLS, too? */
bool route_is_for_reports(const struct config *config, const char *address);
