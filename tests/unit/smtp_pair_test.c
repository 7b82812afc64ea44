/* Our client against our server: what goes in comes out. */
#include <string.h>

#include "base/buf.h"

#include "tests/support/smtp_play.h"
#include "tests/support/smtp_script.h"
#include "tests/support/test.h"

static const char *const messages[] = {
    "",
    "\r\n",
    ".\r\n",
    "..\r\n.\r\n...\r\n",
    "a: b\r\n\r\n.c\r\n.\r\nd.\r\n\r\n",
    "\r\n\r\n\r\n.\r\n",
    "x\r\nQUIT\r\nDATA\r\n.\r\n.QUIT\r\n",
    "x\r\nBDAT 3 LAST\r\n.\r\n\r\n",
    "\xc3\xa9t\xc3\xa9\r\n.\xff\x80\x01\r\n\xfe\r\n",
};

struct pair {
	struct play play;
	struct client *client;
	struct script script;
	size_t step;  /* octets that travel together */
	size_t piece; /* octets of a client_body() */
	size_t fed;
	unsigned sent;
	bool ended;
};

static void
feed_body(struct pair *pair)
{
	struct span rest = span_from(pair->script.message, pair->fed);
	struct span now = span_first(rest, pair->piece);

	pair->fed += now.n;
	client_body(pair->client, now, now.n == rest.n);
}

static void
on_event(struct pair *pair, enum client_event event)
{
	static const uint16_t which[] = {0, 1};

	switch (event) {
	case CLIENT_IDLE:
	case CLIENT_STARTTLS:
		return;
	case CLIENT_GREETED:
		client_proceed(pair->client);
		return;
	case CLIENT_READY:
		pair->fed = 0;
		if (pair->sent++ < pair->script.messages)
			client_send(pair->client, &pair->script.envelope, which,
			    2, pair->script.message.n, false);
		else
			client_quit(pair->client);
		return;
	case CLIENT_BODY:
		feed_body(pair);
		return;
	case CLIENT_DONE:
		for (size_t i = 0; i < 2; i++)
			assert_string_equal(
			    client_result(pair->client, i)->reply,
			    "250 2.0.0 Ok: queued as Q1");
		return;
	case CLIENT_FAILED:
		fail_msg("%s", client_error(pair->client)->text);
		return;
	case CLIENT_CLOSED:
		pair->ended = true;
		return;
	}
}

static void
run(struct pair *pair)
{
	while (!pair->ended) {
		struct span replies = buf_span(&pair->play.replies);
		struct span out;

		client_feed(pair->client, replies);
		buf_clear(&pair->play.replies);
		on_event(pair, client_next(pair->client));
		out = span_first(client_output(pair->client), pair->step);
		play_feed(&pair->play, out, 0);
		client_sent(pair->client, out.n);
	}
}

static void
pass(const char *message, size_t step, size_t piece, bool chunks)
{
	struct session_setup setup = play_setup();
	struct pair pair = {
	    .script = script_new(2), .step = step, .piece = piece};
	struct buf want;

	pair.script.setup.chunking = chunks;
	pair.script.message = span_of(message);
	pair.script.messages = 3;
	play_begin(&pair.play, &setup);
	pair.client = client_new(&pair.script.setup);
	run(&pair);
	buf_init(&want, 4096);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(buf_add_str(&want, message), 0);
		assert_int_equal(buf_add_str(&want, "|"), 0);
	}
	if (!span_eq(buf_span(&pair.play.messages), buf_span(&want)))
		fail_msg("step %zu, piece %zu, %s: %.*s", step, piece,
		    chunks ? "BDAT" : "DATA", (int)pair.play.messages.n,
		    pair.play.messages.p);
	assert_true(pair.play.closed);
	buf_free(&want);
	client_free(&pair.client);
	play_end(&pair.play);
}

static void
what_goes_in_comes_out(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 7, 4096};

	(void)state;
	for (size_t i = 0; i < ROWS(messages); i++)
		for (size_t j = 0; j < ROWS(sizes) * ROWS(sizes); j++)
			for (int chunks = 0; chunks < 2; chunks++)
				pass(messages[i], sizes[j / ROWS(sizes)],
				    sizes[j % ROWS(sizes)], chunks == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_goes_in_comes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
