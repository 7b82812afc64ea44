/*
 * Input as steps: four octets each, what is done and three that say how.
 * steps_mutate.c changes such input by whole steps.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct fuzz_step {
	uint8_t what, a, b, c;
};

#define STEP_OCTETS sizeof(struct fuzz_step)

/* Heap in use, by AddressSanitizer; absent without it. */
extern size_t __sanitizer_get_current_allocated_bytes(void)
    __attribute__((weak));

static inline size_t
heap_in_use(void)
{
	return __sanitizer_get_current_allocated_bytes == NULL
	           ? 0
	           : __sanitizer_get_current_allocated_bytes();
}
