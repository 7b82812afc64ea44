/*
 * gzip, as strangers make it (RFC 1952), made plain within bounds.
 *
 * Names and comments in its header are skipped, whatever they say (RFC 8460
 * 6.3): they name no file of ours.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Beyond a first megabyte, so many times the input is no report. */
#define GUNZIP_RATIO 200
/* RFC 1952 2.2: members follow one another.  More is a game. */
#define GUNZIP_MEMBERS 16

struct gunzip_seen {
	unsigned members; /* one, as a rule */
	size_t trailing;  /* octets behind the last that are no gzip */
};

/* RFC 8460 6.5, RFC 1952 2.3.1: does it begin with 1f 8b? */
bool gunzip_is(struct span bytes);

/*
 * Append to `ret`, whose limit is the most it may become.  -1 (ERR_PERM) for
 * what ends too early, is damaged, or grows beyond that limit or GUNZIP_RATIO;
 * what is in `ret` then counts for nothing.
 */
int gunzip(struct span bytes, struct buf *ret, struct gunzip_seen *ret_seen,
    struct err *err);
