#include "mta/net/tls_verify.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/text.h"
#include "mta/net/tls_offer.h"
#include "mta/net/tls_pem.h"
#include "mta/net/tls_result.h"
#include "tlsa/tlsa.h"

/* RFC 9325 4.1: 112 bits.  Of keys and signatures in the chain as well. */
#define AUTH_LEVEL    2
#define STRENGTH_BITS 112

static void
proof_fail(struct tls_proof *proof, const char *type, const char *why)
{
	proof->check = TLS_CHECK_FAILED;
	proof->result_type = type;
	(void)text_copy(proof->why, sizeof(proof->why), why);
	text_make_printable(proof->why);
}

static void
proof_of(struct tls_proof *proof, int verified, int error)
{
	if (verified == 1 && error == X509_V_OK) {
		*proof = (struct tls_proof){
		    .check = TLS_CHECK_PASSED, .result_type = ""};
		return;
	}
	if (error == X509_V_OK)
		error = X509_V_ERR_UNSPECIFIED;
	proof_fail(proof, tls_result_type(error),
	    X509_verify_cert_error_string(error));
}

/* OpenSSL takes "" for "any name" and a leading "." for a suffix. */
static bool
is_plain_name(const char *name)
{
	return name != NULL && name[0] != '\0' && name[0] != '.';
}

/* --- what is demanded ----------------------------------------------------- */

static bool
add_records(SSL *ssl, const struct tlsa_set *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct tlsa_record *record = &set->records[i];

		if (record->use != TLSA_IN_USE)
			continue;
		if (SSL_dane_tlsa_add(ssl, record->usage, record->selector,
			record->matching, (const unsigned char *)record->data.p,
			record->data.n) != 1)
			return false;
		n++;
	}
	return n > 0;
}

/* RFC 7672 3.2.2: the base domain first, then the next hop's names. */
static bool
add_names(SSL *ssl, const struct tls_demand *demand)
{
	for (size_t i = 0; i < demand->nnames; i++)
		if (!is_plain_name(demand->names[i]) ||
		    SSL_add1_host(ssl, demand->names[i]) != 1)
			return false;
	return true;
}

static void
begin_dane(struct tls_verify *verify, SSL *ssl, const struct tls_demand *demand)
{
	verify->wants_dane = true;
	/* RFC 7672 3.2.3: a wildcard is the whole first label or none. */
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	/* RFC 7672 3.1.1, 3.2.1: with usage 3 names are not looked at. */
	if (!is_plain_name(demand->set->base) ||
	    SSL_dane_enable(ssl, demand->set->base) <= 0 ||
	    !add_names(ssl, demand))
		proof_fail(&verify->dane, "validation-failure",
		    "a name to verify by is no host name");
	else if (!add_records(ssl, demand->set))
		proof_fail(&verify->dane, "tlsa-invalid",
		    "OpenSSL does not take the TLSA records");
	(void)SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
}

/* RFC 8461 4.2, RFC 9525 6.3: DNS-IDs only, no partial wildcards. */
static X509_VERIFY_PARAM *
begin_pkix(const char *const *names, size_t n, struct tls_proof *proof)
{
	X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
	bool ok = param != NULL;

	if (ok)
		X509_VERIFY_PARAM_set_hostflags(
		    param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
			       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (size_t i = 0; ok && i < n; i++)
		ok = names[i] != NULL &&
		     is_plain_name(names[i] + (names[i][0] == '.')) &&
		     X509_VERIFY_PARAM_add1_host(param, names[i], 0) == 1;
	if (!ok)
		proof_fail(proof, "validation-failure",
		    "a name to verify by is no host name");
	return param;
}

/* Most often it is what was asked for already. */
static void
begin_host(struct tls_verify *verify, const struct tls_demand *demand)
{
	verify->wants_host = true;
	if (!is_plain_name(demand->host))
		proof_fail(&verify->host, "validation-failure",
		    "the host's name is no host name");
	else if (demand->npkix_names != 1 || demand->pkix_names[0] == NULL ||
		 strcmp(demand->pkix_names[0], demand->host) != 0)
		verify->host_name = begin_pkix(&demand->host, 1, &verify->host);
}

void
verify_begin(struct tls_verify *verify, SSL *ssl, X509_STORE *store,
    const struct tls_demand *demand)
{
	if (demand->set != NULL)
		begin_dane(verify, ssl, demand);
	if (X509_STORE_up_ref(store) == 1)
		verify->store = store;
	verify->wants_pkix = demand->npkix_names > 0;
	if (verify->wants_pkix)
		verify->pkix_names = begin_pkix(
		    demand->pkix_names, demand->npkix_names, &verify->pkix);
	if (demand->host != NULL && demand->host[0] != '\0')
		begin_host(verify, demand);
	ERR_clear_error();
}

/* --- the chain ------------------------------------------------------------ */

static void
keep_match(struct tls_verify *verify, SSL *ssl)
{
	uint8_t usage, selector, matching;
	int depth = SSL_get0_dane_tlsa(
	    ssl, &usage, &selector, &matching, NULL, NULL);

	if (depth < 0) {
		proof_fail(&verify->dane, "validation-failure",
		    "verified, but by no TLSA record");
		return;
	}
	verify->depth = depth;
	(void)snprintf(verify->matched, sizeof(verify->matched), "%u %u %u",
	    usage, selector, matching);
}

/* The context is the one OpenSSL made of the session: DANE is in it. */
static void
check_dane(struct tls_verify *verify, SSL *ssl, X509_STORE_CTX *ctx)
{
	int verified, error;

	X509_VERIFY_PARAM_set_auth_level(
	    X509_STORE_CTX_get0_param(ctx), AUTH_LEVEL);
	verified = X509_verify_cert(ctx);
	error = X509_STORE_CTX_get_error(ctx);
	proof_of(&verify->dane, verified, error);
	SSL_set_verify_result(ssl, error);
	if (verify->dane.check == TLS_CHECK_PASSED)
		keep_match(verify, ssl);
}

/* Both judge for the same time. */
static void
copy_time(X509_VERIFY_PARAM *to, X509_VERIFY_PARAM *from)
{
	if (X509_VERIFY_PARAM_get_flags(from) & X509_V_FLAG_USE_CHECK_TIME)
		X509_VERIFY_PARAM_set_time(
		    to, X509_VERIFY_PARAM_get_time(from));
}

static X509_STORE_CTX *
pkix_context(
    X509_STORE *store, const X509_VERIFY_PARAM *names, X509_STORE_CTX *from)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (ctx == NULL || names == NULL ||
	    X509_STORE_CTX_init(ctx, store, X509_STORE_CTX_get0_cert(from),
		X509_STORE_CTX_get0_untrusted(from)) != 1 ||
	    X509_STORE_CTX_set_default(ctx, "ssl_server") != 1) {
		X509_STORE_CTX_free(ctx);
		return NULL;
	}
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	copy_time(param, X509_STORE_CTX_get0_param(from));
	if (X509_VERIFY_PARAM_set1(param, names) == 1)
		return ctx;
	X509_STORE_CTX_free(ctx);
	return NULL;
}

static void
check_pkix(X509_STORE *store, const X509_VERIFY_PARAM *names,
    X509_STORE_CTX *from, struct tls_proof *proof)
{
	X509_STORE_CTX *ctx = pkix_context(store, names, from);
	int verified;

	if (ctx == NULL) {
		proof_fail(proof, "validation-failure", pem_openssl_error());
		return;
	}
	verified = X509_verify_cert(ctx);
	proof_of(proof, verified, X509_STORE_CTX_get_error(ctx));
	X509_STORE_CTX_free(ctx);
}

static void
check_host(struct tls_verify *verify, X509_STORE_CTX *from)
{
	if (verify->host_name == NULL)
		verify->host = verify->pkix;
	else
		check_pkix(
		    verify->store, verify->host_name, from, &verify->host);
}

void
verify_chain(struct tls_verify *verify, SSL *ssl, X509_STORE_CTX *ctx)
{
	if (verify->wants_dane && verify->dane.check == TLS_UNCHECKED)
		check_dane(verify, ssl, ctx);
	if (verify->wants_pkix && verify->pkix.check == TLS_UNCHECKED)
		check_pkix(
		    verify->store, verify->pkix_names, ctx, &verify->pkix);
	if (verify->wants_host && verify->host.check == TLS_UNCHECKED)
		check_host(verify, ctx);
	ERR_clear_error();
}

/* --- the session ---------------------------------------------------------- */

/* RFC 9325 4.1, 4.2; NULL when it is strong enough. */
static const char *
weakness(SSL *ssl)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	EVP_PKEY *key = NULL;
	const char *why = offer_lacks(cipher);
	int hash = NID_undef;

	if (SSL_CIPHER_get_bits(cipher, NULL) < STRENGTH_BITS)
		why = "the cipher is too weak to authenticate";
	if (SSL_get_peer_tmp_key(ssl, &key) == 1 &&
	    EVP_PKEY_get_security_bits(key) < STRENGTH_BITS)
		why = "the key exchange is too weak to authenticate";
	if (SSL_get_peer_signature_nid(ssl, &hash) == 1 &&
	    (hash == NID_sha1 || hash == NID_md5 || hash == NID_md5_sha1))
		why = "the server signs with a hash too weak to authenticate";
	EVP_PKEY_free(key);
	return why;
}

static void
end_proof(struct tls_proof *proof, bool shown, const char *weak)
{
	if (!shown || proof->check == TLS_UNCHECKED)
		proof_fail(proof, "validation-failure",
		    "the server has shown no certificate");
	else if (weak != NULL && proof->check == TLS_CHECK_PASSED)
		proof_fail(proof, "validation-failure", weak);
}

void
verify_end(struct tls_verify *verify, SSL *ssl)
{
	bool shown = SSL_get0_peer_certificate(ssl) != NULL;
	const char *weak;

	if (!verify->wants_dane && !verify->wants_pkix && !verify->wants_host)
		return;
	weak = weakness(ssl);
	if (verify->wants_dane)
		end_proof(&verify->dane, shown, weak);
	if (verify->wants_pkix)
		end_proof(&verify->pkix, shown, weak);
	if (verify->wants_host)
		end_proof(&verify->host, shown, weak);
}

bool
verify_failed(const struct tls_verify *verify)
{
	return (verify->wants_dane && verify->dane.check != TLS_CHECK_PASSED) ||
	       (verify->wants_pkix && verify->pkix.check != TLS_CHECK_PASSED) ||
	       (verify->wants_host && verify->host.check != TLS_CHECK_PASSED);
}

void
verify_free(struct tls_verify *verify)
{
	X509_VERIFY_PARAM_free(verify->pkix_names);
	X509_VERIFY_PARAM_free(verify->host_name);
	X509_STORE_free(verify->store);
	*verify = (struct tls_verify){0};
}
