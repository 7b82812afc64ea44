#include "mta/net/tls_cache.h"

#include <openssl/lhash.h>
#include <string.h>

#include "base/mem.h"

struct entry {
	char *key;
	SSL_SESSION *session;
	int64_t expires;
	struct tls_kept kept;
};

/* What is searched through stands together; slot i of each is one session. */
struct tls_cache {
	unsigned owners;
	size_t max;
	size_t n;
	uint64_t clock; /* counts uses */
	uint64_t *hashes;
	uint64_t *used;
	struct entry *entries;
};

struct tls_cache *
tls_cache_new(size_t max)
{
	struct tls_cache *cache = mem_new(sizeof(*cache));

	cache->owners = 1;
	cache->max = max;
	cache->hashes = mem_array(max, sizeof(cache->hashes[0]));
	cache->used = mem_array(max, sizeof(cache->used[0]));
	cache->entries = mem_array(max, sizeof(cache->entries[0]));
	return cache;
}

struct tls_cache *
tls_cache_hold(struct tls_cache *cache)
{
	cache->owners++;
	return cache;
}

static void
entry_free(struct entry *entry)
{
	mem_free(entry->key);
	SSL_SESSION_free(entry->session);
}

/* The last one takes its place. */
static void
drop(struct tls_cache *cache, size_t at)
{
	size_t last = --cache->n;

	entry_free(&cache->entries[at]);
	cache->entries[at] = cache->entries[last];
	cache->hashes[at] = cache->hashes[last];
	cache->used[at] = cache->used[last];
}

void
tls_cache_free(struct tls_cache **cachep)
{
	struct tls_cache *cache = *cachep;

	*cachep = NULL;
	if (cache == NULL || --cache->owners > 0)
		return;
	while (cache->n > 0)
		drop(cache, cache->n - 1);
	mem_free(cache->hashes);
	mem_free(cache->used);
	mem_free(cache->entries);
	mem_free(cache);
}

static bool
is_at(const struct tls_cache *cache, size_t at, uint64_t hash, const char *key)
{
	return cache->hashes[at] == hash &&
	       strcmp(cache->entries[at].key, key) == 0;
}

/* Room for one more of this key. */
static void
make_room(struct tls_cache *cache, uint64_t hash, const char *key)
{
	size_t oldest = 0, oldest_same = 0, same = 0;

	for (size_t i = 0; i < cache->n; i++) {
		if (cache->used[i] < cache->used[oldest])
			oldest = i;
		if (!is_at(cache, i, hash, key))
			continue;
		if (same++ == 0 || cache->used[i] < cache->used[oldest_same])
			oldest_same = i;
	}
	if (same >= TLS_CACHE_PER_KEY)
		drop(cache, oldest_same);
	else if (cache->n == cache->max)
		drop(cache, oldest);
}

/* Seconds this session may be used from now on. */
static int64_t
lifetime(const SSL_SESSION *session)
{
	bool tls13 = SSL_SESSION_get_protocol_version(session) >=
	             TLS1_3_VERSION;
	int64_t hint = (int64_t)SSL_SESSION_get_ticket_lifetime_hint(session);
	int64_t most = SSL_SESSION_get_timeout(session);

	/* RFC 8446 4.6.1: 0 is "at once"; RFC 5077 3.3: 0 says nothing */
	return (tls13 || hint > 0) && hint < most ? hint : most;
}

bool
tls_cache_put(struct tls_cache *cache, const char *key, SSL_SESSION *session,
    const struct tls_kept *kept, int64_t now)
{
	uint64_t hash = OPENSSL_LH_strhash(key);
	int64_t expires = now + lifetime(session);

	if (expires > kept->since + TLS_CACHE_LIFETIME)
		expires = kept->since + TLS_CACHE_LIFETIME;
	if (cache->max == 0 || expires <= now ||
	    SSL_SESSION_is_resumable(session) != 1)
		return false;
	make_room(cache, hash, key);
	cache->entries[cache->n] = (struct entry){
	    mem_strdup(key), session, expires, *kept};
	cache->hashes[cache->n] = hash;
	cache->used[cache->n] = ++cache->clock;
	cache->n++;
	return true;
}

static bool
is_fresh(const struct entry *entry, int64_t now)
{
	/* A clock set back must not make anything last longer. */
	return now < entry->expires && now >= entry->kept.since &&
	       SSL_SESSION_is_resumable(entry->session) == 1;
}

SSL_SESSION *
tls_cache_take(struct tls_cache *cache, const char *key, int64_t now,
    struct tls_kept *ret_kept)
{
	uint64_t hash = OPENSSL_LH_strhash(key);
	SSL_SESSION *session;
	size_t best;

	for (size_t i = cache->n; i-- > 0;)
		if (is_at(cache, i, hash, key) &&
		    !is_fresh(&cache->entries[i], now))
			drop(cache, i);
	best = cache->n;
	for (size_t i = 0; i < cache->n; i++)
		if (is_at(cache, i, hash, key) &&
		    (best == cache->n || cache->used[i] > cache->used[best]))
			best = i;
	if (best == cache->n)
		return NULL;
	session = cache->entries[best].session;
	*ret_kept = cache->entries[best].kept;
	(void)SSL_SESSION_up_ref(session);
	cache->used[best] = ++cache->clock;
	/* RFC 8446 C.4: a ticket used twice links two connections */
	if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
		drop(cache, best);
	return session;
}

void
tls_cache_forget(struct tls_cache *cache, const char *key)
{
	uint64_t hash = OPENSSL_LH_strhash(key);

	for (size_t i = cache->n; i-- > 0;)
		if (is_at(cache, i, hash, key))
			drop(cache, i);
}

size_t
tls_cache_count(const struct tls_cache *cache)
{
	return cache->n;
}
