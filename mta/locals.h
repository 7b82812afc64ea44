/*
 * Our own domains: who exists in them, and what aliases stand for.  Made once
 * in a process that judges addresses, from what the bundle holds; then pure.
 */
#pragma once
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "mta/bundle.h"
#include "mta/config.h"
#include "queue/envelope.h"

struct locals;

/*
 * Borrows the configuration.  What is wrong with the files, a line each, goes
 * to *problems; they are the bundle's "recipients:DOMAIN", "aliases:DOMAIN".
 */
int locals_load(const struct config *config, const struct bundle *bundle,
    struct locals **ret, struct buf *problems);
/* The same for who was told before that they are fine. */
int locals_new(const struct config *config, const struct bundle *bundle,
    struct locals **ret, struct err *err);
/*
 * What one file alone does not show: -1 with a line a problem when aliases
 * lead back to themselves, or too far.  Lines that begin with "warning: "
 * tell of targets that do not exist.
 */
int locals_check(const struct locals *locals, struct buf *problems);
void locals_free(struct locals **locals);

/* Is the domain of this address ours? */
bool locals_has_domain(const struct locals *locals, const char *address);
/* RFC 5321 4.5.1: with a domain or without one. */
bool locals_is_postmaster(const char *address);
/* -1: a domain of ours has no such recipient. */
int locals_known(
    const struct locals *locals, const char *address, struct err *err);
/* Aliases that lead to aliases. */
#define LOCALS_DEPTH 16

/*
 * Replace aliases by what they stand for.  The result's recipients live in
 * the arena, or are the envelope's when there was nothing to replace; -1 when
 * the arena is full, or an alias stands for too many or leads too far.
 */
int locals_expand(const struct locals *locals, const struct envelope *envelope,
    struct arena *arena, struct envelope *ret, struct err *err);
