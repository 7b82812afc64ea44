/*
 * One line an event, logfmt or JSON, to stderr or syslog.
 *
 *     struct log_line line;
 *     log_begin(&line, LOG_LEVEL_INFO, "delivery");
 *     log_str(&line, "id", id);
 *     log_u64(&line, "ms", ms);
 *     log_end(&line);
 *
 * A line is one write(2).  Values are quoted and escaped where they need it;
 * NULL prints as "-".  A line that would pass LOG_LINE_MAX loses its last
 * values, never its end.  Only mta/ logs; other folders return struct err.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define LOG_LINE_MAX 3072

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

struct log_line {
	char text[LOG_LINE_MAX];
	size_t n;
	enum log_level level;
	bool skip;   /* below the level asked for */
	bool syslog; /* it goes there, and not to stderr */
};

/*
 * Process-wide; call once before the first line.  `role` is on every line.
 * While nobody listens to syslog(3) lines go to stderr, and one more tells so.
 */
void log_setup(const char *role, enum log_level level, bool json, bool syslog);

/* Would syslog(3) be heard?  If not, errno is set. */
bool log_syslog_listens(void);

/* errno stays what it is: the line may be about to tell of it. */
void log_begin(struct log_line *line, enum log_level level, const char *event);
void log_str(struct log_line *line, const char *key, const char *value);
void log_span(struct log_line *line, const char *key, struct span value);
void log_u64(struct log_line *line, const char *key, uint64_t value);
void log_i64(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);

/* A line of an event alone, and why: NULL when there is nothing to say. */
void log_event(enum log_level level, const char *event, const char *reason);

const char *log_level_name(enum log_level level);
