#include "mta/net/tls_order.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

static size_t
count(STACK_OF(X509) * certs)
{
	size_t n = (size_t)sk_X509_num(certs);

	return n < TLS_CHAIN_MAX ? n : TLS_CHAIN_MAX;
}

static X509 *
cert_at(STACK_OF(X509) * certs, size_t i)
{
	return sk_X509_value(certs, (int)i);
}

static bool
holds(const struct tls_order *order, size_t place)
{
	for (size_t i = 0; i < order->n; i++)
		if (order->at[i] == place)
			return true;
	return false;
}

/* Of several the next in the file: a cross-signed one may stand there, too. */
static size_t
find_issuer(
    STACK_OF(X509) * certs, const struct tls_order *order, size_t of, size_t n)
{
	for (size_t step = 1; step < n; step++) {
		size_t place = (of + step) % n;

		if (!holds(order, place) &&
		    X509_check_issued(
			cert_at(certs, place), cert_at(certs, of)) == X509_V_OK)
			return place;
	}
	return n;
}

static size_t
find_own(STACK_OF(X509) * certs, EVP_PKEY *key, size_t n)
{
	size_t i = 0;

	while (key != NULL && i < n &&
	       X509_check_private_key(cert_at(certs, i), key) != 1)
		i++;
	ERR_clear_error();
	return i;
}

struct tls_order
tls_order_of(STACK_OF(X509) * certs, EVP_PKEY *key)
{
	struct tls_order order = {.n = 0};
	size_t n = count(certs);
	size_t next = find_own(certs, key, n);

	while (next < n && order.n < TLS_CHAIN_MAX) {
		order.at[order.n++] = next;
		next = find_issuer(certs, &order, next, n);
	}
	return order;
}

bool
tls_order_is_kept(const struct tls_order *order)
{
	for (size_t i = 0; i < order->n; i++)
		if (order->at[i] != i)
			return false;
	return true;
}
