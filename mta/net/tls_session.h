/* Private to mta/net/tls*.c. */
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>

struct tls;

/* Takes `ssl` (NULL gives a session that has failed). */
struct tls *tls_session_new(SSL *ssl, bool client);
