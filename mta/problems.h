/*
 * What is wrong with a configuration: text of whole lines, each one problem.
 * A line that begins with "warning: " is about what still works.  A full
 * buffer has said enough: what does not fit is left out.
 */
#pragma once
#include "base/buf.h"

/* The line: where "name": text */
void problems_tell(struct buf *problems, const char *where, const char *name,
    const char *text);

/* Each line of `from` with where it belongs in front; warnings stay so. */
void problems_tell_lines(struct buf *problems, const char *where,
    const char *name, const struct buf *from);

/* As one line, "first; second", which takes their place; "unknown": none. */
const char *problems_one_line(struct buf *problems);

/* The warnings alone, each a line of the log: event=configuration-warning. */
void problems_log_warnings(const struct buf *problems);
