#include "mta/net/tls_cert.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "base/text.h"
#include "mta/net/tls_pem.h"

/* RFC 2253 text: OpenSSL escapes what is not printable ASCII. */
static void
name_text(const X509_NAME *name, char *to, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	size_t n = 0;

	if (bio != NULL &&
	    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) > 0)
		n = (size_t)BIO_get_mem_data(bio, &p);
	(void)snprintf(to, size, "%.*s%s", (int)(n < size ? n : size - 4),
	    n == 0 ? "" : p, n < size ? "" : "...");
	text_make_printable(to);
	BIO_free(bio);
}

/* 0 for a date that is none. */
static int64_t
time_of(const ASN1_TIME *at)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(at, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

static void
add_dns_names(const GENERAL_NAMES *names, struct buf *list)
{
	char one[300];

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type;
		const ASN1_IA5STRING *text = GENERAL_NAME_get0_value(
		    sk_GENERAL_NAME_value(names, i), &type);

		if (type != GEN_DNS)
			continue;
		text_escape(
		    (struct span){(const char *)ASN1_STRING_get0_data(text),
			(size_t)ASN1_STRING_length(text)},
		    one, sizeof(one));
		if (buf_printf(list, "%s%s", list->n > 0 ? " " : "", one) < 0)
			return;
	}
}

static void
dns_names(const X509 *cert, char *to, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(
	    cert, NID_subject_alt_name, NULL, NULL);
	struct buf list;

	/* One list that passes `size` shows that it was cut. */
	buf_init(&list, size + 300);
	add_dns_names(names, &list);
	to[0] = '\0';
	if (list.n >= size)
		(void)snprintf(to, size, "%.*s...", (int)size - 4, list.p);
	else if (list.n > 0)
		(void)snprintf(to, size, "%.*s", (int)list.n, list.p);
	buf_free(&list);
	GENERAL_NAMES_free(names);
}

static void
key_facts(const X509 *cert, struct tls_cert *ret)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	char group[24] = "";

	if (key == NULL) {
		(void)text_copy(ret->key, sizeof(ret->key), "unknown");
		return;
	}
	ret->bits = EVP_PKEY_get_bits(key);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		(void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	(void)snprintf(ret->key, sizeof(ret->key), "%s%s%s",
	    EVP_PKEY_get0_type_name(key), group[0] == '\0' ? "" : " ", group);
	text_make_printable(ret->key);
}

void
cert_facts(const X509 *cert, struct tls_cert *ret)
{
	unsigned char *spki = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);

	*ret = (struct tls_cert){
	    .not_before = time_of(X509_get0_notBefore(cert)),
	    .not_after = time_of(X509_get0_notAfter(cert))};
	name_text(
	    X509_get_subject_name(cert), ret->subject, sizeof(ret->subject));
	name_text(X509_get_issuer_name(cert), ret->issuer, sizeof(ret->issuer));
	dns_names(cert, ret->names, sizeof(ret->names));
	key_facts(cert, ret);
	(void)X509_digest(cert, EVP_sha256(), ret->sha256, NULL);
	if (n > 0)
		(void)EVP_Digest(spki, (size_t)n, ret->spki_sha256, NULL,
		    EVP_sha256(), NULL);
	OPENSSL_free(spki);
	ERR_clear_error();
}

int
tls_cert_read(struct span pem, struct tls_cert *ret, size_t room, size_t *ret_n,
    struct err *err)
{
	STACK_OF(X509) *chain = pem_read_chain(pem, err);
	size_t n = 0;

	if (chain == NULL)
		return -1;
	for (; n < room && n < (size_t)sk_X509_num(chain); n++)
		cert_facts(sk_X509_value(chain, (int)n), &ret[n]);
	sk_X509_pop_free(chain, X509_free);
	*ret_n = n;
	return 0;
}

int
tls_cert_names(struct span pem, struct buf *out, struct err *err)
{
	STACK_OF(X509) *chain = pem_read_chain(pem, err);
	GENERAL_NAMES *names;

	if (chain == NULL)
		return -1;
	names = X509_get_ext_d2i(
	    sk_X509_value(chain, 0), NID_subject_alt_name, NULL, NULL);
	add_dns_names(names, out);
	GENERAL_NAMES_free(names);
	sk_X509_pop_free(chain, X509_free);
	return 0;
}
