#include "mta/smtp/scan.h"

#include <string.h>

#include "base/text.h"

#define FIELD       "received:"
#define FIELD_N     (sizeof(FIELD) - 1)
#define WAIVER      "tls-required:"
#define WAIVER_N    (sizeof(WAIVER) - 1)
#define FIELD_OTHER 0xff

static void
fault(struct scan *scan, enum scan_fault fault)
{
	if (fault > scan->fault)
		scan->fault = fault;
}

/* RFC 5321 6.3: each Received field of the header is a hop. */
static void
match_field(struct scan *scan, struct span line)
{
	for (size_t i = 0; i < line.n && scan->field < FIELD_N; i++) {
		if (text_lower(line.p[i]) != FIELD[scan->field]) {
			scan->field = FIELD_OTHER;
			return;
		}
		scan->field++;
	}
	if (scan->field != FIELD_N)
		return;
	scan->field = FIELD_OTHER;
	scan->hops++;
	if (scan->hops_max > 0 && scan->hops > scan->hops_max)
		fault(scan, SCAN_HOPS);
}

/*
 * RFC 8689 3: "TLS-Required:" [FWS] "No" CRLF.  What stands behind the name
 * is read over folded lines; anything else has no effect.
 */
static void
match_waiver_value(struct scan_waiver *waiver, struct span text)
{
	static const char no[] = "no";

	for (size_t i = 0; i < text.n; i++) {
		char c = text_lower(text.p[i]);
		bool blank = c == ' ' || c == '\t' || c == '\r';

		if (waiver->value < 2 && c == no[waiver->value])
			waiver->value++;
		else if (!blank || waiver->value == 1)
			waiver->value = FIELD_OTHER;
	}
}

static void
match_waiver(struct scan *scan, struct span line)
{
	struct scan_waiver *waiver = &scan->waiver;
	size_t i = 0;

	/* RFC 5322 2.2.3: a line that begins with a blank goes on. */
	if (scan->line == 0 && line.n > 0 && line.p[0] != ' ' &&
	    line.p[0] != '\t')
		waiver->name = 0;
	for (; i < line.n && waiver->name < WAIVER_N; i++) {
		bool same = text_lower(line.p[i]) == WAIVER[waiver->name];

		waiver->name = same ? waiver->name + 1 : FIELD_OTHER;
		if (waiver->name == WAIVER_N && waiver->fields < 2)
			waiver->fields++;
	}
	if (waiver->name == WAIVER_N)
		match_waiver_value(waiver, span_from(line, i));
}

bool
scan_waives_tls(const struct scan *scan)
{
	/* RFC 8689 3: more than one must not be there, and counts as none. */
	return scan->waiver.fields == 1 && scan->waiver.value == 2;
}

static void
end_line(struct scan *scan, bool crlf)
{
	/* RFC 5321 2.3.8: LF ends a line behind a CR only. */
	if (!crlf)
		fault(scan, SCAN_BARE_LF);
	else if (scan->line == 2)
		scan->place = SCAN_BODY;
	scan->line = 0;
	scan->field = 0;
	scan->middle = !crlf;
	scan->cr = false;
}

/* One line, or what is there of it; returns its octets. */
static size_t
scan_line(struct scan *scan, struct span bytes)
{
	const char *lf = memchr(bytes.p, '\n', bytes.n);
	size_t text = lf == NULL ? bytes.n : (size_t)(lf - bytes.p);
	size_t n = text + (lf == NULL ? 0 : 1);
	bool cr = scan->cr;

	if (scan->place == SCAN_HEADER && scan->field < FIELD_N)
		match_field(scan, span_first(bytes, text));
	if (scan->place == SCAN_HEADER &&
	    (scan->line == 0 || scan->waiver.name != FIELD_OTHER))
		match_waiver(scan, span_first(bytes, text));
	if (text > 0) {
		/* RFC 5321 2.3.8: CR is followed by LF. */
		if (cr || memchr(bytes.p, '\r', text - 1) != NULL)
			fault(scan, SCAN_BARE_CR);
		cr = bytes.p[text - 1] == '\r';
	}
	scan->line += n;
	/* RFC 5321 4.5.3.1.6 */
	if (scan->line_max > 0 && scan->line > scan->line_max)
		fault(scan, SCAN_LINE);
	scan->middle = true;
	scan->cr = cr;
	if (lf != NULL)
		end_line(scan, cr);
	return n;
}

static void
count_size(struct scan *scan, size_t n)
{
	scan->size += n;
	if (scan->size_max > 0 && scan->size > scan->size_max)
		fault(scan, SCAN_SIZE);
}

void
scan_bytes(struct scan *scan, struct span bytes)
{
	count_size(scan, bytes.n);
	while (bytes.n > 0)
		bytes = span_from(bytes, scan_line(scan, bytes));
}

/* RFC 5321 4.5.2: what a dot at the start of a line means. */
static struct scan_piece
judge_dot(const char *p, size_t n)
{
	if (n == 1 || (n == 2 && p[1] == '\r'))
		return (struct scan_piece){0};
	if (p[1] == '\r' && p[2] == '\n')
		return (struct scan_piece){.skip = 3, .found = SCAN_END};
	return (struct scan_piece){.skip = 1, .found = SCAN_DOT};
}

struct scan_piece
scan_data(struct scan *scan, struct span in)
{
	struct scan_piece piece = {0};
	size_t at = 0;

	while (at < in.n) {
		if (!scan->middle && in.p[at] == '.') {
			piece = judge_dot(in.p + at, in.n - at);
			scan->middle = piece.found == SCAN_DOT;
			break;
		}
		at += scan_line(scan, span_from(in, at));
	}
	piece.run = at;
	count_size(scan, at);
	return piece;
}

void
scan_finish(struct scan *scan)
{
	if (scan->cr)
		fault(scan, SCAN_BARE_CR);
}

const char *
scan_fault_name(enum scan_fault fault)
{
	switch (fault) {
	case SCAN_CLEAN:
		return "clean";
	case SCAN_HOPS:
		return "hops";
	case SCAN_LINE:
		return "line-length";
	case SCAN_SIZE:
		return "size";
	case SCAN_BARE_LF:
		return "bare-lf";
	case SCAN_BARE_CR:
		return "bare-cr";
	}
	return "unknown";
}
