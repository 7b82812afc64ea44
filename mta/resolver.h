/* The resolver that a configuration describes. */
#pragma once
#include "mta/config.h"

struct dns;

/* NULL with words for the operator; see dns_new(). */
struct dns *resolver_open(const struct config *config, struct err *err);
