/*
 * The header section of a message as fields, and what filters change of it.
 *
 * The first in the list is our own trace field: filters do not see it and
 * cannot change it, but places are counted from it, as Sendmail does and as
 * opendkim and rspamd expect: what is inserted at 0 goes above it, at 1 right
 * below it.  Where a line is no field the header section ends (and what is
 * there stays as it is, with the body).
 *
 * Ownership: texts of the message are borrowed, those of filters live in the
 * arena; over its limit the change fails.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"

#define MILTER_FIELDS_MAX 10000u

struct milter_field {
	struct span text; /* "Name: value", folds in it, no CRLF behind it */
	size_t name;      /* octets of its name */
};

struct milter_header {
	struct arena *arena; /* borrowed */
	struct milter_field *list;
	size_t n, size;
	const char *own; /* the text of ours */
	bool separated;  /* an empty line stands behind it */
	bool changed;
};

/*
 * `own` is the trace field with its CRLF; `message` begins with the header
 * section.  *ret_body: where the body begins.  -1: too many fields.
 */
int milter_header_read(struct milter_header *header, struct arena *arena,
    struct span own, struct span message, size_t *ret_body);
void milter_header_free(struct milter_header *header);
/* Another list of the same texts, in the same arena. */
void milter_header_copy(
    const struct milter_header *from, struct milter_header *ret);

/* The field's name, and what stands behind the colon. */
struct span milter_field_name(const struct milter_field *field);
struct span milter_field_value(const struct milter_field *field);
/* Is this one ours, which filters do not see? */
bool milter_header_is_own(const struct milter_header *header, size_t i);

/* A field as a filter gives it. */
struct milter_change_field {
	struct span name, value;
	uint32_t index;
	bool spaced; /* the value brings its leading blank along */
};

/* At the end. */
int milter_header_add(
    struct milter_header *header, const struct milter_change_field *field);
/* At the place `index`, or the end. */
int milter_header_insert(
    struct milter_header *header, const struct milter_change_field *field);
/*
 * The field of that name with this number (1, or 0: the first); deleted when
 * the value is empty; added when there is none.
 */
int milter_header_change(
    struct milter_header *header, const struct milter_change_field *field);

/* All of it, with the empty line unless nothing had to be parted. */
int milter_header_write(
    const struct milter_header *header, bool body, struct buf *out);
