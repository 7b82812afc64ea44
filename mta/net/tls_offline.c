#include "mta/net/tls_offline.h"

#include <openssl/err.h>

#include "mta/net/tls_pem.h"
#include "mta/net/tls_session.h"

/* As OpenSSL would make one for the session (ssl_verify_cert_chain). */
static bool
context_of(X509_STORE_CTX *ctx, const struct tls *tls, STACK_OF(X509) * chain,
    int64_t at)
{
	SSL *ssl = tls->ssl;
	X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));

	if (X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain) !=
		1 ||
	    X509_STORE_CTX_set_ex_data(
		ctx, SSL_get_ex_data_X509_STORE_CTX_idx(), ssl) != 1 ||
	    X509_STORE_CTX_set_default(ctx, "ssl_server") != 1 ||
	    X509_VERIFY_PARAM_set1(
		X509_STORE_CTX_get0_param(ctx), SSL_get0_param(ssl)) != 1)
		return false;
	X509_STORE_CTX_set0_dane(ctx, SSL_get0_dane(ssl));
	if (at != 0)
		X509_STORE_CTX_set_time(ctx, 0, (time_t)at);
	return true;
}

int
tls_verify_offline(struct tls_client *client, struct span chain_pem,
    const struct tls_demand *demand, int64_t at, struct tls_facts *ret_facts,
    struct err *err)
{
	STACK_OF(X509) *chain = pem_read_chain(chain_pem, err);
	X509_STORE_CTX *ctx;
	struct tls *tls;
	int result = 0;

	if (chain == NULL)
		return -1;
	ctx = X509_STORE_CTX_new();
	tls = tls_connect(client, demand);
	if (ctx != NULL && tls->ssl != NULL && context_of(ctx, tls, chain, at))
		verify_chain(&tls->verify, tls->ssl, ctx);
	else
		result = err_set(
		    err, ERR_BUG, "4.3.5", "OpenSSL: %s", pem_openssl_error());
	if (result == 0)
		tls_facts_verified(tls, ret_facts);
	X509_STORE_CTX_free(ctx);
	tls_free(&tls);
	sk_X509_pop_free(chain, X509_free);
	return result;
}
