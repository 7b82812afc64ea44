/* gzip for tests, honest and not. */
#pragma once
#include <stdint.h>

#include "base/buf.h"

/* Append these bytes as one member, with this name in its header, or NULL. */
void gzip_add(struct buf *to, struct span bytes, const char *name);

/*
 * A member that would become `size` octets, all of them `c`, made in no time:
 * one block, flushed, again and again.
 */
void gzip_bomb(struct buf *to, uint64_t size, char c);

/* As base64, in lines. */
void base64_add(struct buf *to, struct span bytes);
