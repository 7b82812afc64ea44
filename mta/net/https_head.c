#include "mta/net/https_head.h"

#include "base/text.h"

#define BLANKS " \t\r\n"

static bool
is_blank(char c)
{
	return memchr(BLANKS, c, sizeof(BLANKS) - 1) != NULL;
}

/* RFC 9112 4: "HTTP/1.1 200 OK"; 0 when there is no such number. */
static unsigned
status_of(struct span line)
{
	uint32_t status = 0;
	const char *blank = memchr(line.p, ' ', line.n);
	struct span rest;

	if (blank == NULL)
		return 0;
	rest = span_from(line, (size_t)(blank - line.p) + 1);
	if (rest.n > 3 && !is_blank(rest.p[3]))
		return 0;
	return text_parse_u32(span_first(rest, 3), &status) && status >= 100
	           ? status
	           : 0;
}

static void
begin(struct https_head *head, struct span line)
{
	*head = (struct https_head){.is_post = head->is_post,
	    .size = head->size,
	    .status = status_of(line)};
}

/* RFC 8461 3.2: text/plain; parameters are ignored. */
static void
read_type(struct https_head *head, struct span value)
{
	const char *end = memchr(value.p, ';', value.n);
	struct span type = text_trim(
	    span_first(value, end == NULL ? value.n : (size_t)(end - value.p)),
	    BLANKS);

	head->is_plain = span_eq_nocase(type, SPAN("text/plain"));
	text_escape(type, head->type, sizeof(head->type));
}

/* RFC 9112 6.3: fields that differ, or are no length, are past recovery. */
static void
read_length(struct https_head *head, struct span value)
{
	uint64_t said = UINT64_MAX;
	bool valid = text_parse_u64(value, &said);

	if (!valid || (head->length >= HTTPS_LENGTH_SAID && said != head->said))
		head->length = HTTPS_LENGTH_UNCLEAR;
	else if (head->length != HTTPS_LENGTH_UNCLEAR)
		head->length = said > HTTPS_BODY_MAX ? HTTPS_LENGTH_LARGE
		                                     : HTTPS_LENGTH_SAID;
	head->said = said;
}

/* RFC 9112 7.1; what else there is changes the body. */
static void
read_transfer(struct https_head *head, struct span value)
{
	if (!span_eq_nocase(value, SPAN("chunked")))
		head->is_encoded = true;
	else if (head->length == HTTPS_LENGTH_UNSAID)
		head->length = HTTPS_LENGTH_CHUNKED;
}

static void
read_field(struct https_head *head, struct span line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct span name, value;

	if (colon == NULL)
		return;
	name = span_first(line, (size_t)(colon - line.p));
	value = text_trim(span_from(line, name.n + 1), BLANKS);
	if (span_eq_nocase(name, SPAN("content-type")))
		read_type(head, value);
	else if (span_eq_nocase(name, SPAN("content-encoding")))
		head->is_encoded |= !span_eq_nocase(value, SPAN("identity"));
	else if (span_eq_nocase(name, SPAN("transfer-encoding")))
		read_transfer(head, value);
	else if (span_eq_nocase(name, SPAN("content-length")))
		read_length(head, value);
}

/* RFC 8460 5.4: a "successful" response; what it says beside is its affair. */
static enum https_kind
judge_post(unsigned status)
{
	if (status == 0)
		return HTTPS_BROKEN;
	return status / 100 == 2 ? HTTPS_FINE : HTTPS_STATUS;
}

/* An empty line: what came before it is an answer, or an interim one. */
static enum https_kind
judge(struct https_head *head)
{
	if (head->status >= 100 && head->status < 200)
		return HTTPS_FINE;
	head->over = true;
	if (head->is_post)
		return judge_post(head->status);
	/* RFC 8461 3.3: redirects MUST NOT be followed, only 200 is valid. */
	if (head->status >= 300 && head->status < 400)
		return HTTPS_REDIRECT;
	if (head->status != 200)
		return head->status == 0 ? HTTPS_BROKEN : HTTPS_STATUS;
	if (!head->is_plain || head->is_encoded)
		return HTTPS_WRONG_TYPE;
	if (head->length == HTTPS_LENGTH_UNCLEAR)
		return HTTPS_BROKEN;
	return head->length == HTTPS_LENGTH_LARGE ? HTTPS_TOO_LARGE
	                                          : HTTPS_FINE;
}

enum https_kind
https_head_add(struct https_head *head, struct span line)
{
	if (line.n > HTTPS_HEAD_MAX - head->size)
		return HTTPS_TOO_LARGE;
	head->size += line.n;
	if (head->over) /* a trailer */
		return HTTPS_FINE;
	if (text_trim(line, BLANKS).n == 0)
		return judge(head);
	if (span_starts_nocase(line, SPAN("HTTP/")))
		begin(head, line);
	else
		read_field(head, line);
	return HTTPS_FINE;
}
