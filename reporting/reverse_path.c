#include "reporting/reverse_path.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define TAG "+tlsrpt-"
/* RFC 5321 4.5.3.1.1 */
#define LOCAL_MAX 64
/* Letters of a word: 5 bits each. */
#define DAY_LETTERS  4
#define ID_LETTERS   12
#define SEAL_LETTERS 12
#define TEXT_MAX     2048 /* a domain and a place, and more */

_Static_assert(
    DAY_LETTERS + ID_LETTERS + SEAL_LETTERS == REVERSE_PATH_WORD, "a word");

/* RFC 4648 6, in the case that mail servers leave alone. */
static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

/* --- words ---------------------------------------------------------------- */

/* The first letters of a hash (RFC 2104, 5: no less than half were better,
 * but 60 bits are what nobody tries over SMTP). */
static bool
seal(const unsigned char *secret, struct span text, char *to, size_t n)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (HMAC(EVP_sha256(), secret, REVERSE_PATH_SECRET,
		(const unsigned char *)text.p, text.n, hash, &size) == NULL ||
	    size < n)
		return false;
	for (size_t i = 0; i < n; i++)
		to[i] = letters[hash[i] & 31];
	return true;
}

bool
reverse_path_secret(struct span key, unsigned char ret[REVERSE_PATH_SECRET])
{
	static const char purpose[] = "danelaw: envelope senders of reports, 1";
	unsigned size = 0;

	return key.n > 0 && key.n <= INT32_MAX &&
	       HMAC(EVP_sha256(), key.p, (int)key.n,
		   (const unsigned char *)purpose, sizeof(purpose) - 1, ret,
		   &size) != NULL &&
	       size == REVERSE_PATH_SECRET;
}

void
reverse_path_add(struct reverse_path_secrets *secrets, struct span secret)
{
	if (secret.n != REVERSE_PATH_SECRET ||
	    secrets->n == REVERSE_PATH_SECRETS)
		return;
	memcpy(secrets->list[secrets->n++], secret.p, REVERSE_PATH_SECRET);
}

static void
put_day(int64_t day, char *to)
{
	for (size_t i = DAY_LETTERS; i-- > 0; day >>= 5)
		to[i] = letters[day & 31];
}

static int64_t
take_day(const char *from)
{
	int64_t day = 0;

	for (size_t i = 0; i < DAY_LETTERS; i++)
		day = day << 5 | (strchr(letters, from[i]) - letters);
	return day;
}

/* What is sealed begins otherwise than what a report and its place give. */
static bool
put_seal(const unsigned char *secret, const char *word, char *to)
{
	char text[1 + DAY_LETTERS + ID_LETTERS] = "s";

	memcpy(text + 1, word, DAY_LETTERS + ID_LETTERS);
	return seal(
	    secret, (struct span){text, sizeof(text)}, to, SEAL_LETTERS);
}

bool
reverse_path_word(const struct reverse_path_secrets *secrets, int64_t today,
    const struct report_ticket *ticket, const char *rua,
    char to[REVERSE_PATH_WORD + 1])
{
	char text[TEXT_MAX];
	int n = snprintf(text, sizeof(text), "i%lld %s %s",
	    (long long)ticket->day, ticket->domain, rua);

	if (secrets->n == 0 || n < 0 || n >= TEXT_MAX)
		return false;
	put_day(today, to);
	to[REVERSE_PATH_WORD] = '\0';
	return seal(secrets->list[0], (struct span){text, (size_t)n},
		   to + DAY_LETTERS, ID_LETTERS) &&
	       put_seal(secrets->list[0], to, to + DAY_LETTERS + ID_LETTERS);
}

static bool
is_ours(const struct reverse_path_secrets *secrets, const char *word)
{
	char right[SEAL_LETTERS];
	bool good = false;

	/* All of them: how long it takes says nothing. */
	for (size_t i = 0; i < secrets->n; i++)
		good |= put_seal(secrets->list[i], word, right) &&
		        CRYPTO_memcmp(right, word + DAY_LETTERS + ID_LETTERS,
			    SEAL_LETTERS) == 0;
	return good;
}

/* --- addresses ------------------------------------------------------------ */

bool
reverse_path_write(
    const char *contact, const char *word, char to[REVERSE_PATH_SIZE])
{
	const char *at = strrchr(contact, '@');
	int local, n;

	if (at == NULL || at == contact)
		return false;
	local = (int)(at - contact);
	n = snprintf(
	    to, REVERSE_PATH_SIZE, "%.*s" TAG "%s%s", local, contact, word, at);
	return n > 0 && n < REVERSE_PATH_SIZE &&
	       n - (int)strlen(at) <= LOCAL_MAX;
}

/* The word in it, as it is written; .p is NULL when there is none. */
static struct span
word_of(const char *contact, const char *address)
{
	const char *at = strrchr(contact, '@');
	const char *end = strrchr(address, '@');
	size_t local = at == NULL ? 0 : (size_t)(at - contact);
	size_t from = local + sizeof(TAG) - 1;
	size_t n = end == NULL ? 0 : (size_t)(end - address);

	if (local == 0 || n < from ||
	    !span_starts_nocase(
		span_of(address), (struct span){contact, local}) ||
	    !span_starts_nocase(span_of(address + local), SPAN(TAG)) ||
	    !span_eq_nocase(span_of(end), span_of(at)))
		return (struct span){NULL, 0};
	return (struct span){address + from, n - from};
}

/* Folded; false: it has another length, or other letters. */
static bool
take_word(struct span from, char to[REVERSE_PATH_WORD + 1])
{
	if (from.p == NULL || from.n != REVERSE_PATH_WORD)
		return false;
	for (size_t i = 0; i < REVERSE_PATH_WORD; i++) {
		to[i] = text_lower(from.p[i]);
		if (to[i] == '\0' || strchr(letters, to[i]) == NULL)
			return false;
	}
	to[REVERSE_PATH_WORD] = '\0';
	return true;
}

bool
reverse_path_find(
    const char *contact, const char *address, char word[REVERSE_PATH_WORD + 1])
{
	return take_word(word_of(contact, address), word);
}

enum reverse_path
reverse_path_read(const struct reverse_path_secrets *secrets, int64_t today,
    const char *contact, const char *address, char word[REVERSE_PATH_WORD + 1])
{
	struct span written = word_of(contact, address);
	char taken[REVERSE_PATH_WORD + 1] = "";
	int64_t age;

	if (written.p == NULL)
		return REVERSE_PATH_OTHER;
	if (!take_word(written, taken) || !is_ours(secrets, taken))
		return REVERSE_PATH_BAD;
	/* A day to come: the clock of another of our hosts is ahead. */
	age = today - take_day(taken);
	if (age < -1 || age > REVERSE_PATH_DAYS)
		return REVERSE_PATH_BAD;
	memcpy(word, taken, sizeof(taken));
	return REVERSE_PATH_GOOD;
}
