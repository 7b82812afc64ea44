#include "mta/net/tls_offer.h"

#include <openssl/err.h>

/* RFC 9325 4.2: forward secrecy and AEAD; RFC 9325 4.1: no DHE of ours. */
#define MODERN "ECDHE+AESGCM:ECDHE+CHACHA20"
#define NEVER  ":!aNULL:!eNULL:!PSK:!SRP"

/*
 * Post-quantum key exchange first, where OpenSSL has it.  Of 3.5 and later
 * two groups get a key share, so that a peer without it needs no second round
 * trip; what is before 3.5 does not know the signs for that.
 */
#define HYBRID_3_5 "*X25519MLKEM768:SecP256r1MLKEM768/*X25519:"
#define HYBRID     "X25519MLKEM768:X25519:"
#define CLASSIC    "X25519:"
#define CURVES     "P-256:X448:P-384:P-521"

const char *
offer_groups(SSL_CTX *ctx, const char *const *lists, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool taken = SSL_CTX_set1_groups_list(ctx, lists[i]) == 1;

		ERR_clear_error();
		if (taken)
			return lists[i];
	}
	return NULL;
}

/* RFC 8996 4, 5, RFC 9325 3.1.1: TLS 1.2 is the oldest that is spoken. */
int
offer_server(SSL_CTX *ctx, const struct tls_server_setup *setup)
{
	/* No groups of finite fields: they cost us more than the client. */
	static const char *const groups[] = {
	    HYBRID_3_5 CURVES, HYBRID CURVES, CLASSIC CURVES};
	/* RFC 9325 4.1: also without forward secrecy, and with CBC. */
	const char *suites = setup->wide ? MODERN
	                         ":ECDHE+AES:kRSA+AESGCM:kRSA+AES"
	                         ":!AESCCM8" NEVER ":@SECLEVEL=1"
	                                 : MODERN NEVER ":@SECLEVEL=2";

	if (SSL_CTX_set_cipher_list(ctx, suites) != 1 ||
	    SSL_CTX_set_min_proto_version(
		ctx, setup->only_13 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, 0) != 1 ||
	    offer_groups(ctx, groups, sizeof(groups) / sizeof(groups[0])) ==
		NULL)
		return -1;
	/* RFC 9325 3.3, 3.5, 4.2.1. */
	(void)SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	/* RFC 9325 3.10: SMTP has no profile for early data. */
	(void)SSL_CTX_set_max_early_data(ctx, 0);
	return 0;
}

int
offer_client(SSL_CTX *ctx)
{
	static const char *const groups[] = {
	    HYBRID_3_5 CURVES ":ffdhe2048:ffdhe3072"};

	/*
	 * RFC 7435 3: an unauthenticated session is still better than none,
	 * so old keys may do; verify_end() asks for more.  RFC 7672 8.2: no
	 * anonymous suites.  RFC 8996 4, 5: no TLS 1.0 and 1.1.
	 */
	if (SSL_CTX_set_cipher_list(ctx, "DEFAULT:!aNULL:@SECLEVEL=0") != 1 ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		return -1;
	/* What it has by default will do otherwise. */
	(void)offer_groups(ctx, groups, 1);
	(void)SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	return 0;
}

/* Level 0 as of all: a weak chain is to be named, not to break it off. */
int
offer_authenticated(SSL *ssl)
{
	int rc = SSL_set_cipher_list(ssl, MODERN
	    ":DHE+AESGCM:DHE+CHACHA20:ECDHE+AESCCM:DHE+AESCCM:!AESCCM8" NEVER
	    ":@SECLEVEL=0");

	ERR_clear_error();
	return rc == 1 ? 0 : -1;
}

const char *
offer_lacks(const SSL_CIPHER *cipher)
{
	int exchange = SSL_CIPHER_get_kx_nid(cipher);

	if (exchange != NID_kx_any && exchange != NID_kx_ecdhe &&
	    exchange != NID_kx_dhe)
		return "the key exchange has no forward secrecy";
	if (SSL_CIPHER_is_aead(cipher) != 1)
		return "the cipher is no AEAD";
	return NULL;
}
