/*
 * A server that knows SMTP against the client session.
 *
 * The input is steps (steps.h): each answers the oldest command that waits,
 * well or badly, alone or together with the next ones, whole or in pieces; or
 * it is what no server should do, or the connection's end.  server_notion.c
 * hears the client and asserts what a client must not do: commands out of
 * order, pipelined or with parameters where that was not offered, a recipient
 * said twice, a message that ends twice.  Here is asserted what the owner is
 * told: a recipient has the message only when the server took it and said so
 * behind the whole of it, and then always; who may have it stays in doubt; a
 * client never waits for nothing; and its memory is bounded.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "mta/smtp/client.h"

#include "tests/fuzz/server_notion.h"
#include "tests/fuzz/steps.h"

#define SENDS     4u
#define STEPS_MAX 96u
#define HEAP_MAX  ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum choice {
	CHOICE_LMTP = 1,
	CHOICE_CHUNKING = 2,
	CHOICE_TLS = 4,
	CHOICE_8BIT = 8,
	CHOICE_BIG = 16,
	CHOICE_UTF8 = 32,
};

struct run {
	struct client *client;
	struct server server;
	struct envelope envelope;
	unsigned flags;
	uint64_t chance;
	struct buf speech; /* replies not fed yet */
	size_t heap;

	size_t n;      /* recipients of the transaction */
	size_t size;   /* of its message */
	size_t fed;    /* octets of it */
	unsigned sent; /* transactions begun */
	bool open, ended, over;
	bool slow; /* output is taken in small pieces */
};

/* The message: lines of all lengths, and dots. */
static char message[200000];

static size_t
draw(struct run *run, size_t below)
{
	run->chance = run->chance * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(run->chance >> 33) % below;
}

static void
write_message(void)
{
	static const char line[] =
	    ".\r\n..a\r\nb.\r\n\r\nlonger than a dot\r\n";

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = line[i % (sizeof(line) - 1)];
}

/* --- the owner --------------------------------------------------------- */

/* Whether all of it is out now: then the client may have more. */
static bool
take_output(struct run *run)
{
	struct span out = client_output(run->client);

	assert(out.n <= 1u << 20);
	if (run->slow)
		out = span_first(out, 100);
	server_hear(&run->server, out);
	client_sent(run->client, out.n);
	return out.n > 0 && client_output(run->client).n == 0;
}

static void
begin_message(struct run *run)
{
	static const uint16_t which[SERVER_RCPTS] = {0, 1, 2, 3};
	static const size_t lines[] = {3, 8, 12, 14, 33};

	assert(!run->open && run->server.nwaiting == 0);
	if (run->sent++ == SENDS) {
		client_quit(run->client);
		return;
	}
	run->open = true;
	run->ended = false;
	run->fed = 0;
	run->n = 1 + draw(run, SERVER_RCPTS);
	run->size = lines[draw(run, 5)];
	if ((run->flags & CHOICE_BIG) != 0)
		run->size += 33 * (1 + draw(run, 5000));
	server_begin(&run->server);
	client_send(run->client, &run->envelope, which, run->n, run->size,
	    (run->flags & CHOICE_8BIT) != 0);
}

static void
give_body(struct run *run)
{
	size_t rest = run->size - run->fed;
	size_t n = draw(run, 4) == 0 ? draw(run, 20) : draw(run, 60000);

	assert(run->open && !run->ended);
	if (n > rest)
		n = rest;
	run->ended = n == rest;
	client_body(
	    run->client, (struct span){message + run->fed, n}, run->ended);
	run->fed += n;
}

/* 4yz is tried again, 5yz never; 552 may be the old 452. */
static void
check_kind(enum err_kind kind, unsigned rcpt, unsigned end)
{
	if (rcpt / 100 == 4)
		assert(kind == ERR_TEMP);
	if (rcpt / 100 == 5 && rcpt != 552)
		assert(kind == ERR_PERM);
	if (rcpt / 100 == 2 && end != 0)
		assert((kind == ERR_PERM) == (end / 100 == 5));
}

/* RFC 5321 4.2.5, RFC 2033 4.2: who has it, by the replies alone. */
static void
check_result(const struct run *run, size_t i)
{
	const struct client_result *result = client_result(run->client, i);
	const struct server *server = &run->server;
	unsigned rcpt = server->rcpt_code[i], end = server->end_code[i];
	bool took = i < server->nrcpts && rcpt / 100 == 2 && end / 100 == 2;

	assert(result->err.kind != ERR_BUG);
	if (result->err.kind == ERR_NONE)
		assert(took && server->whole && run->ended);
	else if (took && server->fair)
		assert(0 && "sent, and would be sent once more");
	if (result->err.kind != ERR_NONE && server->fair)
		check_kind(result->err.kind, rcpt, end);
}

static void
check_results(struct run *run)
{
	const struct server *server = &run->server;
	bool taken = false;

	assert(run->open);
	run->open = false;
	for (size_t i = 0; i < run->n; i++) {
		check_result(run, i);
		taken |= i < server->nrcpts && server->end_code[i] / 100 == 2;
	}
	if (taken && server->fair) {
		assert(server->body.n == run->size);
		assert(memcmp(server->body.p, message, run->size) == 0);
	}
}

/* Behind a lost connection: who heard all of it and has not answered? */
static void
check_doubt(const struct run *run)
{
	const struct server *server = &run->server;
	bool doubt = false;

	for (size_t i = 0; i < server->nrcpts; i++)
		doubt |= server->rcpt_code[i] / 100 == 2 &&
		         server->end_code[i] == 0;
	if (doubt && server->fair && server->whole &&
	    server_due(server) == HEARD_END)
		assert(client_in_doubt(run->client));
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
		client_tls_done(run->client);
		return true;
	case CLIENT_READY:
		begin_message(run);
		return true;
	case CLIENT_BODY:
		give_body(run);
		return true;
	case CLIENT_DONE:
		check_results(run);
		return true;
	case CLIENT_FAILED:
		assert(client_error(run->client)->kind != ERR_NONE);
		assert(client_error(run->client)->kind != ERR_BUG);
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
	enum client_event event;
	bool more;

	do {
		event = client_next(run->client);
		assert(!run->over || event == CLIENT_FAILED ||
		       event == CLIENT_CLOSED);
		more = on_event(run, event);
		more |= take_output(run) && !run->over;
		assert(heap_in_use() <= run->heap + HEAP_MAX);
	} while (more);
}

/* It never waits for what nobody will say. */
static void
check_waits(const struct run *run)
{
	assert(run->over || client_output(run->client).n > 0 ||
	       run->server.nwaiting > 0 || run->server.chunk > 0);
}

/* --- the server -------------------------------------------------------- */

static const char *
good_reply(struct run *run, enum heard due, unsigned offers, char text[400])
{
	static const char *const words[] = {"STARTTLS", "PIPELINING",
	    "SIZE 100000", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN"};
	size_t n;

	if (due == HEARD_CONNECT || due == HEARD_STARTTLS)
		return "220 mx.example ready\r\n";
	if (due == HEARD_DATA)
		return "354 go\r\n";
	if (due == HEARD_QUIT)
		return "221 bye\r\n";
	if (due != HEARD_HELLO)
		return "250 2.0.0 ok\r\n";
	run->server.serves = 0;
	/* RFC 5321 4.1.1.1: the first line names the server. */
	n = (size_t)snprintf(text, 400, "250-mx.example\r\n");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((offers >> i & 1) != 0) {
			n += (size_t)snprintf(
			    text + n, 400 - n, "250-%s\r\n", words[i]);
			run->server.serves |= 1u << i;
		}
	(void)snprintf(text + n, 400 - n, "250 HELP\r\n");
	return text;
}

static void
feed(struct run *run, unsigned how)
{
	struct span in = buf_span(&run->speech);

	while (in.n > 0 && !run->over) {
		size_t n = how == 0 ? in.n : how == 1 ? 1 : 1 + draw(run, 30);

		client_feed(run->client, span_first(in, n));
		drive(run);
		in = n > in.n ? (struct span){0} : span_from(in, n);
	}
	buf_clear(&run->speech);
	check_waits(run);
}

static void
do_reply(struct run *run, struct fuzz_step step)
{
	static const char *const bad[] = {"450 4.2.0 not now\r\n",
	    "550 5.1.1 never\r\n", "452 4.5.3 too many\r\n", "552 too many\r\n",
	    "421 4.3.2 leaving\r\n", "554-5.7.1 no\r\n554 5.7.1 never\r\n",
	    "451 \r\n", "250 2.0.0 ok\r\n", "354 go\r\n", "220 x\r\n"};
	enum heard due = server_due(&run->server);
	unsigned kind = step.a % 32;
	char text[400];
	const char *reply;

	if (due == HEARD_NOTHING || run->speech.n > 60000)
		return;
	reply = kind < 10 ? bad[kind] : good_reply(run, due, step.b, text);
	server_answered(&run->server, (unsigned)(reply[0] - '0') * 100 +
					  (unsigned)(reply[1] - '0') * 10 +
					  (unsigned)(reply[2] - '0'));
	if (due == HEARD_HELLO && kind < 10)
		run->server.serves = 0;
	assert(buf_add_str(&run->speech, reply) == 0);
	/* The next reply goes along, if its command is there already; not
	 * behind one that may be the last. */
	if ((step.c & 1) == 0 || kind == 4 || (kind >= 7 && kind < 10) ||
	    server_due(&run->server) == HEARD_NOTHING)
		feed(run, step.c >> 1 & 3);
	/* RFC 5321 3.8: the server is leaving. */
	assert(kind != 4 || due == HEARD_QUIT || run->over);
}

/* What no server should say: the connection is of no use behind it. */
static void
do_sin(struct run *run, struct fuzz_step step)
{
	static const char *const sins[] = {"what?\r\n", "99 a\r\n", "250x\r\n",
	    "250-a\r\n550 b\r\n", "6789\r\n", "\r\n", "250-more and\r\n"};
	size_t kind = step.a % (sizeof(sins) / sizeof(sins[0]) + 2);

	feed(run, 0);
	if (run->over)
		return;
	if (kind < sizeof(sins) / sizeof(sins[0])) {
		assert(buf_add_str(&run->speech, sins[kind]) == 0);
	} else {
		/* A flood that never ends a line, or never a reply. */
		for (size_t i = 0; i < 9000; i++)
			assert(buf_add_str(&run->speech,
				   kind % 2 == 0 ? "250-abcdef\r\n"
						 : "250 abcdefgh") == 0);
	}
	feed(run, 2);
	if (!run->over) {
		struct err err;

		(void)err_set(&err, ERR_TEMP, "4.4.2", "lost");
		client_broken(run->client, &err);
		drive(run);
	}
}

static void
do_break(struct run *run)
{
	struct err err;

	/* What it said before it went still counts. */
	feed(run, 0);
	if (run->over)
		return;
	(void)err_set(&err, ERR_TEMP, "4.4.2", "lost");
	client_broken(run->client, &err);
	check_doubt(run);
	drive(run);
	assert(run->over);
}

static void
take_step(struct run *run, struct fuzz_step step)
{
	switch (step.what % 16) {
	case 0:
		do_sin(run, step);
		return;
	case 1:
		do_break(run);
		return;
	case 2:
		feed(run, 0);
		run->slow = (step.a & 1) != 0;
		drive(run);
		return;
	case 3:
		/* A reply that nobody asked for. */
		if (server_due(&run->server) == HEARD_NOTHING)
			do_sin(run, step);
		return;
	}
	if (run->slow)
		drive(run);
	do_reply(run, step);
}

static void
begin(struct run *run, struct fuzz_step how)
{
	static struct envelope_rcpt rcpts[SERVER_RCPTS] = {
	    {"r0@b.org", "rfc822;r0@b.org", NOTIFY_DELAY},
	    {"r1@b.org", "", NOTIFY_NEVER},
	    {"r2@b.org", "", 0},
	    {"r3@b.org", "", 0},
	};
	struct client_setup setup = {
	    .helo = "me.example",
	    .lmtp = (how.a & CHOICE_LMTP) != 0,
	    .chunking = (how.a & CHOICE_CHUNKING) != 0,
	};

	*run = (struct run){.flags = how.a,
	    .chance = (uint64_t)how.b << 8 | how.c,
	    .envelope = {.sender = "s@t.org",
		.envid = "QQ",
		.helo = "",
		.client = "",
		.session = "",
		.ret = RET_FULL,
		.body = (how.a & CHOICE_8BIT) != 0 ? BODY_8BITMIME
	                                           : BODY_DEFAULT,
		.smtputf8 = (how.a & CHOICE_UTF8) != 0,
		.rcpts = rcpts,
		.nrcpts = SERVER_RCPTS}};
	buf_init(&run->speech, 1 << 18);
	server_init(&run->server, setup.lmtp);
	run->heap = heap_in_use();
	run->client = client_new(&setup);
	drive(run);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_step steps[STEPS_MAX];
	size_t n = size / STEP_OCTETS;
	struct run run;

	if (n == 0)
		return 0;
	if (n > STEPS_MAX)
		n = STEPS_MAX;
	if (message[0] == '\0')
		write_message();
	memcpy(steps, data, n * STEP_OCTETS);
	begin(&run, steps[0]);
	for (size_t i = 1; i < n && !run.over; i++)
		take_step(&run, steps[i]);
	do_break(&run);
	assert(run.over && !run.open);
	client_free(&run.client);
	server_free(&run.server);
	buf_free(&run.speech);
	return 0;
}
