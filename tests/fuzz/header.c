/*
 * A message's header section and what filters change of it.
 *
 * The first record is the message, each other one what a filter sends.  What
 * nobody changes stays octet for octet; and whatever was changed, written and
 * read again it has the same fields: none was smuggled in, none was lost, and
 * our own trace field is there once, as it was.
 */
#include "mta/milter/header.h"

#include <assert.h>
#include <string.h>

#include "mta/milter/changes.h"
#include "mta/milter/wire.h"

#include "tests/fuzz/records.h"

#define RECORDS 16
#define LIMIT   ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OWN SPAN("Received: us\r\n\tby us\r\n")

/* As a session hands it out: CR and LF together. */
static void
put_lines(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\r')
			continue;
		assert(buf_add(out,
			   c == '\n' ? SPAN("\r\n")
				     : span_first(span_from(text, i), 1)) == 0);
	}
}

static void
check_untouched(
    const struct milter_header *header, struct span message, size_t body)
{
	struct buf out;

	buf_init(&out, LIMIT);
	assert(milter_header_write(header, true, &out) == 0);
	assert(buf_add(&out, span_from(message, body)) == 0);
	/* A last line gets the line end that a session sees to. */
	if (message.n == 0 || message.p[message.n - 1] == '\n') {
		assert(out.n == OWN.n + message.n);
		assert(memcmp(out.p, OWN.p, OWN.n) == 0);
		assert(message.n == 0 ||
		       memcmp(out.p + OWN.n, message.p, message.n) == 0);
	}
	buf_free(&out);
}

static void
check_again(const struct milter_header *header, struct arena *arena)
{
	struct milter_header again;
	struct buf out;
	size_t body = 0, ours = 0;

	buf_init(&out, LIMIT);
	assert(milter_header_write(header, true, &out) == 0);
	for (size_t i = 1; i < out.n; i++)
		assert((out.p[i] == '\n') == (out.p[i - 1] == '\r'));
	assert(milter_header_read(&again, arena, SPAN("X: y\r\n"),
		   buf_span(&out), &body) == 0);
	assert(body == out.n && again.n == header->n + 1);
	for (size_t i = 0; i < header->n; i++) {
		assert(span_eq(again.list[i + 1].text, header->list[i].text));
		assert(again.list[i + 1].name == header->list[i].name);
		ours += milter_header_is_own(header, i);
	}
	assert(ours == 1);
	milter_header_free(&again);
	buf_free(&out);
}

/* A packet is its length and what is in the record. */
static void
take_change(struct milter_changes *changes, struct span record)
{
	char octets[4] = {0, 0, (char)(record.n >> 8), (char)(record.n & 0xff)};
	struct milter_reply reply;
	struct buf packet;
	struct err err;
	size_t used;

	buf_init(&packet, LIMIT);
	assert(buf_add(&packet, (struct span){octets, 4}) == 0);
	assert(buf_add(&packet, record) == 0);
	if (milter_take(buf_span(&packet), &reply, &used, &err) == 1)
		(void)milter_changes_take(changes, &reply);
	buf_free(&packet);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span records[RECORDS];
	size_t n = take_records(data, size, records, RECORDS), body = 0;
	struct arena *arena;
	struct milter_header header;
	struct milter_changes changes;
	struct buf message;

	if (n == 0)
		return 0;
	arena = arena_new(1 << 20);
	buf_init(&message, LIMIT);
	put_lines(&message, records[0]);
	milter_changes_init(&changes, arena);
	if (milter_header_read(
		&header, arena, OWN, buf_span(&message), &body) == 0) {
		check_untouched(&header, buf_span(&message), body);
		changes.spaced = (size & 1) != 0;
		for (size_t i = 1; i < n; i++)
			take_change(&changes, records[i]);
		if (milter_changes_apply(&changes, &header) == 0)
			check_again(&header, arena);
	}
	milter_changes_free(&changes);
	milter_header_free(&header);
	buf_free(&message);
	arena_free(&arena);
	return 0;
}
