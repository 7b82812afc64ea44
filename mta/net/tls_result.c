#include "mta/net/tls_result.h"

#include <openssl/x509_vfy.h>
#include <stddef.h>

/*
 * RFC 8460 4.3: "not trusted" covers unknown authorities, name constraints
 * and errors of the chain.  Not here, so "validation-failure": no TLSA record
 * matched (65), which is neither a bad record nor a bad certificate; not yet
 * valid, which is not "expired"; keys and digests that are too weak.
 */
static const struct {
	int error;
	const char *type;
} types[] = {
    {X509_V_OK, ""},
    {X509_V_ERR_HOSTNAME_MISMATCH, "certificate-host-mismatch"},
    {X509_V_ERR_CERT_HAS_EXPIRED, "certificate-expired"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "certificate-not-trusted"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "certificate-not-trusted"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "certificate-not-trusted"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate-not-trusted"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "certificate-not-trusted"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "certificate-not-trusted"},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, "certificate-not-trusted"},
    {X509_V_ERR_CERT_REVOKED, "certificate-not-trusted"},
    {X509_V_ERR_CERT_UNTRUSTED, "certificate-not-trusted"},
    {X509_V_ERR_CERT_REJECTED, "certificate-not-trusted"},
    {X509_V_ERR_INVALID_CA, "certificate-not-trusted"},
    {X509_V_ERR_INVALID_NON_CA, "certificate-not-trusted"},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, "certificate-not-trusted"},
    {X509_V_ERR_INVALID_PURPOSE, "certificate-not-trusted"},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, "certificate-not-trusted"},
    {X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE, "certificate-not-trusted"},
    {X509_V_ERR_AKID_SKID_MISMATCH, "certificate-not-trusted"},
    {X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH, "certificate-not-trusted"},
    {X509_V_ERR_SUBJECT_ISSUER_MISMATCH, "certificate-not-trusted"},
    {X509_V_ERR_PERMITTED_VIOLATION, "certificate-not-trusted"},
    {X509_V_ERR_EXCLUDED_VIOLATION, "certificate-not-trusted"},
    {X509_V_ERR_SUBTREE_MINMAX, "certificate-not-trusted"},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, "certificate-not-trusted"},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, "certificate-not-trusted"},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, "certificate-not-trusted"},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "certificate-not-trusted"},
};

const char *
tls_result_type(int error)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].error == error)
			return types[i].type;
	return "validation-failure";
}
