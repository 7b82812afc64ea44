/* Addresses as keys: how two that mean the same are found to be the same. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/recipients.h"
#include "mta/recipients_private.h"

static bool
is_atext(char c)
{
	static const char special[] = "!#$%&'*+-/=?^_`{|}~";

	/* RFC 6531 3.3: beyond ASCII everything is atext. */
	return text_is_alnum(c) || (c & 0x80) != 0 ||
	       (c != '\0' && strchr(special, c) != NULL);
}

/* RFC 5321 4.1.2: Dot-string. */
static bool
take_dot_string(struct span local, char *to)
{
	for (size_t i = 0; i < local.n; i++) {
		bool dot = local.p[i] == '.' && i > 0 && i + 1 < local.n &&
		           local.p[i - 1] != '.';

		if (!dot && !is_atext(local.p[i]))
			return false;
		to[i] = local.p[i];
	}
	to[local.n] = '\0';
	return true;
}

/* RFC 5321 4.1.2: Quoted-string; what it stands for goes to `to`. */
static bool
take_quoted(struct span local, char *to)
{
	size_t n = 0, i;

	for (i = 1; i + 1 < local.n; i++) {
		if (local.p[i] == '\\')
			i++;
		else if (local.p[i] == '"')
			return false;
		if (i + 1 >= local.n || (local.p[i] & 0xe0) == 0 ||
		    local.p[i] == 0x7f)
			return false;
		to[n++] = local.p[i];
	}
	to[n] = '\0';
	return i + 1 == local.n && local.p[i] == '"' && n > 0;
}

static bool
take_local(struct span local, enum recipients_case how, char to[LOCAL_MAX + 1])
{
	if (local.n == 0 || local.n > LOCAL_MAX || !text_is_utf8(local))
		return false;
	if (local.p[0] == '"' ? !take_quoted(local, to)
			      : !take_dot_string(local, to))
		return false;
	/* RFC 5321 2.4: only the host knows; most compare without case. */
	if (how == RECIPIENTS_FOLD)
		text_fold(to);
	return true;
}

size_t
recipients_local(struct span address)
{
	const char *at = address.n == 0 ? NULL
	                                : memrchr(address.p, '@', address.n);
	bool quoted = address.n > 0 && address.p[address.n - 1] == '"';

	return at == NULL || quoted ? address.n : (size_t)(at - address.p);
}

bool
recipients_name(
    struct span address, enum recipients_case how, char to[RECIPIENTS_KEY])
{
	size_t n = recipients_local(address);
	char local[LOCAL_MAX + 1] = "", domain[DOMAIN_MAX] = "";

	if (n > 0 && !take_local(span_first(address, n), how, local))
		return false;
	if (n < address.n && !domain_fold(span_from(address, n + 1), domain))
		return false;
	if (address.n == 0)
		return false;
	(void)snprintf(to, RECIPIENTS_KEY, "%s@%s", local, domain);
	return true;
}

bool
recipients_key(
    const char *address, enum recipients_case how, char to[RECIPIENTS_KEY])
{
	return recipients_name(span_of(address), how, to) && to[0] != '@' &&
	       to[strlen(to) - 1] != '@';
}

void
recipients_address(const char *key, char to[RECIPIENTS_ADDRESS])
{
	const char *at = strrchr(key, '@');
	struct span local = {key, at == NULL ? 0 : (size_t)(at - key)};
	char plain[LOCAL_MAX + 1];
	size_t n = 0;

	to[0] = '\0';
	if (at == NULL || local.n > LOCAL_MAX || strlen(key) >= RECIPIENTS_KEY)
		return;
	if (take_dot_string(local, plain)) {
		(void)text_copy(to, RECIPIENTS_ADDRESS, key);
		return;
	}
	to[n++] = '"';
	for (size_t i = 0; i < local.n; i++) {
		if (key[i] == '"' || key[i] == '\\')
			to[n++] = '\\';
		to[n++] = key[i];
	}
	to[n++] = '"';
	(void)text_copy(to + n, RECIPIENTS_ADDRESS - n, at);
}

bool
recipients_base(const char *key, char delimiter, char to[RECIPIENTS_KEY])
{
	const char *at = strrchr(key, '@');
	const char *found = at == NULL || delimiter == '\0'
	                        ? NULL
	                        : memchr(key, delimiter, (size_t)(at - key));

	if (found == NULL || found == key)
		return false;
	(void)snprintf(
	    to, RECIPIENTS_KEY, "%.*s%s", (int)(found - key), key, at);
	return true;
}
