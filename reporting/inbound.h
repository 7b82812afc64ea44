/*
 * What the sessions of others with us came to, as far as the reports of
 * others ask for it (RFC 8460 4.3): by UTC day, client's address and outcome.
 *
 * Pure.  An address is 16 octets, an IPv4 one as IPv6 has it (RFC 4291
 * 2.5.5.2), so that every way to write one is the same.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INBOUND_ADDRESS      16
#define INBOUND_ADDRESS_TEXT 46

/* Zero claims nothing. */
enum inbound_outcome {
	INBOUND_BROKEN = 0, /* the handshake failed, in no way named below */
	INBOUND_MAIL_TLS,
	INBOUND_TLS, /* TLS came up, and no mail came */
	INBOUND_MAIL_PLAIN,
	INBOUND_PLAIN,       /* STARTTLS was offered, and not asked for */
	INBOUND_NOT_OFFERED, /* no mail came, and we have no certificate */
	INBOUND_TURNED_AWAY, /* by a 421 at its beginning, or as we ended */
	INBOUND_ALERT,       /* the client sent a fatal alert: `alert` */
	INBOUND_VERSION,     /* no version of TLS in common */
	INBOUND_CIPHER,      /* no cipher, group or signature in common */
	INBOUND_DROPPED,     /* the connection ended within the handshake */
	INBOUND_SLOW,        /* the handshake took too long */
	INBOUND_OUTCOMES,
};

struct inbound_seen {
	int64_t day; /* since 1970, UTC: of the session's beginning */
	uint8_t address[INBOUND_ADDRESS];
	enum inbound_outcome outcome;
	uint8_t alert; /* RFC 8446 6.2, of INBOUND_ALERT; else 0 */
	uint32_t sessions;
};

/*
 * From the free text of a report: an address and blanks around it, also as
 * RFC 5321 4.1.3 has it.  False: it is nothing like that.
 */
bool inbound_address_read(const char *text, uint8_t ret[INBOUND_ADDRESS]);
/* An IPv4 one, mapped (RFC 4291 2.5.5.2)? */
bool inbound_address_is_v4(const uint8_t address[INBOUND_ADDRESS]);
void inbound_address_write(
    const uint8_t address[INBOUND_ADDRESS], char to[INBOUND_ADDRESS_TEXT]);

/* One word. */
const char *inbound_outcome_name(enum inbound_outcome outcome);
/* Behind a number of sessions: "that did not ask for STARTTLS". */
const char *inbound_outcome_words(enum inbound_outcome outcome);
/* "certificate_unknown" (RFC 8446 6), or "unassigned". */
const char *inbound_alert_name(uint8_t alert);

/* In order, and each kind once; how many are left. */
size_t inbound_merge(struct inbound_seen *list, size_t n);
