#include "mta/message/lines.h"

static int
end_line(struct lines *lines, struct buf *out)
{
	bool dot = lines->place == LINES_DOT;

	lines->cr = false;
	if (dot && lines->dot_ends) {
		lines->place = LINES_ENDED;
		return 0;
	}
	lines->place = LINES_START;
	return buf_add(out, dot ? SPAN(".\r\n") : SPAN("\r\n"));
}

/* What was kept back turns out to be in the middle of a line. */
static int
put_kept(struct lines *lines, struct buf *out)
{
	bool dot = lines->place == LINES_DOT, cr = lines->cr;

	lines->place = LINES_INSIDE;
	lines->cr = false;
	if (dot && buf_add(out, SPAN(".")) < 0)
		return -1;
	return cr ? buf_add(out, SPAN(" ")) : 0;
}

static int
put_octet(struct lines *lines, const char *at, struct buf *out)
{
	if (*at == '\n')
		return end_line(lines, out);
	if (*at == '.' && lines->place == LINES_START && !lines->cr) {
		lines->place = LINES_DOT;
		return 0;
	}
	/* A CR waits for its LF, where it is. */
	if ((*at != '\r' || lines->cr) && put_kept(lines, out) < 0)
		return -1;
	lines->cr = *at == '\r';
	if (lines->cr)
		return 0;
	lines->eight_bit |= (unsigned char)*at > 127;
	return buf_add(out, (struct span){at, 1});
}

/* The run in front that nothing needs to be done about. */
static size_t
plain_run(struct lines *lines, struct span in)
{
	size_t n = 0;
	unsigned char seen = 0;

	if (lines->place != LINES_INSIDE || lines->cr)
		return 0;
	while (n < in.n && in.p[n] != '\n' && in.p[n] != '\r')
		seen |= (unsigned char)in.p[n++];
	lines->eight_bit |= seen > 127;
	return n;
}

int
lines_feed(struct lines *lines, struct span in, struct buf *out)
{
	while (in.n > 0 && lines->place != LINES_ENDED) {
		size_t n = plain_run(lines, in);
		int rc = n > 0 ? buf_add(out, span_first(in, n))
		               : put_octet(lines, in.p, out);

		if (rc < 0)
			return -1;
		in = span_from(in, n > 0 ? n : 1);
	}
	return 0;
}

int
lines_finish(struct lines *lines, struct buf *out)
{
	if (lines->place == LINES_ENDED ||
	    (lines->place == LINES_START && !lines->cr))
		return 0;
	return end_line(lines, out);
}
