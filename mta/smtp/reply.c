#include "mta/smtp/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define ENHANCED_SIZE sizeof(((struct err *)NULL)->enhanced)

void
reply_init(struct reply *reply)
{
	*reply = (struct reply){0};
	buf_init(&reply->text, REPLY_MAX);
}

void
reply_free(struct reply *reply)
{
	buf_free(&reply->text);
}

static enum reply_take
broken(struct err *err, const char *why, struct span line)
{
	char words[120];

	text_escape(line, words, sizeof(words));
	(void)err_set(err, ERR_TEMP, "4.5.0", "%s: %s", why, words);
	return REPLY_BROKEN;
}

/* RFC 5321 4.2: three digits, the first 2 to 5; 0: no reply code. */
static unsigned
reply_code(struct span line)
{
	uint32_t code = 0;

	if (line.n < 3 || !text_parse_u32(span_first(line, 3), &code))
		return 0;
	if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
		return 0;
	return code >= 200 && code <= 599 ? code : 0;
}

static enum reply_take
take_line(struct reply *reply, struct span line, struct err *err)
{
	unsigned code = reply_code(line);

	if (code == 0)
		return broken(err, "protocol error, not a reply", line);
	/* RFC 5321 4.2.1: each line of a reply has its code. */
	if (reply->more && code != reply->code)
		return broken(err, "protocol error, codes differ", line);
	if (!reply->more) {
		buf_clear(&reply->text);
		reply->octets = 0;
	}
	reply->octets += line.n;
	if ((reply->more && buf_add(&reply->text, SPAN("\n")) < 0) ||
	    buf_add(&reply->text, span_from(line, 4)) < 0 ||
	    reply->octets > REPLY_MAX)
		return broken(err, "protocol error, reply too long", line);
	reply->code = code;
	reply->more = line.n > 3 && line.p[3] == '-';
	return reply->more ? REPLY_WAIT : REPLY_WHOLE;
}

enum reply_take
reply_take(struct reply *reply, struct span *in, struct err *err)
{
	enum reply_take take = REPLY_WAIT;

	while (take == REPLY_WAIT && in->n > 0) {
		struct span line = span_first(*in, REPLY_LINE_MAX);
		const char *lf = memchr(line.p, '\n', line.n);

		if (lf == NULL)
			return line.n < REPLY_LINE_MAX
			           ? REPLY_WAIT
			           : broken(err,
					 "protocol error, line too long", line);
		line.n = (size_t)(lf - line.p);
		*in = span_from(*in, line.n + 1);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		take = take_line(reply, line, err);
	}
	return take;
}

void
reply_words(const struct reply *reply, char to[REPLY_WORDS_MAX])
{
	char raw[REPLY_WORDS_MAX];
	size_t n = (size_t)snprintf(raw, sizeof(raw), "%u ", reply->code);
	struct span text = span_first(buf_span(&reply->text), sizeof(raw) - n);

	for (size_t i = 0; i < text.n; i++)
		raw[n++] = text.p[i] == '\n' ? ' ' : text.p[i];
	while (n > 0 && raw[n - 1] == ' ')
		n--;
	text_escape((struct span){raw, n}, to, REPLY_WORDS_MAX);
}

/* RFC 3463 2: subject and detail have one to three digits. */
static size_t
status_part(struct span s)
{
	size_t n = 0;

	while (n < s.n && n < 4 && text_is_digit(s.p[n]))
		n++;
	return n < 4 ? n : 0;
}

/* RFC 2034 4: "c.s.d " at the front, of the class of the code. */
static bool
take_status(const struct reply *reply, char to[ENHANCED_SIZE])
{
	struct span s = buf_span(&reply->text);
	size_t subject, n;

	if (s.n < 5 || s.p[0] != (char)('0' + reply->code / 100) ||
	    s.p[1] != '.')
		return false;
	subject = status_part(span_from(s, 2));
	n = 2 + subject;
	if (subject == 0 || n >= s.n || s.p[n] != '.')
		return false;
	n += 1 + status_part(span_from(s, n + 1));
	if (s.p[n - 1] == '.' || (n < s.n && s.p[n] != ' ' && s.p[n] != '\n'))
		return false;
	memcpy(to, s.p, n);
	to[n] = '\0';
	return true;
}

struct err
reply_to_err(const struct reply *reply, const char *command)
{
	struct err err = {0};
	char words[REPLY_WORDS_MAX];
	char status[ENHANCED_SIZE];

	if (reply->code < 300 || reply->code == 354)
		return err;
	reply_words(reply, words);
	if (!take_status(reply, status))
		(void)text_copy(status, sizeof(status),
		    reply->code >= 500 ? "5.0.0" : "4.0.0");
	if (reply->code >= 500)
		(void)err_set(&err, ERR_PERM, status, "%s: %s", command, words);
	else if (reply->code >= 400)
		(void)err_set(&err, ERR_TEMP, status, "%s: %s", command, words);
	else
		(void)err_set(&err, ERR_TEMP, "4.5.0", "%s: protocol error: %s",
		    command, words);
	return err;
}
