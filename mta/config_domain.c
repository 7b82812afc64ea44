/* Who exists in a domain of ours: domain "..." { } of danelaw.conf(5). */
#include <string.h>

#include "mta/config_private.h"

/* "file:" may be left out. */
bool
read_source_of(const struct value *value)
{
	struct config_source *source = value->to;
	struct span path = value->text;

	if (span_starts_nocase(path, SPAN("lookup:"))) {
		source->lookup = config_string(
		    value->memory, span_from(path, 7));
		return source->lookup[0] != '\0';
	}
	if (span_starts_nocase(path, SPAN("file:")))
		path = span_from(path, 5);
	if (path.n == 0 || path.p[0] != '/')
		return false;
	source->file = config_string(value->memory, path);
	return true;
}

bool
read_delimiter(const struct value *value)
{
	static const char taken[] = "+-_=#.";
	char *to = value->to;

	if (value->text.n > 1 ||
	    (value->text.n == 1 &&
		memchr(taken, value->text.p[0], sizeof(taken) - 1) == NULL))
		return false;
	*to = value->text.n == 0 ? '\0' : value->text.p[0];
	return true;
}
