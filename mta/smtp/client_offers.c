/* How a server greets, and what EHLO lists: keywords, SIZE, LIMITS. */
#include <string.h>

#include "base/text.h"
#include "mta/smtp/client_private.h"

static const struct {
	const char *keyword;
	enum client_offer offer;
} keywords[] = {
    {"STARTTLS", OFFER_STARTTLS},
    {"PIPELINING", OFFER_PIPELINING},
    {"SIZE", OFFER_SIZE},
    {"8BITMIME", OFFER_8BITMIME},
    {"SMTPUTF8", OFFER_SMTPUTF8},
    {"CHUNKING", OFFER_CHUNKING},
    {"DSN", OFFER_DSN},
    {"ENHANCEDSTATUSCODES", OFFER_ENHANCED},
    {"REQUIRETLS", OFFER_REQUIRETLS},
    {"LIMITS", OFFER_LIMITS},
};

static bool
is_of_names(char c)
{
	return c != '\0' && (text_is_alnum(c) || strchr(".-_:[]", c) != NULL);
}

/* RFC 5321 4.2: Greeting = "220 " ( Domain / address-literal ) ... */
void
client_read_peer(struct client *client)
{
	struct span text = buf_span(&client->reply.text);
	size_t n = 0;

	client->peer[0] = '\0';
	while (n < text.n && is_of_names(text.p[n]))
		n++;
	if (n == 0 || n >= sizeof(client->peer) ||
	    (n < text.n && text.p[n] != ' ' && text.p[n] != '\n'))
		return;
	memcpy(client->peer, text.p, n);
	client->peer[n] = '\0';
	text_fold(client->peer);
}

/* RFC 9422 3.7: a limit that is unknown or no number from 1 on is passed over. */
static void
read_limit(struct client_limits *limits, struct span item)
{
	static const struct {
		struct span name;
		size_t offset;
	} known[] = {
	    {{"MAILMAX=", 8}, offsetof(struct client_limits, mail_max)},
	    {{"RCPTMAX=", 8}, offsetof(struct client_limits, rcpt_max)},
	    {{"RCPTDOMAINMAX=", 14},
		offsetof(struct client_limits, rcpt_domain_max)},
	};
	uint32_t value;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_starts_nocase(item, known[i].name) &&
		    text_parse_u32(span_from(item, known[i].name.n), &value))
			memcpy((char *)limits + known[i].offset, &value,
			    sizeof(value));
}

static void
read_limits(struct client *client, struct span rest)
{
	while (rest.n > 0) {
		const char *blank = memchr(rest.p, ' ', rest.n);
		size_t n = blank == NULL ? rest.n : (size_t)(blank - rest.p);

		read_limit(&client->limits, span_first(rest, n));
		rest = span_from(rest, n + 1);
	}
}

/* RFC 5321 4.1.1.1: a keyword and its parameters; unknown ones are fine. */
static void
read_offer(struct client *client, struct span line)
{
	const char *blank = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
	size_t n = blank == NULL ? line.n : (size_t)(blank - line.p);
	struct span keyword = span_first(line, n);

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (span_eq_nocase(keyword, span_of(keywords[i].keyword)))
			client->offers |= keywords[i].offer;
	/* RFC 1870 4: no number, or zero, means no fixed limit. */
	if (span_eq_nocase(keyword, SPAN("SIZE")) &&
	    !text_parse_u64(span_from(line, n + 1), &client->size_limit))
		client->size_limit = 0;
	if (span_eq_nocase(keyword, SPAN("LIMITS")))
		read_limits(client, span_from(line, n + 1));
}

void
client_read_offers(struct client *client)
{
	struct span rest = buf_span(&client->reply.text);
	bool first = true;

	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		if (!first)
			read_offer(client, span_first(rest, n));
		first = false;
		rest = span_from(rest, n + 1);
	}
	/* RFC 3207 4.2: it must not be there again; we do not look. */
	if ((client->marks & MARK_TLS) != 0)
		client->offers &= ~(unsigned)OFFER_STARTTLS;
}
