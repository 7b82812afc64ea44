/*
 * The envelope sender of a report's mail: the contact's address with a word
 * that nobody else can make, for each report and place.
 *
 *   tls+tlsrpt-aajgh7k2q5xn4wbd2mtz6ryp3vfs@example.org
 *              |   |           `- says that we made the two before (60 bits)
 *              |   `- of the report and its place (60 bits)
 *              `- the day on which it was sent
 *
 * What comes back to it can be told from what anybody makes up by who has the
 * secret alone, without a list (RFC 5321 4.5.5).  Secrets come from the keys
 * that sign reports, so there is nothing to be kept, and the hosts that sign
 * with the same keys know each other's.  Pure.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "reporting/timetable.h"

#define REVERSE_PATH_SECRET 32
/* As many as there are keys to sign with: DKIM_SIGN_KEYS_MAX. */
#define REVERSE_PATH_SECRETS 4
#define REVERSE_PATH_WORD    28
#define REVERSE_PATH_SIZE    255
/* RFC 5321 4.5.4.1: a queue gives up after five days or so. */
#define REVERSE_PATH_DAYS 14

struct reverse_path_secrets {
	unsigned char list[REVERSE_PATH_SECRETS][REVERSE_PATH_SECRET];
	size_t n; /* words are made with the first, and read with all */
};

/* Of a key as it stands in its file.  False: OpenSSL would not. */
bool reverse_path_secret(
    struct span key, unsigned char ret[REVERSE_PATH_SECRET]);

/* One that reverse_path_secret() made; others are left out. */
void reverse_path_add(struct reverse_path_secrets *secrets, struct span secret);

/*
 * The same word for the same report, place and day of sending.  False: there
 * is no secret.
 */
bool reverse_path_word(const struct reverse_path_secrets *secrets,
    int64_t today, const struct report_ticket *ticket, const char *rua,
    char to[REVERSE_PATH_WORD + 1]);

/* False: the contact is no address, or has no room for it. */
bool reverse_path_write(
    const char *contact, const char *word, char to[REVERSE_PATH_SIZE]);

/* The word of an address that has the form of one, whoever made it. */
bool reverse_path_find(
    const char *contact, const char *address, char word[REVERSE_PATH_WORD + 1]);

enum reverse_path {
	REVERSE_PATH_BAD = 0, /* nobody of us made it, or it is too old */
	REVERSE_PATH_GOOD,
	REVERSE_PATH_OTHER, /* an address that does not look like one */
};

/*
 * RFC 5321 2.4: the case of what we made does not matter.  *word is written
 * where it is GOOD.
 */
enum reverse_path reverse_path_read(const struct reverse_path_secrets *secrets,
    int64_t today, const char *contact, const char *address,
    char word[REVERSE_PATH_WORD + 1]);
