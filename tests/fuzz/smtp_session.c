/*
 * A client of any kind against the server session.
 *
 * The first eight octets choose: how the owner answers, where the input is
 * cut, whether TLS is there.  Without TLS it runs twice, cut and whole, and
 * both must say the same.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "mta/smtp/grammar.h"
#include "mta/smtp/session.h"

#define MESSAGE_MAX 2000u
#define RCPTS_MAX   3u
#define LIMIT       (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct session *session;
	uint64_t choices; /* for the owner's answers alone */
	struct buf out;
	struct buf body;
	struct buf messages;
	bool open;
	bool tls;
	bool must_tls;
	unsigned aborts;
	unsigned waived; /* messages, by their header */
};

static uint64_t
choose(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* Accepted: every line ends in CRLF, no CR or LF stands alone. */
static void
check_message(struct span message)
{
	assert(message.n <= MESSAGE_MAX);
	while (message.n > 0) {
		const char *cr = memchr(message.p, '\r', message.n);
		const char *lf = memchr(message.p, '\n', message.n);

		assert(cr != NULL && lf == cr + 1);
		message = span_from(message, (size_t)(lf - message.p) + 1);
	}
}

/* Replies are lines of at most 512 octets, printable, with a code. */
static void
check_output(struct span out)
{
	while (out.n > 0) {
		const char *lf = memchr(out.p, '\n', out.n);
		size_t n;

		assert(lf != NULL);
		n = (size_t)(lf - out.p) + 1;
		assert(n >= 6 && n <= 512 && out.p[n - 2] == '\r');
		for (size_t i = 0; i < n - 2; i++)
			assert(out.p[i] >= ' ' && out.p[i] <= '~');
		assert(out.p[0] >= '2' && out.p[0] <= '5');
		assert(out.p[3] == ' ' || out.p[3] == '-');
		out = span_from(out, n);
	}
}

static void
check_address(const char *text, enum path_kind kind)
{
	struct address address;
	struct err err;

	if (text[0] == '\0' || strcmp(text, "postmaster") == 0)
		return;
	assert(grammar_mailbox(span_of(text), kind, &address, &err) == 0);
	assert(strcmp(address.text, text) == 0);
}

static void
check_envelope(const struct envelope *envelope)
{
	assert(envelope->nrcpts <= RCPTS_MAX);
	check_address(envelope->sender, PATH_REVERSE);
	for (size_t i = 0; i < envelope->nrcpts; i++) {
		check_address(envelope->rcpts[i].address, PATH_FORWARD);
		assert(envelope->rcpts[i].orcpt[0] == '\0' ||
		       grammar_is_orcpt(span_of(envelope->rcpts[i].orcpt)));
		assert(envelope->smtputf8 ||
		       text_is_ascii(span_of(envelope->rcpts[i].address)));
	}
	assert(envelope->envid[0] == '\0' ||
	       grammar_is_xtext(span_of(envelope->envid)));
}

static void
check_trace(const struct run *run)
{
	struct buf trace;

	buf_init(&trace, 8192);
	assert(session_trace(run->session, "Q1", 0, &trace) == 0);
	check_message(buf_span(&trace));
	assert(memmem(trace.p, trace.n, "\r\n\r\n", 4) == NULL);
	buf_free(&trace);
}

static void
answer(struct run *run, enum session_event event)
{
	struct err err = {0};
	unsigned choice = (unsigned)choose(&run->choices) % 16;

	if (choice == 0)
		(void)err_set(&err, ERR_PERM, "5.1.1", "no");
	else if (choice == 1)
		(void)err_set(&err, ERR_TEMP, "4.3.1", "later");
	if (event == SESSION_END && err.kind == ERR_NONE) {
		check_message(buf_span(&run->body));
		assert(buf_add(&run->messages, buf_span(&run->body)) == 0);
		assert(buf_add(&run->messages, SPAN("|")) == 0);
		session_accepted(run->session, "Q1");
		return;
	}
	session_answer(run->session, err.kind == ERR_NONE ? NULL : &err);
	if (event == SESSION_DATA && err.kind == ERR_NONE) {
		run->open = true;
		buf_clear(&run->body);
	}
}

static void
on_event(struct run *run, enum session_event event)
{
	static const struct session_tls tls = {"TLSv1.3", "X", ""};

	switch (event) {
	case SESSION_IDLE:
	case SESSION_CLOSE:
		return;
	case SESSION_WAIT:
		assert(0 && "asked already");
		return;
	case SESSION_DATA:
		assert(!run->open);
		assert(session_envelope(run->session)->nrcpts > 0);
		check_trace(run);
		answer(run, event);
		return;
	case SESSION_END:
		assert(run->open);
		run->open = false;
		run->waived += session_envelope(run->session)->tls_wish ==
		               TLS_WISH_WAIVED;
		answer(run, event);
		return;
	case SESSION_MAIL:
	case SESSION_RCPT:
		assert(!run->open);
		/* RFC 3207 4 */
		assert(!run->must_tls || session_envelope(run->session)->tls);
		answer(run, event);
		return;
	case SESSION_BODY:
		assert(run->open && session_body(run->session).n > 0);
		assert(buf_add(&run->body, session_body(run->session)) == 0);
		return;
	case SESSION_ABORT:
		assert(run->open);
		run->open = false;
		run->aborts++;
		return;
	case SESSION_STARTTLS:
		assert(run->tls);
		session_tls_done(run->session, &tls);
		return;
	}
}

static void
drive(struct run *run)
{
	enum session_event event;

	do {
		struct span out;

		event = session_next(run->session);
		out = session_output(run->session);
		check_output(out);
		assert(buf_add(&run->out, out) == 0);
		session_sent(run->session, out.n);
		check_envelope(session_envelope(run->session));
		/* RFC 8689 2: only under TLS. */
		assert(run->tls || session_envelope(run->session)->tls_wish !=
				       TLS_WISH_REQUIRED);
		on_event(run, event);
	} while (event != SESSION_IDLE && event != SESSION_CLOSE);
	assert(session_next(run->session) == event);
	assert(session_output(run->session).n == 0);
}

static void
begin(struct run *run, uint64_t choices)
{
	struct session_setup setup = {
	    .hostname = "mx.example.org",
	    .client = "192.0.2.1",
	    .id = "s1",
	    .message_max = MESSAGE_MAX,
	    .rcpts_max = RCPTS_MAX,
	    .text_line_max = 100,
	    .errors_max = 20,
	    .hops_max = 3,
	    .starttls = (choices & 1) != 0,
	    .requiretls = true,
	    .must_tls = (choices & 6) == 6,
	};

	*run = (struct run){.choices = choices,
	    .tls = setup.starttls,
	    .must_tls = setup.must_tls};
	run->session = session_new(&setup);
	buf_init(&run->out, LIMIT);
	buf_init(&run->body, LIMIT);
	buf_init(&run->messages, LIMIT);
	drive(run);
}

static void
end(struct run *run)
{
	session_free(&run->session);
	buf_free(&run->out);
	buf_free(&run->body);
	buf_free(&run->messages);
}

/* Cut where the choices say, or nowhere. */
static void
feed(struct run *run, struct span in, uint64_t cuts)
{
	while (in.n > 0) {
		size_t n = cuts == 0 ? 65536 : 1 + choose(&cuts) % 40;

		if (n > 38)
			n = 2048;
		session_feed(run->session, span_first(in, n));
		drive(run);
		in = span_from(in, n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run cut, whole;
	uint64_t choices = 0;
	struct span in;

	if (size < sizeof(choices) || size > 65536)
		return 0;
	memcpy(&choices, data, sizeof(choices));
	in = (struct span){(const char *)data + 8, size - 8};
	begin(&cut, choices);
	feed(&cut, in, choices | 1);
	if (!cut.tls) {
		begin(&whole, choices);
		feed(&whole, in, 0);
		assert(span_eq(buf_span(&cut.out), buf_span(&whole.out)));
		assert(span_eq(
		    buf_span(&cut.messages), buf_span(&whole.messages)));
		assert(cut.aborts == whole.aborts);
		assert(cut.waived == whole.waived);
		end(&whole);
	}
	session_expire(cut.session, "4.4.2", "Idle");
	drive(&cut);
	assert(!cut.open && session_next(cut.session) == SESSION_CLOSE);
	end(&cut);
	return 0;
}
