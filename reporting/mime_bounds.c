#include "reporting/mime_bounds.h"

#include "base/span.h"
#include "base/text.h"

struct tally {
	size_t lines;  /* of headers */
	size_t octets; /* of headers */
	size_t boundaries;
	bool in_header;
	bool in_type; /* in a Content-Type, which may be folded */
	bool message; /* the part is a message, by what its header says */
	bool digest;  /* RFC 2046 5.1.5: any part may be one, unsaid */
};

static bool
has_word(struct span line, struct span word)
{
	for (size_t i = 0; i + word.n <= line.n; i++)
		if (span_starts_nocase(span_from(line, i), word))
			return true;
	return false;
}

static void
tame_header(char *p, size_t n)
{
	bool utf8 = text_is_utf8((struct span){p, n});

	for (size_t i = 0; i < n; i++) {
		bool encoded = p[i] == '?' && i > 0 && p[i - 1] == '=';

		if (p[i] == '*' || encoded)
			p[i] = '_';
		else if (!utf8 && (unsigned char)p[i] >= 0x80)
			p[i] = '?';
	}
}

static void
look_at_type(struct tally *tally, struct span line)
{
	bool folded = line.n > 0 && (*line.p == ' ' || *line.p == '\t');

	if (!folded)
		tally->in_type = span_starts_nocase(line, SPAN("Content-Type"));
	if (!tally->in_type)
		return;
	tally->message |= has_word(line, SPAN("message"));
	tally->digest |= has_word(line, SPAN("digest"));
}

static void
tame_line(struct tally *tally, char *p, size_t n)
{
	struct span line = {p, n};
	bool empty = n == 0 || (n == 1 && *p == '\r');

	if (n >= 2 && p[0] == '-' && p[1] == '-') {
		tally->boundaries++;
		tally->in_header = true;
		tally->message = false;
		return;
	}
	if (!tally->in_header)
		return;
	tally->lines++;
	tally->octets += n;
	if (empty) {
		tally->in_header = tally->message || tally->digest;
		tally->message = false;
		return;
	}
	look_at_type(tally, line);
	tame_header(p, n);
}

static int
judge(const struct tally *tally, struct err *err)
{
	const char *what = NULL;

	if (tally->lines > MIME_LINES_MAX)
		what = "lines in headers";
	else if (tally->octets > MIME_OCTETS_MAX)
		what = "octets in headers";
	else if (tally->boundaries > MIME_BOUNDARIES_MAX)
		what = "lines like boundaries";
	if (what == NULL)
		return 0;
	return err_set(
	    err, ERR_PERM, "5.3.4", "the mail has too many %s", what);
}

int
mime_tame(char *mail, size_t n, struct err *err)
{
	struct tally tally = {.in_header = true};
	size_t from = 0;

	while (from < n) {
		char *end = memchr(mail + from, '\n', n - from);
		size_t to = end == NULL ? n : (size_t)(end - mail);

		tame_line(&tally, mail + from, to - from);
		from = to + 1;
	}
	return judge(&tally, err);
}
