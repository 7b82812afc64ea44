#include "queue/record.h"

#include <string.h>

#include "base/wire.h"
#include "queue/checksum.h"

enum {
	VERSION = 1,
	MAGIC_RECORD = 0x524d4c44, /* "DLMR" */
	MAGIC_SEGMENT = 0x534d4c44,
	MAGIC_JOURNAL = 0x4a4d4c44,
	COPY = SEGMENT_HEADER / 2, /* where the second one stands */
};

static uint32_t
magic_of(enum file_kind kind)
{
	return kind == FILE_JOURNAL ? MAGIC_JOURNAL : MAGIC_SEGMENT;
}

/* magic, version, number, salt, zeros, checksum */
void
header_store(
    char to[SEGMENT_HEADER], enum file_kind kind, struct file_header header)
{
	memset(to, 0, SEGMENT_HEADER);
	wire_store_u32(to, magic_of(kind));
	wire_store_u32(to + 4, VERSION);
	wire_store_u64(to + 8, header.number);
	wire_store_u64(to + 16, header.salt);
	wire_store_u64(to + HEADER_SIZE - 8,
	    checksum((struct span){to, HEADER_SIZE - 8}, header.number));
	memcpy(to + COPY, to, HEADER_SIZE);
}

static bool
load_copy(struct span bytes, enum file_kind kind, uint64_t number,
    struct file_header *ret_header)
{
	const char *p = bytes.p;

	if (bytes.n < HEADER_SIZE || wire_load_u32(p) != magic_of(kind) ||
	    wire_load_u32(p + 4) != VERSION || wire_load_u64(p + 8) != number ||
	    wire_load_u64(p + HEADER_SIZE - 8) !=
		checksum((struct span){p, HEADER_SIZE - 8}, number))
		return false;
	*ret_header = (struct file_header){number, wire_load_u64(p + 16)};
	return true;
}

bool
header_load(struct span bytes, enum file_kind kind, uint64_t number,
    struct file_header *ret_header)
{
	return load_copy(bytes, kind, number, ret_header) ||
	       load_copy(span_from(bytes, COPY), kind, number, ret_header);
}

static uint64_t
align(uint64_t n)
{
	return (n + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
}

uint64_t
record_length(const struct record *record)
{
	return align(RECORD_HEAD + record->envelope_size +
		     (record->large ? 0 : record->body_size));
}

static uint64_t
head_checksum(const char *head, struct span envelope, uint64_t salt)
{
	struct span fixed = {head, RECORD_HEAD - 8};

	return checksum(envelope, checksum(fixed, salt));
}

void
record_store(char to[RECORD_HEAD], const struct record *r,
    struct file_header header, struct span envelope)
{
	wire_store_u32(to, MAGIC_RECORD);
	wire_store_u32(to + 4, VERSION | (r->large ? RECORD_LARGE << 16 : 0));
	wire_store_u64(to + 8, header.number);
	wire_store_u64(to + 16, r->id);
	wire_store_u32(to + 24, r->offset);
	wire_store_u32(to + 28, r->base);
	wire_store_u32(to + 32, r->envelope_size);
	wire_store_u32(to + 36, 0);
	wire_store_u64(to + 40, r->body_size);
	wire_store_u64(to + 48, r->body_checksum);
	wire_store_u64(
	    to + RECORD_HEAD - 8, head_checksum(to, envelope, header.salt));
}

static bool
in_bounds(const struct record *r, uint64_t limit)
{
	uint64_t left = limit < r->offset ? 0 : limit - r->offset;

	if (r->base > r->offset || left < RECORD_HEAD ||
	    r->envelope_size > left - RECORD_HEAD)
		return false;
	if (!r->large && r->body_size > left - RECORD_HEAD - r->envelope_size)
		return false;
	return record_length(r) <= left;
}

bool
record_load(struct span bytes, struct file_header header, uint32_t offset,
    uint64_t limit, struct record *ret_record)
{
	const char *p = bytes.p;
	struct record r;
	uint32_t version;

	if (bytes.n < RECORD_HEAD || wire_load_u32(p) != MAGIC_RECORD ||
	    wire_load_u64(p + 8) != header.number ||
	    wire_load_u32(p + 24) != offset || wire_load_u32(p + 36) != 0)
		return false;
	version = wire_load_u32(p + 4);
	if ((version & 0xffff) != VERSION || version >> 16 > RECORD_LARGE)
		return false;
	r = (struct record){
	    .id = wire_load_u64(p + 16),
	    .offset = offset,
	    .base = wire_load_u32(p + 28),
	    .envelope_size = wire_load_u32(p + 32),
	    .body_size = wire_load_u64(p + 40),
	    .body_checksum = wire_load_u64(p + 48),
	    .large = version >> 16 != 0,
	};
	if (!in_bounds(&r, limit))
		return false;
	*ret_record = r;
	return true;
}

bool
record_check(struct span head, struct span envelope, struct file_header header)
{
	return head.n >= RECORD_HEAD &&
	       wire_load_u64(head.p + RECORD_HEAD - 8) ==
	           head_checksum(head.p, envelope, header.salt);
}
