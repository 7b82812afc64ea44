/* Where the Maildir of an address is.  Pure. */
#include <stdbool.h>

#include "base/buf.h"
#include "base/text.h"
#include "mta/deliver/maildir.h"

/* RFC 5321 4.1.2: the quotes of a quoted string are not part of the name. */
static int
add_unquoted(struct buf *out, struct span local)
{
	bool quoted = local.n >= 2 && local.p[0] == '"' &&
	              local.p[local.n - 1] == '"';
	size_t end = quoted ? local.n - 1 : local.n;

	for (size_t i = quoted ? 1 : 0; i < end; i++) {
		char c;

		if (quoted && local.p[i] == '\\' && i + 1 < end)
			i++;
		c = text_lower(local.p[i]);
		if (buf_add(out, (struct span){&c, 1}) < 0)
			return -1;
	}
	return 0;
}

/* May this be the name of a folder? */
static bool
is_folder_name(struct span name)
{
	if (name.n == 0 || name.p[0] == '.' || !text_is_utf8(name))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f ||
		    name.p[i] == '/')
			return false;
	return true;
}

static bool
is_domain(struct span domain)
{
	char before = '.';

	if (domain.n == 0 || domain.p[domain.n - 1] == '.')
		return false;
	for (size_t i = 0; i < domain.n; i++) {
		char c = domain.p[i];

		if (!text_is_alnum(c) && c != '-' && c != '_' && c != '.')
			return false;
		if (c == '.' && before == '.')
			return false;
		before = c;
	}
	return true;
}

static int
bad_address(struct err *err, const char *what, struct span text)
{
	char shown[128];

	text_escape(text, shown, sizeof(shown));
	return err_set(err, ERR_PERM, "5.1.3",
	    "%s \"%s\" cannot be the name of a folder", what, shown);
}

static int
add_local(struct buf *out, struct span local, struct err *err)
{
	size_t from = out->n;

	if (add_unquoted(out, local) < 0 ||
	    !is_folder_name(span_from(buf_span(out), from)))
		return bad_address(err, "local part", local);
	return 0;
}

static int
add_domain(struct buf *out, struct span domain, struct err *err)
{
	size_t from = out->n;

	if (!is_domain(domain) || buf_add(out, domain) < 0)
		return bad_address(err, "domain", domain);
	for (size_t i = from; i < out->n; i++)
		out->p[i] = text_lower(out->p[i]);
	return 0;
}

/* One character of the template, or two from a "%" on. */
static int
add_next(struct buf *out, const char **at, struct span local,
    struct span domain, struct err *err)
{
	const char *c = *at;

	*at += *c == '%' && c[1] != '\0' ? 2 : 1;
	if (*c == '%' && c[1] == 'u')
		return add_local(out, local, err);
	if (*c == '%' && c[1] == 'd')
		return add_domain(out, domain, err);
	if (*c == '%' && c[1] != '%')
		return err_set(err, ERR_PERM, "5.3.5",
		    "maildir path: expected %%u, %%d or %%%% after a \"%%\"");
	if (buf_add(out, (struct span){c, 1}) < 0)
		return err_set(
		    err, ERR_PERM, "5.3.5", "maildir path: it is too long");
	return 0;
}

int
maildir_path(const char *template, struct span local, struct span domain,
    char *to, size_t size, struct err *err)
{
	struct buf path;
	int result = 0;

	buf_init(&path, size - 1);
	while (*template != '\0' && result == 0)
		result = add_next(&path, &template, local, domain, err);
	if (result == 0) {
		if (path.n > 0)
			memcpy(to, path.p, path.n);
		to[path.n] = '\0';
	}
	buf_free(&path);
	return result;
}
