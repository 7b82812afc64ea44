/*
 * The certificates of a configuration, renewed: their files are read anew and
 * checked, and all else stays as it was.  Blocking.
 */
#pragma once
#include "mta/bundle.h"
#include "mta/config.h"

/* The files of one cannot be used; in one line. */
typedef void renew_problem(void *arg, const char *name, const char *why);

/*
 * A new bundle, its keys sealed.  A certificate whose files cannot be used stays as it is in
 * `current`, and `problem` is called for it.  Never NULL.
 */
struct bundle *renew_bundle(const struct config *config,
    const struct bundle *current, renew_problem *problem, void *arg);

/* Are the certificates of the configuration the same in both? */
bool renew_all_same(const struct config *config, const struct bundle *a,
    const struct bundle *b);
/* Have it in `to` as in `from`. */
void renew_take(struct bundle *to, const struct bundle *from, const char *name);
