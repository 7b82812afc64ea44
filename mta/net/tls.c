/* One TLS session between two memory buffers. */
#include "mta/net/tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/net/tls_pem.h"
#include "mta/net/tls_session.h"

#define CHUNK 16384

struct tls {
	SSL *ssl;
	BIO *in;  /* owned by ssl */
	BIO *out; /* owned by ssl */
	enum tls_state state;
	char failure[160];
};

struct tls_client {
	SSL_CTX *ctx;
};

/* An unauthenticated session is still better than none: old keys may do. */
int
tls_client_new(struct tls_client **ret, struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL ||
	    SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0") != 1) {
		SSL_CTX_free(ctx);
		return err_set(
		    err, ERR_BUG, "4.3.5", "OpenSSL: %s", pem_openssl_error());
	}
	/* RFC 8996 2: TLS 1.0 and 1.1 must not be negotiated. */
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	*ret = mem_new(sizeof(**ret));
	(*ret)->ctx = ctx;
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
	mem_free(client);
}

static void
fail(struct tls *tls, const char *why)
{
	tls->state = TLS_FAILED;
	(void)text_copy(tls->failure, sizeof(tls->failure), why);
	text_make_printable(tls->failure);
}

struct tls *
tls_session_new(SSL *ssl, bool client)
{
	struct tls *tls = mem_new(sizeof(*tls));

	tls->ssl = ssl;
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (ssl == NULL || tls->in == NULL || tls->out == NULL) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		tls->in = NULL;
		tls->out = NULL;
		fail(tls, pem_openssl_error());
		return tls;
	}
	(void)BIO_set_mem_eof_return(tls->in, -1);
	SSL_set_bio(ssl, tls->in, tls->out);
	if (client)
		SSL_set_connect_state(ssl);
	else
		SSL_set_accept_state(ssl);
	tls->state = TLS_SHAKING;
	return tls;
}

struct tls *
tls_connect(struct tls_client *client, const char *sni)
{
	SSL *ssl = SSL_new(client->ctx);
	char name[256]; /* the macro casts const away */

	if (ssl != NULL && sni[0] != '\0' && text_copy(name, sizeof(name), sni))
		(void)SSL_set_tlsext_host_name(ssl, name);
	return tls_session_new(ssl, true);
}

void
tls_free(struct tls **tlsp)
{
	struct tls *tls = *tlsp;

	*tlsp = NULL;
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	mem_free(tls);
}

/* What a call that did not succeed means for the session. */
static void
judge(struct tls *tls, int rc, const char *what)
{
	char why[160];

	switch (SSL_get_error(tls->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return;
	case SSL_ERROR_ZERO_RETURN:
		tls->state = TLS_CLOSED;
		return;
	default:
		(void)snprintf(
		    why, sizeof(why), "%s: %s", what, pem_openssl_error());
		fail(tls, why);
	}
}

enum tls_state
tls_start(struct tls *tls)
{
	int rc;

	if (tls->state != TLS_SHAKING)
		return tls->state;
	ERR_clear_error();
	rc = SSL_do_handshake(tls->ssl);
	if (rc == 1)
		tls->state = TLS_UP;
	else
		judge(tls, rc, "handshake");
	return tls->state;
}

static void
read_plain(struct tls *tls, struct buf *plain)
{
	while (tls->state == TLS_UP) {
		char *to = buf_reserve(plain, CHUNK);
		int n;

		if (to == NULL) {
			fail(tls, "more plain text than allowed");
			return;
		}
		ERR_clear_error();
		n = SSL_read(tls->ssl, to, CHUNK);
		if (n <= 0) {
			judge(tls, n, "read");
			return;
		}
		plain->n += (size_t)n;
	}
}

enum tls_state
tls_feed(struct tls *tls, struct span bytes, struct buf *plain)
{
	if (tls->state == TLS_FAILED || tls->state == TLS_CLOSED)
		return tls->state;
	if (bytes.n > INT_MAX ||
	    BIO_write(tls->in, bytes.p, (int)bytes.n) != (int)bytes.n) {
		fail(tls, "no memory for the peer's bytes");
		return tls->state;
	}
	if (tls_start(tls) == TLS_UP)
		read_plain(tls, plain);
	return tls->state;
}

int
tls_write(struct tls *tls, struct span plain)
{
	int rc;

	if (tls->state != TLS_UP || plain.n > INT_MAX)
		return -1;
	ERR_clear_error();
	rc = SSL_write(tls->ssl, plain.p, (int)plain.n);
	if (rc == (int)plain.n)
		return 0;
	judge(tls, rc, "write");
	return -1;
}

void
tls_bye(struct tls *tls)
{
	if (tls->state != TLS_UP && tls->state != TLS_CLOSED)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

int
tls_output(struct tls *tls, struct buf *out)
{
	size_t n = tls->out == NULL ? 0 : BIO_ctrl_pending(tls->out);
	char *to;
	int got;

	if (n == 0)
		return 0;
	to = n > INT_MAX ? NULL : buf_reserve(out, n);
	if (to == NULL)
		return -1;
	got = BIO_read(tls->out, to, (int)n);
	if (got > 0)
		out->n += (size_t)got;
	return 0;
}

void
tls_facts(const struct tls *tls, struct tls_facts *ret)
{
	const char *sni = NULL;

	*ret = (struct tls_facts){
	    .up = tls->state == TLS_UP || tls->state == TLS_CLOSED};
	(void)text_copy(ret->failure, sizeof(ret->failure), tls->failure);
	if (tls->ssl == NULL)
		return;
	sni = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
	(void)text_copy(ret->sni, sizeof(ret->sni), sni == NULL ? "" : sni);
	text_make_printable(ret->sni);
	if (!ret->up)
		return;
	(void)text_copy(
	    ret->version, sizeof(ret->version), SSL_get_version(tls->ssl));
	(void)text_copy(
	    ret->cipher, sizeof(ret->cipher), SSL_get_cipher_name(tls->ssl));
}

int
tls_peer_pem(const struct tls *tls, struct buf *out)
{
	X509 *cert = tls->ssl == NULL ? NULL
	                              : SSL_get0_peer_certificate(tls->ssl);
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n = 0;
	int rc = -1;

	if (cert != NULL && bio != NULL && PEM_write_bio_X509(bio, cert) == 1)
		n = BIO_get_mem_data(bio, &p);
	if (n > 0)
		rc = buf_add(out, (struct span){p, (size_t)n});
	BIO_free(bio);
	return rc;
}
