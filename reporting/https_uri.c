#include "reporting/https_uri.h"

#include "base/text.h"

#define PORT 443 /* RFC 9110 4.2.2 */

/* What is neither blank nor beyond ASCII. */
static bool
is_visible(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return true;
}

/* The octets before the first of these. */
static struct span
before(struct span text, const char *ends)
{
	size_t n = 0;

	while (n < text.n && strchr(ends, text.p[n]) == NULL)
		n++;
	return span_first(text, n);
}

/*
 * RFC 1123 2.1: the last label of a name is alphabetic; what begins with a
 * digit there may be an address, as "127.1" and "0x7f.0x1" are to libraries.
 */
static bool
ends_as_name(const char *host)
{
	const char *dot = strrchr(host, '.');

	return text_is_alpha(dot == NULL ? host[0] : dot[1]);
}

/* No "%41" and no "\065": a name is what it looks like. */
static bool
read_host(struct span text, char ret_host[DNS_NAME_SIZE])
{
	char host[TLSRPT_URI_MAX + 1];

	if (text.n == 0 || memchr(text.p, '\\', text.n) != NULL)
		return false;
	memcpy(host, text.p, text.n);
	host[text.n] = '\0';
	return dns_name_normal(host, ret_host) && dns_name_is_host(ret_host);
}

/* What stands between "https://" and the path, and the rest. */
static bool
read_authority(struct span text, struct span *ret, struct span *ret_rest)
{
	struct span rest = span_from(text, SPAN("https://").n);

	if (text.n > TLSRPT_URI_MAX || !is_visible(text) ||
	    !span_starts_nocase(text, SPAN("https://")))
		return false;
	*ret = before(rest, "/?#");
	*ret_rest = span_from(rest, ret->n);
	return true;
}

/* RFC 3986 3.2.3: digits, or none for the usual one. */
static bool
read_port(struct span text, uint16_t *ret)
{
	uint32_t port = PORT;

	if (text.n > 0 && !text_parse_u32(text, &port))
		return false;
	*ret = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

/*
 * RFC 9112 3.2.1: an empty path is sent as "/".  RFC 9110 4.2.5: the fragment
 * is not sent.  There is room: a scheme stood in front.
 */
static void
read_path(struct span text, char ret_path[TLSRPT_URI_MAX])
{
	bool bare = text.n == 0 || text.p[0] != '/';
	size_t from = bare ? 1 : 0;

	text = before(text, "#");
	ret_path[0] = '/';
	memcpy(ret_path + from, text.p, text.n);
	ret_path[from + text.n] = '\0';
}

/*
 * RFC 9110 4.2.4: who writes a name and password before a host means to
 * mislead; the "@" is in no name.
 */
bool
https_uri_read(struct span text, struct https_uri *ret)
{
	struct span authority, host, rest;

	*ret = (struct https_uri){.port = 0};
	if (!read_authority(text, &authority, &rest))
		return false;
	host = before(authority, ":");
	read_path(rest, ret->path);
	return read_host(host, ret->host) && ends_as_name(ret->host) &&
	       read_port(span_from(authority, host.n + 1), &ret->port);
}

bool
https_uri_has_address(struct span text)
{
	struct span authority, rest;
	char host[DNS_NAME_SIZE];

	if (!read_authority(text, &authority, &rest))
		return false;
	return authority.n > 0 &&
	       (authority.p[0] == '[' ||
		   (read_host(before(authority, ":"), host) &&
		       !ends_as_name(host)));
}
