#include "mta/smtp/grammar.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/smtp/grammar_private.h"

/* RFC 5322 3.2.3 */
static bool
is_atext(char c)
{
	return text_is_alnum(c) || grammar_is_8bit(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

size_t
grammar_dot_string(struct span s)
{
	size_t n = 0, atom = 0;

	while (n < s.n && (is_atext(s.p[n]) || (s.p[n] == '.' && atom > 0))) {
		atom = s.p[n] == '.' ? 0 : atom + 1;
		n++;
	}
	return atom > 0 ? n : 0;
}

/* RFC 5321 4.1.2: "" and escapes of printable characters are fine. */
static size_t
quoted_string(struct span s)
{
	for (size_t n = 1; n < s.n; n++) {
		if (s.p[n] == '"')
			return n + 1;
		if (s.p[n] == '\\' && (++n == s.n || grammar_is_8bit(s.p[n])))
			return 0;
		if (!grammar_is_8bit(s.p[n]) && (s.p[n] < ' ' || s.p[n] > '~'))
			return 0;
	}
	return 0;
}

static size_t
local_part(struct span s)
{
	return s.n > 0 && s.p[0] == '"' ? quoted_string(s)
	                                : grammar_dot_string(s);
}

bool
grammar_is_local_part(struct span s)
{
	return s.n > 0 && s.n <= GRAMMAR_LOCAL_MAX && local_part(s) == s.n &&
	       text_is_utf8(s);
}

static bool
is_label(struct span s)
{
	if (s.n == 0 || s.n > GRAMMAR_LABEL_MAX || s.p[0] == '-' ||
	    s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!text_is_alnum(s.p[i]) && !grammar_is_8bit(s.p[i]) &&
		    s.p[i] != '-')
			return false;
	return true;
}

bool
grammar_is_domain(struct span s)
{
	if (s.n == 0 || s.n > GRAMMAR_DOMAIN_MAX || !text_is_utf8(s))
		return false;
	for (;;) {
		const char *dot = memchr(s.p, '.', s.n);
		size_t n = dot == NULL ? s.n : (size_t)(dot - s.p);

		if (!is_label(span_first(s, n)))
			return false;
		if (dot == NULL)
			return true;
		s = span_from(s, n + 1);
	}
}

/* inet_pton(3) over a span. */
static bool
is_ip(int family, struct span s)
{
	char text[INET6_ADDRSTRLEN + 1];
	unsigned char address[16];

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, address) == 1;
}

/* RFC 5321 4.1.3: Standardized-tag ":" 1*dcontent */
static bool
is_general_literal(struct span s)
{
	const char *colon = memchr(s.p, ':', s.n);
	size_t tag = colon == NULL ? 0 : (size_t)(colon - s.p);

	if (tag == 0 || s.p[tag - 1] == '-' || tag + 1 == s.n)
		return false;
	for (size_t i = 0; i < tag; i++)
		if (!text_is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	for (size_t i = tag + 1; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' ||
		    strchr("[]\\", s.p[i]) != NULL)
			return false;
	return true;
}

bool
grammar_is_literal(struct span s)
{
	if (s.n < 3 || s.n > GRAMMAR_DOMAIN_MAX || s.p[0] != '[' ||
	    s.p[s.n - 1] != ']')
		return false;
	s = (struct span){s.p + 1, s.n - 2};
	if (is_ip(AF_INET, s))
		return true;
	if (span_starts_nocase(s, SPAN("IPv6:")))
		return is_ip(AF_INET6, span_from(s, 5));
	return is_general_literal(s);
}

static int
bad_mailbox(enum path_kind kind, const char *why, struct err *err)
{
	return err_set(err, ERR_PERM, kind == PATH_REVERSE ? "5.1.7" : "5.1.3",
	    "%s address: %s", kind == PATH_REVERSE ? "Sender" : "Recipient",
	    why);
}

static int
bad_domain(enum path_kind kind, const char *why, struct err *err)
{
	return err_set(err, ERR_PERM, kind == PATH_REVERSE ? "5.1.8" : "5.1.2",
	    "%s domain: %s", kind == PATH_REVERSE ? "Sender" : "Recipient",
	    why);
}

static int
check_mailbox(
    struct span local, struct span domain, enum path_kind kind, struct err *err)
{
	/* RFC 5321 4.5.3.1.1 */
	if (local.n > GRAMMAR_LOCAL_MAX)
		return bad_mailbox(
		    kind, "local part longer than 64 octets", err);
	if (!grammar_is_local_part(local))
		return bad_mailbox(kind, "malformed local part", err);
	/* RFC 5321 4.5.3.1.2 */
	if (domain.n > GRAMMAR_DOMAIN_MAX)
		return bad_domain(kind, "longer than 255 octets", err);
	if (!grammar_is_domain(domain) && !grammar_is_literal(domain))
		return bad_domain(kind, "malformed", err);
	/* RFC 5321 4.5.3.1.3 */
	if (local.n + 1 + domain.n > ENVELOPE_ADDRESS_MAX)
		return bad_mailbox(kind, "path longer than 256 octets", err);
	return 0;
}

int
grammar_mailbox(struct span text, enum path_kind kind,
    struct address *ret_address, struct err *err)
{
	size_t local = local_part(text);
	struct span domain = span_from(text, local + 1);
	struct address address = {0};

	if (local == 0 || local >= text.n || text.p[local] != '@')
		return bad_mailbox(kind, "not of the form local@domain", err);
	if (check_mailbox(span_first(text, local), domain, kind, err) < 0)
		return -1;
	memcpy(address.text, text.p, text.n);
	text_fold(address.text + local + 1);
	address.utf8 = !text_is_ascii(text);
	*ret_address = address;
	return 0;
}

/* What a quoted string of n octets stands for. */
static struct span
unquote(const char *s, size_t n, char *to)
{
	size_t length = 0;

	for (size_t i = 1; i + 1 < n; i++) {
		if (s[i] == '\\')
			i++;
		to[length++] = s[i];
	}
	return (struct span){to, length};
}

const char *
grammar_least_quoted(const char *address, char to[ENVELOPE_ADDRESS_MAX + 1])
{
	size_t n = address[0] == '"' ? quoted_string(span_of(address)) : 0;
	char raw[ENVELOPE_ADDRESS_MAX];
	struct span local;
	size_t at = 0;

	if (n == 0 || strlen(address) > ENVELOPE_ADDRESS_MAX)
		return address;
	local = unquote(address, n, raw);
	/* RFC 5321 4.1.2: the form that uses the minimum quoting possible. */
	if (local.n > 0 && grammar_dot_string(local) == local.n) {
		memcpy(to, local.p, local.n);
		memcpy(to + local.n, address + n, strlen(address + n) + 1);
		return to;
	}
	to[at++] = '"';
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			to[at++] = '\\';
		to[at++] = local.p[i];
	}
	to[at++] = '"';
	memcpy(to + at, address + n, strlen(address + n) + 1);
	return to;
}

/*
 * Where the path at the front of s ends: its '>' or the blank behind it.  RFC
 * 5321 4.1.2, 4.1.3: neither a quoted string's nor a literal's own.
 */
static size_t
path_length(struct span s)
{
	bool brackets = s.n > 0 && s.p[0] == '<';
	bool quoted = false, literal = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"' && !literal)
			quoted = !quoted;
		else if (!quoted && (s.p[i] == '[' || s.p[i] == ']'))
			literal = s.p[i] == '[';
		else if (brackets && !quoted && !literal && s.p[i] == '>')
			return i + 1;
		else if (!brackets && !quoted && s.p[i] == ' ')
			return i;
	}
	return brackets ? 0 : s.n;
}

/* RFC 5321 4.1.1.3, C: "@a,@b:" in front of a mailbox is dropped. */
static int
drop_route(struct span *path, enum path_kind kind, struct err *err)
{
	while (path->n > 0 && path->p[0] == '@') {
		size_t n = 1;
		char end;

		while (n < path->n && path->p[n] != ',' && path->p[n] != ':')
			n++;
		if (n == path->n ||
		    !grammar_is_domain(span_from(span_first(*path, n), 1)))
			break;
		end = path->p[n];
		*path = span_from(*path, n + 1);
		if (end == ':')
			return 0;
		if (path->n == 0 || path->p[0] != '@')
			break;
	}
	return bad_mailbox(kind, "malformed source route", err);
}

static int
parse_path(struct span path, enum path_kind kind, struct address *ret_address,
    struct err *err)
{
	/* RFC 5321 4.5.3.1.3: with its brackets */
	if (path.n + 2 > GRAMMAR_PATH_MAX)
		return bad_mailbox(kind, "path longer than 256 octets", err);
	if (path.n == 0 && kind == PATH_FORWARD)
		return bad_mailbox(kind, "empty", err);
	if (path.n == 0) {
		*ret_address = (struct address){0};
		return 0;
	}
	/* RFC 5321 4.5.1: the one name that needs no domain. */
	if (kind == PATH_FORWARD && span_eq_nocase(path, SPAN("postmaster"))) {
		*ret_address = (struct address){.text = "postmaster"};
		return 0;
	}
	if (path.p[0] == '@' && drop_route(&path, kind, err) < 0)
		return -1;
	return grammar_mailbox(path, kind, ret_address, err);
}

int
grammar_path(struct span *in, enum path_kind kind, struct address *ret_address,
    struct err *err)
{
	struct span path = *in;
	size_t n;

	/* RFC 5321 3.3 wants no blank here; many clients send one. */
	while (path.n > 0 && path.p[0] == ' ')
		path = span_from(path, 1);
	n = path_length(path);
	if (n == 0)
		return bad_mailbox(kind, "missing or without its bracket", err);
	*in = span_from(path, n);
	if (in->n > 0 && in->p[0] != ' ')
		return bad_mailbox(kind, "text behind the bracket", err);
	path = span_first(path, n);
	if (path.p[0] == '<')
		path = (struct span){path.p + 1, path.n - 2};
	else if (path.p[0] == '@')
		return bad_mailbox(kind, "route without brackets", err);
	return parse_path(path, kind, ret_address, err);
}
