#include "mta/net/tls_check.h"

#include <openssl/x509v3.h>

#include "mta/net/tls_pem.h"

#define SOON_DAYS 14

static void
problem(struct buf *problems, const char *text)
{
	/* A full buffer has said enough. */
	if (buf_printf(problems, "%s\n", text) < 0)
		return;
}

static int
check_dates(X509 *leaf, struct buf *problems)
{
	int days = 0, seconds = 0;

	if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0) {
		problem(problems, "the certificate is not yet valid");
		return -1;
	}
	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0) {
		problem(problems, "the certificate has expired");
		return -1;
	}
	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(leaf)) ==
		1 &&
	    days < SOON_DAYS)
		problem(problems,
		    "warning: the certificate expires within 14 days");
	return 0;
}

static int
check_order(STACK_OF(X509) * chain, struct buf *problems)
{
	for (int i = 0; i + 1 < sk_X509_num(chain); i++) {
		X509 *cert = sk_X509_value(chain, i);
		X509 *issuer = sk_X509_value(chain, i + 1);

		if (X509_check_issued(issuer, cert) == X509_V_OK)
			continue;
		problem(problems,
		    "the chain is out of order: each certificate must be "
		    "followed by the one that issued it, own one first");
		return -1;
	}
	return 0;
}

static int
check_chain(STACK_OF(X509) * chain, EVP_PKEY *key, const char *hostname,
    struct buf *problems)
{
	X509 *leaf = sk_X509_value(chain, 0);

	if (X509_check_private_key(leaf, key) != 1) {
		problem(problems, "the key does not belong to the certificate");
		return -1;
	}
	if (check_dates(leaf, problems) < 0 || check_order(chain, problems) < 0)
		return -1;
	if (X509_check_host(leaf, hostname, 0, 0, NULL) != 1)
		problem(problems,
		    "warning: the certificate does not cover the hostname");
	return 0;
}

int
tls_check_pair(struct span chain_pem, struct span key_pem, const char *hostname,
    struct buf *problems)
{
	struct err err = {0};
	STACK_OF(X509) *chain = pem_read_chain(chain_pem, &err);
	EVP_PKEY *key = chain == NULL ? NULL : pem_read_key(key_pem, &err);
	int result = -1;

	if (chain == NULL || key == NULL)
		problem(problems, err.text);
	else
		result = check_chain(chain, key, hostname, problems);
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
	return result;
}
