#include "tlsa/object.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "tlsa/tlsa.h"

static bool
parses_as_certificate(struct span der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	bool ok = cert != NULL && (const char *)p == der.p + der.n &&
	          X509_get0_pubkey(cert) != NULL;

	X509_free(cert);
	return ok;
}

static bool
parses_as_key(struct span der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	bool ok = key != NULL && (const char *)p == der.p + der.n;

	EVP_PKEY_free(key);
	return ok;
}

bool
tlsa_object_parses(uint8_t selector, struct span der)
{
	bool ok;

	if (der.n == 0 || der.n > UINT16_MAX)
		return false;
	ok = selector == TLSA_CERT ? parses_as_certificate(der)
	                           : parses_as_key(der);
	ERR_clear_error();
	return ok;
}
