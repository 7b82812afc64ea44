/* Text helpers, ASCII only, independent of the locale. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

char text_lower(char c);
bool text_is_alpha(char c);
bool text_is_digit(char c);
bool text_is_alnum(char c);

/* In place: every byte outside printable ASCII becomes '?'. */
void text_make_printable(char *s);

/*
 * Copy `s` into `to` as one printable line: control and 8-bit bytes become
 * \xHH, a backslash becomes \\.  Cut, with "..." at the end, to fit `size`
 * (which is at least 8).  Always NUL-terminated.
 */
void text_escape(struct span s, char *to, size_t size);

/* Decimal digits only, no sign, no blanks; false on overflow or no digit. */
bool text_parse_u64(struct span s, uint64_t *ret);
bool text_parse_u32(struct span s, uint32_t *ret);

/* Of a hexadecimal digit in either case; -1: it is none. */
int text_hex_value(char c);
/* Lower-case hexadecimal; `to` has room for 2 * n + 1 bytes. */
void text_hex(const void *bytes, size_t n, char *to);

/* Fold ASCII letters to lower case in place. */
void text_fold(char *s);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)? */
bool text_is_utf8(struct span s);
bool text_is_ascii(struct span s);

/* Without any of these characters at either end. */
struct span text_trim(struct span s, const char *blanks);

/* Copy a C string, cut to fit; true when it fitted. */
bool text_copy(char *to, size_t size, const char *from);
/* The same of octets, NULs among them. */
bool text_copy_span(char *to, size_t size, struct span from);
