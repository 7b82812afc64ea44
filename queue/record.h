/*
 * The bytes of a segment: its header and the heads of its records.  Pure.
 * danelaw-spool(5) has the layout in tables.
 *
 * A segment's header holds a random salt.  Every checksum in the segment is
 * seeded with it, so neither what an older file left on the same blocks nor
 * what somebody wrote into a mail can pass for a record.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum {
	SEGMENT_HEADER = 8192, /* two copies of HEADER_SIZE, a page apart */
	HEADER_SIZE = 64,
	RECORD_HEAD = 64,
	RECORD_ALIGN = 8,
};

/* The header of a segment or a journal file. */
struct file_header {
	uint64_t number;
	uint64_t salt;
};

/* Which kind of file; the magic number says so on disk. */
enum file_kind {
	FILE_SEGMENT = 0,
	FILE_JOURNAL
};

void header_store(
    char to[SEGMENT_HEADER], enum file_kind kind, struct file_header header);
/* False: neither copy is one, or it names another number. */
bool header_load(struct span bytes, enum file_kind kind, uint64_t number,
    struct file_header *ret_header);

enum {
	RECORD_LARGE = 1
};

struct record {
	uint64_t id;
	uint32_t offset; /* of the record in its segment */
	uint32_t base; /* where its batch begins: before that all is durable */
	uint32_t envelope_size;
	uint64_t body_size;
	uint64_t body_checksum;
	bool large; /* the body is in SPOOL/large */
};

/* Bytes from this record to the next. */
uint64_t record_length(const struct record *record);

/* `envelope` is already encoded; fills in the checksum over both. */
void record_store(char to[RECORD_HEAD], const struct record *record,
    struct file_header header, struct span envelope);

/*
 * The head alone; its numbers are in bounds (the record ends within `limit`)
 * but not yet checked against the checksum.
 */
bool record_load(struct span bytes, struct file_header header, uint32_t offset,
    uint64_t limit, struct record *ret_record);
/* Now with the envelope behind it: is it what was written? */
bool record_check(
    struct span head, struct span envelope, struct file_header header);
