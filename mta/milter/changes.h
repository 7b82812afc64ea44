/*
 * What one filter wants changed of a message: collected while it speaks at
 * the end of it, and done all together when it has let the message through.
 * Of a filter that breaks off in the middle nothing is done.
 */
#pragma once
#include "mta/milter/header.h"
#include "mta/milter/wire.h"

#define MILTER_CHANGES_MAX 1000u

struct milter_change {
	enum milter_reply_kind kind;
	struct span name, value; /* in the arena */
	uint32_t index;
};

struct milter_changes {
	struct arena *arena; /* borrowed */
	struct milter_change *list;
	size_t n, size;
	bool spaced; /* header values bring their leading blank along */
	bool body;   /* the body was replaced: its owner has it */
};

void milter_changes_init(struct milter_changes *changes, struct arena *arena);
void milter_changes_free(struct milter_changes *changes);

/* A copy of what the filter said; -1 when it wants too much. */
int milter_changes_take(
    struct milter_changes *changes, const struct milter_reply *reply);
/* Those of the header; -1 as above. */
int milter_changes_apply(
    const struct milter_changes *changes, struct milter_header *header);
