/*
 * The tag=value lists of DKIM (RFC 6376 3.2): signatures and key records.
 *
 * Strict: octets that may not be there, a tag without "=", an empty tag or a
 * tag that stands twice, and nothing of the list counts.  Everything is
 * borrowed from the text.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* RFC 6376 2.8: FWS, after its form has been looked at */
#define DKIM_FWS " \t\r\n"

/* There are twelve tags; strangers may bring some of their own. */
#define DKIM_TAGS_MAX 40

struct dkim_tag {
	struct span name;
	struct span value; /* without blanks at its ends */
	struct span whole; /* all between "=" and ";" */
};

struct dkim_tags {
	struct dkim_tag list[DKIM_TAGS_MAX]; /* in their order */
	size_t n;
};

/* NULL, or what is wrong, with the section; *ret is then of no use. */
const char *dkim_tags_read(struct span text, struct dkim_tags *ret);

/* NULL when it is not there.  Names of tags are of one case. */
const struct dkim_tag *dkim_tags_find(
    const struct dkim_tags *tags, const char *name);

/*
 * Take an item from the front of a list with colons; false at its end.  An
 * empty text has one item, the empty one.
 */
struct dkim_list {
	struct span rest;
	bool ended;
};
bool dkim_list_next(struct dkim_list *list, struct span *ret_item);
/* Is one of the items this word, letter by letter? */
bool dkim_list_has(struct span text, const char *word);

/*
 * RFC 6376 2.10: base64string.  Blanks are passed over; "=" at the end may be
 * missing, but is not too few, and the bits behind the last octet are zero.
 * -1: it is none, is empty, or has more than `room` octets.
 */
int dkim_base64_read(
    struct span text, unsigned char *to, size_t room, size_t *ret_n);
