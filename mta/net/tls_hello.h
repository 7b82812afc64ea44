/*
 * Private to mta/net/tls*.c: what a ClientHello asks for, before OpenSSL has
 * looked at it.  A session is resumed before its extensions are parsed, so
 * what a ticket is bound to has to be known earlier.  Pure.
 */
#pragma once
#include <stdbool.h>

#include "base/span.h"

#define TLS_HELLO_NAME 256

/*
 * The host name in the data of a server_name extension (RFC 6066 3), in lower
 * case.  False, and *to empty: there is none, or it is malformed, which
 * OpenSSL answers with an alert later.
 */
bool tls_hello_name(struct span extension, char to[TLS_HELLO_NAME]);
