/* Between recipients.c, which reads, and recipients_check.c, which judges. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mta/recipients.h"

#define NO_LIST   SIZE_MAX
#define LOCAL_MAX 255 /* more than RFC 5321 4.5.3.1.1 asks for */

struct recipient {
	const char *key;
	const char *const *targets; /* NULL: a mailbox, no alias */
	size_t list;                /* where the targets begin, or NO_LIST */
	unsigned line;
};

struct recipients_report {
	const char *file;
	struct buf *problems;
	size_t count;
};

void recipients_problem(struct recipients_report *report, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Where the local part ends: at the last "@", or at the end. */
size_t recipients_local(struct span address);
/* "user", "user@domain" or "@domain" as a key; false when it is none. */
bool recipients_name(
    struct span address, enum recipients_case how, char to[RECIPIENTS_KEY]);

/* Sorted by key. */
const struct recipient *recipients_entries(
    const struct recipients *recipients, size_t *ret_count);

/* The entry a target of this alias leads to for certain, if another. */
const struct recipient *recipients_follow(const struct recipients *recipients,
    const struct recipient *alias, const char *target);

/* Reports aliases that lead back to themselves. */
void recipients_check(
    const struct recipients *recipients, struct recipients_report *report);
