/*
 * The journal's bytes: blocks of entries under one checksum, and a file of
 * them read back.  Private to this folder; danelaw-spool(5) has the layout.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "queue/record.h"
#include "queue/spool.h"

enum {
	BLOCK_HEAD = 32,
	BLOCK_COMPLETE = 1
};

/* `block` is BLOCK_HEAD bytes, then entries; fills in the head and aligns
 * the end.  `offset` is where it will be in its file. */
void block_close(
    struct buf *block, uint64_t offset, uint32_t flags, uint64_t salt);
/* Of a closed block: head and entries, without what aligns it. */
size_t block_length(struct span block);

/* The block at the head of `bytes`, if it is one. */
bool block_load(struct span bytes, uint64_t offset, uint64_t salt,
    uint32_t *ret_flags, struct span *ret_entries);

/* A journal file being read. */
struct journal_in;

/* 1; 0: there is no such file, or it never got a header. */
int journal_in_open(const struct spool *spool, uint64_t number,
    struct journal_in **ret_in, struct err *err);
void journal_in_close(struct journal_in **in);
/*
 * The next block's entries, good until the next call: 1.  0: the end.
 * *damaged is set when good blocks stand behind a bad one: the bad one had
 * been synced, what follows it is returned.
 */
int journal_in_next(struct journal_in *in, uint32_t *ret_flags,
    struct span *ret_entries, bool *damaged, struct err *err);
