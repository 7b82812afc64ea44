/* Are the private keys that the configuration names everybody's to read? */
#pragma once
#include "base/buf.h"
#include "mta/config.h"

/*
 * A line that begins with "warning: " where anybody may read the file, and come
 * there: as far as the modes of it and of the folders above say, and we may
 * look ourselves.
 */
void secrets_warn(const char *path, struct buf *problems);

/* The same of the keys of all certificates, and of those that sign reports. */
void secrets_check(const struct config *config, struct buf *problems);
