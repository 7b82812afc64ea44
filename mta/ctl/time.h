/* Times as they are typed: "90", "90s", "15m", "2h", "5d". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* In seconds; false for any other text, for zero and on overflow. */
bool time_read(const char *text, uint32_t *ret);
