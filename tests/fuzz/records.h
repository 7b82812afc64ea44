/* Input as records: each a length of 16 bits and that many octets. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* At most `room` of them, into the input; the last one may be cut. */
static inline size_t
take_records(
    const uint8_t *data, size_t size, struct span *records, size_t room)
{
	size_t at = 0, count = 0;

	while (at + 2 <= size && count < room) {
		size_t n = (size_t)data[at] << 8 | data[at + 1];

		at += 2;
		if (n > size - at)
			n = size - at;
		records[count++] = (struct span){(const char *)data + at, n};
		at += n;
	}
	return count;
}
