/*
 * Private to mta/net/tls*.c: outbound sessions that may be resumed.
 *
 * A resumed session shows no certificate, so it is worth what the handshake
 * that began it was worth: that is kept beside it and comes back with it.  A
 * session is found under the key it was kept under and no other; the key says
 * all that was demanded.
 *
 * Bounded: `max` sessions, the one least lately used goes first; a few for
 * one key; an hour from the full handshake, however often it was renewed.
 */
#pragma once
#include <openssl/ssl.h>
#include <stdint.h>

#include "mta/net/tls.h"

#define TLS_CACHE_LIFETIME 3600 /* seconds */
#define TLS_CACHE_PER_KEY  4

struct tls_cache;

/* What the full handshake has shown. */
struct tls_kept {
	int64_t since; /* when it was; seconds since the epoch */
	struct tls_proof dane, pkix, host;
	char matched[12];
	int depth;
};

struct tls_cache *tls_cache_new(size_t max);
/* One more owner; each frees. */
struct tls_cache *tls_cache_hold(struct tls_cache *cache);
void tls_cache_free(struct tls_cache **cache);

/* True: it is kept, and the reference is the cache's. */
bool tls_cache_put(struct tls_cache *cache, const char *key,
    SSL_SESSION *session, const struct tls_kept *kept, int64_t now);
/* The newest one; NULL when there is none.  SSL_SESSION_free() it. */
SSL_SESSION *tls_cache_take(struct tls_cache *cache, const char *key,
    int64_t now, struct tls_kept *ret_kept);
/* A handshake has failed, perhaps because of what was offered in it. */
void tls_cache_forget(struct tls_cache *cache, const char *key);
size_t tls_cache_count(const struct tls_cache *cache);
