/*
 * Typed values in bytes: messages between processes, records on disk.
 *
 * Little endian.  Reading goes through a cursor that can never pass the end:
 * a take_*() that does not fit returns false, leaves its output alone, and
 * makes every later take_*() false too, so one check at the end will do.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

struct cursor {
	struct span rest;
	bool failed;
};

struct cursor cursor_of(struct span bytes);
bool take_u8(struct cursor *in, uint8_t *ret);
bool take_u16(struct cursor *in, uint16_t *ret);
bool take_u32(struct cursor *in, uint32_t *ret);
bool take_u64(struct cursor *in, uint64_t *ret);
bool take_i64(struct cursor *in, int64_t *ret);
/* Exactly n bytes, borrowed. */
bool take_bytes(struct cursor *in, size_t n, struct span *ret);
/* A length (u32) of at most `most`, then that many bytes, borrowed. */
bool take_blob(struct cursor *in, size_t most, struct span *ret);
/* The same of what becomes a string: without a NUL among its octets. */
bool take_chars(struct cursor *in, size_t most, struct span *ret);
/* All taken and nothing failed? */
bool cursor_done(const struct cursor *in);

/* Appending; -1 when over the buffer's limit. */
int put_u8(struct buf *out, uint8_t value) __attribute__((warn_unused_result));
int put_u16(struct buf *out, uint16_t value)
    __attribute__((warn_unused_result));
int put_u32(struct buf *out, uint32_t value)
    __attribute__((warn_unused_result));
int put_u64(struct buf *out, uint64_t value)
    __attribute__((warn_unused_result));
int put_i64(struct buf *out, int64_t value) __attribute__((warn_unused_result));
int put_blob(struct buf *out, struct span bytes)
    __attribute__((warn_unused_result));

/* In place, for headers whose room is known. */
void wire_store_u32(void *to, uint32_t value);
void wire_store_u64(void *to, uint64_t value);
uint32_t wire_load_u32(const void *from);
uint64_t wire_load_u64(const void *from);
