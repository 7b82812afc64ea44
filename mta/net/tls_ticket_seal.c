/* Tickets sealed and opened: what OpenSSL asks in the course of a handshake. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/wire.h"
#include "mta/net/tls_ticket_key.h"

/* What the callback may answer: SSL_CTX_set_tlsext_ticket_key_evp_cb(3). */
enum {
	SEAL_ERROR = -1,
	SEAL_NONE = 0, /* no ticket, or it is not known: a full handshake */
	SEAL_DONE = 1,
	SEAL_RENEW = 2, /* opened, and a new one is to be given */
};

static int
use_mac(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
	char digest[] = "SHA256";
	uint8_t secret[sizeof(key->mac)];
	OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(
				   OSSL_MAC_PARAM_KEY, secret, sizeof(secret)),
	    OSSL_PARAM_construct_utf8_string(
		OSSL_MAC_PARAM_DIGEST, digest, sizeof(digest) - 1),
	    OSSL_PARAM_construct_end()};
	int rc;

	memcpy(secret, key->mac, sizeof(secret));
	rc = EVP_MAC_CTX_set_params(mac, params);
	OPENSSL_cleanse(secret, sizeof(secret));
	return rc;
}

static int
seal(struct tls_tickets *tickets, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const struct ticket_key *key = tickets_newest(tickets);
	const EVP_CIPHER *aes = EVP_aes_256_cbc();

	if (key == NULL)
		return SEAL_NONE;
	memcpy(name, key->name, TICKET_NAME);
	if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
	    EVP_EncryptInit_ex(cipher, aes, NULL, key->cipher, iv) != 1 ||
	    use_mac(mac, key) != 1)
		return SEAL_ERROR;
	return SEAL_DONE;
}

/* RFC 8446 C.4: a ticket of TLS 1.3 is used once, so there is another. */
static int
open_by(struct tls_tickets *tickets, SSL *ssl, const unsigned char *name,
    const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const struct ticket_key *key = tickets_find(tickets, name);

	if (key == NULL)
		return SEAL_NONE;
	if (use_mac(mac, key) != 1 ||
	    EVP_DecryptInit_ex(
		cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) != 1)
		return SEAL_ERROR;
	return SSL_version(ssl) >= TLS1_3_VERSION ||
	               key != tickets_newest(tickets)
	           ? SEAL_RENEW
	           : SEAL_DONE;
}

static struct tls_tickets *
tickets_of(SSL_CTX *ctx)
{
	return SSL_CTX_get_app_data(ctx);
}

static int
on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	struct tls_tickets *tickets = tickets_of(SSL_get_SSL_CTX(ssl));

	if (tickets == NULL)
		return SEAL_NONE;
	return sealing ? seal(tickets, name, iv, cipher, mac)
	               : open_by(tickets, ssl, name, iv, cipher, mac);
}

/* --- how long one counts -------------------------------------------------- */

static bool
ticket_began(SSL_SESSION *session, uint64_t *ret)
{
	void *data = NULL;
	size_t n = 0;

	if (SSL_SESSION_get0_ticket_appdata(session, &data, &n) != 1 ||
	    n != sizeof(*ret))
		return false;
	*ret = wire_load_u64(data);
	return true;
}

/* A renewed one says what the first has said; OpenSSL has copied it. */
static int
on_ticket_made(SSL *ssl, void *arg)
{
	struct tls_tickets *tickets = arg;
	SSL_SESSION *session = SSL_get_session(ssl);
	uint64_t now = tickets_now(tickets), began = now;
	uint32_t lifetime = tickets_lifetime(tickets);
	char data[sizeof(began)];

	if (!SSL_session_reused(ssl) || !ticket_began(session, &began) ||
	    began > now)
		began = now;
	wire_store_u64(data, began);
	if (now - began > lifetime)
		began = now - lifetime;
	(void)SSL_SESSION_set_timeout(
	    session, (long)(lifetime - (now - began)));
	return SSL_SESSION_set1_ticket_appdata(session, data, sizeof(data));
}

/* RFC 8446 4.6.1: limits on the total lifetime of such keying material. */
static bool
counts(const struct tls_tickets *tickets, SSL_SESSION *session)
{
	uint64_t now = tickets_now(tickets), began;

	return session != NULL && ticket_began(session, &began) &&
	       began <= now && now - began < tickets_lifetime(tickets);
}

static SSL_TICKET_RETURN
on_ticket_opened(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
    size_t n, SSL_TICKET_STATUS status, void *arg)
{
	(void)ssl;
	(void)name;
	(void)n;
	switch (status) {
	case SSL_TICKET_SUCCESS:
		return counts(arg, session) ? SSL_TICKET_RETURN_USE
		                            : SSL_TICKET_RETURN_IGNORE_RENEW;
	case SSL_TICKET_SUCCESS_RENEW:
		return counts(arg, session) ? SSL_TICKET_RETURN_USE_RENEW
		                            : SSL_TICKET_RETURN_IGNORE_RENEW;
	default:
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	}
}

void
tickets_use(SSL_CTX *ctx, struct tls_tickets *tickets)
{
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_app_data(ctx, tickets);
	if (tickets == NULL) {
		/* Of TLS 1.3 there would be some with a state here. */
		(void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		(void)SSL_CTX_set_num_tickets(ctx, 0);
		return;
	}
	(void)SSL_CTX_set_num_tickets(ctx, 1);
	(void)SSL_CTX_set_timeout(ctx, (long)tickets_lifetime(tickets));
	(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket_key);
	(void)SSL_CTX_set_session_ticket_cb(
	    ctx, on_ticket_made, on_ticket_opened, tickets);
}
