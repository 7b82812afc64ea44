/* See wire.h. */
#include "mta/milter/wire.h"

#include <stdio.h>

#include "base/text.h"
#include "base/wire.h"

#define HEAD 4u

typedef bool read_reply(struct cursor *in, struct milter_reply *reply);

static bool
take_be32(struct cursor *in, uint32_t *ret)
{
	struct span s;

	if (!take_bytes(in, 4, &s))
		return false;
	*ret = (uint32_t)(unsigned char)s.p[0] << 24 |
	       (uint32_t)(unsigned char)s.p[1] << 16 |
	       (uint32_t)(unsigned char)s.p[2] << 8 |
	       (uint32_t)(unsigned char)s.p[3];
	return true;
}

/* Up to its NUL, which is taken, too. */
static bool
take_text(struct cursor *in, struct span *ret)
{
	struct span nul;
	const char *end = in->rest.n == 0
	                      ? NULL
	                      : memchr(in->rest.p, '\0', in->rest.n);

	if (end == NULL)
		return false;
	return take_bytes(in, (size_t)(end - in->rest.p), ret) &&
	       take_bytes(in, 1, &nul);
}

static bool
is_printable(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	return true;
}

/* RFC 5322 2.2 and 3.6.8: printable US-ASCII without the colon. */
static bool
is_field_name(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f || name.p[i] == ':')
			return false;
	return name.n > 0 && name.n <= 255;
}

/* RFC 5322 2.2.3: a line end in a value is a fold, with a blank behind it. */
static bool
is_field_value(struct span value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		bool last = i + 1 == value.n;
		bool folded = !last &&
		              (value.p[i + 1] == ' ' || value.p[i + 1] == '\t');

		if (c == '\r' && !last && value.p[i + 1] == '\n')
			continue;
		if ((c == '\r' || c == '\n') && !folded)
			return false;
		if (((unsigned char)c < ' ' || c == 0x7f) && c != '\r' &&
		    c != '\n' && c != '\t')
			return false;
	}
	return true;
}

static bool
read_options(struct cursor *in, struct milter_reply *reply)
{
	struct milter_options *options = &reply->options;

	/* Behind them may stand which macros it wants: it gets all. */
	return take_be32(in, &options->version) &&
	       take_be32(in, &options->actions) &&
	       take_be32(in, &options->flags) &&
	       take_bytes(in, in->rest.n, &reply->value);
}

static bool
read_nothing(struct cursor *in, struct milter_reply *reply)
{
	(void)reply;
	return in->rest.n == 0;
}

static bool
read_field(struct cursor *in, struct milter_reply *reply)
{
	if (!take_text(in, &reply->name) || !take_text(in, &reply->value))
		return false;
	reply->value = text_trim(reply->value, "\r\n");
	return is_field_name(reply->name) && is_field_value(reply->value);
}

static bool
read_placed_field(struct cursor *in, struct milter_reply *reply)
{
	return take_be32(in, &reply->index) && read_field(in, reply);
}

static bool
read_body(struct cursor *in, struct milter_reply *reply)
{
	return take_bytes(in, in->rest.n, &reply->value);
}

/* An address, and perhaps arguments behind it. */
static bool
read_path(struct cursor *in, struct milter_reply *reply)
{
	if (!take_text(in, &reply->name))
		return false;
	if (in->rest.n > 0 && !take_text(in, &reply->value))
		return false;
	return is_printable(reply->name) && is_printable(reply->value) &&
	       reply->name.n <= 1024 && reply->value.n <= 2048;
}

static bool
read_reason(struct cursor *in, struct milter_reply *reply)
{
	return in->rest.n == 0 || take_text(in, &reply->name);
}

/* "5.7.1" in front of the text, of the class of the code (RFC 2034 4). */
static size_t
status_length(struct span text, char class)
{
	size_t n = 0;
	unsigned dots = 0;

	while (n < text.n && (text_is_digit(text.p[n]) || text.p[n] == '.'))
		dots += text.p[n++] == '.';
	if (dots != 2 || n < 5 || n > 9 || text.p[0] != class ||
	    text.p[1] != '.' || text.p[2] == '.' || text.p[n - 1] == '.')
		return 0;
	return n == text.n || text.p[n] == ' ' ? n : 0;
}

/* One line of a reply, its code and status cut off; false: it is none. */
static bool
read_line(struct span line, const char code[3], struct span *ret_text,
    struct span *ret_status)
{
	struct span text;
	size_t n;

	if (line.n < 3 || memcmp(line.p, code, 3) != 0 ||
	    (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-'))
		return false;
	text = span_from(line, 4);
	n = status_length(text, code[0]);
	*ret_status = span_first(text, n);
	*ret_text = text_trim(span_from(text, n), " \t");
	return true;
}

static struct span
next_line(struct span *rest)
{
	const char *lf = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
	size_t n = lf == NULL ? rest->n : (size_t)(lf - rest->p);
	struct span line = span_first(*rest, n);

	*rest = span_from(*rest, n + 1);
	return text_trim(line, "\r");
}

static bool
is_code(struct span text)
{
	return text.n >= 3 && (text.p[0] == '4' || text.p[0] == '5') &&
	       text.p[1] >= '0' && text.p[1] <= '5' && text_is_digit(text.p[2]);
}

/*
 * RFC 5321 4.2.1: several lines may come; we say them in one, as printable
 * text, so that no filter puts a reply of its own making into the dialog.
 */
static bool
read_code(struct cursor *in, struct milter_reply *reply)
{
	char said[sizeof(reply->err.text)] = "", shown[sizeof(said)];
	char status[sizeof(reply->err.enhanced)] = "";
	struct span text, line, code;
	size_t n = 0;

	if (!take_text(in, &text) || !is_code(text))
		return false;
	for (code = text; text.n > 0;) {
		struct span seen;

		if (!read_line(next_line(&text), code.p, &line, &seen))
			return false;
		if (status[0] == '\0')
			(void)text_copy_span(status, sizeof(status), seen);
		text_escape(line, shown, sizeof(shown));
		n += (size_t)snprintf(said + n, sizeof(said) - n, "%s%s",
		    n == 0 ? "" : " ", shown);
		if (n >= sizeof(said))
			n = sizeof(said) - 1;
	}
	if (status[0] == '\0')
		(void)snprintf(status, sizeof(status), "%c.7.1", code.p[0]);
	(void)err_set(&reply->err, code.p[0] == '4' ? ERR_TEMP : ERR_PERM,
	    status, "%s", said[0] == '\0' ? "refused by a filter" : said);
	reply->code = (unsigned)(code.p[0] - '0') * 100 +
	              (unsigned)(code.p[1] - '0') * 10 +
	              (unsigned)(code.p[2] - '0');
	return true;
}

static const struct {
	char letter;
	enum milter_reply_kind kind;
	read_reply *read;
} replies[] = {
    {'O', REPLY_IS_OPTIONS, read_options},
    {'c', REPLY_IS_CONTINUE, read_nothing},
    {'a', REPLY_IS_ACCEPT, read_nothing},
    {'r', REPLY_IS_REJECT, read_nothing},
    {'t', REPLY_IS_TEMPFAIL, read_nothing},
    {'d', REPLY_IS_DISCARD, read_nothing},
    {'s', REPLY_IS_SKIP, read_nothing},
    {'y', REPLY_IS_CODE, read_code},
    {'4', REPLY_IS_SHUTDOWN, read_nothing},
    {'f', REPLY_IS_SHUTDOWN, read_nothing},
    {'p', REPLY_IS_PROGRESS, read_nothing},
    {'h', REPLY_IS_ADD_HEADER, read_field},
    {'i', REPLY_IS_INSERT_HEADER, read_placed_field},
    {'m', REPLY_IS_CHANGE_HEADER, read_placed_field},
    {'b', REPLY_IS_BODY, read_body},
    {'+', REPLY_IS_ADD_RCPT, read_path},
    {'2', REPLY_IS_ADD_RCPT, read_path},
    {'-', REPLY_IS_DELETE_RCPT, read_path},
    {'e', REPLY_IS_FROM, read_path},
    {'q', REPLY_IS_QUARANTINE, read_reason},
};

static int
bad(struct err *err, const char *what)
{
	return err_set(err, ERR_TEMP, "4.3.0", "the filter sent %s", what);
}

static int
read_packet(char letter, struct span data, struct milter_reply *ret_reply,
    struct err *err)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct milter_reply reply = {.kind = replies[i].kind};
		struct cursor in = cursor_of(data);
		char what[80];

		if (replies[i].letter != letter)
			continue;
		if (replies[i].read(&in, &reply) && cursor_done(&in)) {
			*ret_reply = reply;
			return 1;
		}
		(void)snprintf(what, sizeof(what),
		    "a reply \"%s\" that is not sound",
		    milter_reply_name(replies[i].kind));
		return bad(err, what);
	}
	return bad(err, "a reply that nobody knows");
}

int
milter_take(struct span in, struct milter_reply *ret_reply, size_t *ret_used,
    struct err *err)
{
	struct cursor cursor = cursor_of(in);
	uint32_t n;

	if (!take_be32(&cursor, &n))
		return 0;
	if (n == 0)
		return bad(err, "an empty packet");
	if (n > MILTER_PACKET_MAX)
		return bad(err, "a packet that is too large");
	if (in.n - HEAD < n)
		return 0;
	*ret_used = HEAD + n;
	return read_packet(in.p[HEAD],
	    span_first(span_from(in, HEAD + 1), n - 1), ret_reply, err);
}

static void
store_be32(char to[4], uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (char)(unsigned char)(value >> (24 - 8 * i));
}

int
milter_put(struct buf *out, enum milter_command command, struct span data)
{
	char head[HEAD + 1];

	if (data.n >= MILTER_PACKET_MAX)
		return -1;
	store_be32(head, (uint32_t)data.n + 1);
	head[HEAD] = (char)command;
	if (buf_add(out, (struct span){head, sizeof(head)}) < 0)
		return -1;
	return buf_add(out, data);
}

int
milter_put_options(struct buf *out, const struct milter_options *options)
{
	char data[12];

	store_be32(data, options->version);
	store_be32(data + 4, options->actions);
	store_be32(data + 8, options->flags);
	return milter_put(
	    out, MILTER_OPTNEG, (struct span){data, sizeof(data)});
}

int
milter_put_text(struct buf *data, struct span text)
{
	char *to = buf_reserve(data, text.n + 1);

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < text.n; i++)
		to[i] = (char)(text.p[i] == '\0' ? ' ' : text.p[i]);
	to[text.n] = '\0';
	data->n += text.n + 1;
	return 0;
}

int
milter_put_u16(struct buf *data, uint16_t value)
{
	char octets[2] = {(char)(value >> 8), (char)(value & 0xff)};

	return buf_add(data, (struct span){octets, sizeof(octets)});
}

const char *
milter_reply_name(enum milter_reply_kind kind)
{
	static const char *const names[] = {
	    [REPLY_IS_BAD] = "none",
	    [REPLY_IS_OPTIONS] = "options",
	    [REPLY_IS_CONTINUE] = "continue",
	    [REPLY_IS_ACCEPT] = "accept",
	    [REPLY_IS_REJECT] = "reject",
	    [REPLY_IS_TEMPFAIL] = "tempfail",
	    [REPLY_IS_DISCARD] = "discard",
	    [REPLY_IS_SKIP] = "skip",
	    [REPLY_IS_CODE] = "code",
	    [REPLY_IS_SHUTDOWN] = "shutdown",
	    [REPLY_IS_PROGRESS] = "progress",
	    [REPLY_IS_ADD_HEADER] = "add-header",
	    [REPLY_IS_INSERT_HEADER] = "insert-header",
	    [REPLY_IS_CHANGE_HEADER] = "change-header",
	    [REPLY_IS_BODY] = "replace-body",
	    [REPLY_IS_ADD_RCPT] = "add-recipient",
	    [REPLY_IS_DELETE_RCPT] = "delete-recipient",
	    [REPLY_IS_FROM] = "change-from",
	    [REPLY_IS_QUARANTINE] = "quarantine",
	};

	return names[kind];
}

const char *
milter_command_name(enum milter_command command)
{
	switch (command) {
	case MILTER_OPTNEG:
		return "options";
	case MILTER_MACRO:
		return "macro";
	case MILTER_CONNECT:
		return "connect";
	case MILTER_HELO:
		return "helo";
	case MILTER_MAIL:
		return "mail";
	case MILTER_RCPT:
		return "rcpt";
	case MILTER_DATA:
		return "data";
	case MILTER_HEADER:
		return "header";
	case MILTER_EOH:
		return "end-of-header";
	case MILTER_BODY:
		return "body";
	case MILTER_END:
		return "end-of-message";
	case MILTER_ABORT:
		return "abort";
	case MILTER_QUIT:
		return "quit";
	}
	return "none";
}
