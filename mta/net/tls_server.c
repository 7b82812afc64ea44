/* The certificate chains we present, and the choice among them by SNI. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/net/tls.h"
#include "mta/net/tls_pem.h"
#include "mta/net/tls_session.h"

struct tls_chain {
	SSL_CTX *ctx;
	X509 *leaf; /* borrowed from ctx */
};

struct tls_server {
	struct tls_chain *chains;
	size_t n;
};

static int on_servername(SSL *ssl, int *alert, void *arg);

static int
ctx_use(SSL_CTX *ctx, const struct tls_pair *pair, struct err *err)
{
	STACK_OF(X509) *chain = pem_read_chain(pair->chain, err);
	EVP_PKEY *key = chain == NULL ? NULL : pem_read_key(pair->key, err);
	X509 *leaf;
	int ok = 0;

	if (chain != NULL && key != NULL) {
		leaf = sk_X509_shift(chain);
		ok = SSL_CTX_use_cert_and_key(ctx, leaf, key, chain, 1);
		X509_free(leaf);
		if (ok != 1)
			(void)err_set(err, ERR_PERM, "4.3.5",
			    "key and certificate do not fit: %s",
			    pem_openssl_error());
	}
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
	return ok == 1 ? 0 : -1;
}

/* RFC 8996 and RFC 9325 3.1.1: TLS 1.2 is the oldest that is spoken. */
static SSL_CTX *
ctx_new(struct tls_server *server)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		return NULL;
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_num_tickets(ctx, 1);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx, on_servername);
	(void)SSL_CTX_set_tlsext_servername_arg(ctx, server);
	return ctx;
}

int
tls_server_new(const struct tls_pair *pairs, size_t n, struct tls_server **ret,
    struct err *err)
{
	struct tls_server *server = mem_new(sizeof(*server));

	server->chains = mem_array(n, sizeof(server->chains[0]));
	for (size_t i = 0; i < n; i++) {
		SSL_CTX *ctx = ctx_new(server);

		server->chains[i].ctx = ctx;
		server->n = i + 1;
		if (ctx == NULL || ctx_use(ctx, &pairs[i], err) < 0) {
			tls_server_free(&server);
			return err_wrap(err, pairs[i].name);
		}
		server->chains[i].leaf = SSL_CTX_get0_certificate(ctx);
	}
	*ret = server;
	return 0;
}

void
tls_server_free(struct tls_server **serverp)
{
	struct tls_server *server = *serverp;

	*serverp = NULL;
	if (server == NULL)
		return;
	for (size_t i = 0; i < server->n; i++)
		SSL_CTX_free(server->chains[i].ctx);
	mem_free(server->chains);
	mem_free(server);
}

/* Exact names first, wildcards second, the first chain for the rest. */
static SSL_CTX *
choose(const struct tls_server *server, const char *name)
{
	static const unsigned flags[] = {
	    X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT};

	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < server->n; i++)
			if (X509_check_host(server->chains[i].leaf, name, 0,
				flags[pass], NULL) == 1)
				return server->chains[i].ctx;
	return server->chains[0].ctx;
}

/* RFC 7672 8.1, RFC 8461 7.1: an unknown name gets the default, no alert. */
static int
on_servername(SSL *ssl, int *alert, void *arg)
{
	const struct tls_server *server = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	if (name != NULL)
		(void)SSL_set_SSL_CTX(ssl, choose(server, name));
	return SSL_TLSEXT_ERR_OK;
}

struct tls *
tls_accept(struct tls_server *server)
{
	return tls_session_new(SSL_new(server->chains[0].ctx), false);
}
