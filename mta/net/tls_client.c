/* Outbound sessions: what they share, and how each begins. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/net/tls_offer.h"
#include "mta/net/tls_pem.h"
#include "mta/net/tls_session.h"
#include "mta/net/tls_web.h"

#define SESSIONS_MAX_DEFAULT 1000
#define SESSION_KEPT_MAX     ((size_t)16 << 10) /* octets, DER and ticket */

struct tls_client {
	SSL_CTX *ctx;
	X509_STORE *store; /* the authorities of WebPKI; never in ctx */
	struct tls_cache *cache;
};

/*
 * Instead of OpenSSL's own verification.  RFC 7672 8.2, RFC 7435: the
 * handshake goes on whatever the chain is worth.
 */
static int
on_chain(X509_STORE_CTX *ctx, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = ssl == NULL ? NULL : SSL_get_app_data(ssl);

	(void)arg;
	if (tls != NULL)
		verify_chain(&tls->verify, ssl, ctx);
	return 1;
}

/* It holds chain and ticket, and the peer decides how long those are. */
static bool
is_small(SSL *ssl, const SSL_SESSION *session)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	const unsigned char *ticket;
	size_t n = 0;

	SSL_SESSION_get0_ticket(session, &ticket, &n);
	for (int i = 0; chain != NULL && i < sk_X509_num(chain); i++) {
		int one = i2d_X509(sk_X509_value(chain, i), NULL);

		if (one < 0)
			return false;
		n += (size_t)one;
	}
	return n <= SESSION_KEPT_MAX;
}

/* TLS 1.2: at the end of the handshake; TLS 1.3: with each ticket. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = SSL_get_app_data(ssl);

	if (tls == NULL || tls->session_key == NULL)
		return 0;
	tls_settle(tls);
	/* What has failed is looked at again the next time. */
	if (verify_failed(&tls->verify) || !is_small(ssl, session))
		return 0;
	return tls_cache_put(
	    tls->cache, tls->session_key, session, &tls->kept, clock_wall());
}

static SSL_CTX *
ctx_new(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL || offer_client(ctx) < 0 ||
	    SSL_CTX_dane_enable(ctx) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, on_chain, NULL);
	return ctx;
}

/* A machine without authorities trusts none; what is configured is there. */
static X509_STORE *
store_new(const char *ca_file, struct err *err)
{
	X509_STORE *store = tls_web_store(
	    ca_file == NULL ? TLS_WEB_CA_FILE : ca_file, err);

	return store == NULL && ca_file == NULL ? X509_STORE_new() : store;
}

int
tls_client_new(const struct tls_client_setup *setup, struct tls_client **ret,
    struct err *err)
{
	X509_STORE *store = store_new(setup->ca_file, err);
	SSL_CTX *ctx;

	if (store == NULL)
		return -1;
	ctx = ctx_new();
	if (ctx == NULL) {
		X509_STORE_free(store);
		return err_set(
		    err, ERR_BUG, "4.3.5", "OpenSSL: %s", pem_openssl_error());
	}
	*ret = mem_new(sizeof(**ret));
	(*ret)->ctx = ctx;
	(*ret)->store = store;
	(*ret)->cache = tls_cache_new(setup->sessions_max > 0
					  ? setup->sessions_max
					  : SESSIONS_MAX_DEFAULT);
	return 0;
}

void
tls_client_free(struct tls_client **clientp)
{
	struct tls_client *client = *clientp;

	*clientp = NULL;
	if (client == NULL)
		return;
	SSL_CTX_free(client->ctx);
	X509_STORE_free(client->store);
	tls_cache_free(&client->cache);
	mem_free(client);
}

/* RFC 6066 3: at most 255 octets; what is longer is no host name. */
static void
set_sni(SSL *ssl, const char *sni)
{
	char name[256]; /* the macro casts const away */

	if (sni != NULL && sni[0] != '\0' && text_copy(name, sizeof(name), sni))
		(void)SSL_set_tlsext_host_name(ssl, name);
}

static void
offer_session(struct tls *tls)
{
	SSL_SESSION *session = tls_cache_take(
	    tls->cache, tls->session_key, clock_wall(), &tls->kept);

	if (session != NULL)
		(void)SSL_set_session(tls->ssl, session);
	SSL_SESSION_free(session);
}

struct tls *
tls_connect(struct tls_client *client, const struct tls_demand *demand)
{
	SSL *ssl = SSL_new(client->ctx);
	struct tls *tls = tls_session_new(ssl, true);

	if (tls->state == TLS_FAILED)
		return tls;
	(void)SSL_set_app_data(ssl, tls);
	tls->narrow = demand->authenticated && offer_authenticated(ssl) == 0;
	set_sni(ssl, demand->sni);
	verify_begin(&tls->verify, ssl, client->store, demand);
	if (demand->session_key == NULL)
		return tls;
	tls->session_key = mem_strdup(demand->session_key);
	tls->cache = tls_cache_hold(client->cache);
	if (tls->verify.dane.check != TLS_CHECK_FAILED &&
	    tls->verify.pkix.check != TLS_CHECK_FAILED &&
	    tls->verify.host.check != TLS_CHECK_FAILED)
		offer_session(tls);
	return tls;
}

void
tls_settle(struct tls *tls)
{
	struct tls_verify *verify = &tls->verify;

	if (tls->settled)
		return;
	tls->settled = true;
	if (SSL_session_reused(tls->ssl) == 1) {
		/* It shows nothing: it is worth what it was worth. */
		verify->dane = tls->kept.dane;
		verify->pkix = tls->kept.pkix;
		verify->host = tls->kept.host;
		verify->depth = tls->kept.depth;
		(void)text_copy(verify->matched, sizeof(verify->matched),
		    tls->kept.matched);
		return;
	}
	verify_end(verify, tls->ssl);
	tls->kept = (struct tls_kept){.since = clock_wall(),
	    .dane = verify->dane,
	    .pkix = verify->pkix,
	    .host = verify->host,
	    .depth = verify->depth};
	(void)text_copy(
	    tls->kept.matched, sizeof(tls->kept.matched), verify->matched);
}
