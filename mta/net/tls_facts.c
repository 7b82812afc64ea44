/* What a session has shown. */
#include <openssl/pem.h>

#include "base/text.h"
#include "mta/net/tls_pem.h"
#include "mta/net/tls_session.h"

/* "x25519", "secp256r1", "ffdhe2048"; "DH 2048 bits" when it has no name. */
static void
group_name(SSL *ssl, char *to, size_t size)
{
	long id = SSL_get_negotiated_group(ssl);
	const char *name = id > 0 ? SSL_group_to_name(ssl, (int)id) : NULL;
	EVP_PKEY *key = NULL;

	to[0] = '\0';
	if (name != NULL)
		(void)text_copy(to, size, name);
	else if (SSL_get_peer_tmp_key(ssl, &key) == 1)
		(void)snprintf(to, size, "%s %d bits",
		    EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
	text_make_printable(to);
	EVP_PKEY_free(key);
}

static void
copy_proof(struct tls_proof *to, const struct tls_proof *from)
{
	*to = *from;
	if (to->result_type == NULL)
		to->result_type = "";
}

void
tls_facts_verified(const struct tls *tls, struct tls_facts *ret)
{
	const struct tls_verify *verify = &tls->verify;

	copy_proof(&ret->dane, &verify->dane);
	copy_proof(&ret->pkix, &verify->pkix);
	copy_proof(&ret->host, &verify->host);
	if (ret->dane.check != TLS_CHECK_PASSED)
		return;
	(void)text_copy(ret->matched, sizeof(ret->matched), verify->matched);
	ret->depth = verify->depth;
}

static void
facts_up(const struct tls *tls, struct tls_facts *ret)
{
	(void)text_copy(
	    ret->version, sizeof(ret->version), SSL_get_version(tls->ssl));
	(void)text_copy(
	    ret->cipher, sizeof(ret->cipher), SSL_get_cipher_name(tls->ssl));
	group_name(tls->ssl, ret->group, sizeof(ret->group));
	ret->resumed = SSL_session_reused(tls->ssl) == 1;
	tls_facts_verified(tls, ret);
}

void
tls_facts(const struct tls *tls, struct tls_facts *ret)
{
	const char *sni = NULL;

	*ret = (struct tls_facts){
	    .up = tls->state == TLS_UP || tls->state == TLS_CLOSED,
	    .dane.result_type = "",
	    .pkix.result_type = "",
	    .host.result_type = ""};
	(void)text_copy(ret->failure, sizeof(ret->failure), tls->failure);
	if (tls->ssl == NULL)
		return;
	sni = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
	(void)text_copy(ret->sni, sizeof(ret->sni), sni == NULL ? "" : sni);
	text_make_printable(ret->sni);
	if (ret->up)
		facts_up(tls, ret);
}

/* --- the peer's certificates ---------------------------------------------- */

/* A server's view has no leaf in its chain; NULL then, too. */
static STACK_OF(X509) * peer_chain(const struct tls *tls)
{
	return tls->ssl == NULL ? NULL : SSL_get_peer_cert_chain(tls->ssl);
}

size_t
tls_peer_chain(const struct tls *tls, struct tls_cert *ret_certs, size_t room)
{
	const STACK_OF(X509) *chain = peer_chain(tls);
	size_t n = 0;

	for (; n < room && chain != NULL && (int)n < sk_X509_num(chain); n++)
		cert_facts(sk_X509_value(chain, (int)n), &ret_certs[n]);
	return n;
}

static int
add_pem(X509 *cert, struct buf *out)
{
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

int
tls_peer_pem(const struct tls *tls, struct buf *out)
{
	if (tls->ssl == NULL)
		return -1;
	return add_pem(SSL_get0_peer_certificate(tls->ssl), out);
}

int
tls_peer_chain_pem(const struct tls *tls, struct buf *out)
{
	const STACK_OF(X509) *chain = peer_chain(tls);
	int n = chain == NULL ? 0 : sk_X509_num(chain);

	if (n > TLS_CHAIN_MAX)
		n = TLS_CHAIN_MAX;
	for (int i = 0; i < n; i++)
		if (add_pem(sk_X509_value(chain, i), out) < 0)
			return -1;
	return n > 0 ? 0 : -1;
}

const char *
tls_check_name(enum tls_check check)
{
	switch (check) {
	case TLS_UNCHECKED:
		return "unchecked";
	case TLS_CHECK_FAILED:
		return "failed";
	case TLS_CHECK_PASSED:
		return "passed";
	}
	return "?";
}
