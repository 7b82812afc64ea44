#include "mta/smtp/session_reply.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/smtp/session_private.h"

static const char *const replies[] = {
    [REPLY_NONE] = "451 4.3.0 No answer\r\n",
    [REPLY_BYE] = "221 2.0.0 Bye\r\n",
    [REPLY_OK] = "250 2.0.0 Ok\r\n",
    [REPLY_RESET] = "250 2.0.0 Reset\r\n",
    [REPLY_MAIL_OK] = "250 2.1.0 Sender ok\r\n",
    [REPLY_RCPT_OK] = "250 2.1.5 Recipient ok\r\n",
    [REPLY_CHUNK_OK] = "250 2.0.0 Chunk ok\r\n",
    [REPLY_TLS_READY] = "220 2.0.0 Ready to start TLS\r\n",
    [REPLY_VRFY] = "252 2.5.0 Not verified; mail for it is judged at RCPT\r\n",
    [REPLY_DATA_GO] = "354 End data with <CR><LF>.<CR><LF>\r\n",
    [REPLY_TOO_MANY_ERRORS] = "421 4.7.0 Too many errors, closing\r\n",
    [REPLY_TOO_MANY_UNKNOWN] =
	"421 4.7.0 Too many unknown recipients, closing\r\n",
    [REPLY_TOO_MANY_COMMANDS] =
	"421 4.7.0 Too many commands without a message, closing\r\n",
    [REPLY_TOO_MUCH_INPUT] = "421 4.7.0 Too much input, closing\r\n",
    [REPLY_TOO_MANY_RCPTS] = "452 4.5.3 Too many recipients\r\n",
    [REPLY_LINE_TOO_LONG] = "500 5.5.2 Line too long\r\n",
    [REPLY_BAD_LINE_END] =
	"500 5.5.2 Lines end with <CR><LF> and have neither inside\r\n",
    /* RFC 5321 4.1.2 */
    [REPLY_BAD_OCTET] = "501 5.5.2 Control character in a command\r\n",
    [REPLY_UNKNOWN] = "500 5.5.1 Unknown command\r\n",
    [REPLY_BAD_HELLO] = "501 5.5.4 Give one host name or address literal\r\n",
    [REPLY_BAD_ARGUMENT] = "501 5.5.4 Syntax error in the argument\r\n",
    [REPLY_NO_ARGUMENT] = "501 5.5.4 No argument is allowed\r\n",
    [REPLY_BAD_PARAM] = "501 5.5.4 Syntax error in a parameter\r\n",
    [REPLY_BAD_CHUNK] = "501 5.5.4 Bad chunk size, closing\r\n",
    [REPLY_TLS_PIPELINED] =
	"501 5.5.1 Nothing may follow STARTTLS before its reply, closing\r\n",
    [REPLY_NOT_OFFERED] = "502 5.5.1 Not offered here\r\n",
    [REPLY_HTTP] = "502 5.7.0 This is SMTP, closing\r\n",
    [REPLY_NEED_HELLO] = "503 5.5.1 EHLO or HELO first\r\n",
    [REPLY_NEED_MAIL] = "503 5.5.1 MAIL first\r\n",
    [REPLY_NEED_RCPT] = "554 5.5.1 No valid recipients\r\n",
    [REPLY_NESTED_MAIL] = "503 5.5.1 A sender is given already\r\n",
    [REPLY_IN_CHUNKS] = "503 5.5.1 Chunks are coming: BDAT or RSET\r\n",
    [REPLY_TLS_ACTIVE] = "503 5.5.1 TLS is active already\r\n",
    [REPLY_REFUSED] = "503 5.5.1 No service for you: QUIT\r\n",
    [REPLY_TLS_FIRST] = "530 5.7.0 Must issue a STARTTLS command first\r\n",
    [REPLY_NEED_TLS] = "530 5.7.10 REQUIRETLS wants TLS: STARTTLS first\r\n",
    [REPLY_TOO_BIG] = "552 5.3.4 Message too big\r\n",
    [REPLY_NEED_UTF8_FROM] = "550 5.6.7 The address needs SMTPUTF8\r\n",
    [REPLY_NEED_UTF8] = "553 5.6.7 The address needs SMTPUTF8\r\n",
    [REPLY_UNKNOWN_PARAM] = "555 5.5.4 Unknown parameter\r\n",
    [REPLY_HOPS] = "554 5.4.6 Too many hops: is this a loop?\r\n",
    [REPLY_TEXT_LINE] = "554 5.6.0 A line of the message is too long\r\n",
    [REPLY_BARE_LF] =
	"554 5.5.2 Bare <LF> in the message (RFC 5321 2.3.8), closing\r\n",
    [REPLY_BARE_CR] =
	"554 5.5.2 Bare <CR> in the message (RFC 5321 2.3.8), closing\r\n",
};

/* What the peer does not read piles up here; then it is done for. */
static void
put(struct session *session, const char *line)
{
	if (buf_add_str(&session->out, line) < 0)
		session_leave(session);
}

void
session_reply(struct session *session, enum session_reply reply)
{
	put(session, replies[reply]);
}

void
session_reply_line(struct session *session, unsigned code, const char *enhanced,
    const char *text)
{
	char line[512];
	size_t n;

	/* RFC 5321 4.5.3.1.5: 512 octets with the CRLF. */
	(void)snprintf(line, sizeof(line) - 2, "%u %s%s%s", code, enhanced,
	    enhanced[0] == '\0' ? "" : " ", text);
	text_make_printable(line);
	n = strlen(line);
	memcpy(line + n, "\r\n", 3);
	put(session, line);
}

bool
session_end_at(struct session *session, enum session_limit limit)
{
	static const enum session_reply words[] = {
	    [SESSION_LIMIT_NONE] = REPLY_TOO_MUCH_INPUT,
	    [SESSION_LIMIT_ERRORS] = REPLY_TOO_MANY_ERRORS,
	    [SESSION_LIMIT_UNKNOWN] = REPLY_TOO_MANY_UNKNOWN,
	    [SESSION_LIMIT_COMMANDS] = REPLY_TOO_MANY_COMMANDS,
	};

	session->limit = limit;
	session_reply(session, words[limit]);
	session_leave(session);
	return true;
}

static void
count_fault(struct session *session, uint32_t *counter)
{
	(*counter)++;
	session->held = session->setup.hold_after > 0 &&
	                session->errors + session->unknown >
	                    session->setup.hold_after;
}

static bool
has_patience(struct session *session)
{
	count_fault(session, &session->errors);
	if (session->errors <= session->setup.errors_max)
		return true;
	(void)session_end_at(session, SESSION_LIMIT_ERRORS);
	return false;
}

void
session_complain(struct session *session, enum session_reply reply)
{
	if (has_patience(session))
		session_reply(session, reply);
}

void
session_complain_err(struct session *session, const struct err *err)
{
	if (has_patience(session))
		session_reply_line(session, 501, err->enhanced, err->text);
}

/* RFC 5321 4.2.3 and RFC 7504 4: the codes people know for a status. */
static const struct {
	const char *enhanced;
	unsigned code;
} codes[] = {
    {"4.2.2", 452},
    {"4.3.1", 452},
    {"4.5.3", 452},
    {"5.1.10", 556},
    {"5.2.2", 552},
    {"5.2.3", 552},
    {"5.3.4", 552},
};

static unsigned
refusal_code(enum session_event event, const char *enhanced, bool temporary)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].enhanced, enhanced) == 0)
			return codes[i].code;
	/* RFC 5321 4.2.3: 450 is about a mailbox, 451 about us. */
	if (strncmp(enhanced, "4.3.", 4) == 0 ||
	    strncmp(enhanced, "4.4.", 4) == 0)
		return 451;
	/* RFC 6531 3.5: of a recipient it is 553. */
	if (event == SESSION_RCPT && strcmp(enhanced, "5.6.7") == 0)
		return 553;
	if (event == SESSION_MAIL || event == SESSION_RCPT)
		return temporary ? 450 : 550;
	return temporary ? 451 : 554;
}

void
session_refuse(
    struct session *session, enum session_event event, const struct err *err)
{
	bool temporary = err->kind != ERR_PERM;
	char enhanced[sizeof(err->enhanced)];

	/* RFC 2034 4: the class of the status is the class of the code. */
	(void)text_copy(enhanced, sizeof(enhanced), err->enhanced);
	if (enhanced[0] == '\0')
		(void)text_copy(enhanced, sizeof(enhanced), "5.0.0");
	enhanced[0] = temporary ? '4' : '5';
	session_reply_line(session,
	    session->code != 0 ? session->code
			       : refusal_code(event, enhanced, temporary),
	    enhanced, err->text);
}

/* RFC 3463 3.2: X.1.1 is "Bad destination mailbox address". */
void
session_refuse_rcpt(struct session *session, const struct err *err)
{
	uint32_t most = session->setup.unknown_max;

	if (strcmp(err->enhanced, "5.1.1") == 0)
		count_fault(session, &session->unknown);
	if (most > 0 && session->unknown > most)
		(void)session_end_at(session, SESSION_LIMIT_UNKNOWN);
	else
		session_refuse(session, SESSION_RCPT, err);
}

void
session_reply_greeting(struct session *session)
{
	char text[SESSION_NAME_MAX + 32];

	(void)snprintf(
	    text, sizeof(text), "%s ESMTP Danelaw", session->setup.hostname);
	session_reply_line(session, 220, "", text);
}

void
session_reply_hello(struct session *session, bool extended)
{
	char size[32] = "", limits[48] = "";
	bool tls = session->tls.version != NULL;

	if (!extended) {
		session_reply_line(session, 250, "", session->setup.hostname);
		return;
	}
	if (session->setup.message_max > 0)
		(void)snprintf(size, sizeof(size), " %llu",
		    (unsigned long long)session->setup.message_max);
	/* RFC 9422 4.2: who knows them before need not run into 452. */
	if (session->setup.rcpts_max > 0)
		(void)snprintf(limits, sizeof(limits),
		    "250-LIMITS RCPTMAX=%u\r\n", session->setup.rcpts_max);
	/* RFC 3207 4.2: not again once TLS is active; RFC 8689 2: only then. */
	if (buf_printf(&session->out,
		"250-%s\r\n250-PIPELINING\r\n250-SIZE%s\r\n%s"
		"250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n"
		"250-SMTPUTF8\r\n250-CHUNKING\r\n%s%s250 HELP\r\n",
		session->setup.hostname, size,
		session->setup.starttls && !tls ? "250-STARTTLS\r\n" : "",
		limits,
		session->setup.requiretls && tls ? "250-REQUIRETLS\r\n" : "") <
	    0)
		session_leave(session);
}

void
session_reply_help(struct session *session)
{
	char text[SESSION_NAME_MAX + 64];

	(void)snprintf(text, sizeof(text),
	    "Danelaw%s%s: see RFC 5321; a person reads postmaster",
	    session->setup.version[0] == '\0' ? "" : " ",
	    session->setup.version);
	session_reply_line(session, 214, "2.0.0", text);
}

void
session_reply_queued(struct session *session, const char *queue_id)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "Ok: queued as %s", queue_id);
	session_reply_line(session, 250, "2.0.0", text);
}
