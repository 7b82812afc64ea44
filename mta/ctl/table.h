/*
 * Items of an answer for people: a table with a column for each key, in the
 * order the daemon sent them.  Sizes and times are written in words.
 *
 * Widths are those of the first page; later pages keep its columns, so that a
 * long listing needs no memory.
 */
#pragma once
#include <stdint.h>
#include <stdio.h>

struct json_t;
struct table;

/* `now`: what times are told from, seconds. */
struct table *table_new(FILE *to, int64_t now);
void table_free(struct table **table);
/*
 * Texts of these names, NULL behind the last, are too long for columns, and
 * stand whole below their row, "    KEY: TEXT"; of a list each on a line.
 */
void table_below(struct table *table, const char *const *keys);
/* Keeps a reference. */
void table_add(struct table *table, struct json_t *item);
/* Write what was added since the last time. */
void table_page(struct table *table);

/* A line "key: value" for each member, but for those named in `not`; of a
 * list a line for each of its members. */
void table_record(
    FILE *to, struct json_t *item, const char *const * not, int64_t now);

/*
 * One object as a line of JSON, and it is given away.  What others wrote may
 * be in it: of ASCII alone, so that nothing moves a terminal.
 */
void table_json(FILE *to, struct json_t *object);

/* One value as people read it: "3.5M", "in 5 minutes", "-". */
void table_value(const char *key, const struct json_t *value, int64_t now,
    char *to, size_t size);
