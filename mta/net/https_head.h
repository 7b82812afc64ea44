/*
 * What stands before a body, judged line by line as libcurl hands it on.
 *
 * All that a server sends beside the body goes through here, interim answers
 * and trailers as well, and counts.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "mta/net/https.h"

#define HTTPS_HEAD_MAX 32768

enum https_length {
	HTTPS_LENGTH_UNSAID = 0, /* the body ends with the connection */
	HTTPS_LENGTH_CHUNKED,    /* its chunks will say */
	HTTPS_LENGTH_SAID,       /* Content-Length does, as from here on */
	HTTPS_LENGTH_LARGE,
	HTTPS_LENGTH_UNCLEAR, /* there are two that differ, or it is none */
};

/* Zeroed before the first line, but for is_post. */
struct https_head {
	bool is_post; /* what is answered: any 2xx will do */
	size_t size;
	unsigned status; /* of the last answer that has begun */
	bool over;     /* a final answer's head is complete: a body may come */
	bool is_plain; /* text/plain, as the last Content-Type has it */
	bool is_encoded;
	enum https_length length;
	uint64_t said; /* by Content-Length */
	char type[64]; /* for people */
};

/* HTTPS_FINE: go on.  Anything else decides the fetch. */
enum https_kind https_head_add(struct https_head *head, struct span line);
