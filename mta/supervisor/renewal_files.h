/*
 * The files of certificates, watched; private to mta/supervisor/.
 *
 * The kernel tells when something happens in their folders (inotify); beside
 * that they are looked at once a minute, which is as good where it cannot
 * tell: over a network, or behind a link of which a part was replaced.  They
 * are read when all have stayed as they are for a while, so that a chain and
 * its key are there whole, and fit together.
 */
#pragma once

struct renewal_files;
struct supervisor;

/* Those of the configuration in force; renewal_look() when they have changed.
 */
struct renewal_files *renewal_files_new(struct supervisor *sup);
void renewal_files_free(struct renewal_files **files);
