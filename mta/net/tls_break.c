/* Why a session is over, of what OpenSSL says. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "mta/net/tls_session.h"

/* Reasons between are OpenSSL's own; alerts of the peer stand beyond. */
static bool
is_alert(int reason)
{
	return reason > SSL_AD_REASON_OFFSET &&
	       reason <= SSL_AD_REASON_OFFSET + UINT8_MAX;
}

static enum tls_break
break_of(int reason)
{
	switch (reason) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_UNKNOWN_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_VERSION_TOO_HIGH:
	case SSL_R_NO_PROTOCOLS_AVAILABLE:
		return TLS_BREAK_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_GROUPS:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
		return TLS_BREAK_CIPHER;
	default:
		return TLS_BREAK_OTHER;
	}
}

void
tls_note_break(struct tls *tls)
{
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_REASON(code);

	/* What came first is why it is over. */
	if (tls->broken != TLS_BREAK_NONE || code == 0)
		return;
	tls->broken = TLS_BREAK_OTHER;
	if (ERR_GET_LIB(code) != ERR_LIB_SSL)
		return;
	if (is_alert(reason)) {
		tls->broken = TLS_BREAK_ALERT;
		tls->alert = (uint8_t)(reason - SSL_AD_REASON_OFFSET);
	} else {
		tls->broken = break_of(reason);
	}
}

enum tls_break
tls_broken(const struct tls *tls, uint8_t *ret_alert)
{
	*ret_alert = tls == NULL ? 0 : tls->alert;
	return tls == NULL ? TLS_BREAK_NONE : tls->broken;
}
