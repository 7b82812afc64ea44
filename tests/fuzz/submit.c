/* A message as a program writes it: line ends, header and body apart, header
 * completed.  In pieces it must come out as in one. */
#include "mta/message/submit.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "mta/message/lines.h"
#include "mta/smtp/scan.h"

#define PIECE 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
on_address(void *arg, const char *address, struct err *err)
{
	(void)arg;
	(void)err;
	assert(strchr(address, '@') != NULL);
	return 0;
}

static void
convert(struct span text, size_t piece, bool dots, struct buf *out)
{
	struct lines lines = {.dot_ends = dots};
	int rc = 0;

	for (size_t at = 0; at < text.n && rc == 0; at += piece)
		rc = lines_feed(
		    &lines, span_first(span_from(text, at), piece), out);
	if (rc == 0)
		rc = lines_finish(&lines, out);
	assert(rc == 0);
}

static void
check_lines(struct span text)
{
	struct scan scan = {0};

	scan_bytes(&scan, text);
	scan_finish(&scan);
	assert(scan.fault == SCAN_CLEAN);
	assert(text.n == 0 || text.p[text.n - 1] == '\n');
}

static void
complete(struct span text)
{
	struct submit submit = {.hostname = "here.example",
	    .from = "a@here.example",
	    .name = "\xc3\xa4\"",
	    .id = "1",
	    .found = on_address};
	struct submit_parts parts;
	struct buf out;
	struct err err;

	assert(submit_split(text, true, &parts));
	assert(parts.skip + parts.head <= parts.body && parts.body <= text.n);
	buf_init(&out, 2 * text.n + 4096);
	if (submit_header(span_first(span_from(text, parts.skip), parts.head),
		&submit, &out, &err) == 0)
		check_lines(buf_span(&out));
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool dots = size > 0 && (data[0] & 1) != 0;
	struct span text = {(const char *)data, size};
	struct buf whole, pieces;

	buf_init(&whole, 2 * size + 4);
	buf_init(&pieces, 2 * size + 4);
	convert(text, size + 1, dots, &whole);
	convert(text, PIECE, dots, &pieces);
	assert(span_eq(buf_span(&whole), buf_span(&pieces)));
	check_lines(buf_span(&whole));
	complete(buf_span(&whole));
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
