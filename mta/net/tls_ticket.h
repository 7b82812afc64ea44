/*
 * The keys that session tickets are sealed with (RFC 5077, RFC 8446 4.6.1).
 *
 * All receive processes have the same, so that a client may come back to any
 * of them, and after a reload too.  They come from a chain of secrets, one
 * for each hour of the monotonic clock: the next is made of the last, never
 * the other way round, and so are the keys of its hour.  Who has a seed makes
 * the same keys as everybody else for all time to come, and nobody has those
 * of an hour whose tickets are worth nothing any more: RFC 9325 3.4, and no
 * recorded session opens to who gets hold of a process later.
 *
 * Nothing of it is ever on disk.  The supervisor makes the seed, moves it on
 * and tells it to a receive process as it starts (mta/ipc.h).
 *
 * A ticket says when its full handshake was, and counts no longer than
 * `lifetime` from there, however often it was renewed (RFC 8446 4.6.1).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define TLS_TICKET_SECRET       32
#define TLS_TICKET_PERIOD       3600        /* seconds with one key */
#define TLS_TICKET_LIFETIME_MAX (24 * 3600) /* seconds */

/* The secret of one hour: its number, the monotonic clock's hours. */
struct tls_ticket_seed {
	uint64_t hour;
	uint8_t secret[TLS_TICKET_SECRET];
};

struct tls_tickets;

/* Seconds of the monotonic clock, one for all processes of a machine. */
typedef uint64_t tls_ticket_clock(void);

/* Random, for the hour `now` (seconds) is in; -1: there is no randomness. */
int tls_ticket_seed_new(struct tls_ticket_seed *ret, uint64_t now);
/*
 * Leave behind all hours whose tickets are older than `lifetime` at `now`,
 * both in seconds.  Never back.  -1 when OpenSSL fails; it is wiped then.
 */
int tls_ticket_seed_advance(
    struct tls_ticket_seed *seed, uint64_t now, uint32_t lifetime);

/*
 * No keys yet: no tickets are given or taken.  `lifetime`: seconds, at most
 * TLS_TICKET_LIFETIME_MAX.  A NULL clock is the machine's.
 */
struct tls_tickets *tls_tickets_new(uint32_t lifetime, tls_ticket_clock *clock);
/* From now on there are; copied. */
void tls_tickets_seed(
    struct tls_tickets *tickets, const struct tls_ticket_seed *seed);
/* Wipe what is of no more use; it is done at each ticket, too. */
void tls_tickets_expire(struct tls_tickets *tickets);
/* Wipes. */
void tls_tickets_free(struct tls_tickets **tickets);

/*
 * From process to process: the end of a socket pair with the seed in it, to
 * be sent over a channel.  So no copy is left in the buffers of either.  -1:
 * none.
 */
int tls_ticket_seed_give(const struct tls_ticket_seed *seed);
/* Reads and closes it; -1 when it is not what the other has made. */
int tls_ticket_seed_take(int fd, struct tls_ticket_seed *ret);
