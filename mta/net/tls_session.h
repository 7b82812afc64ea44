/* Private to mta/net/tls*.c. */
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>

#include "mta/net/tls.h"
#include "mta/net/tls_cache.h"
#include "mta/net/tls_verify.h"

struct tls {
	SSL *ssl;
	BIO *in;  /* owned by ssl */
	BIO *out; /* owned by ssl */
	enum tls_state state;
	bool settled;      /* the proofs are final */
	bool narrow;       /* only what may authenticate was offered */
	char listener[64]; /* of a server: what clients have connected to */
	char failure[160];
	enum tls_break broken;
	uint8_t alert; /* of TLS_BREAK_ALERT */
	struct tls_verify verify;
	struct tls_cache *cache; /* held while there is a key */
	char *session_key;       /* or NULL */
	struct tls_kept kept;    /* what the full handshake has shown */
};

/* Takes `ssl` (NULL gives a session that has failed). */
struct tls *tls_session_new(SSL *ssl, bool client);
/* What OpenSSL has last said, before it is forgotten. */
void tls_note_break(struct tls *tls);
/* The handshake is over: settle what it has proved, once. */
void tls_settle(struct tls *tls);
/* The proofs and the match alone. */
void tls_facts_verified(const struct tls *tls, struct tls_facts *ret);
