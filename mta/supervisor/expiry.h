/*
 * Certificates that are about to end: said in the log 30, 14 and 7 days
 * before, and each day from then on; in the last 7 days status says so, too.
 */
#pragma once
#include <stdint.h>

struct generation;
struct supervisor;
struct timer;

#define EXPIRY_TEXT_SIZE 320

struct expiry {
	struct timer *timer;
	uint32_t generation;         /* that `said` is about */
	unsigned *said;              /* of each certificate, expiry_urgency() */
	char text[EXPIRY_TEXT_SIZE]; /* of the one that ends first, or "" */
};

/* The last seven days. */
#define EXPIRY_ALARM 3

/* 0: more than 30 days are left.  Each time it grows it is worth a line. */
unsigned expiry_urgency(int64_t end, int64_t now);

/* Of a certificate's chain, the first that ends of those a client needs,
 * seconds; 0: it cannot be read. */
int64_t expiry_end_of(const struct generation *generation, const char *name);

/* Looks at once, and goes on looking. */
void expiry_start(struct supervisor *sup);
void expiry_end(struct supervisor *sup);
