/* The status codes of replies (RFC 2034, RFC 3463): each reply of the table,
 * and what owners' refusals become. */
#include <stdio.h>
#include <string.h>

#include "mta/smtp/session_reply.h"

#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define HELO "HELO me.example\r\n"
#define EHLO "EHLO me.example\r\n"
#define MAIL "MAIL FROM:<a@example.org>\r\n"
#define RCPT "RCPT TO:<b@example.net>\r\n"

/* RFC 3463 2: class "." subject "." detail, of which none has leading zeros;
 * the number of its octets, or 0. */
static size_t
status_length(const char *s)
{
	unsigned parts = 1;
	size_t n = 0, digits = 0;

	if (s[0] != '2' && s[0] != '4' && s[0] != '5')
		return 0;
	for (;; n++) {
		if (s[n] >= '0' && s[n] <= '9') {
			if (digits > 0 && s[n - digits] == '0')
				return 0;
			if (++digits > (parts == 1 ? 1 : 3))
				return 0;
			continue;
		}
		if (digits == 0)
			return 0;
		if (s[n] != '.')
			break;
		parts++;
		digits = 0;
	}
	return parts == 3 && s[n] == ' ' ? n : 0;
}

/* RFC 2034 4: one line, with a status of its class; none in 3yz. */
static void
check_reply(const char *line)
{
	bool none = line[0] == '3';

	if (strlen(line) < 5 || line[3] != ' ')
		fail_msg("more than one line: %s", line);
	if (none ? status_length(line + 4) != 0
		 : status_length(line + 4) == 0 || line[4] != line[0])
		fail_msg("its status: %s", line);
	for (const char *c = line; *c != '\0'; c++)
		/* RFC 6531 3.7.4.2 */
		if ((unsigned char)*c >= 0x7f ||
		    ((unsigned char)*c < ' ' && strchr("\r\n", *c) == NULL))
			fail_msg("not ASCII: %s", line);
}

static void
take_output(struct session *session, char *to, size_t size)
{
	struct span out = session_output(session);

	assert_true(out.n > 0 && out.n < size);
	memcpy(to, out.p, out.n);
	to[out.n] = '\0';
	session_sent(session, out.n);
}

static void
every_reply_has_its_status(void **state)
{
	struct session_setup setup = play_setup();
	struct session *session = session_new(&setup);
	char line[2048];

	(void)state;
	take_output(session, line, sizeof(line));
	/* RFC 2034 4: the greeting has none. */
	assert_string_equal(line, "220 mx.example.org ESMTP Danelaw\r\n");
	for (int reply = REPLY_NONE; reply <= REPLY_BARE_CR; reply++) {
		session_reply(session, (enum session_reply)reply);
		take_output(session, line, sizeof(line));
		check_reply(line);
	}
	session_free(&session);
}

struct refusal {
	const char *rule;
	struct err err;
	const char *mail, *rcpt, *end;
};

static const struct refusal refusals[] = {
    {"RFC 5321 4.2.3: for good", {ERR_PERM, "5.7.1", "No"}, "550 5.7.1 No\r\n",
	"550 5.7.1 No\r\n", "554 5.7.1 No\r\n"},
    {"RFC 5321 4.2.3: for now", {ERR_TEMP, "4.7.1", "No"}, "450 4.7.1 No\r\n",
	"450 4.7.1 No\r\n", "451 4.7.1 No\r\n"},
    {"RFC 2034 4: the class is that of the code", {ERR_TEMP, "5.7.1", "No"},
	"450 4.7.1 No\r\n", "450 4.7.1 No\r\n", "451 4.7.1 No\r\n"},
    {"RFC 2034 4: no status was given", {ERR_PERM, "", "No"},
	"550 5.0.0 No\r\n", "550 5.0.0 No\r\n", "554 5.0.0 No\r\n"},
    {"RFC 2034 4: words of several lines are one", {ERR_PERM, "5.7.1", "a\nb"},
	"550 5.7.1 a?b\r\n", "550 5.7.1 a?b\r\n", "554 5.7.1 a?b\r\n"},
    {"RFC 6531 3.7.4.2: words beyond ASCII", {ERR_PERM, "5.7.1", "n\xc3\xa4h"},
	"550 5.7.1 n?\?h\r\n", "550 5.7.1 n?\?h\r\n", "554 5.7.1 n?\?h\r\n"},
    {"RFC 6531 3.5: an address in ASCII is needed", {ERR_PERM, "5.6.7", "No"},
	"550 5.6.7 No\r\n", "553 5.6.7 No\r\n", "554 5.6.7 No\r\n"},
    {"RFC 6531 3.5: the header is UTF-8", {ERR_PERM, "5.6.9", "No"},
	"550 5.6.9 No\r\n", "550 5.6.9 No\r\n", "554 5.6.9 No\r\n"},
    {"RFC 7504 4, RFC 7505 4.1: null MX", {ERR_PERM, "5.1.10", "No"},
	"556 5.1.10 No\r\n", "556 5.1.10 No\r\n", "556 5.1.10 No\r\n"},
    {"RFC 7505 4.2: the sender's is one", {ERR_PERM, "5.7.27", "No"},
	"550 5.7.27 No\r\n", "550 5.7.27 No\r\n", "554 5.7.27 No\r\n"},
};

/* Ends with `event` owed to us, and the output taken. */
static struct session *
begin(const char *send, enum session_event event)
{
	struct session_setup setup = play_setup();
	struct session *session = session_new(&setup);

	session_feed(session, span_of(send));
	for (;;) {
		enum session_event next = session_next(session);

		session_sent(session, session_output(session).n);
		if (next == event)
			return session;
		if (next != SESSION_IDLE && next != SESSION_BODY)
			session_answer(session, NULL);
	}
}

/* RFC 2034 4: also behind HELO, which lists nothing. */
static void
refusals_have_theirs(void **state)
{
	static const struct {
		const char *send;
		enum session_event event;
	} places[] = {
	    {MAIL, SESSION_MAIL},
	    {MAIL RCPT, SESSION_RCPT},
	    {MAIL RCPT "DATA\r\n.\r\n", SESSION_END},
	};

	(void)state;
	for (size_t i = 0; i < 6 * ROWS(refusals); i++) {
		const struct refusal *row = &refusals[i / 6];
		const char *wanted[] = {row->mail, row->rcpt, row->end};
		char send[200], said[1024];
		struct session *session;

		(void)snprintf(send, sizeof(send), "%s%s",
		    i % 2 == 0 ? HELO : EHLO, places[i / 2 % 3].send);
		session = begin(send, places[i / 2 % 3].event);
		session_answer(session, &row->err);
		take_output(session, said, sizeof(said));
		check_reply(said);
		if (strcmp(said, wanted[i / 2 % 3]) != 0)
			fail_msg("%s: %s", row->rule, said);
		session_free(&session);
	}
}

/* RFC 2034 4: neither the reply to HELO nor that to EHLO has one. */
static void
hello_has_none(void **state)
{
	static const char *const hellos[] = {HELO, EHLO};

	(void)state;
	for (size_t i = 0; i < ROWS(hellos); i++) {
		struct session_setup setup = play_setup();
		struct session *session = session_new(&setup);
		char said[2048];

		session_sent(session, session_output(session).n);
		session_feed(session, span_of(hellos[i]));
		assert_int_equal(session_next(session), SESSION_IDLE);
		take_output(session, said, sizeof(said));
		for (const char *line = said; *line != '\0';
		     line += strcspn(line, "\n") + 1)
			if (strncmp(line, "250", 3) != 0 ||
			    status_length(line + 4) != 0)
				fail_msg("%s", line);
		session_free(&session);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_reply_has_its_status),
	    cmocka_unit_test(refusals_have_theirs),
	    cmocka_unit_test(hello_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
