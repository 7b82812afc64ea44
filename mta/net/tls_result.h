/*
 * OpenSSL's verify errors in the words of TLS-RPT (RFC 8460 4.3).
 */
#pragma once

/*
 * `error` is an X509_V_ERR_ number; 0 is "".  What fits no type is
 * "validation-failure", which a failure-reason-code then explains.
 */
const char *tls_result_type(int error);
