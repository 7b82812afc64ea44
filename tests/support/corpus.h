/*
 * Test vectors of other projects, read in place: $DANELAW_CORPORA names the
 * folder.  Every function returns NULL when the file is not there; the test
 * then skips.
 */
#pragma once
#include <jansson.h>

#include "base/buf.h"

#define CORPUS_MAX (4u << 20)

/* The whole file; free with buf_free().  -1 when it cannot be read. */
int corpus_read(const char *name, struct buf *ret);

/* One JSON object a line, as an array; NULL when it cannot be read. */
json_t *corpus_jsonl(const char *name);

/* A string of an object that may hold NUL; {NULL, 0} when absent. */
struct span corpus_span(const json_t *object, const char *key);
