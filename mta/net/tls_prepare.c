/* See tls.h. */
#include <openssl/ssl.h>

#include "mta/net/tls.h"

void
tls_prepare(void)
{
	/* What fails here fails again, with words, where it is needed. */
	(void)OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
}
