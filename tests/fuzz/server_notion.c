#include "tests/fuzz/server_notion.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void
server_init(struct server *server, bool lmtp)
{
	*server = (struct server){.lmtp = lmtp, .nwaiting = 1};
	server->waiting[0].heard = HEARD_CONNECT;
	buf_init(&server->body, 1 << 20);
}

void
server_free(struct server *server)
{
	buf_free(&server->body);
}

void
server_begin(struct server *server)
{
	server->nrcpts = 0;
	memset(server->rcpt_code, 0, sizeof(server->rcpt_code));
	memset(server->end_code, 0, sizeof(server->end_code));
	server->fair = true;
	server->whole = false;
	buf_clear(&server->body);
}

enum heard
server_due(const struct server *server)
{
	return server->nwaiting == 0 ? HEARD_NOTHING : server->waiting[0].heard;
}

static void
wait_for(struct server *server, enum heard heard)
{
	enum heard before = HEARD_NOTHING;

	if (server->nwaiting > 0)
		before = server->waiting[server->nwaiting - 1].heard;
	/* RFC 2920 3.1: without it one by one; with it these come last. */
	assert(
	    server->nwaiting == 0 || (server->serves & SERVES_PIPELINING) != 0);
	assert(before != HEARD_CONNECT && before != HEARD_HELLO &&
	       before != HEARD_STARTTLS && before != HEARD_DATA &&
	       before != HEARD_QUIT);
	assert(server->nwaiting < SERVER_COMMANDS);
	server->waiting[server->nwaiting++] = (struct command){
	    heard, server->nrcpts};
}

static bool
says(const struct server *server, const char *word)
{
	return strstr(server->line, word) != NULL;
}

static void
hear_mail(struct server *server)
{
	/* RFC 5321 4.1.1.11: no parameter that was not offered. */
	assert(!says(server, " SIZE=") || (server->serves & SERVES_SIZE));
	assert(!says(server, " BODY=") || (server->serves & SERVES_8BITMIME));
	assert(
	    !says(server, " SMTPUTF8") || (server->serves & SERVES_SMTPUTF8));
	assert(!says(server, " RET=") || (server->serves & SERVES_DSN));
	assert(!says(server, " ENVID=") || (server->serves & SERVES_DSN));
	assert(server->nrcpts == 0 && !server->whole);
	wait_for(server, HEARD_MAIL);
}

static void
hear_rcpt(struct server *server)
{
	char address[16];

	assert(server->nrcpts < SERVER_RCPTS && !server->whole);
	(void)snprintf(
	    address, sizeof(address), "<r%zu@b.org>", server->nrcpts);
	/* Each of them, once, in their order. */
	assert(says(server, address));
	assert(!says(server, " NOTIFY=") || (server->serves & SERVES_DSN));
	assert(!says(server, " ORCPT=") || (server->serves & SERVES_DSN));
	wait_for(server, HEARD_RCPT);
	server->nrcpts++;
}

static void
hear_chunk(struct server *server)
{
	struct span octets = span_of(server->line + 5);

	assert((server->serves & SERVES_CHUNKING) != 0 && !server->whole);
	assert(server->nrcpts > 0);
	server->last = octets.n > 5 &&
	               strcmp(octets.p + octets.n - 5, " LAST") == 0;
	if (server->last)
		octets.n -= 5;
	assert(text_parse_u64(octets, &server->chunk));
	server->hearing = HEARING_CHUNK;
}

static void
hear_line(struct server *server)
{
	static const struct {
		const char *word;
		enum heard heard;
	} verbs[] = {
	    {"EHLO ", HEARD_HELLO},
	    {"HELO ", HEARD_HELLO},
	    {"LHLO ", HEARD_HELLO},
	    {"STARTTLS", HEARD_STARTTLS},
	    {"DATA", HEARD_DATA},
	    {"RSET", HEARD_RSET},
	    {"QUIT", HEARD_QUIT},
	};

	if (strncmp(server->line, "MAIL FROM:<", 11) == 0) {
		hear_mail(server);
		return;
	}
	if (strncmp(server->line, "RCPT TO:<", 9) == 0) {
		hear_rcpt(server);
		return;
	}
	if (strncmp(server->line, "BDAT ", 5) == 0) {
		hear_chunk(server);
		return;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strncmp(server->line, verbs[i].word,
			strlen(verbs[i].word)) == 0) {
			wait_for(server, verbs[i].heard);
			return;
		}
	assert(0 && "a command that nobody knows");
}

static void
hear_end(struct server *server)
{
	assert(!server->whole);
	server->whole = true;
	server->hearing = HEARING_LINES;
	wait_for(server, HEARD_END);
}

/* RFC 5321 4.5.2: the dot in front goes, a dot alone is the end. */
static void
hear_data_line(struct server *server)
{
	const char *line = server->line;
	bool wanted = strcmp(line, ".") == 0;

	/* RFC 2920 3.1: where nobody was accepted the message is empty. */
	for (size_t i = 0; i < server->nrcpts; i++)
		wanted |= server->rcpt_code[i] / 100 == 2;
	assert(wanted);

	if (strcmp(line, ".") == 0) {
		hear_end(server);
		return;
	}
	assert(
	    buf_add_str(&server->body, line[0] == '.' ? line + 1 : line) == 0);
	assert(buf_add_str(&server->body, "\r\n") == 0);
}

static void
hear_octet(struct server *server, char octet)
{
	assert(server->nline + 1 < SERVER_LINE);
	server->line[server->nline++] = octet;
	if (octet != '\n')
		return;
	assert(server->nline >= 2 && server->line[server->nline - 2] == '\r');
	server->line[server->nline - 2] = '\0';
	server->nline = 0;
	if (server->hearing == HEARING_DATA)
		hear_data_line(server);
	else
		hear_line(server);
}

static struct span
hear_octets(struct server *server, struct span bytes)
{
	struct span now = bytes;

	if (now.n > server->chunk)
		now.n = (size_t)server->chunk;
	assert(buf_add(&server->body, now) == 0);
	server->chunk -= now.n;
	return span_from(bytes, now.n);
}

void
server_hear(struct server *server, struct span bytes)
{
	while (bytes.n > 0 || server->hearing == HEARING_CHUNK) {
		if (server->hearing != HEARING_CHUNK) {
			hear_octet(server, bytes.p[0]);
			bytes = span_from(bytes, 1);
			continue;
		}
		bytes = hear_octets(server, bytes);
		if (server->chunk > 0)
			return;
		server->hearing = HEARING_LINES;
		if (server->last)
			hear_end(server);
		else
			wait_for(server, HEARD_CHUNK);
	}
}

/* RFC 2033 4.2: one reply to each recipient that was accepted; else one. */
static bool
end_answered(struct server *server, unsigned code)
{
	bool more = false;

	for (size_t i = 0; i < server->nrcpts; i++) {
		if (server->rcpt_code[i] / 100 != 2 || server->end_code[i] != 0)
			continue;
		if (more)
			return false;
		server->end_code[i] = code;
		more = server->lmtp;
	}
	server->mail = false;
	return true;
}

void
server_answered(struct server *server, unsigned code)
{
	struct command command = server->waiting[0];
	bool good = code / 100 == 2;

	assert(server->nwaiting > 0);
	if (command.heard == HEARD_END && !end_answered(server, code))
		return;
	server->nwaiting--;
	memmove(server->waiting, server->waiting + 1,
	    server->nwaiting * sizeof(command));
	if (command.heard == HEARD_MAIL) {
		/* RFC 5321 4.1.4: no second MAIL in a transaction. */
		assert(!server->mail);
		server->mail = good;
		server->fair &= good;
	} else if (command.heard == HEARD_RCPT) {
		server->rcpt_code[command.rcpt] = code;
	} else if (command.heard == HEARD_DATA) {
		server->fair &= code == 354;
		if (code == 354)
			server->hearing = HEARING_DATA;
	} else if (command.heard == HEARD_CHUNK) {
		server->fair &= good;
	} else if (command.heard == HEARD_RSET) {
		/* Refused, too: that MAIL is behind it was not wrong. */
		server->mail = false;
	}
}
