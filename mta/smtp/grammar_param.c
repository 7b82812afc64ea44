/* What stands behind a path: parameters, their words and their xtext. */
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "mta/smtp/grammar.h"
#include "mta/smtp/grammar_private.h"

static bool
is_upper_hex(char c)
{
	return text_is_digit(c) || (c >= 'A' && c <= 'F');
}

bool
grammar_is_xtext(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '!' || s.p[i] > '~' || s.p[i] == '=')
			return false;
		if (s.p[i] != '+')
			continue;
		if (s.n - i < 3 || !is_upper_hex(s.p[i + 1]) ||
		    !is_upper_hex(s.p[i + 2]))
			return false;
		i += 2;
	}
	return s.n > 0;
}

/* RFC 3461 4.2, 4.4: "consist entirely of printable (graphic and white space)
 * characters from the US-ASCII repertoire", before the encoding. */
static bool
is_printable_xtext(struct span s)
{
	if (!grammar_is_xtext(s))
		return false;
	for (size_t i = 0; i + 2 < s.n; i++) {
		char high = s.p[i + 1], low = s.p[i + 2];

		if (s.p[i] != '+')
			continue;
		if (high > '7' || (high < '2' && (high != '0' || low != '9')) ||
		    (high == '7' && low == 'F'))
			return false;
	}
	return true;
}

bool
grammar_is_envid(struct span s)
{
	return s.n <= GRAMMAR_ENVID_MAX && is_printable_xtext(s);
}

/* RFC 6533 3: "MUST follow utf-8-address ABNF when dequoted", which is a
 * mailbox: no control has a place in it, and a surrogate is no character. */
static bool
is_in_mailboxes(uint32_t value)
{
	return value >= ' ' && value != 0x7f && value <= 0x10ffff &&
	       (value < 0xd800 || value > 0xdfff);
}

/* RFC 6533 3: EmbeddedUnicodeChar, "\x{" HEXPOINT "}", of 2 to 6 digits; its
 * length, or 0 when there is none. */
static size_t
unitext_length(struct span s)
{
	uint32_t value = 0;
	size_t n = 3;

	if (s.n < n || memcmp(s.p, "\\x{", n) != 0)
		return 0;
	for (; n < s.n && n < 9 && text_hex_value(s.p[n]) >= 0; n++)
		value = value << 4 | (uint32_t)text_hex_value(s.p[n]);
	if (n < 5 || n == s.n || s.p[n] != '}' || !is_in_mailboxes(value))
		return 0;
	return n + 1;
}

/* RFC 6533 3: in ORCPT "ASCII CTLs, SP, '\', '+', and '='" are encoded. */
static bool
is_plain_utf8(char c)
{
	return grammar_is_8bit(c) ||
	       (c >= '!' && c <= '~' && c != '\\' && c != '+' && c != '=');
}

/* RFC 6533 3: utf-8-addr-xtext or utf-8-addr-unitext */
static bool
is_utf8_address(struct span s)
{
	struct span rest = s;

	while (rest.n > 0) {
		size_t n = is_plain_utf8(rest.p[0]) ? 1 : unitext_length(rest);

		if (n == 0)
			return false;
		rest = span_from(rest, n);
	}
	return s.n > 0 && text_is_utf8(s);
}

bool
grammar_is_orcpt(struct span s)
{
	const char *semicolon = s.n == 0 ? NULL : memchr(s.p, ';', s.n);
	struct span type, address;

	if (semicolon == NULL || s.n > GRAMMAR_ORCPT_MAX)
		return false;
	type = span_first(s, (size_t)(semicolon - s.p));
	address = span_from(s, type.n + 1);
	if (grammar_dot_string(type) != type.n || !text_is_ascii(type) ||
	    type.n == 0)
		return false;
	return span_eq_nocase(type, SPAN("utf-8"))
	           ? is_utf8_address(address)
	           : is_printable_xtext(address);
}

static size_t
keyword_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && (text_is_alnum(s.p[n]) || (n > 0 && s.p[n] == '-')))
		n++;
	return n;
}

static size_t
value_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '=' && s.p[n] != 0x7f &&
	       (s.p[n] > ' ' || grammar_is_8bit(s.p[n])))
		n++;
	return n;
}

enum param_take
grammar_param(struct span *in, struct param *ret_param)
{
	struct span s = *in;
	struct param param = {0};

	while (s.n > 0 && s.p[0] == ' ')
		s = span_from(s, 1);
	*in = s;
	if (s.n == 0)
		return PARAM_END;
	param.name = span_first(s, keyword_length(s));
	s = span_from(s, param.name.n);
	if (param.name.n == 0)
		return PARAM_BAD;
	if (s.n > 0 && s.p[0] == '=') {
		s = span_from(s, 1);
		param.value = span_first(s, value_length(s));
		s = span_from(s, param.value.n);
		if (param.value.n == 0)
			return PARAM_BAD;
	}
	if (s.n > 0 && s.p[0] != ' ')
		return PARAM_BAD;
	*in = s;
	*ret_param = param;
	return PARAM_TAKEN;
}

static unsigned
notify_word(struct span word)
{
	if (span_eq_nocase(word, SPAN("NEVER")))
		return NOTIFY_NEVER;
	if (span_eq_nocase(word, SPAN("SUCCESS")))
		return NOTIFY_SUCCESS;
	if (span_eq_nocase(word, SPAN("FAILURE")))
		return NOTIFY_FAILURE;
	if (span_eq_nocase(word, SPAN("DELAY")))
		return NOTIFY_DELAY;
	return NOTIFY_DEFAULT;
}

bool
grammar_notify(struct span value, uint8_t *ret)
{
	unsigned all = 0;

	for (;;) {
		const char *comma = value.n == 0
		                        ? NULL
		                        : memchr(value.p, ',', value.n);
		size_t n = comma == NULL ? value.n : (size_t)(comma - value.p);
		unsigned bit = notify_word(span_first(value, n));

		if (bit == 0 || (all & bit) != 0)
			return false;
		all |= bit;
		if (comma == NULL)
			break;
		value = span_from(value, n + 1);
	}
	/* RFC 3461 4.1: NEVER stands alone. */
	if ((all & NOTIFY_NEVER) != 0 && all != NOTIFY_NEVER)
		return false;
	*ret = (uint8_t)all;
	return true;
}
