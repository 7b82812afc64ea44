#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <paths.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

/* Set once at start, but for `away`; the only mutable state of the folder. */
static struct {
	const char *role;
	enum log_level level;
	bool json;
	bool syslog;
	bool away; /* it is told that syslog does not listen */
} sink = {.role = "-", .level = LOG_LEVEL_INFO};

const char *
log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARN:
		return "warn";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "unknown";
}

static int
syslog_priority(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return LOG_ERR;
	case LOG_LEVEL_WARN:
		return LOG_WARNING;
	case LOG_LEVEL_INFO:
		return LOG_INFO;
	case LOG_LEVEL_DEBUG:
		return LOG_DEBUG;
	}
	return LOG_ERR;
}

void
log_setup(const char *role, enum log_level level, bool json, bool to_syslog)
{
	sink.role = role;
	sink.level = level;
	sink.json = json;
	sink.syslog = to_syslog;
	if (to_syslog)
		openlog("danelaw", LOG_PID | LOG_NDELAY, LOG_MAIL);
}

bool
log_syslog_listens(void)
{
	struct sockaddr_un address = {
	    .sun_family = AF_UNIX, .sun_path = _PATH_LOG};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int number = 0;

	/* Then we cannot know. */
	if (fd < 0)
		return true;
	/* EPROTOTYPE: an old one listens for streams. */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
	    errno != EPROTOTYPE)
		number = errno;
	(void)close(fd);
	errno = number;
	return number == 0;
}

static void
tell_away(int number)
{
	char why[160];

	(void)snprintf(why, sizeof(why),
	    "nobody listens at " _PATH_LOG ": %s; the log goes to standard "
	    "error meanwhile",
	    strerrordesc_np(number));
	log_event(LOG_LEVEL_WARN, "syslog-away", why);
}

/*
 * syslog(3) does not say that nobody has heard a line: so we ask before.  The
 * line may be about to tell of errno.
 */
static bool
goes_to_syslog(void)
{
	bool was_away = sink.away;
	int saved = errno;

	if (!sink.syslog)
		return false;
	sink.away = !log_syslog_listens();
	if (sink.away && !was_away)
		tell_away(errno);
	else if (was_away && !sink.away)
		log_event(LOG_LEVEL_INFO, "syslog-back", NULL);
	errno = saved;
	return !sink.away;
}

/* Room for the end of the line is always kept. */
static bool
put(struct log_line *line, struct span s)
{
	if (line->n + s.n > sizeof(line->text) - 4)
		return false;
	memcpy(line->text + line->n, s.p, s.n);
	line->n += s.n;
	return true;
}

static bool
needs_quotes(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 127 || s.p[i] == '"' ||
		    s.p[i] == '=' || s.p[i] == '\\')
			return true;
	return s.n == 0;
}

#define QUOTED_SIZE 13 /* of two surrogates, and a NUL */

/* One byte as JSON and logfmt both understand it. */
static size_t
quote_byte(char c, char out[QUOTED_SIZE])
{
	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = c;
		return 2;
	}
	if (c >= ' ' && c < 127) {
		out[0] = c;
		return 1;
	}
	return (size_t)snprintf(
	    out, QUOTED_SIZE, "\\u%04x", (unsigned)(unsigned char)c);
}

/* One character of UTF-8 that is well-formed; *ret: its octets. */
static size_t
quote_character(struct span s, size_t *ret, char out[QUOTED_SIZE])
{
	unsigned char first = (unsigned char)s.p[0];
	uint32_t code = first;

	*ret = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (*ret == 1)
		return quote_byte(s.p[0], out);
	code &= 0x7fu >> *ret;
	for (size_t i = 1; i < *ret; i++)
		code = code << 6 | ((unsigned char)s.p[i] & 0x3fu);
	if (code < 0x10000)
		return (size_t)snprintf(out, QUOTED_SIZE, "\\u%04x", code);
	code -= 0x10000; /* RFC 8259 7 */
	return (size_t)snprintf(out, QUOTED_SIZE, "\\u%04x\\u%04x",
	    0xd800 | code >> 10, 0xdc00 | (code & 0x3ff));
}

static bool
put_quoted(struct log_line *line, struct span s)
{
	bool ok = put(line, SPAN("\"")), utf8 = text_is_utf8(s);
	size_t taken = 1;

	for (size_t i = 0; ok && i < s.n; i += taken) {
		char out[QUOTED_SIZE];
		size_t n = utf8 ? quote_character(span_from(s, i), &taken, out)
		                : quote_byte(s.p[i], out);

		ok = put(line, (struct span){out, n});
	}
	return ok && put(line, SPAN("\""));
}

static bool
put_key(struct log_line *line, const char *key)
{
	if (!sink.json)
		return (line->n == 0 || put(line, SPAN(" "))) &&
		       put(line, span_of(key)) && put(line, SPAN("="));
	return put(line, line->n == 0 ? SPAN("{\"") : SPAN(",\"")) &&
	       put(line, span_of(key)) && put(line, SPAN("\":"));
}

static void
put_pair(struct log_line *line, const char *key, struct span value, bool bare)
{
	size_t before = line->n;
	bool ok;

	if (line->skip)
		return;
	ok = put_key(line, key);
	if (ok && (bare || (!sink.json && !needs_quotes(value))))
		ok = put(line, value);
	else if (ok)
		ok = put_quoted(line, value);
	if (!ok)
		line->n = before;
}

void
log_begin(struct log_line *line, enum log_level level, const char *event)
{
	char stamp[CLOCK_RFC3339_SIZE];

	line->n = 0;
	line->level = level;
	line->skip = level > sink.level;
	if (line->skip)
		return;
	line->syslog = goes_to_syslog();
	if (!line->syslog) {
		clock_rfc3339(clock_wall_us(), stamp);
		log_str(line, "time", stamp);
	}
	log_str(line, "level", log_level_name(level));
	log_str(line, "role", sink.role);
	log_str(line, "event", event);
}

void
log_str(struct log_line *line, const char *key, const char *value)
{
	log_span(line, key, value == NULL ? SPAN("-") : span_of(value));
}

void
log_span(struct log_line *line, const char *key, struct span value)
{
	put_pair(line, key, value, false);
}

void
log_u64(struct log_line *line, const char *key, uint64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, value);

	put_pair(line, key, (struct span){text, (size_t)n}, true);
}

void
log_i64(struct log_line *line, const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);

	put_pair(line, key, (struct span){text, (size_t)n}, true);
}

void
log_end(struct log_line *line)
{
	if (line->skip)
		return;
	if (sink.json)
		line->text[line->n++] = '}';
	if (line->syslog) {
		syslog(syslog_priority(line->level), "%.*s", (int)line->n,
		    line->text);
		return;
	}
	line->text[line->n++] = '\n';
	if (write(STDERR_FILENO, line->text, line->n) < 0)
		return; /* nobody reads the log: the mail goes on */
}

void
log_event(enum log_level level, const char *event, const char *reason)
{
	struct log_line line;

	log_begin(&line, level, event);
	if (reason != NULL)
		log_str(&line, "reason", reason);
	log_end(&line);
}
