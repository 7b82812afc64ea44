/* One place of a TLS-RPT record: a mailto or an https URI (RFC 3986). */
#include "base/buf.h"
#include "base/text.h"
#include "dnssec/name.h"
#include "reporting/https_uri.h"

/* RFC 5321 4.5.3.1.1 */
#define LOCAL_MAX 64

/* The octet of the "%41" that s begins with, or -1. */
static int
escaped(struct span s)
{
	int high = s.n < 3 ? -1 : text_hex_value(s.p[1]);
	int low = s.n < 3 ? -1 : text_hex_value(s.p[2]);

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/*
 * RFC 3986 2: unreserved and reserved characters.  RFC 8460 3: commas,
 * exclamation marks and semicolons MUST be encoded.
 */
static bool
is_uri_character(char c)
{
	return text_is_alnum(c) ||
	       (c != '\0' && strchr("-._~:/?#[]@$&'()*+=", c) != NULL);
}

static bool
is_uri(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && escaped(span_from(s, i)) < 0)
			return false;
		if (s.p[i] != '%' && !is_uri_character(s.p[i]))
			return false;
	}
	return s.n > 0 && s.n <= TLSRPT_URI_MAX;
}

/* RFC 3986 2.1, of a text for which is_uri() is true. */
static struct span
decode(struct span s, char to[TLSRPT_URI_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			to[n++] = s.p[i];
			continue;
		}
		to[n++] = (char)escaped(span_from(s, i));
		i += 2;
	}
	return (struct span){to, n};
}

/* RFC 5322 3.2.3: dot-atom.  A quoted local part is nobody's. */
static bool
is_local_part(struct span local)
{
	bool dot = true;

	for (size_t i = 0; i < local.n; i++) {
		char c = local.p[i];

		if (c == '.' && dot)
			return false;
		dot = c == '.';
		if (!text_is_alnum(c) &&
		    (c == '\0' || strchr("!#$%&'*+-/=?^_`{|}~.", c) == NULL))
			return false;
	}
	return local.n > 0 && local.n <= LOCAL_MAX && !dot;
}

/* RFC 6068 2: the header fields behind a "?" are not for programs. */
static bool
read_mailto(struct span rest, struct arena *arena, struct tlsrpt_rua *ret)
{
	const char *end = rest.n == 0 ? NULL : memchr(rest.p, '?', rest.n);
	char bytes[TLSRPT_URI_MAX];
	char domain[TLSRPT_URI_MAX + 1];
	char normal[DNS_NAME_SIZE];
	char text[LOCAL_MAX + 1 + DNS_NAME_SIZE];
	struct span address = decode(
	    end == NULL ? rest : span_first(rest, (size_t)(end - rest.p)),
	    bytes);
	const char *at = memrchr(address.p, '@', address.n);
	struct span local;
	struct span host;
	struct err err;

	if (at == NULL)
		return false;
	local = span_first(address, (size_t)(at - address.p));
	host = span_from(address, local.n + 1);
	if (!is_local_part(local) || memchr(host.p, '\0', host.n) != NULL)
		return false;
	memcpy(domain, host.p, host.n);
	domain[host.n] = '\0';
	if (dns_name_from_domain(domain, normal, &err) < 0)
		return false;
	memcpy(text, local.p, local.n);
	text[local.n] = '@';
	(void)text_copy(text + local.n + 1, sizeof(text) - local.n - 1, normal);
	ret->to = arena_strndup(arena, text, strlen(text));
	return ret->to != NULL;
}

static bool
read_https(struct span text, struct arena *arena, struct tlsrpt_rua *ret)
{
	struct https_uri uri;

	if (!https_uri_read(text, &uri) && !https_uri_has_address(text))
		return false;
	ret->to = arena_strndup(arena, text.p, text.n);
	return ret->to != NULL;
}

/* RFC 3986 3.1: the case of a scheme does not matter. */
bool
tlsrpt_rua_read(struct span uri, struct arena *arena, struct tlsrpt_rua *ret)
{
	*ret = (struct tlsrpt_rua){.scheme = RUA_NONE};
	if (!is_uri(uri))
		return false;
	if (span_starts_nocase(uri, SPAN("mailto:"))) {
		ret->scheme = RUA_MAILTO;
		return read_mailto(
		    span_from(uri, SPAN("mailto:").n), arena, ret);
	}
	if (span_starts_nocase(uri, SPAN("https:"))) {
		ret->scheme = RUA_HTTPS;
		return read_https(uri, arena, ret);
	}
	return false;
}

const char *
rua_scheme_name(enum rua_scheme scheme)
{
	switch (scheme) {
	case RUA_NONE:
		return "none";
	case RUA_MAILTO:
		return "mailto";
	case RUA_HTTPS:
		return "https";
	}
	return "?";
}
