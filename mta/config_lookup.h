/* Between mta/config_lookup.c and the rest of the configuration. */
#pragma once
#include "mta/config_private.h"

/* Point each source at its lookup, and at `verify` at the domain's own. */
void config_resolve_lookups(struct config *config);
/* What lookups and domains need to fit together: a rule of config_check(). */
void config_check_lookups(const struct config_tree *tree,
    struct config_report *report, const struct config *config);
/* An IP address alone. */
bool config_ip(struct span text, struct config_address *ret);
/* The same with its port as "192.0.2.1:25" or "[2001:db8::1]:25". */
bool config_endpoint(
    struct span text, uint16_t usual, struct config_address *ret);
