/*
 * Pieces parted by 0x00: the original, a reply, HELO name, ENVID, ORCPT,
 * recipient, sender, remote host, status.  The first octet chooses the rest.
 */
#include "mta/message/dsn.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "mta/message/encode.h"

#define PIECES 9

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The report's own lines: the original's are its own business. */
static void
check_lines(struct span report)
{
	size_t column = 0;

	for (size_t i = 0; i < report.n; i++) {
		char c = report.p[i];

		if (c == '\r') {
			assert(i + 1 < report.n && report.p[i + 1] == '\n');
			column = 0;
			i++;
			continue;
		}
		assert(c != '\n' && c != '\0' && ++column <= 998);
	}
}

static void
build(struct dsn *dsn, bool with_original)
{
	struct dsn_needs needs;
	struct err err;
	struct buf out;
	int result;

	if (!with_original)
		dsn->original = (struct span){0};
	buf_init(&out, 65536 + 2 * dsn->original.n);
	result = dsn_build(dsn, &out, &needs, &err);
	assert(result == 0);
	assert(needs.eight_bit || text_is_ascii(buf_span(&out)));
	if (!with_original)
		check_lines(buf_span(&out));
	buf_free(&out);
}

static void
build_from(uint8_t choice, const char *const piece[PIECES], size_t noriginal)
{
	struct envelope envelope = {.sender = piece[6],
	    .envid = piece[3],
	    .helo = piece[2],
	    .client = piece[2],
	    .smtputf8 = (choice & 1) != 0,
	    .arrived = 900000};
	struct envelope_rcpt rcpt = {.address = piece[5], .orcpt = piece[4]};
	struct dsn_rcpt result = {.rcpt = &rcpt,
	    .action = (enum dsn_action)(choice >> 1 & 3),
	    .status = piece[8],
	    .remote_mta = piece[7],
	    .diagnostic = span_of(piece[1]),
	    .last_attempt = choice & 8 ? 950000 : 0,
	    .retry_until = choice & 16 ? 990000 : 0};
	struct dsn dsn = {.envelope = &envelope,
	    .hostname = "mx1.example.org",
	    .id = "id",
	    .queue_id = "q",
	    .boundary = "b",
	    .now = 1000000,
	    .rcpts = &result,
	    .nrcpts = 1,
	    .original = {piece[0], noriginal},
	    .whole = (choice & 32) != 0};

	build(&dsn, true);
	build(&dsn, false);
}

static void
code(const char *text)
{
	struct buf once;
	struct buf twice;

	buf_init(&once, 1 << 20);
	buf_init(&twice, 1 << 20);
	if (xtext_decode(span_of(text), &once) == 0)
		assert(once.n <= strlen(text));
	buf_clear(&once);
	if (unitext_encode(span_of(text), &once) == 0) {
		int result = unitext_decode(buf_span(&once), &twice);

		assert(result == 0);
		assert(span_eq(buf_span(&twice), span_of(text)));
	}
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[65536 + 1];
	const char *piece[PIECES];
	char *at = text;

	if (size < 1 || size > 65536)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	for (size_t i = 0; i < PIECES; i++) {
		piece[i] = at;
		at += strlen(at);
		if (at < text + size - 1)
			at++;
		/* RFC 5321 4.5.3.1.3: an envelope has no longer ones */
		if (i >= 2 && strlen(piece[i]) > 500)
			return 0;
		if (i >= 5 && strlen(piece[i]) > ENVELOPE_ADDRESS_MAX)
			return 0;
	}
	build_from(data[0], piece, strlen(piece[0]));
	code(piece[0]);
	return 0;
}
