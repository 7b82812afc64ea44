/* One TLS session between two memory buffers. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/net/tls_pem.h"
#include "mta/net/tls_session.h"

#define CHUNK 16384

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

void
tls_free(struct tls **tlsp)
{
	struct tls *tls = *tlsp;

	*tlsp = NULL;
	if (tls == NULL)
		return;
	/*
	 * SMTP itself says where it ends, so a peer that closes without a
	 * word has cut nothing off; OpenSSL would never resume its session.
	 */
	if (tls->state == TLS_UP)
		SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN);
	/* However it was cut off: alert, close, silence. */
	if (tls->cache != NULL && !tls->settled)
		tls_cache_forget(tls->cache, tls->session_key);
	SSL_free(tls->ssl);
	verify_free(&tls->verify);
	tls_cache_free(&tls->cache);
	mem_free(tls->session_key);
	mem_free(tls);
}

/* RFC 9325 4.2: it may be for what we do not offer. */
static const char *
say_offered(const struct tls *tls)
{
	bool cipher = tls->broken == TLS_BREAK_CIPHER ||
	              (tls->broken == TLS_BREAK_ALERT &&
			  tls->alert == SSL_AD_HANDSHAKE_FAILURE);

	return tls->narrow && tls->state == TLS_SHAKING && cipher
	           ? "; only forward secrecy and AEAD were offered"
	           : "";
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
		/* Half a handshake proves nothing, whatever it has shown. */
		if (tls->state == TLS_SHAKING)
			fail(tls, "handshake: closed by the peer");
		else
			tls->state = TLS_CLOSED;
		return;
	default:
		tls_note_break(tls);
		(void)snprintf(why, sizeof(why), "%s: %s%s", what,
		    pem_openssl_error(), say_offered(tls));
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
	if (rc == 1) {
		tls->state = TLS_UP;
		tls_settle(tls);
	} else {
		judge(tls, rc, "handshake");
	}
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
