/* What a command needs of the configuration; complaints go to stderr. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct config;

/* Everything the daemon would check before it starts.  The exit status. */
int setup_check(const char *file);
/* The configuration alone, without the files it names; -1: complained. */
int setup_config(const char *file, struct config **ret);
/* Is there a state folder?  If not, that was complained about. */
bool setup_has_state(const char *command, const struct config *config);
/* Files of the roles are theirs: root becomes their account, others stay who
 * they are.  -1: complained. */
int setup_become(const struct config *config);
/* Where the control socket is, also when the configuration is broken (that is
 * complained about); -1 when it cannot be read. */
int setup_socket(const char *file, char *to, size_t size);
