#include "mta/net/tls_ticket.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/net/tls_ticket_key.h"

struct tls_tickets {
	uint32_t lifetime;
	tls_ticket_clock *clock;
	bool seeded;
	struct tls_ticket_seed oldest; /* the hour of keys[0] */
	struct ticket_key keys[TICKET_KEYS_MAX];
	size_t n; /* keys of `oldest.hour` and the hours behind it */
};

/* --- the chain of secrets ------------------------------------------------- */

/* RFC 5869 2.3; the secret is random, so there is nothing to extract. */
static int
expand(const uint8_t secret[TLS_TICKET_SECRET], const char *info, uint8_t *to,
    size_t n)
{
	char digest[] = "SHA256";
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	uint8_t key[TLS_TICKET_SECRET];
	char label[32];
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(
		OSSL_KDF_PARAM_DIGEST, digest, sizeof(digest) - 1),
	    OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
	    OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_KEY, key, sizeof(key)),
	    OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_INFO, label, strlen(info)),
	    OSSL_PARAM_construct_end()};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	int rc = -1;

	memcpy(key, secret, sizeof(key));
	(void)text_copy(label, sizeof(label), info);
	if (ctx != NULL && EVP_KDF_derive(ctx, to, n, params) == 1)
		rc = 0;
	OPENSSL_cleanse(key, sizeof(key));
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	ERR_clear_error();
	return rc;
}

static int
seed_step(struct tls_ticket_seed *seed)
{
	uint8_t next[TLS_TICKET_SECRET];
	int rc = expand(
	    seed->secret, "danelaw ticket next hour", next, sizeof(next));

	OPENSSL_cleanse(seed->secret, sizeof(seed->secret));
	if (rc == 0) {
		memcpy(seed->secret, next, sizeof(next));
		seed->hour++;
	}
	OPENSSL_cleanse(next, sizeof(next));
	return rc;
}

static int
seed_key(const struct tls_ticket_seed *seed, struct ticket_key *ret)
{
	return expand(
	    seed->secret, "danelaw ticket key", (uint8_t *)ret, sizeof(*ret));
}

int
tls_ticket_seed_new(struct tls_ticket_seed *ret, uint64_t now)
{
	*ret = (struct tls_ticket_seed){.hour = now / TLS_TICKET_PERIOD};
	return RAND_priv_bytes(ret->secret, sizeof(ret->secret)) == 1 ? 0 : -1;
}

/* The oldest hour in which a ticket was given that still counts. */
static uint64_t
oldest_hour(uint64_t now, uint32_t lifetime)
{
	return now < lifetime ? 0 : (now - lifetime) / TLS_TICKET_PERIOD;
}

int
tls_ticket_seed_advance(
    struct tls_ticket_seed *seed, uint64_t now, uint32_t lifetime)
{
	uint64_t hour = oldest_hour(now, lifetime);

	while (seed->hour < hour)
		if (seed_step(seed) < 0)
			return -1;
	return 0;
}

/* --- the keys ------------------------------------------------------------- */

struct tls_tickets *
tls_tickets_new(uint32_t lifetime, tls_ticket_clock *clock)
{
	struct tls_tickets *tickets = mem_new(sizeof(*tickets));

	tickets->lifetime = lifetime > TLS_TICKET_LIFETIME_MAX
	                        ? TLS_TICKET_LIFETIME_MAX
	                        : lifetime;
	tickets->clock = clock;
	return tickets;
}

static void
forget(struct tls_tickets *tickets)
{
	OPENSSL_cleanse(&tickets->oldest, sizeof(tickets->oldest));
	OPENSSL_cleanse(tickets->keys, sizeof(tickets->keys));
	tickets->n = 0;
	tickets->seeded = false;
}

void
tls_tickets_free(struct tls_tickets **ticketsp)
{
	struct tls_tickets *tickets = *ticketsp;

	*ticketsp = NULL;
	if (tickets == NULL)
		return;
	forget(tickets);
	mem_free(tickets);
}

void
tls_tickets_seed(
    struct tls_tickets *tickets, const struct tls_ticket_seed *seed)
{
	forget(tickets);
	tickets->oldest = *seed;
	tickets->seeded = true;
	tls_tickets_expire(tickets);
}

uint64_t
tickets_now(const struct tls_tickets *tickets)
{
	return tickets->clock == NULL ? clock_mono_ms() / 1000
	                              : tickets->clock();
}

uint32_t
tickets_lifetime(const struct tls_tickets *tickets)
{
	return tickets->lifetime;
}

/* RFC 9325 3.4: keys that open nothing any more are not kept. */
static int
drop_old(struct tls_tickets *tickets, uint64_t now)
{
	uint64_t before = tickets->oldest.hour;
	uint64_t gone;

	if (tls_ticket_seed_advance(&tickets->oldest, now, tickets->lifetime) <
	    0)
		return -1;
	gone = tickets->oldest.hour - before;
	if (gone == 0)
		return 0;
	gone = gone < tickets->n ? gone : tickets->n;
	tickets->n -= (size_t)gone;
	memmove(tickets->keys, tickets->keys + gone,
	    tickets->n * sizeof(tickets->keys[0]));
	OPENSSL_cleanse(tickets->keys + tickets->n,
	    (size_t)gone * sizeof(tickets->keys[0]));
	return 0;
}

/* Up to the hour it is. */
static int
make_new(struct tls_tickets *tickets, uint64_t now)
{
	uint64_t hour = now / TLS_TICKET_PERIOD;
	uint64_t wanted = hour < tickets->oldest.hour
	                      ? 0
	                      : hour - tickets->oldest.hour + 1;
	struct tls_ticket_seed seed;
	int rc = 0;

	if (wanted <= tickets->n)
		return 0;
	seed = tickets->oldest;
	for (size_t i = 0; rc == 0 && i < wanted && i < TICKET_KEYS_MAX; i++) {
		if (i >= tickets->n) {
			rc = seed_key(&seed, &tickets->keys[i]);
			tickets->n += rc == 0;
		}
		if (rc == 0)
			rc = seed_step(&seed);
	}
	OPENSSL_cleanse(&seed, sizeof(seed));
	return rc;
}

void
tls_tickets_expire(struct tls_tickets *tickets)
{
	uint64_t now = tickets_now(tickets);

	if (tickets->seeded &&
	    (drop_old(tickets, now) < 0 || make_new(tickets, now) < 0))
		forget(tickets);
}

const struct ticket_key *
tickets_newest(struct tls_tickets *tickets)
{
	tls_tickets_expire(tickets);
	return tickets->n == 0 ? NULL : &tickets->keys[tickets->n - 1];
}

const struct ticket_key *
tickets_find(struct tls_tickets *tickets, const uint8_t name[TICKET_NAME])
{
	const struct ticket_key *found = NULL;

	tls_tickets_expire(tickets);
	for (size_t i = 0; i < tickets->n; i++)
		if (CRYPTO_memcmp(tickets->keys[i].name, name, TICKET_NAME) ==
		    0)
			found = &tickets->keys[i];
	return found;
}
