/* Private to mta/net/tls*.c: tickets as an SSL_CTX wants them. */
#pragma once
#include <openssl/ssl.h>

#include "mta/net/tls_ticket.h"

#define TICKET_KEYS_MAX (TLS_TICKET_LIFETIME_MAX / TLS_TICKET_PERIOD + 1)
#define TICKET_NAME     16

/* RFC 5077 4: AES-256 in CBC mode under an HMAC of SHA-256. */
struct ticket_key {
	uint8_t name[TICKET_NAME];
	uint8_t cipher[32];
	uint8_t mac[32];
};

/* To seal with, and to open with by its name; NULL: none. */
const struct ticket_key *tickets_newest(struct tls_tickets *tickets);
const struct ticket_key *tickets_find(
    struct tls_tickets *tickets, const uint8_t name[TICKET_NAME]);
uint64_t tickets_now(const struct tls_tickets *tickets);
uint32_t tickets_lifetime(const struct tls_tickets *tickets);

/* Tickets by these, or none by NULL.  Borrowed for the context's life. */
void tickets_use(SSL_CTX *ctx, struct tls_tickets *tickets);
