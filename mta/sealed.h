/*
 * Octets that this process has no use for by itself, and hands on: they are
 * in a sealed memory file, and not in its memory.
 *
 * So the supervisor keeps private keys for the roles that it starts: whoever
 * reads its memory finds none.
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

struct sealed;

/* A copy; the caller wipes what it has.  NULL: no descriptor, no memory. */
struct sealed *sealed_new(struct span bytes, struct err *err);
/* One more owner of the same; each frees. */
struct sealed *sealed_share(struct sealed *sealed);
void sealed_free(struct sealed **sealed);

bool sealed_same(const struct sealed *a, const struct sealed *b);
/* To where that file stands.  -1 with errno. */
int sealed_copy(const struct sealed *sealed, int fd);
