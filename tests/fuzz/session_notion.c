/*
 * What a session is, told simply: what a client says, and what must come of
 * it.  Written from the RFCs and session.h, not from the session's code.
 */
#include "tests/fuzz/session_notion.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PIECE_MAX ((size_t)4000)

/* --- what is said, and what must come of it ---------------------------- */

static void
say(struct talk *talk, const char *bytes, size_t n)
{
	assert(n <= WIRE_MAX - talk->wire);
	memcpy(talk->octets + talk->wire, bytes, n);
	talk->wire += n;
	talk->said += (uint32_t)n;
}

void
talk_say(struct talk *talk, const char *text)
{
	say(talk, text, strlen(text));
}

void
talk_promise(struct talk *talk, unsigned code)
{
	if (talk->is.closed)
		return;
	assert(talk->nreplies < PROMISES);
	talk->replies[talk->nreplies++] = (struct promise){
	    talk->said, (uint16_t)code};
}

void
talk_promise_end(struct talk *talk, unsigned code)
{
	talk_promise(talk, code);
	talk->is.closed = true;
}

struct question *
talk_expect(struct talk *talk, enum session_event event, unsigned verdict)
{
	struct question *question = &talk->questions[talk->nquestions];

	if (talk->is.closed)
		return question;
	assert(++talk->nquestions < QUESTIONS);
	*question = (struct question){
	    .event = event, .verdict = verdict, .whole = talk->said};
	return question;
}

static unsigned
verdict_of(unsigned bits)
{
	return (bits & 3) < 2 ? 0 : (bits & 3) - 1;
}

static unsigned
code_of(unsigned verdict, unsigned good)
{
	return verdict == 0 ? good : verdict == 1 ? 500 : 400;
}

void
talk_forget(struct notion *is)
{
	is->mail = is->chunks = false;
	is->rcpts = 0;
}

/* --- messages ---------------------------------------------------------- */

/* Adds to the text that grows at the end of `texts`; it has room. */
static void
write_piece(struct talk *talk, unsigned kind)
{
	static const char *const pieces[] = {"Subject: a\r\n", ".\r\n",
	    "..x\r\n", "abc", "def\r", "\nrest\r\n", "bad\nline\r\n",
	    "bad\rline\r\n", "Received: b\r\n", "TLS-Required: No\r\n", "\r\n",
	    "c\n.\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<y@x.example>\r\n",
	    "d\r\r\n.\r\r\nQUIT\r\n", ""};
	const char *piece = pieces[kind < 14 ? kind : 0];
	size_t n = kind == 14 ? 150 : kind == 15 ? 3000 : strlen(piece);
	char *to = talk->text + talk->texts;

	for (size_t i = 0; i < n; i++)
		to[i] = kind < 14    ? piece[i]
		        : i + 2 == n ? '\r'
		        : i + 1 == n ? '\n'
		        : kind == 14 ? 'x'
		                     : "0123456789\r\n"[i % 12];
	talk->texts += n;
}

static bool
starts_received(const char *p, size_t n)
{
	static const char name[] = "received:";

	for (size_t i = 0; i + 1 < sizeof(name); i++)
		if (i >= n || (p[i] | 0x20) != (name[i] | 0x20))
			return false;
	return true;
}

/* 0: fine, 1: refused, 2: refused and the session ends.  A CR at the end may
 * still get its LF, unless this is the last of it. */
static int
judge(const char *p, size_t n, bool last)
{
	bool refused = n > MESSAGE_MAX, header = true;
	size_t line = 0, hops = 0;

	for (size_t i = 0; i < n; i++) {
		bool lf = p[i] == '\n';

		if (lf && (i == 0 || p[i - 1] != '\r'))
			return 2;
		if (p[i] == '\r' && (i + 1 < n ? p[i + 1] != '\n' : last))
			return 2;
		if (i == line && header && starts_received(p + i, n - i))
			refused |= ++hops > HOPS_MAX;
		refused |= i + 1 - line > TEXT_LINE_MAX;
		if (!lf)
			continue;
		header = header && i + 1 - line > 2;
		line = i + 1;
	}
	return refused ? 1 : 0;
}

static void
promise_message(struct talk *talk, uint32_t text, unsigned verdict)
{
	uint32_t n = (uint32_t)talk->texts - text;
	int fault = judge(talk->text + text, n, true);
	struct question *question;

	talk_forget(&talk->is);
	if (fault == 2) {
		talk_promise_end(talk, 500);
	} else if (fault == 1) {
		talk_promise(talk, 500);
	} else {
		question = talk_expect(talk, SESSION_END, verdict);
		question->text = text;
		question->text_n = n;
		talk_promise(talk, code_of(verdict, 250));
	}
}

/* RFC 5321 4.5.2: every line that begins with a dot gets another one. */
static void
say_stuffed(struct talk *talk, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool start = i == 0 ||
		             (i > 1 && p[i - 2] == '\r' && p[i - 1] == '\n');

		if (start && p[i] == '.')
			say(talk, ".", 1);
		say(talk, p + i, 1);
	}
	talk_say(talk, ".\r\n");
}

/* Lines that were meant to be a message, where none is taken. */
static void
say_rudely(struct talk *talk)
{
	static const char *const lines[] = {"Subject: a\r\n", "\r\n", ".\r\n"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		talk_say(talk, lines[i]);
		talk_promise(talk, 500);
	}
}

static bool
ends_line(const char *p, size_t n)
{
	return n >= 2 && p[n - 2] == '\r' && p[n - 1] == '\n';
}

static void
do_data(struct talk *talk, struct fuzz_step step)
{
	unsigned verdict = verdict_of(step.c >> 3);
	struct notion *is = &talk->is;
	bool possible = is->hello && is->mail && !is->chunks && is->rcpts > 0;
	uint32_t text = (uint32_t)talk->texts;

	talk_say(talk, "DATA\r\n");
	if (possible)
		talk_expect(talk, SESSION_DATA, verdict)->detail = is->rcpts;
	talk_promise(talk, possible ? code_of(verdict, 354) : 500);
	if (!possible || verdict != 0) {
		if (possible)
			talk_forget(is);
		if ((step.c & 0x80) != 0)
			say_rudely(talk);
		return;
	}
	write_piece(talk, step.a & 15);
	write_piece(talk, step.a >> 4);
	write_piece(talk, step.b & 15);
	if (talk->texts > text &&
	    !ends_line(talk->text + text, talk->texts - text))
		write_piece(talk, 10);
	say_stuffed(talk, talk->text + text, talk->texts - text);
	promise_message(talk, text, verdict_of(step.c >> 5));
}

/* One chunk, its octets on the wire; the message so far is texts[is.text..]. */
static void
say_chunk(struct talk *talk, struct fuzz_step step, size_t from)
{
	char command[64];
	size_t n = talk->texts - from;

	(void)snprintf(command, sizeof(command), "BDAT %zu%s\r\n", n,
	    (step.b & 1) != 0 ? " LAST" : "");
	talk_say(talk, command);
}

static void
finish_chunk(struct talk *talk, struct fuzz_step step)
{
	const char *text = talk->text + talk->is.text;
	size_t n = talk->texts - talk->is.text;
	bool last = (step.b & 1) != 0;
	int fault = judge(text, n, last);

	if (last && fault == 0 && n > 0 && text[n - 1] != '\n') {
		/* By DATA the client would have given it its CRLF. */
		write_piece(talk, 10);
		promise_message(talk, talk->is.text, verdict_of(step.c >> 5));
	} else if (last) {
		promise_message(talk, talk->is.text, verdict_of(step.c >> 5));
	} else if (fault == 0) {
		talk_promise(talk, 250);
	} else {
		talk_forget(&talk->is);
		talk_promise(talk, 500);
		talk->is.closed |= fault == 2;
	}
}

static void
do_bdat(struct talk *talk, struct fuzz_step step)
{
	struct notion *is = &talk->is;
	unsigned verdict = verdict_of(step.c >> 3);
	bool possible = is->hello && is->mail && is->rcpts > 0;
	bool first = possible && !is->chunks;
	size_t from = talk->texts;

	write_piece(talk, step.a & 15);
	write_piece(talk, step.a >> 4);
	say_chunk(talk, step, from);
	if (first) {
		talk_expect(talk, SESSION_DATA, verdict)->detail = is->rcpts;
		is->text = (uint32_t)from;
	}
	if (!possible || (first && verdict != 0)) {
		talk_promise(talk, possible ? code_of(verdict, 0) : 500);
		if (possible)
			talk_forget(is);
		say(talk, talk->text + from, talk->texts - from);
		talk->texts = from;
		return;
	}
	is->chunks = true;
	say(talk, talk->text + from, talk->texts - from);
	finish_chunk(talk, step);
}

/* --- commands ---------------------------------------------------------- */

static void
do_hello(struct talk *talk, bool extended)
{
	talk_say(talk, extended ? "EHLO c.example\r\n" : "helo c.example\r\n");
	talk_forget(&talk->is);
	talk->is.hello = true;
	talk->is.extended = extended;
	talk_promise(talk, 250);
}

static void
do_mail(struct talk *talk, struct fuzz_step step)
{
	static const char *const lines[] = {
	    "MAIL FROM:<a@b.example>\r\n",
	    "MAIL FROM:<>\r\n",
	    "mail from: <a@b.example> SIZE=100 BODY=8BITMIME\r\n",
	    "MAIL FROM:<a@b.example> RET=HDRS ENVID=QQ\r\n",
	    "MAIL FROM:<a@b.example> REQUIRETLS\r\n",
	    "MAIL FROM:<a@b.example> SIZE=99999\r\n",
	    "MAIL FROM:<a b@c>\r\n",
	};
	unsigned kind = step.a % 7, verdict = verdict_of(step.c >> 3);
	bool possible = talk->is.hello && !talk->is.mail &&
	                (kind < 2 ||
			    (talk->is.extended &&
				(kind < 4 || (kind == 4 && talk->is.tls))));

	talk_say(talk, lines[kind]);
	if (possible)
		talk_expect(talk, SESSION_MAIL, verdict)->detail = kind;
	talk_promise(talk, possible ? code_of(verdict, 250) : 500);
	if (possible && verdict == 0)
		talk->is.mail = true;
}

static void
do_rcpt(struct talk *talk, struct fuzz_step step)
{
	unsigned verdict = verdict_of(step.c >> 3);
	struct notion *is = &talk->is;
	char line[64];

	(void)snprintf(line, sizeof(line), "RCPT TO:<r%u@d.example>%s\r\n",
	    step.a, (step.b & 1) != 0 ? " NOTIFY=NEVER" : "");
	talk_say(talk, line);
	/* RFC 5321 4.1.1.1: no extension without EHLO. */
	if (!is->hello || !is->mail || is->chunks ||
	    ((step.b & 1) != 0 && !is->extended && is->rcpts < RCPTS_MAX)) {
		talk_promise(talk, 500);
	} else if (is->rcpts == RCPTS_MAX) {
		talk_promise(talk, 400);
	} else {
		talk_expect(talk, SESSION_RCPT, verdict)->detail = step.a;
		talk_promise(talk, code_of(verdict, 250));
		is->rcpts += verdict == 0;
	}
}

static void
do_other(struct talk *talk, struct fuzz_step step)
{
	static const struct {
		const char *line;
		unsigned code; /* 0: the session ends */
	} others[] = {
	    {"PROXY TCP4 192.0.2.9 192.0.2.1 1 2\r\n", 500},
	    {"\r\n", 500},
	    {"VRFY a\r\n", 252},
	    {"HELP\r\n", 214},
	    {"AUTH PLAIN AGEAYg==\r\n", 500},
	    {"RCPT TO:<>\r\n", 500},
	    {"DATA now\r\n", 500},
	    {"EHLO\r\n", 500},
	    {"NO\001OP\r\n", 500},
	    {"NOOP\n", 0},
	    {"NO\rOP\r\n", 0},
	    {"BDAT x LAST\r\n", 0},
	    {"GET / HTTP/1.1\r\n", 0},
	    {"NOOP a \t\r\n", 250},
	};
	size_t kind = step.a % (sizeof(others) / sizeof(others[0]) + 1);
	char line[3003];

	if (kind < sizeof(others) / sizeof(others[0])) {
		talk_say(talk, others[kind].line);
		if (others[kind].code == 0)
			talk_promise_end(talk, 500);
		else
			talk_promise(talk, others[kind].code);
		return;
	}
	memset(line, 'x', sizeof(line));
	memcpy(line + 3000, "\r\n", 3);
	talk_say(talk, line);
	talk_promise(talk, 500);
}

/* Many commands at once, whose replies are eight times as long. */
static void
do_flood(struct talk *talk, struct fuzz_step step)
{
	for (size_t i = 0; i < (size_t)step.a * 16; i++) {
		talk_say(talk, "HELP\r\n");
		talk_promise(talk, 214);
	}
}

static void
do_simple(struct talk *talk, enum what what)
{
	if (what == DO_RSET) {
		talk_forget(&talk->is);
		talk_say(talk, "RSET\r\n");
		talk_promise(talk, 250);
	} else if (what == DO_QUIT) {
		talk_say(talk, "QUIT\r\n");
		talk_promise_end(talk, 221);
	} else {
		talk_say(talk, "NOOP\r\n");
		talk_promise(talk, 250);
	}
}

bool
talk_has_room(const struct talk *talk)
{
	return talk->nreplies + 5000 < PROMISES &&
	       talk->wire + 4 * PIECE_MAX + 32768 < WIRE_MAX &&
	       talk->texts + 4 * PIECE_MAX < WIRE_MAX;
}

void
talk_step(struct talk *talk, enum what what, struct fuzz_step step)
{
	switch (what) {
	case DO_EHLO:
	case DO_HELO:
		do_hello(talk, what == DO_EHLO);
		return;
	case DO_MAIL:
		do_mail(talk, step);
		return;
	case DO_RCPT:
		do_rcpt(talk, step);
		return;
	case DO_DATA:
		do_data(talk, step);
		return;
	case DO_BDAT:
		do_bdat(talk, step);
		return;
	case DO_OTHER:
		do_other(talk, step);
		return;
	case DO_FLOOD:
		do_flood(talk, step);
		return;
	case DO_RSET:
	case DO_NOOP:
	case DO_QUIT:
		do_simple(talk, what);
		return;
	case DO_STARTTLS:
	case DO_EXPIRE:
	case DO_DEAF:
	case DO_LATE:
	case DO_COUNT:
		break;
	}
}
