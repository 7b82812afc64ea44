/* What the grammars of the record and of the policy have in common. */
#pragma once
#include <stdbool.h>

#include "base/span.h"

/* RFC 5234 B.1: WSP */
#define STS_WSP " \t"

/* RFC 8461 3.1: sts-ext-name; RFC 8461 3.2: sts-policy-ext-name, the same. */
bool sts_is_name(struct span name);
