/*
 * A client that knows SMTP against the server session.
 *
 * The input is steps (steps.h): commands, messages by DATA and BDAT, TLS,
 * floods, late answers of the owner, time running out.  A second, simple
 * notion of a session says beforehand what must come of each: which questions
 * the owner is asked, in which order, with which bytes, and which reply each
 * command gets.  However the octets are cut and pipelined, the session must do
 * just that: one reply a command and in its order, nothing before its command
 * is whole, 250 for a message only when it was given whole and kept, nothing
 * twice, and no more memory than its limits say.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/receive/proxy.h"

#include "tests/fuzz/session_notion.h"

#define HEAP_MAX ((size_t)2 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct session *session;
	struct talk *talk;
	size_t replied, asked, body;
	uint32_t fed;
	bool starttls, deaf, owed, open;
	unsigned late;  /* feeds until the owner answers */
	unsigned spare; /* questions that it answers at once before */
	unsigned accepted, acknowledged;
	uint64_t chance;
	size_t heap;
};

static char body_room[WIRE_MAX];

static void
check_queued(struct run *run, struct span line)
{
	const char *found = memmem(line.p, line.n, "queued as Q", 11);
	uint64_t number = 0;
	struct span text;

	if (found == NULL)
		return;
	text = span_from(line, (size_t)(found - line.p) + 11);
	/* In their order, each once, and none that was not kept. */
	assert(text_parse_u64(span_first(text, text.n - 2), &number));
	assert(number == ++run->acknowledged);
	assert(run->acknowledged <= run->accepted);
}

/* A promise must have been made of it, and its command be whole. */
static void
take_reply(struct run *run, struct span line)
{
	unsigned code = (unsigned)(line.p[0] - '0') * 100 +
	                (unsigned)(line.p[1] - '0') * 10 +
	                (unsigned)(line.p[2] - '0');
	struct promise *due = &run->talk->replies[run->replied];

	check_queued(run, line);
	if (line.p[3] == '-')
		return;
	assert(run->replied < run->talk->nreplies);
	run->replied++;
	assert(due->whole <= run->fed);
	if (due->code == 400 || due->code == 500)
		assert(code / 100 == due->code / 100);
	else
		assert(code == due->code);
}

/* Whether there was something: the session may go on behind it. */
static bool
hear(struct run *run)
{
	struct span out = session_output(run->session), rest = out;

	assert(out.n <= 512u << 10);
	if (run->deaf)
		return false;
	while (rest.n > 0) {
		const char *lf = memchr(rest.p, '\n', rest.n);
		size_t n;

		assert(lf != NULL);
		n = (size_t)(lf - rest.p) + 1;
		assert(n >= 6 && n <= 512 && rest.p[n - 2] == '\r');
		take_reply(run, span_first(rest, n));
		rest = span_from(rest, n);
	}
	session_sent(run->session, out.n);
	return out.n > 0;
}

static void
check_question(const struct run *run, const struct question *question)
{
	const struct envelope *envelope = session_envelope(run->session);
	char address[32];

	assert(question->whole <= run->fed);
	(void)snprintf(
	    address, sizeof(address), "r%u@d.example", question->detail);
	if (question->event == SESSION_MAIL)
		assert(strcmp(envelope->sender,
			   question->detail == 1 ? "" : "a@b.example") == 0);
	if (question->event == SESSION_RCPT)
		assert(
		    strcmp(session_rcpt(run->session)->address, address) == 0);
	if (question->event == SESSION_DATA)
		assert(envelope->nrcpts == question->detail);
	if (question->event != SESSION_END)
		return;
	assert(run->open && run->body == question->text_n);
	assert(memcmp(body_room, run->talk->text + question->text, run->body) ==
	       0);
}

static void
answer(struct run *run)
{
	const struct question *question = &run->talk->questions[run->asked++];
	struct err err = {0};
	char id[16];

	run->owed = false;
	if (question->verdict == 1)
		(void)err_set(&err, ERR_PERM, "5.7.1", "never");
	else if (question->verdict == 2)
		(void)err_set(&err, ERR_TEMP, "4.3.0", "not now");
	if (question->event == SESSION_DATA && question->verdict == 0) {
		assert(!run->open);
		run->open = true;
		run->body = 0;
	}
	if (question->event == SESSION_END)
		run->open = false;
	if (question->event != SESSION_END || question->verdict != 0) {
		session_answer(
		    run->session, question->verdict == 0 ? NULL : &err);
		return;
	}
	(void)snprintf(id, sizeof(id), "Q%u", ++run->accepted);
	session_accepted(run->session, id);
}

static void
take_body(struct run *run)
{
	struct span body = session_body(run->session);

	assert(run->open && body.n > 0);
	assert(body.n <= WIRE_MAX - run->body);
	memcpy(body_room + run->body, body.p, body.n);
	run->body += body.n;
}

/* Whether the answer is given at once. */
static bool
be_asked(struct run *run, enum session_event event)
{
	assert(!run->owed && run->asked < run->talk->nquestions);
	assert(run->talk->questions[run->asked].event == event);
	check_question(run, &run->talk->questions[run->asked]);
	run->owed = true;
	if (run->late > 0 && run->spare == 0)
		return false;
	if (run->spare > 0)
		run->spare--;
	answer(run);
	return true;
}

static bool
shake(struct run *run)
{
	static const struct session_tls tls = {"TLSv1.3", "X", ""};

	assert(run->talk->questions[run->asked].event == SESSION_STARTTLS);
	run->asked++;
	if (run->late == 0)
		session_tls_done(run->session, &tls);
	return run->late == 0;
}

/* What the owner does; false when there is nothing more to be done now. */
static bool
serve(struct run *run, enum session_event event)
{
	switch (event) {
	case SESSION_IDLE:
	case SESSION_CLOSE:
		return false;
	case SESSION_WAIT:
		assert(run->owed || run->late > 0);
		return false;
	case SESSION_BODY:
		take_body(run);
		return true;
	case SESSION_ABORT:
		assert(run->open);
		run->open = false;
		return true;
	case SESSION_STARTTLS:
		return shake(run);
	case SESSION_MAIL:
	case SESSION_RCPT:
	case SESSION_DATA:
	case SESSION_END:
		return be_asked(run, event);
	}
	return false;
}

static void
drive(struct run *run)
{
	enum session_event event;
	bool heard;

	do {
		event = session_next(run->session);
		heard = hear(run);
		assert(heap_in_use() <= run->heap + HEAP_MAX);
	} while (serve(run, event) || heard);
}

/* The owner answers what it owes, at last. */
static void
settle(struct run *run)
{
	run->late = run->spare = 0;
	if (run->owed)
		answer(run);
	drive(run);
}

/* Everything that was said has its reply, unless somebody still waits. */
static void
check_all_said(const struct run *run)
{
	if (run->owed || run->deaf)
		return;
	assert(run->replied == run->talk->nreplies);
	assert(run->asked == run->talk->nquestions);
}

static size_t
cut(struct run *run, unsigned how, size_t n)
{
	size_t piece = n;

	run->chance = run->chance * 6364136223846793005u + how;
	if (how == 1)
		piece = n < 4096 ? 1 : 61;
	else if (how == 2)
		piece = 7;
	else if (how == 3)
		piece = 1 + (size_t)(run->chance >> 33) % 40;
	piece = n > 32768 && piece < 1000 ? 1000 : piece;
	return piece > 32768 ? 32768 : piece < n ? piece : n;
}

/* Feed what is on the wire, in pieces. */
static void
flush(struct run *run, unsigned how)
{
	size_t at = 0;

	while (at < run->talk->wire) {
		size_t n = cut(run, how, run->talk->wire - at);

		if (session_full(run->session)) {
			run->deaf = false;
			settle(run);
		}
		run->fed += (uint32_t)n;
		session_feed(
		    run->session, (struct span){run->talk->octets + at, n});
		at += n;
		if (run->owed && run->late > 0 && --run->late == 0)
			settle(run);
		else
			drive(run);
	}
	run->talk->wire = 0;
	check_all_said(run);
}

static void
calm(struct run *run)
{
	flush(run, 0);
	run->deaf = false;
	settle(run);
	check_all_said(run);
}

static void
do_starttls(struct run *run, struct fuzz_step step)
{
	struct talk *talk = run->talk;
	bool possible;

	calm(run);
	possible = run->starttls && !talk->is.tls && !talk->is.chunks;
	talk_say(talk, "STARTTLS\r\n");
	if (!possible) {
		talk_promise(talk, 500);
		flush(run, 0);
		return;
	}
	if ((step.b & 3) == 2) {
		/* RFC 3207 4.2: something was put behind it. */
		talk_promise_end(talk, 500);
		talk_say(talk, "NOOP\r\n");
		flush(run, 0);
		return;
	}
	talk_promise(talk, 220);
	(void)talk_expect(talk, SESSION_STARTTLS, 0);
	if ((step.b & 3) == 3) {
		/* RFC 3207 4: in the clear, where a handshake is due. */
		run->late = 2;
		flush(run, 0);
		talk->is.closed = true;
		talk_say(talk, "NOOP\r\n");
		flush(run, 0);
		return;
	}
	flush(run, 0);
	talk_forget(&talk->is);
	talk->is.hello = false;
	talk->is.tls = true;
}

/* Time runs out, or the daemon stops: 421 and the end. */
static void
do_expire(struct run *run)
{
	struct talk *talk = run->talk;
	bool end;

	flush(run, 0);
	if (run->deaf)
		calm(run);
	if (run->replied == talk->nreplies && talk->is.closed)
		return;
	/* What is durable is still said to be; nothing else is answered. */
	end = run->owed && talk->questions[run->asked].event == SESSION_END;
	talk->nreplies = run->replied + end;
	talk->nquestions = run->asked + end;
	talk->is.closed = false;
	run->owed = end;
	talk_promise_end(talk, 421);
	session_expire(run->session, "4.4.2", "Idle");
	settle(run);
	check_all_said(run);
	assert(session_next(run->session) == SESSION_CLOSE);
}

static void
take_step(struct run *run, struct fuzz_step step)
{
	enum what what = (enum what)(step.what % DO_COUNT);

	switch (what) {
	case DO_STARTTLS:
		do_starttls(run, step);
		return;
	case DO_EXPIRE:
		do_expire(run);
		return;
	case DO_DEAF:
		run->deaf = (step.a & 1) != 0;
		drive(run);
		return;
	case DO_LATE:
		run->late = step.a % 8;
		run->spare = step.b % 4;
		return;
	case DO_EHLO:
	case DO_HELO:
	case DO_MAIL:
	case DO_RCPT:
	case DO_DATA:
	case DO_BDAT:
	case DO_RSET:
	case DO_NOOP:
	case DO_QUIT:
	case DO_OTHER:
	case DO_FLOOD:
	case DO_COUNT:
		talk_step(run->talk, what, step);
	}
	if ((step.c & 1) != 0)
		flush(run, (step.c >> 1) & 3);
}

/* What a proxy says comes before the session, and takes just its own. */
static void
pass_proxy(unsigned kind)
{
	static const char v1[] = "PROXY TCP4 192.0.2.9 192.0.2.1 1 2\r\nEHLO";
	static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"
				 "\xc0\0\2\x09\xc0\0\2\1\0\1\0\2EHLO";
	bool second = (kind & 1) != 0;
	struct span all = {
	    second ? v2 : v1, (second ? sizeof(v2) : sizeof(v1)) - 1};
	struct proxy_header header = {0};

	for (size_t n = 0; n < all.n - 4; n++)
		assert(proxy_read(span_first(all, n), &header) == PROXY_MORE);
	assert(proxy_read(all, &header) == PROXY_CLIENT);
	assert(header.length == all.n - 4);
	assert(strcmp(header.client, "192.0.2.9") == 0);
}

static void
begin(struct run *run, struct talk *talk, struct fuzz_step how)
{
	struct session_setup setup = {
	    .hostname = "mx.example.org",
	    .client = "192.0.2.1",
	    .id = "s1",
	    .message_max = MESSAGE_MAX,
	    .rcpts_max = RCPTS_MAX,
	    .text_line_max = TEXT_LINE_MAX,
	    .errors_max = UINT32_MAX,
	    .hops_max = HOPS_MAX,
	    .starttls = (how.a & 1) != 0,
	    .requiretls = true,
	};

	talk->is = (struct notion){0};
	talk->nreplies = talk->nquestions = talk->wire = talk->texts = 0;
	talk->said = 0;
	*run = (struct run){.talk = talk,
	    .starttls = setup.starttls,
	    .chance = how.b,
	    .heap = heap_in_use()};
	run->session = session_new(&setup);
	talk_promise(talk, 220);
	drive(run);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct talk talk;
	struct fuzz_step steps[STEPS_MAX];
	size_t n = size / STEP_OCTETS;
	struct run run;

	if (n > STEPS_MAX)
		n = STEPS_MAX;
	if (n == 0)
		return 0;
	memcpy(steps, data, n * STEP_OCTETS);
	begin(&run, &talk, steps[0]);
	pass_proxy(steps[0].c);
	for (size_t i = 1; i < n; i++)
		if (talk_has_room(&talk))
			take_step(&run, steps[i]);
	calm(&run);
	assert(!talk.is.closed || session_next(run.session) == SESSION_CLOSE);
	session_expire(run.session, "4.3.2", "Stopping");
	talk_promise_end(&talk, 421);
	drive(&run);
	check_all_said(&run);
	assert(!run.open && session_next(run.session) == SESSION_CLOSE);
	assert(run.accepted == run.acknowledged);
	session_free(&run.session);
	assert(heap_in_use() <= run.heap);
	return 0;
}
