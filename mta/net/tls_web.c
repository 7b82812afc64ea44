#include "mta/net/tls_web.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mta/net/tls_pem.h"
#include "mta/net/tls_result.h"

#define SECURITY_LEVEL 2 /* RFC 9325 4.1: 112 bits */

X509_STORE *
tls_web_store(const char *ca_file, struct err *err)
{
	X509_STORE *store = X509_STORE_new();
	struct stat st;

	if (stat(ca_file, &st) < 0 || access(ca_file, R_OK) < 0)
		(void)err_set(err, ERR_PERM, "4.3.5", "%s: %s", ca_file,
		    strerrordesc_np(errno));
	else if (!S_ISREG(st.st_mode))
		(void)err_set(
		    err, ERR_PERM, "4.3.5", "%s: it is no file", ca_file);
	else if (store != NULL && X509_STORE_load_file(store, ca_file) == 1)
		return store;
	else
		(void)err_set(err, ERR_PERM, "4.3.5", "%s: %s", ca_file,
		    pem_openssl_error());
	X509_STORE_free(store);
	ERR_clear_error();
	return NULL;
}

int
tls_web_check_file(const char *ca_file, struct err *err)
{
	X509_STORE *store = tls_web_store(ca_file, err);

	X509_STORE_free(store);
	return store == NULL ? -1 : 0;
}

/*
 * libcurl takes any end of a connection for an end that was meant, and does
 * not say how much has come that it could make nothing of.
 */
static void
on_message(int sent, int version, int type, const void *bytes, size_t n,
    SSL *ssl, void *arg)
{
	const struct tls_web_watcher *watcher = arg;
	const unsigned char *octets = bytes;

	(void)version;
	if (sent != 0)
		return;
	if (type == SSL3_RT_ALERT && n == 2 && octets[1] == SSL_AD_CLOSE_NOTIFY)
		watcher->on_closed(watcher->arg, SSL_get_SSL_CTX(ssl));
	/* RFC 8446 5.1: type, version, and the length of what follows */
	if (type == SSL3_RT_HEADER && n == SSL3_RT_HEADER_LENGTH &&
	    SSL_is_init_finished(ssl) == 1)
		watcher->on_record(watcher->arg, SSL_get_SSL_CTX(ssl),
		    n + (size_t)octets[3] * 256 + octets[4]);
}

bool
tls_web_demand(void *ssl_ctx, const char *host, struct tls_web_watcher *watcher)
{
	SSL_CTX *ctx = ssl_ctx;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	(void)SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_msg_callback(ctx, on_message);
	(void)SSL_CTX_set_msg_callback_arg(ctx, watcher);
	/* libcurl writes them where SSLKEYLOGFILE points. */
	SSL_CTX_set_keylog_callback(ctx, NULL);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	/*
	 * RFC 8461 3.3: only against the DNS-ID identifiers; a wildcard is
	 * the complete left-most label.
	 */
	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

enum https_kind
tls_web_kind(long error)
{
	const char *type = tls_result_type((int)error);

	if (strcmp(type, "certificate-host-mismatch") == 0)
		return HTTPS_WRONG_NAME;
	if (strcmp(type, "certificate-expired") == 0)
		return HTTPS_EXPIRED;
	return HTTPS_NOT_TRUSTED;
}

const char *
tls_web_words(long error)
{
	return X509_verify_cert_error_string(error);
}
