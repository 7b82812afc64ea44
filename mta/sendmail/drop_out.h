/*
 * Writing a drop (mta/drop.h): the sending side of the drop folder.
 *
 *   drop_begin > drop_add, any number of times > drop_commit
 *                                              > or drop_abort
 *
 * BLOCKING.  After drop_commit() has returned 0 the message is on the disk,
 * its name too, and will be sent whatever crashes next.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "queue/envelope.h"

struct config;
struct drop_out;

int drop_begin(
    const struct config *config, struct drop_out **ret, struct err *err);
/* Message with CRLF line ends.  ERR_PERM: the daemon would refuse it. */
int drop_add(struct drop_out *drop, struct span bytes, struct err *err);
/* Frees it, also when it fails. */
int drop_commit(
    struct drop_out **drop, const struct envelope *envelope, struct err *err);
void drop_abort(struct drop_out **drop);

/* The random part of its name: unique, good for a Message-ID. */
const char *drop_name(const struct drop_out *drop);
