/* Values of milter { }: where a filter is, and what it means when it is not. */
#include <string.h>
#include <sys/un.h>

#include "mta/config_lookup.h"
#include "mta/config_private.h"

bool
read_milter(const struct value *value)
{
	struct config_milter *milter = value->to;
	struct span text = value->text;
	struct span rest = span_from(text, 5);

	milter->address = config_string(value->memory, text);
	if (span_starts_nocase(text, SPAN("inet:")))
		return config_endpoint(rest, 0, &milter->inet);
	if (!span_starts_nocase(text, SPAN("unix:")) || rest.n == 0 ||
	    rest.p[0] != '/' ||
	    rest.n >= sizeof((struct sockaddr_un){0}.sun_path))
		return false;
	milter->path = config_string(value->memory, rest);
	return true;
}

bool
read_failure(const struct value *value)
{
	static const char *const names[] = {
	    [FAILURE_TEMPFAIL] = "tempfail",
	    [FAILURE_ACCEPT] = "accept",
	    [FAILURE_REJECT] = "reject",
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], value->text.p) != 0)
			continue;
		*(enum config_failure *)value->to = (enum config_failure)i;
		return true;
	}
	return false;
}
