/* What the files of grammar.h have in common. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* How many octets a dot-string takes; 0 when there is none. */
size_t grammar_dot_string(struct span s);

static inline bool
grammar_is_8bit(char c)
{
	return (unsigned char)c >= 0x80;
}
