#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

int
err_set(struct err *err, enum err_kind kind, const char *enhanced,
    const char *fmt, ...)
{
	struct err e = {.kind = kind};
	va_list ap;

	(void)snprintf(e.enhanced, sizeof(e.enhanced), "%s", enhanced);
	va_start(ap, fmt);
	(void)vsnprintf(e.text, sizeof(e.text), fmt, ap);
	va_end(ap);
	text_make_printable(e.text);
	*err = e;
	return -1;
}

int
err_wrap(struct err *err, const char *context)
{
	struct err inner = *err;

	return err_set(
	    err, inner.kind, inner.enhanced, "%s: %s", context, inner.text);
}

const char *
err_kind_name(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return "none";
	case ERR_TEMP:
		return "temporary";
	case ERR_PERM:
		return "permanent";
	case ERR_BUG:
		return "internal";
	}
	return "unknown";
}
