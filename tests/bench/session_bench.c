/*
 * How fast the SMTP sessions are without a network: octets a second through
 * DATA and BDAT, and messages a second with their commands.
 *
 *     session_bench [SECONDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "mta/smtp/client.h"
#include "mta/smtp/session.h"

#define COUNT  200u
#define HELLO  "EHLO me.example\r\n"
#define MAIL   "MAIL FROM:<sender@example.org> SIZE=4096\r\n"
#define RCPT   "RCPT TO:<recipient@example.net>\r\n"
#define LINE_N 76u
#define READ_N 65536u

static struct session_setup
setup(void)
{
	return (struct session_setup){
	    .hostname = "mx.example.org",
	    .client = "192.0.2.1",
	    .id = "s1",
	    .message_max = 1u << 30,
	    .rcpts_max = 100,
	    .text_line_max = 1000,
	    .errors_max = 10,
	    .hops_max = 50,
	};
}

/* A message of lines, `n` octets; every `dots`th line begins with a dot. */
static void
add_message(struct buf *buf, size_t n, size_t dots)
{
	char line[LINE_N + 3];

	for (size_t at = 0; at < n; at += LINE_N + 2) {
		memset(line, 'a', LINE_N);
		memcpy(line + LINE_N, "\r\n", 3);
		if (dots > 0 && at / (LINE_N + 2) % dots == 0)
			memcpy(line, "..", 2);
		if (buf_add(buf, span_of(line)) < 0)
			abort();
	}
}

static void
add(struct buf *buf, const char *text)
{
	if (buf_add_str(buf, text) < 0)
		abort();
}

/* The octets of COUNT messages as a client would send them. */
static void
script(struct buf *buf, size_t message, size_t dots, bool chunks)
{
	buf_init(buf, 1u << 30);
	for (unsigned i = 0; i < COUNT; i++) {
		add(buf, MAIL);
		add(buf, RCPT);
		if (chunks) {
			struct buf body;

			buf_init(&body, 1u << 30);
			add_message(&body, message, 0);
			if (buf_printf(buf, "BDAT %zu LAST\r\n", body.n) < 0 ||
			    buf_add(buf, buf_span(&body)) < 0)
				abort();
			buf_free(&body);
		} else {
			add(buf, "DATA\r\n");
			add_message(buf, message, dots);
			add(buf, ".\r\n");
		}
	}
}

static unsigned
drive(struct session *session, uint64_t *octets)
{
	unsigned messages = 0;
	enum session_event event;

	do {
		event = session_next(session);
		if (event == SESSION_BODY) {
			*octets += session_body(session).n;
		} else if (event == SESSION_END) {
			session_accepted(session, "Q1");
			messages++;
		} else if (event == SESSION_MAIL || event == SESSION_RCPT ||
			   event == SESSION_DATA) {
			session_answer(session, NULL);
		}
		session_sent(session, session_output(session).n);
	} while (event != SESSION_IDLE && event != SESSION_CLOSE);
	return messages;
}

static void
measure(const char *what, struct span in, uint64_t ms)
{
	uint64_t begin = clock_mono_ms(), now, octets = 0, messages = 0;
	struct session_setup s = setup();

	do {
		struct session *session = session_new(&s);

		session_feed(session, SPAN(HELLO));
		for (struct span rest = in; rest.n > 0;
		     rest = span_from(rest, READ_N)) {
			session_feed(session, span_first(rest, READ_N));
			messages += drive(session, &octets);
		}
		session_free(&session);
		now = clock_mono_ms();
	} while (now - begin < ms);
	printf("%-28s %8.1f MB/s %10.0f messages/s\n", what,
	    (double)octets / 1e3 / (double)(now - begin),
	    (double)messages * 1e3 / (double)(now - begin));
}

static void
measure_script(
    const char *what, size_t message, size_t dots, bool chunks, uint64_t ms)
{
	struct buf buf;

	script(&buf, message, dots, chunks);
	measure(what, buf_span(&buf), ms);
	buf_free(&buf);
}

/* The client: one message after the other, the server's words canned. */
static void
measure_client(const char *what, bool chunks, uint64_t ms)
{
	static const uint16_t which[] = {0};
	struct envelope_rcpt rcpt = {"recipient@example.net", "", 0};
	struct envelope envelope = {.sender = "sender@example.org",
	    .envid = "",
	    .rcpts = &rcpt,
	    .nrcpts = 1};
	struct client_setup cs = {.helo = "me.example", .chunking = chunks};
	struct client *client = client_new(&cs);
	uint64_t begin = clock_mono_ms(), now = begin, messages = 0;
	struct span replies =
	    chunks ? SPAN("250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.0.0 ok\r\n")
		   : SPAN("250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go\r\n");
	enum client_event event;
	struct buf body;

	buf_init(&body, 1u << 20);
	add_message(&body, 4096, 0);
	client_feed(client, SPAN("220 mx\r\n"));
	(void)client_next(client);
	client_feed(
	    client, SPAN("250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n"));
	while ((event = client_next(client)) != CLIENT_FAILED &&
	       now - begin < ms) {
		if (event == CLIENT_GREETED)
			client_proceed(client);
		else if (event == CLIENT_READY)
			client_send(client, &envelope, which, 1, body.n, false);
		else if (event == CLIENT_DONE)
			messages++;
		else if (event == CLIENT_IDLE &&
			 client_waiting(client) == CLIENT_WAIT_MAIL)
			client_feed(client, replies);
		else if (event == CLIENT_IDLE)
			client_feed(client, SPAN("250 2.0.0 ok\r\n"));
		else if (event == CLIENT_BODY)
			client_body(client, buf_span(&body), true);
		client_sent(client, client_output(client).n);
		if ((messages & 255) == 0)
			now = clock_mono_ms();
	}
	printf("%-28s %8.1f MB/s %10.0f messages/s\n", what,
	    (double)(messages * body.n) / 1e3 / (double)(now - begin),
	    (double)messages * 1e3 / (double)(now - begin));
	buf_free(&body);
	client_free(&client);
}

int
main(int argc, char **argv)
{
	uint64_t ms = argc > 1 && argv[1][0] > '0' && argv[1][0] <= '9'
	                  ? (uint64_t)(argv[1][0] - '0') * 1000
	                  : 1000;

	measure_script("server DATA 4 KiB", 4096, 0, false, ms);
	measure_script("server DATA 4 KiB, dots", 4096, 5, false, ms);
	measure_script("server DATA 64 KiB", 65536, 0, false, ms);
	measure_script("server BDAT 4 KiB", 4096, 0, true, ms);
	measure_script("server DATA, empty", 0, 0, false, ms);
	measure_client("client DATA 4 KiB", false, ms);
	measure_client("client BDAT 4 KiB", true, ms);
	return 0;
}
