/*
 * The bundle: the configuration text and every file it names, as the
 * supervisor read them, in one sealed memory file.
 *
 * A role inherits the descriptor and sees exactly what was checked; it needs
 * no right to read /etc.  Private keys are in it only for the roles that use
 * them, and in the supervisor's they are sealed: handed on, not in its memory.
 * Names: "config", "config-file", "chain:NAME", "root:NAME",
 * "key:NAME", "recipients:DOMAIN", "aliases:DOMAIN", "dkim:SELECTOR",
 * "reverse-path:SELECTOR".
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

#define BUNDLE_MAX      (256u << 20)
#define BUNDLE_FILE_MAX (64u << 20)

/* Which private keys a role may have; zero: none. */
enum bundle_secrets {
	BUNDLE_NO_SECRETS = 0,
	BUNDLE_TLS_KEYS,  /* "key:..."; of these two both have */
	BUNDLE_DKIM_KEYS, /* "dkim:..."; "reverse-path:..." */
};

struct bundle;

struct bundle *bundle_new(void);
void bundle_free(struct bundle **bundle); /* wipes it */

struct bundle *bundle_copy(const struct bundle *bundle);
/* Copies. */
void bundle_add(struct bundle *bundle, const char *kind, const char *name,
    struct span bytes);
/* Read a file in; -1 with its name and the reason. */
int bundle_add_file(struct bundle *bundle, const char *kind, const char *name,
    const char *path, struct err *err);
/* Secrets go out of this process' memory; -1: some are in it still. */
int bundle_seal(struct bundle *bundle, struct err *err);
/* As it is there, in `to`; perhaps not at all. */
void bundle_take(struct bundle *to, const struct bundle *from, const char *kind,
    const char *name);
/* Not there is the same as not there; sealed is not the same as open. */
bool bundle_same(const struct bundle *a, const struct bundle *b,
    const char *kind, const char *name);
/* Instead of what was there; .p NULL: nothing. */
void bundle_replace(struct bundle *bundle, const char *kind, const char *name,
    struct span bytes);
/* Borrowed; .p is NULL when it is not there, or sealed. */
struct span bundle_find(
    const struct bundle *bundle, const char *kind, const char *name);

/* All entries of a kind are wiped: what was to be made of them is made.  NULL
 * has none. */
void bundle_forget(struct bundle *bundle, const char *kind);

/* A sealed, close-on-exec memfd, or -1; other secrets are left out. */
int bundle_write(
    const struct bundle *bundle, enum bundle_secrets secrets, struct err *err);
/* Reads and closes the descriptor. */
int bundle_read(int fd, struct bundle **ret, struct err *err);
