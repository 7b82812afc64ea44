#include "mta/message/addresses.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define TEXT_MAX    512
#define COMMENT_MAX 64 /* how deep comments may nest */

struct reader {
	struct span rest;
	const char *origin;
	address_found *found;
	void *arg;
	char text[TEXT_MAX]; /* of the address so far */
	size_t n;
	bool joined; /* the next word goes on where the last one ended */
	bool words;  /* several words: a name, not an address */
	bool angle;  /* inside <> */
	bool done;   /* behind <> */
};

static int
fail(struct reader *reader, struct err *err, const char *why)
{
	char shown[80];

	text_escape(
	    (struct span){reader->text, reader->n}, shown, sizeof(shown));
	return err_set(err, ERR_PERM, "5.1.3", "\"%s\": %s", shown, why);
}

static void
begin(struct reader *reader)
{
	reader->n = 0;
	reader->joined = true;
	reader->words = false;
	reader->angle = false;
	reader->done = false;
}

static int
add(struct reader *reader, struct span run, struct err *err)
{
	if (reader->n + run.n >= sizeof(reader->text)) {
		if (reader->angle)
			return fail(reader, err, "too long");
		/* It can only be a name, and that is not kept. */
		reader->words = true;
		reader->n = 0;
		return 0;
	}
	memcpy(reader->text + reader->n, run.p, run.n);
	reader->n += run.n;
	return 0;
}

/* An atom, a quoted string or a literal. */
static int
add_word(struct reader *reader, struct span run, struct err *err)
{
	if (reader->done)
		return fail(reader, err, "text behind the address");
	if (!reader->joined && !reader->angle && reader->n > 0) {
		reader->words = true;
		reader->n = 0;
	}
	if (!reader->joined && reader->angle && reader->n > 0)
		return fail(reader, err, "a blank inside");
	reader->joined = false;
	return add(reader, run, err);
}

/* "." and "@": what is on both sides belongs together. */
static int
add_joint(struct reader *reader, struct span run, struct err *err)
{
	if (reader->done)
		return fail(reader, err, "text behind the address");
	reader->joined = true;
	return add(reader, run, err);
}

static int
tell(struct reader *reader, struct err *err)
{
	char full[2 * TEXT_MAX];
	bool local = memchr(reader->text, '@', reader->n) == NULL;

	if (reader->words && !reader->done)
		return fail(reader, err, "blanks, and no <address>");
	(void)snprintf(full, sizeof(full), "%.*s%s%s", (int)reader->n,
	    reader->text, local ? "@" : "", local ? reader->origin : "");
	return reader->found(reader->arg, full, err);
}

/* A comma, a semicolon or the end: an address is over, or nothing is. */
static int
end_address(struct reader *reader, struct err *err)
{
	int rc = 0;

	if (reader->angle)
		return fail(reader, err, "\">\" is missing");
	if (reader->n > 0 || reader->words)
		rc = tell(reader, err);
	begin(reader);
	return rc;
}

static int
open_angle(struct reader *reader, struct err *err)
{
	if (reader->angle || reader->done)
		return fail(reader, err, "\"<\" inside an address");
	begin(reader);
	reader->angle = true;
	return 0;
}

static int
close_angle(struct reader *reader, struct err *err)
{
	if (!reader->angle || reader->n == 0)
		return fail(reader, err, "\">\" without an address");
	reader->angle = false;
	reader->done = true;
	return 0;
}

/* A group's name is over, or (RFC 5322 4.4) a source route. */
static int
on_colon(struct reader *reader, struct err *err)
{
	bool angle = reader->angle;

	if (reader->done)
		return fail(reader, err, "\":\" behind an address");
	begin(reader);
	reader->angle = angle;
	return 0;
}

static int
on_special(struct reader *reader, char c, struct err *err)
{
	static const char joints[] = ".@";
	const char *joint = strchr(joints, c);

	if (joint != NULL)
		return add_joint(reader, (struct span){joint, 1}, err);
	switch (c) {
	case '<':
		return open_angle(reader, err);
	case '>':
		return close_angle(reader, err);
	case ':':
		return on_colon(reader, err);
	case ',':
		/* Between the hosts of a source route it means nothing. */
		return reader->angle ? 0 : end_address(reader, err);
	case ';':
		return end_address(reader, err);
	default:
		return fail(reader, err, "a character that must be quoted");
	}
}

/* How much of `s` a quoted string or literal takes; 0: it has no end. */
static size_t
quoted_length(struct span s, char end)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == end)
			return i + 1;
	}
	return 0;
}

/* The same for a comment: RFC 5322 3.2.2. */
static size_t
comment_length(struct span s)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s.n && depth <= COMMENT_MAX; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

static bool
is_special(char c)
{
	return strchr("()<>[]:;@\\,.\"", c) != NULL;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t
atom_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && !is_special(s.p[n]) && !is_blank(s.p[n]))
		n++;
	return n;
}

static int
read_quoted(struct reader *reader, char end, struct err *err)
{
	size_t n = quoted_length(reader->rest, end);
	struct span run = span_first(reader->rest, n);

	reader->rest = span_from(reader->rest, n);
	return n == 0 ? fail(reader, err, "a quote without its end")
	              : add_word(reader, run, err);
}

static int
read_comment(struct reader *reader, struct err *err)
{
	size_t n = comment_length(reader->rest);

	reader->rest = span_from(reader->rest, n);
	return n == 0 ? fail(reader, err, "a comment without its end") : 0;
}

static int
read_next(struct reader *reader, struct err *err)
{
	char c = reader->rest.p[0];
	struct span run;

	if (c == '"')
		return read_quoted(reader, '"', err);
	if (c == '[')
		return read_quoted(reader, ']', err);
	if (c == '(')
		return read_comment(reader, err);
	if (is_blank(c) || is_special(c)) {
		reader->rest = span_from(reader->rest, 1);
		return is_blank(c) ? 0 : on_special(reader, c, err);
	}
	run = span_first(reader->rest, atom_length(reader->rest));
	reader->rest = span_from(reader->rest, run.n);
	return add_word(reader, run, err);
}

int
addresses_read(struct span text, const char *origin, address_found *found,
    void *arg, struct err *err)
{
	struct reader reader = {
	    .rest = text, .origin = origin, .found = found, .arg = arg};

	begin(&reader);
	/* What we hand out ends with one. */
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		return fail(&reader, err, "a NUL among the addresses");
	while (reader.rest.n > 0)
		if (read_next(&reader, err) < 0)
			return -1;
	return end_address(&reader, err);
}
