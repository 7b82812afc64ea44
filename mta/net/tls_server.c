/* The certificate chains we present, and the choice among them by SNI. */
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/net/tls.h"
#include "mta/net/tls_hello.h"
#include "mta/net/tls_offer.h"
#include "mta/net/tls_pem.h"
#include "mta/net/tls_session.h"
#include "mta/net/tls_ticket_key.h"

struct tls_chain {
	SSL_CTX *ctx;
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) * above; /* what is sent behind the leaf */
	unsigned char digest[SHA256_DIGEST_LENGTH]; /* of the leaf */
};

struct tls_server {
	struct tls_chain *chains;
	size_t n;
	char rules; /* what the handshakes are like */
};

#define BOUND_MAX 1024 /* octets that a ticket is bound to */
#define KINDS_MAX 4    /* of keys: RSA, EC, Ed25519, and one to come */

static int on_hello(SSL *ssl, int *alert, void *arg);
static int on_servername(SSL *ssl, int *alert, void *arg);

static int
chain_read(
    struct tls_chain *chain, const struct tls_pair *pair, struct err *err)
{
	chain->above = pem_read_chain(pair->chain, err);
	if (chain->above == NULL)
		return -1;
	chain->leaf = sk_X509_shift(chain->above);
	if (X509_digest(chain->leaf, EVP_sha256(), chain->digest, NULL) != 1)
		return err_set(err, ERR_TEMP, "4.3.0", "no memory");
	chain->key = pem_read_key(pair->key, err);
	return chain->key == NULL ? -1 : 0;
}

static void
chain_free(struct tls_chain *chain)
{
	SSL_CTX_free(chain->ctx);
	X509_free(chain->leaf);
	EVP_PKEY_free(chain->key);
	sk_X509_pop_free(chain->above, X509_free);
}

/* A context has room for one of each kind of key. */
static int
ctx_use(SSL_CTX *ctx, const struct tls_chain *chain, struct err *err)
{
	if (SSL_CTX_use_cert_and_key(
		ctx, chain->leaf, chain->key, chain->above, 1) == 1)
		return 0;
	return err_set(err, ERR_PERM, "4.3.5",
	    "key and certificate do not fit: %s", pem_openssl_error());
}

static SSL_CTX *
ctx_new(const struct tls_server *server, const struct tls_server_setup *setup)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || offer_server(ctx, setup) < 0) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	tickets_use(ctx, setup->tickets);
	SSL_CTX_set_client_hello_cb(ctx, on_hello, (void *)(uintptr_t)server);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx, on_servername);
	return ctx;
}

/* --- chains that stand side by side ---------------------------------------- */

static struct span
text_of(const ASN1_STRING *string)
{
	return (struct span){(const char *)ASN1_STRING_get0_data(string),
	    (size_t)ASN1_STRING_length(string)};
}

static bool
has_dns_id(const GENERAL_NAMES *names, const ASN1_STRING *name)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);

		if (one->type == GEN_DNS &&
		    span_eq_nocase(text_of(one->d.dNSName), text_of(name)))
			return true;
	}
	return false;
}

/* Whoever asks for a name of the one may have the other as well. */
static bool
has_names_of(const X509 *cert, const X509 *other)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(
	    cert, NID_subject_alt_name, NULL, NULL);
	GENERAL_NAMES *wanted = X509_get_ext_d2i(
	    other, NID_subject_alt_name, NULL, NULL);
	size_t has = 0, lacks = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(wanted); i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(wanted, i);

		if (one->type != GEN_DNS)
			continue;
		else if (has_dns_id(names, one->d.dNSName))
			has++;
		else
			lacks++;
	}
	GENERAL_NAMES_free(names);
	GENERAL_NAMES_free(wanted);
	return has > 0 && lacks == 0;
}

/* The first of each kind of key; OpenSSL takes what the client can verify. */
static int
add_others(struct tls_server *server, struct tls_chain *to, struct err *err)
{
	int kinds[KINDS_MAX] = {EVP_PKEY_get_base_id(to->key)};
	size_t n = 1;

	for (size_t i = 0; i < server->n && n < KINDS_MAX; i++) {
		const struct tls_chain *chain = &server->chains[i];
		int kind = EVP_PKEY_get_base_id(chain->key);
		size_t seen = 0;

		while (seen < n && kinds[seen] != kind)
			seen++;
		if (seen < n || !has_names_of(chain->leaf, to->leaf))
			continue;
		if (ctx_use(to->ctx, chain, err) < 0)
			return -1;
		kinds[n++] = kind;
	}
	return 0;
}

/* --- the server ------------------------------------------------------------ */

static int
load_chain(struct tls_server *server, const struct tls_server_setup *setup,
    const struct tls_pair *pair, struct tls_chain *ret, struct err *err)
{
	struct tls_chain chain = {.ctx = ctx_new(server, setup)};
	int rc = 0;

	if (chain.ctx == NULL)
		rc = err_set(
		    err, ERR_BUG, "4.3.5", "OpenSSL: %s", pem_openssl_error());
	if (rc < 0 || chain_read(&chain, pair, err) < 0 ||
	    ctx_use(chain.ctx, &chain, err) < 0) {
		chain_free(&chain);
		return -1;
	}
	*ret = chain;
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
		chain_free(&server->chains[i]);
	mem_free(server->chains);
	mem_free(server);
}

static int
give_up(struct tls_server **server, const char *name, struct err *err)
{
	tls_server_free(server);
	return err_wrap(err, name);
}

int
tls_server_new(const struct tls_server_setup *setup, struct tls_server **ret,
    struct err *err)
{
	struct tls_server *server = mem_new(sizeof(*server));
	const struct tls_pair *pairs = setup->pairs;

	server->rules = (char)((setup->only_13 ? 1 : 0) |
			       (setup->wide ? 2 : 0));
	server->chains = mem_array(setup->npairs, sizeof(server->chains[0]));
	for (; server->n < setup->npairs; server->n++)
		if (load_chain(server, setup, &pairs[server->n],
			&server->chains[server->n], err) < 0)
			return give_up(&server, pairs[server->n].name, err);
	for (size_t i = 0; i < server->n; i++)
		if (add_others(server, &server->chains[i], err) < 0)
			return give_up(&server, pairs[i].name, err);
	*ret = server;
	return 0;
}

/* --- a session ------------------------------------------------------------- */

/* Exact names first, wildcards second, the first chain for the rest. */
static const struct tls_chain *
choose(const struct tls_server *server, const char *name)
{
	static const unsigned flags[] = {
	    X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT};

	for (size_t pass = 0; name[0] != '\0' && pass < 2; pass++)
		for (size_t i = 0; i < server->n; i++)
			if (X509_check_host(server->chains[i].leaf, name, 0,
				flags[pass], NULL) == 1)
				return &server->chains[i];
	return &server->chains[0];
}

/*
 * What a ticket is good for: the same listener, the same name, the same
 * certificate and the same rules.  OpenSSL keeps it in the ticket, and under
 * any other there is a full handshake (RFC 8446 4.6.1).
 */
static int
bind_ticket(SSL *ssl, const struct tls_server *server,
    const struct tls_chain *chain, const char *name)
{
	const struct tls *tls = SSL_get_app_data(ssl);
	const char *listener = tls == NULL ? "" : tls->listener;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct buf all;
	int rc;

	buf_init(&all, BOUND_MAX);
	if (buf_add(&all, (struct span){&server->rules, 1}) < 0 ||
	    buf_add(&all, (struct span){(const char *)chain->digest,
			      sizeof(chain->digest)}) < 0 ||
	    buf_add(&all, (struct span){name, strlen(name) + 1}) < 0 ||
	    buf_add(&all, span_of(listener)) < 0)
		rc = 0;
	else
		rc = EVP_Digest(all.p, all.n, digest, NULL, EVP_sha256(), NULL);
	buf_free(&all);
	return rc == 1 ? SSL_set_session_id_context(ssl, digest, sizeof(digest))
	               : 0;
}

/* Before a ticket is looked at, and without what it says. */
static int
on_hello(SSL *ssl, int *alert, void *arg)
{
	const struct tls_server *server = arg;
	const unsigned char *bytes = NULL;
	const struct tls_chain *chain;
	char name[TLS_HELLO_NAME] = "";
	size_t n = 0;

	if (SSL_client_hello_get0_ext(
		ssl, TLSEXT_TYPE_server_name, &bytes, &n) == 1)
		(void)tls_hello_name(
		    (struct span){(const char *)bytes, n}, name);
	chain = choose(server, name);
	if (SSL_set_SSL_CTX(ssl, chain->ctx) == NULL ||
	    bind_ticket(ssl, server, chain, name) != 1) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_CLIENT_HELLO_ERROR;
	}
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* RFC 7672 8.1, RFC 8461 7.1: an unknown name gets the default, no alert. */
static int
on_servername(SSL *ssl, int *alert, void *arg)
{
	(void)ssl;
	(void)alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

struct tls *
tls_accept(struct tls_server *server, const char *listener)
{
	SSL *ssl = SSL_new(server->chains[0].ctx);
	struct tls *tls = tls_session_new(ssl, false);

	if (tls->state == TLS_FAILED)
		return tls;
	(void)text_copy(tls->listener, sizeof(tls->listener), listener);
	(void)SSL_set_app_data(ssl, tls);
	return tls;
}
