/*
 * Who exists in a domain: the text of a recipients file as a set.  Pure.
 *
 * One entry a line: "user", "user@domain", or "@domain" (everybody);
 * "user: other@example.org, third" is an alias.  "#" at the beginning of a
 * line or behind a blank begins a comment.  Local parts compare without case
 * or with it (RFC 5321 2.4 leaves that to the host), quoted or not.
 *
 * A target without "@" is in the domain of the address that was asked for.
 * Aliases are followed one step: whoever expands asks again for each target,
 * takes a target that is the address itself as the mailbox behind the alias,
 * and bounds the steps, because aliases may lead through several files.
 * Within one file a way back is found when it is parsed; mta/locals_check.c
 * finds those through several.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"
#include "mta/domain.h"

/* Room for a key: "local@domain", without quotes and folded. */
#define RECIPIENTS_KEY (255 + 1 + DOMAIN_MAX)
/* The same on the wire: with quotes, and each octet in need of one. */
#define RECIPIENTS_ADDRESS ((size_t)2 * RECIPIENTS_KEY)

struct recipients;

enum recipients_case {
	RECIPIENTS_FOLD = 0, /* "Bob" is "bob" */
	RECIPIENTS_KEEP,
};

/* An address as a key; false when it is no local@domain. */
bool recipients_key(
    const char *address, enum recipients_case how, char to[RECIPIENTS_KEY]);
/* The key as it is written on the wire: with quotes where it needs them. */
void recipients_address(const char *key, char to[RECIPIENTS_ADDRESS]);
/*
 * The key without what stands behind the first delimiter of its local part;
 * false when there is none, or nothing before it.  '\0' is no delimiter.
 */
bool recipients_base(const char *key, char delimiter, char to[RECIPIENTS_KEY]);

/*
 * At most 64 MiB.  -1 with a line a problem ("FILE:3: ...") in *problems:
 * what is no address, comes twice, or is an alias back to itself.
 */
int recipients_parse(struct span text, const char *file,
    enum recipients_case how, struct recipients **ret, struct buf *problems);
/*
 * What stands behind the colon of an alias, alone: the targets of the key
 * "_@_".  -1 when it is no list of addresses and local parts.
 */
int recipients_parse_list(struct span value, struct recipients **ret);
void recipients_free(struct recipients **recipients);

enum recipient_answer {
	RECIPIENT_UNKNOWN = 0, /* 550 5.1.1 */
	RECIPIENT_KNOWN,
	RECIPIENT_ALIAS, /* *ret_targets names who gets it */
};

/*
 * `address` is local@domain.  The most special entry answers: the address,
 * then its local part, then everybody in its domain.  *ret_targets:
 * NULL-terminated, borrowed; NULL unless RECIPIENT_ALIAS.
 */
enum recipient_answer recipients_find(const struct recipients *recipients,
    const char *address, const char *const **ret_targets);
/* The same of a key: its own entry or that of its local part alone. */
enum recipient_answer recipients_find_own(const struct recipients *recipients,
    const char *key, const char *const **ret_targets);
/* The entry of everybody in its domain. */
enum recipient_answer recipients_find_rest(const struct recipients *recipients,
    const char *key, const char *const **ret_targets);
