/* The Received field (RFC 5321 4.4) of a message that is coming in. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/smtp/grammar.h"
#include "mta/smtp/session_private.h"

/* RFC 5322 2.1.1 */
#define LINE_SHOULD 78
#define TAB_WIDTH   8
#define WORD_MAX    640

struct folder {
	struct buf *out;
	size_t column;
	int result; /* -1 once something did not fit */
};

static void
add(struct folder *folder, const char *s)
{
	if (buf_add_str(folder->out, s) < 0)
		folder->result = -1;
	folder->column += strlen(s);
}

/* A run that must not be broken, with a blank or a fold in front. */
static void __attribute__((format(printf, 2, 3)))
add_words(struct folder *folder, const char *fmt, ...)
{
	char words[WORD_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	if (folder->column + 1 + strlen(words) > LINE_SHOULD) {
		add(folder, "\r\n\t");
		folder->column = TAB_WIDTH;
	} else {
		add(folder, " ");
	}
	add(folder, words);
}

static void
fold(struct folder *folder)
{
	folder->column = LINE_SHOULD;
}

/* RFC 5321 4.1.3 */
static void
literal_of(const char *client, char *to, size_t size)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, client, address) == 1)
		(void)snprintf(to, size, "[%s]", client);
	else if (inet_pton(AF_INET6, client, address) == 1)
		(void)snprintf(to, size, "[IPv6:%s]", client);
	else
		(void)snprintf(to, size, "unknown");
}

/* What may stand in a comment without ending it or looking like another. */
static void
tame(const char *s, char *to, size_t size)
{
	size_t n = 0;

	for (; s[n] != '\0' && n < size - 1; n++)
		to[n] = text_is_alnum(s[n]) || strchr("-._:/@+=", s[n]) != NULL
		            ? s[n]
		            : '?';
	to[n] = '\0';
}

static void
add_from(struct folder *folder, const struct session *session)
{
	struct span helo = span_of(session->helo);
	char literal[SESSION_NAME_MAX + 8];
	char tamed[SESSION_NAME_MAX];

	literal_of(session->setup.client, literal, sizeof(literal));
	if (grammar_is_domain(helo) || grammar_is_literal(helo)) {
		add_words(folder, "from %s", session->helo);
		add_words(folder, "(%s)", literal);
		return;
	}
	/* RFC 5321 4.4: what is no domain may stand in a comment only. */
	tame(session->helo, tamed, sizeof(tamed));
	add_words(folder, "from %s", literal);
	add_words(folder, "(helo %s)", tamed);
}

/* RFC 3848, and RFC 6531 4.3 for the UTF8 ones. */
static const char *
protocol(const struct session *session)
{
	bool tls = session->tls.version != NULL;

	if (session->hello != HELLO_EHLO)
		return "SMTP";
	if (session->envelope.smtputf8)
		return tls ? "UTF8SMTPS" : "UTF8SMTP";
	return tls ? "ESMTPS" : "ESMTP";
}

static void
add_tls(struct folder *folder, const struct session_tls *tls)
{
	char version[SESSION_NAME_MAX];
	char cipher[SESSION_NAME_MAX];
	char sni[SESSION_NAME_MAX];

	if (tls->version == NULL)
		return;
	tame(tls->version, version, sizeof(version));
	tame(tls->cipher, cipher, sizeof(cipher));
	tame(tls->sni, sni, sizeof(sni));
	fold(folder);
	add_words(folder, "(using %s", version);
	add_words(folder, "cipher %s%s", cipher, sni[0] == '\0' ? ")" : ",");
	if (sni[0] != '\0')
		add_words(folder, "sni %s)", sni);
}

int
session_trace(const struct session *session, const char *queue_id, int64_t now,
    struct buf *out)
{
	const struct envelope *envelope = &session->envelope;
	struct folder folder = {.out = out};
	char date[CLOCK_RFC5322_SIZE];

	clock_rfc5322(now, date);
	add(&folder, "Received:");
	add_from(&folder, session);
	fold(&folder);
	add_words(&folder, "by %s (Danelaw)", session->setup.hostname);
	add_words(&folder, "with %s", protocol(session));
	add_words(&folder, "id %s", queue_id);
	add_tls(&folder, &session->tls);
	fold(&folder);
	/* RFC 5321 7.2: naming one of several would tell on the others. */
	if (envelope->nrcpts == 1)
		add_words(&folder, "for <%s>;", envelope->rcpts[0].address);
	else
		add(&folder, ";");
	add_words(&folder, "%s", date);
	add(&folder, "\r\n");
	return folder.result;
}
