/* Times as they are typed: "90", "90s", "15m", "2h", "5d". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* In seconds; false for any other text, for zero and on overflow. */
bool time_read(const char *text, uint32_t *ret);

/* "2026-11-20", or how long before `now`; a day of the epoch, UTC. */
bool time_read_since(const char *text, int64_t now, int64_t *ret_day);
