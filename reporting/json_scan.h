/*
 * A look at JSON text before a parser builds a tree of it: what the tree would
 * cost, and what is easily mended.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "reporting/report_note.h"

/* A report nests 5 deep. */
#define JSON_DEPTH_MAX 32
/* Octets that the tree may take, by a guess on the safe side. */
#define JSON_TREE_MAX ((size_t)36 << 20)

/*
 * Mends in place and notes it: a byte order mark goes, octets that are no
 * UTF-8 become "?", control characters inside of texts become blanks (the
 * example of RFC 8460 B has some).  -1 (ERR_PERM) for what is nested too deep
 * or would become too large a tree.
 */
int json_scan(struct buf *text, struct report_notes *notes, struct err *err);
