/*
 * A filter of any kind: the first octet chooses what it is asked, the rest is
 * what it says, in pieces.
 */
#include "mta/milter/milter.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct span message = {
    "From: a\r\nTo: b\r\n c\r\n\r\nbody\r\n", 29};

struct run {
	struct milter *milter;
	struct milter_header header;
	struct milter_changes changes;
	unsigned question;
	bool body_said;
};

static void
ask(struct run *run)
{
	const struct milter_mail mail = {
	    "me.example", "a@b.c", "SIZE=9", "TLSv1.3", "X"};
	const struct err refused = {ERR_PERM, "5.1.1", "unknown"};

	switch (run->question++ % 5) {
	case 0:
		milter_ask_mail(run->milter, &mail);
		return;
	case 1:
		milter_ask_rcpt(run->milter, "d@e.f", "", NULL);
		return;
	case 2:
		milter_ask_rcpt(run->milter, "d@e.f", "", &refused);
		return;
	case 3:
		milter_ask_data(run->milter, "id");
		return;
	default:
		run->body_said = false;
		milter_ask_message(run->milter, &run->header, &run->changes);
	}
}

/* CR and LF together, no empty line, no NUL: it is still one header section. */
static void
check(struct run *run)
{
	struct milter_header header;
	struct buf out;

	milter_header_copy(&run->header, &header);
	buf_init(&out, 4 << 20);
	if (milter_changes_apply(&run->changes, &header) == 0 &&
	    milter_header_write(&header, true, &out) == 0) {
		assert(out.n >= 4 &&
		       memcmp(out.p + out.n - 4, "\r\n\r\n", 4) == 0);
		assert(memmem(out.p, out.n - 1, "\r\n\r\n", 4) == NULL);
		assert(memchr(out.p, '\0', out.n) == NULL);
		for (size_t i = 1; i < out.n; i++)
			assert((out.p[i] == '\n') == (out.p[i - 1] == '\r'));
	}
	buf_free(&out);
	milter_header_free(&header);
}

static bool
drive(struct run *run)
{
	for (unsigned i = 0; i < 10000; i++) {
		struct span out;
		enum milter_event event = milter_next(run->milter);

		out = milter_output(run->milter);
		milter_sent(run->milter, out.n);
		switch (event) {
		case MILTER_IDLE:
			return true;
		case MILTER_ALIVE:
			break;
		case MILTER_WANTS_BODY:
			milter_body(run->milter, run->body_said
						     ? (struct span){0}
						     : SPAN("body\r\n"));
			run->body_said = true;
			break;
		case MILTER_NEW_BODY:
			(void)milter_piece(run->milter);
			break;
		case MILTER_ANSWERED:
			assert(milter_answer(run->milter)->verdict !=
			       MILTER_NO_VERDICT);
			ask(run);
			break;
		case MILTER_BROKEN:
			assert(milter_error(run->milter)->text[0] != '\0');
			return false;
		}
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct milter_setup setup = {"mx.example", "192.0.2.1", 4025};
	struct arena *arena;
	struct run run = {0};
	struct span in;
	size_t body, step;

	if (size == 0)
		return 0;
	arena = arena_new(1 << 20);
	run.milter = milter_new(&setup);
	milter_changes_init(&run.changes, arena);
	assert(milter_header_read(&run.header, arena, SPAN("Received: us\r\n"),
		   message, &body) == 0);
	step = 1 + data[0] % 64;
	in = (struct span){(const char *)data + 1, size - 1};
	ask(&run);
	while (drive(&run) && in.n > 0) {
		milter_feed(run.milter, span_first(in, step));
		in = span_from(in, step);
	}
	check(&run);
	milter_changes_free(&run.changes);
	milter_header_free(&run.header);
	milter_free(&run.milter);
	arena_free(&arena);
	return 0;
}
