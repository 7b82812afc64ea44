/*
 * From a file name to a checked configuration and its bundle: what the
 * supervisor does at start and at each reload, and `danelaw check-config`.
 * What the daemon could not run by, started as we are, is a problem.
 * Blocking.
 */
#pragma once
#include "base/buf.h"
#include "mta/bundle.h"
#include "mta/config.h"

struct dkim_key;
struct locals;

/*
 * 0, with private keys sealed, or -1 with *problems as in problems.h.
 * Warnings may be there either way.
 */
int load_configuration(const char *path, struct config **ret_config,
    struct bundle **ret_bundle, struct buf *problems);

/*
 * A line that begins with "warning: " where the log goes to syslog and nobody
 * hears it.
 */
void load_warn(bool syslog, struct buf *problems);

/*
 * The files of one certificate { } into the bundle, and checked; -1 with the
 * problems, as above.
 */
int load_certificate(const struct config *config,
    const struct config_certificate *cert, struct bundle *bundle,
    struct buf *problems);

/*
 * The key of a dkim block into the bundle, and *ret read from it; -1 with the
 * name of the file and the reason.
 */
int load_dkim_key(const struct config_dkim *dkim, struct bundle *bundle,
    struct dkim_key **ret, struct err *err);

/*
 * Who exists, into the bundle and into *ret; -1 with lines in *problems, which
 * may have warnings either way.
 */
int load_locals(const struct config *config, struct bundle *bundle,
    struct locals **ret, struct buf *problems);

/* The same text and files out of a bundle: what a role does. */
int load_bundled(const struct bundle *bundle, struct config **ret_config,
    struct buf *problems);
