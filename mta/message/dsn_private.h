/* Between the files that build a notification. */
#pragma once
#include "mta/message/dsn.h"

/* RFC 5322 2.1.1: at most 998 characters, better 78. */
#define DSN_LINE_GOOD 76u
#define DSN_LINE_HARD 900u
/* More of a stranger's name or reply than anybody needs. */
#define DSN_NAME_MAX  255u
#define DSN_REPLY_MAX 1000u

/* A buffer that remembers that something did not fit. */
struct dsn_out {
	struct buf *buf;
	bool utf8; /* may UTF-8 stand in it? */
	bool full;
};

__attribute__((format(printf, 2, 3))) void dsn_put(
    struct dsn_out *out, const char *fmt, ...);
void dsn_put_span(struct dsn_out *out, struct span bytes);
/* Printable characters only, others as "?"; one line. */
void dsn_put_clean(struct dsn_out *out, struct span text);
/*
 * Words of a stranger's text from `column` on.  Lines that grow too long, and
 * its own line ends, are continued after CRLF and `indent`.
 */
void dsn_put_wrapped(
    struct dsn_out *out, struct span text, size_t column, const char *indent);

/* The three parts, without their boundaries. */
void dsn_words(const struct dsn *dsn, struct dsn_out *out);
void dsn_fields(const struct dsn *dsn, struct dsn_out *out);

/* What a status code means to people; the class does not matter. */
struct dsn_meaning {
	const char *code; /* "1.1", without the class */
	const char *means;
	const char *remedy;
};

const struct dsn_meaning *dsn_meaning(const char *status);

/* A well-formed enhanced status code? (RFC 3463 2) */
bool dsn_is_status(const char *status);
