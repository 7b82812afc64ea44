/*
 * Reading one message back: its envelope, then its body in pieces.
 *
 *     message_open(reader, id, at, arena, &message, &err);
 *     while (message_read(message, to, sizeof(to), &n, &err) == 0 && n > 0)
 *             send(to, n);
 *     message_close(&message);
 *
 * What comes out is checked against the checksums of the record: the
 * envelope before message_open() returns, the body before message_read()
 * says n == 0.  So the end of a message may be told to a peer only after
 * n == 0; after -1 the transfer must be broken off.  A body out of a segment
 * (up to the spool's body_max) is read and checked by message_open(), so only
 * large ones can fail half way.
 *
 * A reader keeps the last few segments open.
 * Everything here BLOCKS on the disk, most often on the page cache only.
 * Threads: a reader and its messages belong to one thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "queue/envelope.h"
#include "queue/spool.h"

struct reader;
struct message_in;

struct reader *reader_new(const struct spool *spool);
/* Now and then: let go of segments that were removed, and of their space. */
void reader_tend(struct reader *reader);
/* All its messages are closed before. */
void reader_free(struct reader **reader);

/*
 * The envelope's strings live in the arena.  -1: gone, unreadable
 * (ERR_TEMP), or not what was accepted (ERR_BUG: 5.3.0 would be wrong.  It is
 * tried for its whole lifetime, and held for the operator when not even a
 * bounce can be made of it).
 */
int message_open(struct reader *reader, uint64_t id, struct location at,
    struct arena *arena, struct message_in **ret_message, struct err *err);

/* The envelope alone, by one read most often; errors as above. */
int message_peek(struct reader *reader, uint64_t id, struct location at,
    struct arena *arena, struct envelope *ret_envelope, struct err *err);

const struct envelope *message_envelope(const struct message_in *message);
uint64_t message_size(const struct message_in *message);
/* All of a body out of a segment; empty of a large one. */
struct span message_body(const struct message_in *message);
bool message_is_large(const struct message_in *message);
/* As the record has it: of a body out of a segment seeded by its salt. */
uint64_t message_checksum(const struct message_in *message);

/* Up to `n` octets from where the last call ended; *ret_n 0 at the end. */
int message_read(struct message_in *message, char *to, size_t n, size_t *ret_n,
    struct err *err);
/* From the first octet again. */
void message_rewind(struct message_in *message);

void message_close(struct message_in **message);
