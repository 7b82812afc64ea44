#include "mta/problems.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static const char warning_begins[] = "warning: ";

/* The next line without what makes it a warning; false: that was all. */
static bool
take_line(struct span *rest, struct span *ret_line, bool *ret_warns)
{
	const char *end;
	struct span line;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	line = span_first(
	    *rest, end == NULL ? rest->n : (size_t)(end - rest->p));
	*rest = span_from(*rest, line.n + 1);
	*ret_warns = line.n >= sizeof(warning_begins) - 1 &&
	             memcmp(line.p, warning_begins,
			 sizeof(warning_begins) - 1) == 0;
	*ret_line = *ret_warns ? span_from(line, sizeof(warning_begins) - 1)
	                       : line;
	return true;
}

void
problems_tell(
    struct buf *problems, const char *where, const char *name, const char *text)
{
	if (buf_printf(problems, "%s \"%s\": %s\n", where, name, text) < 0)
		return;
}

void
problems_tell_lines(struct buf *problems, const char *where, const char *name,
    const struct buf *from)
{
	struct span rest = buf_span(from);
	struct span line;
	bool warns;

	while (take_line(&rest, &line, &warns))
		if (buf_printf(problems, "%s%s \"%s\": %.*s\n",
			warns ? warning_begins : "", where, name, (int)line.n,
			line.p) < 0)
			return;
}

const char *
problems_one_line(struct buf *problems)
{
	if (problems->n == 0)
		return "unknown";
	problems->p[problems->n - 1] = '\0';
	for (size_t i = 0; i + 1 < problems->n; i++)
		if (problems->p[i] == '\n')
			problems->p[i] = ';';
	return problems->p;
}

void
problems_log_warnings(const struct buf *problems)
{
	struct span rest = buf_span(problems);
	struct log_line out;
	struct span line;
	bool warns;

	while (take_line(&rest, &line, &warns)) {
		if (!warns)
			continue;
		log_begin(&out, LOG_LEVEL_WARN, "configuration-warning");
		log_span(&out, "reason", line);
		log_end(&out);
	}
}
