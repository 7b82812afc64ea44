/* Who gets a notification, and how its three parts are put together. */
#include "mta/message/dsn.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "mta/message/dsn_private.h"
#include "mta/message/encode.h"

#define WORDS_PER_RCPT 16384u
#define MESSAGE_ID_MAX 250

bool
dsn_allowed(const struct envelope *envelope)
{
	/* What became of a report of ours is in the report role's books. */
	return envelope->sender[0] != '\0' &&
	       envelope->tls_wish != TLS_WISH_REPORT;
}

bool
dsn_wanted(uint8_t notify, enum dsn_action action)
{
	/* RFC 3461 5.2.2 (d), 4.1: NEVER stands alone and means it */
	if (notify & NOTIFY_NEVER)
		return false;
	switch (action) {
	case DSN_FAILED:
		/* RFC 3461 5.2.6 */
		return notify == NOTIFY_DEFAULT || (notify & NOTIFY_FAILURE);
	case DSN_DELAYED:
		/* RFC 3461 5.2.5 */
		return notify == NOTIFY_DEFAULT || (notify & NOTIFY_DELAY);
	case DSN_RELAYED:
	case DSN_EXPANDED:
	case DSN_DELIVERED:
		/* RFC 3461 5.2.3 */
		return (notify & NOTIFY_SUCCESS) != 0;
	}
	return false;
}

enum tls_wish
dsn_wish(const struct envelope *envelope)
{
	/* RFC 8689 5: protected as the message was.  A waiver is not theirs
	 * to whom it goes, and their policies stand. */
	return envelope->tls_wish == TLS_WISH_REQUIRED ? TLS_WISH_REQUIRED
	                                               : TLS_WISH_NONE;
}

bool
dsn_returns_whole(const struct envelope *envelope, bool failed, uint64_t size)
{
	/* RFC 3461 6.2: without a failure the header will do */
	if (!failed)
		return false;
	/* RFC 8689 5: RET=FULL does not count for a REQUIRETLS message */
	if (envelope->tls_wish == TLS_WISH_REQUIRED)
		return false;
	switch (envelope->ret) {
	case RET_FULL:
		return size <= DSN_WHOLE_MAX;
	case RET_DEFAULT:
		/* RFC 6522 3: without a wish, what was sent */
		return size <= DSN_WHOLE_DEFAULT;
	case RET_HDRS:
		break;
	}
	return false;
}

struct span
dsn_header(struct span message, size_t most)
{
	size_t end = 0;

	while (end < message.n) {
		const char *line = message.p + end;
		const char *lf = memchr(line, '\n', message.n - end);
		size_t n = lf == NULL ? message.n - end
		                      : (size_t)(lf - line) + 1;

		if (n <= 2 && (line[0] == '\r' || line[0] == '\n'))
			break;
		if (end + n > most)
			break;
		end += n;
	}
	return span_first(message, end);
}

/* --- the header of the notification --------------------------------------- */

/* "<...>" of the field that begins here, when it is harmless. */
static struct span
message_id_in(struct span line)
{
	const char *open = memchr(line.p, '<', line.n);
	struct span id = {0};

	if (open == NULL)
		return id;
	id = span_from(line, (size_t)(open - line.p));
	for (size_t i = 1; i < id.n && i < MESSAGE_ID_MAX; i++) {
		if (id.p[i] <= ' ' || id.p[i] >= 0x7f || id.p[i] == '<')
			break;
		if (id.p[i] == '>')
			return span_first(id, i + 1);
	}
	return (struct span){0};
}

/* The Message-ID of the original, so that mail readers show them together. */
static struct span
find_message_id(struct span header)
{
	while (header.n > 0) {
		const char *lf = memchr(header.p, '\n', header.n);
		size_t n = lf == NULL ? header.n : (size_t)(lf - header.p) + 1;

		if (span_starts_nocase(header, SPAN("Message-ID:")))
			return message_id_in(span_first(header, n));
		header = span_from(header, n);
	}
	return (struct span){0};
}

/* The worst that happened gives the name. */
static const char *
subject_of(const struct dsn *dsn)
{
	enum dsn_action worst = DSN_DELIVERED;

	for (size_t i = 0; i < dsn->nrcpts; i++)
		if (dsn->rcpts[i].action < worst)
			worst = dsn->rcpts[i].action;
	switch (worst) {
	case DSN_FAILED:
		return "Your message could not be delivered";
	case DSN_DELAYED:
		return "Your message is delayed (it is still being tried)";
	case DSN_RELAYED:
	case DSN_EXPANDED:
		return "Your message was passed on";
	case DSN_DELIVERED:
		break;
	}
	return "Your message was delivered";
}

static void
put_header(const struct dsn *dsn, const struct dsn_needs *needs,
    const char *boundary, struct dsn_out *out)
{
	struct span id = find_message_id(
	    dsn_header(dsn->original, DSN_WHOLE_MAX));
	char date[CLOCK_RFC5322_SIZE];

	clock_rfc5322(dsn->now, date);
	dsn_put(out,
	    "From: Mail Delivery System <postmaster@%s>\r\n"
	    "To: <",
	    dsn->hostname);
	dsn_put_clean(out, span_of(dsn->envelope->sender));
	dsn_put(out, ">\r\nSubject: %s\r\nDate: %s\r\n", subject_of(dsn), date);
	dsn_put(out, "Message-ID: <%s@%s>\r\n", dsn->id, dsn->hostname);
	if (id.n > 0)
		dsn_put(out, "In-Reply-To: %.*s\r\nReferences: %.*s\r\n",
		    (int)id.n, id.p, (int)id.n, id.p);
	/* RFC 3834 5: nobody answers this automatically */
	dsn_put(out,
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"%s\"\r\n"
	    "Content-Transfer-Encoding: %s\r\n"
	    "\r\n"
	    "This is a delivery report in MIME format.\r\n",
	    boundary, needs->eight_bit ? "8bit" : "7bit");
}

/* --- the parts ------------------------------------------------------------ */

static void
open_part(struct dsn_out *out, const char *boundary, const char *description,
    const char *type, const char *encoding)
{
	dsn_put(out,
	    "\r\n--%s\r\n"
	    "Content-Description: %s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Transfer-Encoding: %s\r\n"
	    "\r\n",
	    boundary, description, type, encoding);
}

static void
put_words(const struct dsn *dsn, const char *boundary, struct dsn_out *out)
{
	struct buf text;
	struct dsn_out words = {.buf = &text, .utf8 = true};
	bool ascii;

	buf_init(&text, (dsn->nrcpts + 1) * (size_t)WORDS_PER_RCPT);
	dsn_words(dsn, &words);
	ascii = text_is_ascii(buf_span(&text));
	open_part(out, boundary, "Notification",
	    ascii ? "text/plain; charset=us-ascii"
		  : "text/plain; charset=utf-8",
	    ascii ? "7bit" : "quoted-printable");
	if (ascii)
		dsn_put_span(out, buf_span(&text));
	else if (quoted_printable_encode(buf_span(&text), out->buf) < 0)
		out->full = true;
	out->full |= words.full;
	buf_free(&text);
}

static void
put_fields(
    const struct dsn *dsn, const char *boundary, bool utf8, struct dsn_out *out)
{
	/* RFC 3464 2.1: seven bits; RFC 6533 4.1: UTF-8 */
	open_part(out, boundary, "Delivery report",
	    utf8 ? "message/global-delivery-status" : "message/delivery-status",
	    utf8 ? "8bit" : "7bit");
	out->utf8 = utf8;
	dsn_fields(dsn, out);
	out->utf8 = false;
}

/* How the original is labelled and encoded. */
struct enclosure {
	const char *type;
	const char *encoding; /* NULL: base64 */
	bool eight_bit;
};

static struct enclosure
choose_enclosure(const struct dsn *dsn, bool utf8)
{
	struct span header = dsn_header(dsn->original, SIZE_MAX);
	bool ascii = text_is_ascii(dsn->original);

	/* RFC 6533 4.2, 4.3: a header in UTF-8 has types of its own */
	if (dsn->envelope->smtputf8 && !text_is_ascii(header) &&
	    text_is_utf8(header))
		return (struct enclosure){
		    dsn->whole ? "message/global" : "message/global-headers",
		    /* RFC 6533 4.5: the way back may not know SMTPUTF8 */
		    utf8 ? "8bit" : NULL, utf8};
	/* RFC 6522 4: the header alone */
	return (struct enclosure){
	    dsn->whole ? "message/rfc822" : "text/rfc822-headers",
	    ascii ? "7bit" : "8bit", !ascii};
}

static void
put_original(const struct dsn *dsn, const struct enclosure *enclosure,
    const char *boundary, struct dsn_out *out)
{
	struct span body = dsn->original;

	open_part(out, boundary,
	    dsn->whole ? "Your message" : "Header of your message",
	    enclosure->type,
	    enclosure->encoding != NULL ? enclosure->encoding : "base64");
	if (enclosure->encoding != NULL)
		dsn_put_span(out, body);
	else if (base64_encode(body, out->buf) < 0)
		out->full = true;
	if (enclosure->encoding != NULL && body.n > 0 &&
	    body.p[body.n - 1] != '\n')
		dsn_put(out, "\r\n");
}

/* A boundary does not stand in what it bounds. */
static void
choose_boundary(const struct dsn *dsn, char to[72])
{
	size_t n;

	(void)text_copy(to, 61, dsn->boundary);
	n = strlen(to);
	while (n < 71 && dsn->original.n > 0 &&
	       memmem(dsn->original.p, dsn->original.n, to, n) != NULL) {
		to[n++] = '0';
		to[n] = '\0';
	}
}

int
dsn_build(const struct dsn *dsn, struct buf *out, struct dsn_needs *ret_needs,
    struct err *err)
{
	/* RFC 6533 4.5: a sender in UTF-8 can be reached with SMTPUTF8 only */
	bool utf8 = !text_is_ascii(span_of(dsn->envelope->sender));
	struct enclosure enclosure = choose_enclosure(dsn, utf8);
	struct dsn_needs needs = {
	    .eight_bit = utf8 || enclosure.eight_bit, .smtputf8 = utf8};
	struct dsn_out whole = {.buf = out};
	size_t from = out->n;
	char boundary[72];

	choose_boundary(dsn, boundary);
	whole.utf8 = utf8;
	put_header(dsn, &needs, boundary, &whole);
	put_words(dsn, boundary, &whole);
	put_fields(dsn, boundary, utf8, &whole);
	put_original(dsn, &enclosure, boundary, &whole);
	dsn_put(&whole, "\r\n--%s--\r\n", boundary);
	if (whole.full) {
		out->n = from;
		return err_set(err, ERR_BUG, "4.3.0",
		    "the delivery report does not fit its buffer");
	}
	*ret_needs = needs;
	return 0;
}
