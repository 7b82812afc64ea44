#include "mta/net/tls_check.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>

#include "mta/net/tls_order.h"
#include "mta/net/tls_pem.h"
#include "mta/net/tls_web.h"

#define STEPS          3
#define SECURITY_LEVEL 2 /* RFC 9325 4.5: RSA of 2048 bits, SHA-256 */
#define SAID_SIZE      400
#define NAME_MAX_SAID  300

/* A pair while it is looked at. */
struct checking {
	const struct tls_check_setup *setup;
	struct buf *problems;
	STACK_OF(X509) * certs;
	struct tls_order order;
	bool is_bad;
};

__attribute__((format(printf, 2, 3))) static void
say(struct checking *checking, const char *format, ...)
{
	char line[2 * SAID_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* A full buffer has said enough. */
	if (buf_printf(checking->problems, "%s\n", line) < 0)
		return;
}

#define WARN(checking, ...) say(checking, "warning: " __VA_ARGS__)
#define FAIL(checking, ...) \
	((checking)->is_bad = true, say(checking, __VA_ARGS__))

static X509 *
cert_at(const struct checking *checking, size_t i)
{
	return sk_X509_value(checking->certs, (int)i);
}

/* "number 2 (CN=Example CA)"; one that is not in the file has no number. */
static void
name_cert(const struct checking *checking, X509 *cert, char to[SAID_SIZE])
{
	struct tls_cert facts;
	const char *name;
	size_t i = 0;

	while (cert_at(checking, i) != NULL && cert_at(checking, i) != cert)
		i++;
	cert_facts(cert, &facts);
	name = facts.subject[0] != '\0' ? facts.subject : facts.names;
	if (cert_at(checking, i) != NULL)
		(void)snprintf(to, SAID_SIZE, "number %zu (%.*s)", i + 1,
		    NAME_MAX_SAID, name);
	else
		(void)snprintf(
		    to, SAID_SIZE, "the authority %.*s", NAME_MAX_SAID, name);
}

/* --- order ---------------------------------------------------------------- */

static void
say_right_order(struct checking *checking)
{
	char right[TLS_CHAIN_MAX * 4] = "";
	size_t at = 0;

	for (size_t i = 0; i < checking->order.n; i++)
		at += (size_t)snprintf(right + at, sizeof(right) - at, "%s%zu",
		    i == 0 ? "" : ", ", checking->order.at[i] + 1);
	FAIL(checking,
	    "the chain is out of order: own certificate first, each followed "
	    "by the one that issued it; of those in the file: %s",
	    right);
}

/* RFC 8446 4.4.2: "each following certificate SHOULD directly certify" */
static void
check_order(struct checking *checking)
{
	size_t n = (size_t)sk_X509_num(checking->certs);
	char which[SAID_SIZE];

	if (checking->order.n == 0) {
		FAIL(checking, "the key does not belong to the certificate");
		return;
	}
	if (!tls_order_is_kept(&checking->order)) {
		say_right_order(checking);
		return;
	}
	for (size_t i = checking->order.n; i < n; i++) {
		name_cert(checking, cert_at(checking, i), which);
		WARN(checking,
		    "%s has not issued the one before it, nor any "
		    "other of the file",
		    which);
	}
}

/* --- up to an authority --------------------------------------------------- */

static void
say_missing(struct checking *checking, X509 *cert)
{
	char which[SAID_SIZE];
	struct tls_cert facts;

	cert_facts(cert, &facts);
	name_cert(checking, cert, which);
	FAIL(checking,
	    "the certificate of %s is missing, which has issued %s: add it to "
	    "the chain, or name it as root when it is an authority of your own",
	    facts.issuer, which);
}

/* What stands in the way of WebPKI, and of DANE as well, or only of the first.
 */
static void
judge(struct checking *checking, int error, X509 *cert)
{
	char which[SAID_SIZE];

	name_cert(checking, cert, which);
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
		say_missing(checking, cert);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		WARN(checking, "the certificate is signed by itself: DANE can "
			       "do with it, MTA-STS refuses it");
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		WARN(checking,
		    "%s is an authority that this system does not know: DANE "
		    "can do with it, MTA-STS refuses it",
		    which);
		break;
	/* Said of the last but one, or once more of the same. */
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		FAIL(checking, "%s is not yet valid", which);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		FAIL(checking, "%s has expired", which);
		break;
	default:
		FAIL(checking, "%s: %s", which,
		    X509_verify_cert_error_string(error));
	}
}

/* Each problem is judged, and the next looked for. */
static int
on_problem(int good, X509_STORE_CTX *ctx)
{
	struct checking *checking = X509_STORE_CTX_get_app_data(ctx);

	if (good != 1)
		judge(checking, X509_STORE_CTX_get_error(ctx),
		    X509_STORE_CTX_get_current_cert(ctx));
	return 1;
}

static void
add_roots(X509_STORE *store, struct checking *checking)
{
	struct err err = {0};
	STACK_OF(X509) *roots = NULL;

	if (checking->setup->root.n == 0)
		return;
	roots = pem_read_chain(checking->setup->root, &err);
	if (roots == NULL)
		FAIL(checking, "root: %s", err.text);
	for (int i = 0; roots != NULL && i < sk_X509_num(roots); i++)
		(void)X509_STORE_add_cert(store, sk_X509_value(roots, i));
	sk_X509_pop_free(roots, X509_free);
}

static void
verify(struct checking *checking, X509_STORE *store)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (ctx == NULL || X509_STORE_CTX_init(ctx, store, cert_at(checking, 0),
			       checking->certs) != 1) {
		FAIL(checking, "no memory");
		X509_STORE_CTX_free(ctx);
		return;
	}
	(void)X509_STORE_CTX_set_app_data(ctx, checking);
	X509_STORE_CTX_set_verify_cb(ctx, on_problem);
	param = X509_STORE_CTX_get0_param(ctx);
	(void)X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	/* An authority may be one that another has signed, too. */
	(void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	if (X509_verify_cert(ctx) < 0)
		FAIL(
		    checking, "it cannot be verified: %s", pem_openssl_error());
	X509_STORE_CTX_free(ctx);
}

static void
check_path(struct checking *checking)
{
	const struct tls_check_setup *setup = checking->setup;
	struct err err = {0};
	X509_STORE *store = tls_web_store(
	    setup->system_file == NULL ? TLS_WEB_CA_FILE : setup->system_file,
	    &err);
	bool known = store != NULL;

	if (!known)
		store = X509_STORE_new();
	/* One that does not load is said where it is asked for. */
	if (store != NULL && setup->ca_file != NULL &&
	    X509_STORE_load_file(store, setup->ca_file) == 1)
		known = true;
	if (store != NULL)
		add_roots(store, checking);
	if (store != NULL && (known || setup->root.n > 0))
		verify(checking, store);
	else
		WARN(checking, "whether it is complete is not known: %s",
		    err.text);
	X509_STORE_free(store);
	ERR_clear_error();
}

/* --- what it says --------------------------------------------------------- */

static void
check_end(struct checking *checking)
{
	/* As expiry_urgency() has. */
	static const int steps[STEPS] = {7, 14, 30};
	int days = 0, seconds = 0;
	size_t i = 0;

	if (ASN1_TIME_diff(&days, &seconds, NULL,
		X509_get0_notAfter(cert_at(checking, 0))) != 1 ||
	    days < 0 || seconds < 0)
		return;
	while (i < STEPS && days >= steps[i])
		i++;
	if (i < STEPS)
		WARN(checking, "the certificate expires within %d days",
		    steps[i]);
}

/* RFC 8461 4.1: a DNS-ID, and no common name. */
static bool
covers(X509 *cert, const char *host)
{
	return X509_check_host(cert, host, 0,
		   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

static void
check_names(struct checking *checking)
{
	struct tls_cert facts;

	cert_facts(cert_at(checking, 0), &facts);
	if (facts.names[0] == '\0')
		WARN(checking, "the certificate has no DNS-ID (RFC 9525), so "
			       "no host name is its own");
	for (size_t i = 0; i < checking->setup->nnames; i++)
		if (!covers(cert_at(checking, 0), checking->setup->names[i]))
			FAIL(checking, "the certificate does not cover %s",
			    checking->setup->names[i]);
}

bool
tls_check_covers(struct span chain, const char *host)
{
	struct err err;
	STACK_OF(X509) *certs = pem_read_chain(chain, &err);
	bool it_does = certs != NULL && covers(sk_X509_value(certs, 0), host);

	sk_X509_pop_free(certs, X509_free);
	return it_does;
}

int
tls_check_pair(const struct tls_check_setup *setup, struct buf *problems)
{
	struct checking checking = {.setup = setup, .problems = problems};
	struct err err = {0};
	EVP_PKEY *key = NULL;

	checking.certs = pem_read_chain(setup->chain, &err);
	if (checking.certs != NULL && setup->key.n > 0)
		key = pem_read_key(setup->key, &err);
	if (err.kind == ERR_NONE) {
		checking.order = tls_order_of(checking.certs, key);
		check_order(&checking);
	} else {
		FAIL(&checking, "%s", err.text);
	}
	if (!checking.is_bad) {
		check_path(&checking);
		check_end(&checking);
		check_names(&checking);
	}
	EVP_PKEY_free(key);
	sk_X509_pop_free(checking.certs, X509_free);
	return checking.is_bad ? -1 : 0;
}
