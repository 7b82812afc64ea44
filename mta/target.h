/*
 * Where a recipient's mail goes next, as text and as a value.
 *
 *   mx:example.org            the MX hosts of a domain
 *   smtp:mail.example.net:25  one host (its A/AAAA), no MX lookup
 *   smtp:[192.0.2.1]:2525     one address
 *   lmtp:unix:/run/lmtp       LMTP over a UNIX socket
 *   lmtp:[::1]:24             LMTP over TCP (host or address)
 *   maildir:/var/mail/%d/%u   a Maildir; %u local part, %d domain
 *   discard                   accepted and dropped
 *   report-bounces            the report role; no configuration says it
 *   expanded                  an alias that is only told of; nor this
 *
 * The text is the key of a destination in the queue: two recipients with the
 * same text share connections.  Pure.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define TARGET_TEXT_MAX 512

enum target_kind {
	TARGET_NONE = 0, /* not said: zero delivers nowhere */
	TARGET_MX,
	TARGET_SMTP,
	TARGET_LMTP_TCP,
	TARGET_LMTP_UNIX,
	TARGET_MAILDIR,
	TARGET_DISCARD,
	TARGET_REPORT_BOUNCES,
	TARGET_EXPANDED,
};

struct target {
	enum target_kind kind;
	uint16_t port;  /* SMTP, LMTP_TCP; 0 for MX: the configured one */
	char host[256]; /* MX: the domain; SMTP, LMTP_TCP: name or address */
	char path[256]; /* LMTP_UNIX, MAILDIR */
};

/*
 * ERR_PERM with what was expected when the text is not a target, or none that
 * a configuration may name.
 */
int target_parse(struct span text, struct target *ret, struct err *err);
/* Any text that target_text() has written. */
int target_of_key(const char *key, struct target *ret, struct err *err);
/*
 * HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT into the host and port of
 * *target, which is zeroed but for its kind; without a port, `usual`.
 */
int target_endpoint(
    struct span text, uint16_t usual, struct target *target, struct err *err);
/* The canonical text: domain folded, port always there. */
void target_text(const struct target *target, char to[TARGET_TEXT_MAX]);
const char *target_kind_name(enum target_kind kind);
/* A mail server of somebody else: LMTP and the like are our own house. */
bool target_is_smtp(const struct target *target);
/* Does the mail end there, in somebody's mailbox? */
bool target_is_mailbox(const struct target *target);
