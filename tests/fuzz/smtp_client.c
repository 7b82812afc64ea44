/*
 * A server of any kind against the client session.
 *
 * The first eight octets choose what is sent and how; the rest is what the
 * server says, cut in pieces.  Then the connection is lost.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "mta/smtp/client.h"

#define RCPTS  4
#define SENDS  3
#define ROUNDS 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum choice {
	CHOICE_LMTP = 1,
	CHOICE_CHUNKING = 2,
	CHOICE_TLS = 4,
	CHOICE_8BIT = 8,
	CHOICE_UTF8 = 16,
	CHOICE_UNSOUND = 32,
	CHOICE_BIG = 64,
};

struct run {
	struct client *client;
	unsigned flags;
	uint64_t choices;
	struct envelope envelope;
	size_t n;      /* recipients of the transaction */
	size_t fed;    /* octets of the message */
	unsigned sent; /* transactions begun */
	bool open;
	bool ended; /* the last octet was fed */
	bool over;
	char last; /* octet put out */
};

static const char sound[] = "a: b\r\n\r\n.\r\n..x\r\ny\r\n";
static const char unsound[] = "a: b\r\n\r\n.\r\n..x\ny\r\n";

static uint64_t
choose(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* CR and LF stand together, or not at all. */
static void
take_output(struct run *run)
{
	struct span out = client_output(run->client);

	assert(out.n <= 1u << 20);
	for (size_t i = 0; i < out.n; i++) {
		assert((out.p[i] == '\n') == (run->last == '\r'));
		run->last = out.p[i];
	}
	client_sent(run->client, out.n);
}

static void
begin_message(struct run *run)
{
	static const uint16_t which[RCPTS] = {2, 0, 1, 3};

	if (run->sent++ == SENDS) {
		client_quit(run->client);
		return;
	}
	assert(!run->open);
	run->open = true;
	run->ended = false;
	run->fed = 0;
	run->n = choose(&run->choices) % (RCPTS + 1);
	client_send(run->client, &run->envelope, which, run->n,
	    (run->flags & CHOICE_BIG) != 0 ? 100000 : sizeof(sound) - 1,
	    (run->flags & CHOICE_8BIT) != 0);
}

static void
feed_body(struct run *run)
{
	bool bad = (run->flags & CHOICE_UNSOUND) != 0;
	struct span rest = span_from(span_of(bad ? unsound : sound), run->fed);
	struct span now = span_first(rest, choose(&run->choices) % 9);

	assert(run->open && !run->ended);
	run->fed += now.n;
	run->ended = now.n == rest.n;
	client_body(run->client, now, run->ended);
}

static void
check_results(struct run *run)
{
	assert(run->open);
	run->open = false;
	for (size_t i = 0; i < run->n; i++) {
		const struct client_result *result = client_result(
		    run->client, i);

		/* Nobody has the message before its end is out. */
		assert(result->err.kind != ERR_NONE ||
		       (run->ended && result->reply[0] == '2'));
		assert(result->err.kind == ERR_NONE ||
		       result->err.enhanced[0] != '\0');
		assert(result->err.kind != ERR_BUG);
	}
}

/* True to be called again. */
static bool
on_event(struct run *run, enum client_event event)
{
	switch (event) {
	case CLIENT_IDLE:
		return false;
	case CLIENT_GREETED:
		assert(run->sent == 0);
		if ((client_offers(run->client) & OFFER_STARTTLS) != 0 &&
		    (run->flags & CHOICE_TLS) != 0)
			client_starttls(run->client);
		else
			client_proceed(run->client);
		return true;
	case CLIENT_STARTTLS:
		take_output(run);
		client_tls_done(run->client);
		return true;
	case CLIENT_READY:
		begin_message(run);
		return true;
	case CLIENT_BODY:
		feed_body(run);
		return true;
	case CLIENT_DONE:
		check_results(run);
		return true;
	case CLIENT_FAILED:
		assert(client_error(run->client)->kind != ERR_NONE);
		run->over = true;
		return false;
	case CLIENT_CLOSED:
		run->over = true;
		return false;
	}
	return false;
}

static void
drive(struct run *run)
{
	unsigned rounds = 0;
	enum client_event event;

	do {
		event = client_next(run->client);
		take_output(run);
		assert(rounds++ < ROUNDS);
		assert(!run->over || event == CLIENT_FAILED ||
		       event == CLIENT_CLOSED);
	} while (on_event(run, event));
	(void)client_wait_name(client_waiting(run->client));
}

static void
begin(struct run *run, uint64_t choices)
{
	static struct envelope_rcpt rcpts[RCPTS] = {
	    {"a@b.org", "rfc822;a@b.org", NOTIFY_DELAY},
	    {"c@d.org", "", NOTIFY_NEVER},
	    {"e@f.org", "", 0},
	    {"\"g h\"@i.org", "", 0},
	};
	struct client_setup setup = {
	    .helo = "me.example",
	    .lmtp = (choices & CHOICE_LMTP) != 0,
	    .chunking = (choices & CHOICE_CHUNKING) != 0,
	};

	*run = (struct run){
	    .client = client_new(&setup),
	    .flags = (unsigned)choices & 0xff,
	    .choices = choices,
	    .envelope = {.sender = "s@t.org",
		.envid = "QQ",
		.helo = "",
		.client = "",
		.session = "",
		.body = (choices & CHOICE_8BIT) != 0 ? BODY_8BITMIME
	                                             : BODY_DEFAULT,
		.smtputf8 = (choices & CHOICE_UTF8) != 0,
		.rcpts = rcpts,
		.nrcpts = RCPTS},
	};
	drive(run);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run;
	uint64_t choices = 0;
	struct span in;
	struct err err;

	if (size < sizeof(choices))
		return 0;
	memcpy(&choices, data, sizeof(choices));
	in = (struct span){(const char *)data + 8, size - 8};
	begin(&run, choices);
	while (in.n > 0 && !run.over) {
		size_t n = 1 + choose(&choices) % 60;

		client_feed(run.client, span_first(in, n));
		drive(&run);
		in = span_from(in, n);
	}
	(void)err_set(&err, ERR_TEMP, "4.4.2", "lost");
	client_broken(run.client, &err);
	drive(&run);
	assert(run.over && !run.open);
	client_free(&run.client);
	return 0;
}
