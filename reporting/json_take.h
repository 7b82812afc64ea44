/*
 * Members of JSON objects, taken as what they should be; what they are instead
 * is noted.  Only for report_read_json.c.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "reporting/report_note.h"

#define TAKE_PLACE_SIZE 80

struct taker {
	struct arena *arena;
	struct report_notes *notes;
	char place[TAKE_PLACE_SIZE]; /* "policies[0].policy." */
	bool full;                   /* the arena is */
	size_t nlines;               /* of all lists of texts */
};

struct member {
	const char *name;  /* as RFC 8460 4.4 has it */
	const char *other; /* as some write it, or NULL */
	bool needed;
	bool fold; /* the name of a host or a domain */
};

/* Note something at this member, or (NULL) at this place. */
void take_note(struct taker *taker, enum report_oddity what, const char *name);

/* NULL when it is not there, or null: both are noted. */
const json_t *take_member(
    struct taker *taker, const json_t *object, const struct member *member);

/* On the arena; "" when there is none. */
const char *take_text(
    struct taker *taker, const json_t *object, const struct member *member);
/* The same of a value that stands for this member. */
const char *take_value(
    struct taker *taker, const json_t *value, const struct member *member);
/* *ret_given, if asked for: was there a number? */
uint64_t take_count(struct taker *taker, const json_t *object,
    const struct member *member, bool *ret_given);
/* Seconds of UTC; 0 when not said. */
int64_t take_time(
    struct taker *taker, const json_t *object, const struct member *member);
/* A list of texts, in whatever disguise. */
const char *const *take_list(struct taker *taker, const json_t *object,
    const struct member *member, size_t *ret_n);
/* A list of objects (a reference of its own); NULL when there is none. */
json_t *take_objects(
    struct taker *taker, const json_t *object, const struct member *member);
