/*
 * A drop: a message that a program on this machine left for the daemon.
 *
 *     DROP/tmp.NAME   being written
 *     DROP/NAME       whole and synced; NAME is random
 *     DROP/NAME.try   the daemon has begun to take it in
 *     DROP-bad/NAME   what was found and is no drop
 *
 * The folder is the daemon's and has mode 03733: everybody may add a file,
 * nobody but the daemon can list them, and only owner and daemon can take one
 * away.  Files get the folder's group and mode 0640.  Who submitted a message
 * is told by the file's owner, never by what stands in it.
 *
 * A file is a header of DROP_HEADER octets, the message with CRLF line ends,
 * and the envelope as envelope_encode() writes it.  All of it is hostile.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "queue/envelope.h"

#define DROP_HEADER       40
#define DROP_ENVELOPE_MAX (2u << 20)
#define DROP_NAME_SIZE    33
#define DROP_TEMPORARY    "tmp."
#define DROP_BEGUN        ".try"
#define DROP_MODE         03733
/* How the sums of message and envelope begin; see queue/checksum.h. */
#define DROP_SEED 0x64726f70u

struct drop_header {
	uint32_t envelope; /* octets */
	uint64_t message;  /* octets */
	uint64_t sum;      /* of the message */
	uint64_t check;    /* of the envelope, and of what stands above */
};

/* Fills in `check`; `envelope` are the envelope's octets. */
void drop_put_header(
    struct drop_header *header, struct span envelope, uint8_t to[DROP_HEADER]);

/* Is this the front of a drop, and of one that is `size` octets long? */
bool drop_take_header(
    struct span bytes, uint64_t size, struct drop_header *ret);

/*
 * The envelope, of which only what a submitter may say is kept: sender,
 * recipients and the parameters of RFC 3461, RFC 6152 and RFC 6531, each
 * checked by its grammar.  Everything lives in the arena.
 */
int drop_take_envelope(const struct drop_header *header, struct span bytes,
    struct arena *arena, struct envelope *ret, struct err *err);

/* The name of a whole drop, begun or not; false: none, or not finished. */
bool drop_is_name(const char *name);
bool drop_is_begun(const char *name);
bool drop_is_temporary(const char *name);
