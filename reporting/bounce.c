/* See bounce.h. */
#include "reporting/bounce.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* RFC 2046 5.1.1 */
#define BOUNDARY_MAX 70
#define FIELD_SIZE   1024
#define PARTS_MAX    8
#define GROUPS_MAX   64
#define WSP          " \t"

#define ORCPT_TYPE "rfc822;"

/* --- what we say of the recipient ------------------------------------------- */

/* RFC 3461 4.2, 4: xtext, within 500 octets. */
void
bounce_orcpt(const char *address, char to[BOUNCE_ORCPT_SIZE])
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = strlen(ORCPT_TYPE);

	memcpy(to, ORCPT_TYPE, n + 1);
	for (const char *c = address; *c != '\0'; c++) {
		bool plain = *c > ' ' && *c < 0x7f && *c != '+' && *c != '=';

		if (n + 4 > BOUNCE_ORCPT_SIZE) {
			to[0] = '\0';
			return;
		}
		if (plain) {
			to[n++] = *c;
		} else {
			to[n++] = '+';
			to[n++] = hex[(unsigned char)*c >> 4];
			to[n++] = hex[*c & 15];
		}
	}
	to[n] = '\0';
}

/* --- lines and fields ----------------------------------------------------- */

/* The line at the front of what is left, without its end. */
static bool
take_line(struct span *rest, struct span *ret)
{
	const char *end;
	size_t n;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	n = end == NULL ? rest->n : (size_t)(end - rest->p);
	*ret = (struct span){rest->p, n};
	if (ret->n > 0 && ret->p[ret->n - 1] == '\r')
		ret->n--;
	*rest = span_from(*rest, n + 1);
	return true;
}

/* One field, unfolded (RFC 5322 2.2.3), and cut where it is too long. */
struct field {
	struct span name;
	char value[FIELD_SIZE];
};

static void
append(char to[FIELD_SIZE], struct span from)
{
	size_t n = strlen(to), more = from.n;

	if (more > FIELD_SIZE - 1 - n)
		more = FIELD_SIZE - 1 - n;
	if (more == 0)
		return;
	memcpy(to + n, from.p, more);
	to[n + more] = '\0';
	/* A NUL would be its end. */
	for (char *c = to + n; c < to + n + more; c++)
		if (*c == '\0')
			*c = '?';
}

/* False at the empty line, which is taken, and at the end. */
static bool
take_field(struct span *rest, struct field *ret)
{
	struct span line;
	const char *colon;

	ret->value[0] = '\0';
	ret->name = (struct span){NULL, 0};
	if (!take_line(rest, &line) || line.n == 0)
		return false;
	colon = memchr(line.p, ':', line.n);
	if (colon != NULL) {
		ret->name = text_trim(
		    (struct span){line.p, (size_t)(colon - line.p)}, WSP);
		append(ret->value,
		    text_trim(
			span_from(line, (size_t)(colon - line.p) + 1), WSP));
	}
	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t') &&
	       take_line(rest, &line)) {
		append(ret->value, SPAN(" "));
		append(ret->value, text_trim(line, WSP));
	}
	return true;
}

static bool
is_named(const struct field *field, struct span name)
{
	return span_eq_nocase(field->name, name);
}

/* The value up to one of these, or to its end. */
static struct span
word_of(const char *value, const char *ends)
{
	return text_trim((struct span){value, strcspn(value, ends)}, WSP);
}

/* --- the header ----------------------------------------------------------- */

struct header {
	char type[FIELD_SIZE]; /* Content-Type, with its parameters */
	bool encoded;          /* what is in it is not as it reads */
	bool automatic;
};

static void
take_header(struct span *rest, struct header *ret)
{
	struct field field;
	struct span word;

	*ret = (struct header){.type = ""};
	while (take_field(rest, &field)) {
		word = word_of(field.value, "; (");
		if (is_named(&field, SPAN("Content-Type")))
			memcpy(ret->type, field.value, sizeof(ret->type));
		/* RFC 3834 5: anything but "no" */
		if (is_named(&field, SPAN("Auto-Submitted")))
			ret->automatic = !span_eq_nocase(word, SPAN("no"));
		if (is_named(&field, SPAN("Content-Transfer-Encoding")))
			ret->encoded = !span_eq_nocase(word, SPAN("7bit")) &&
			               !span_eq_nocase(word, SPAN("8bit")) &&
			               !span_eq_nocase(word, SPAN("binary"));
	}
}

static bool
has_type(const struct header *header, struct span type)
{
	return span_eq_nocase(word_of(header->type, "; ("), type);
}

/* Behind the name of a parameter and its "="; NULL: it is not there. */
static const char *
parameter(const char *type, struct span name)
{
	const char *at = strchr(type, ';');

	for (; at != NULL; at = strchr(at, ';')) {
		at += 1 + strspn(at + 1, WSP);
		if (!span_starts_nocase(span_of(at), name))
			continue;
		at += name.n;
		at += strspn(at, WSP);
		if (*at == '=')
			return at + 1 + strspn(at + 1, WSP);
	}
	return NULL;
}

/* RFC 2046 5.1.1; quoted pairs are not among what it may have in it. */
static bool
take_boundary(const char *type, char to[BOUNDARY_MAX + 1])
{
	const char *value = parameter(type, SPAN("boundary"));
	struct span word;

	if (value == NULL)
		return false;
	word = value[0] == '"'
	           ? (struct span){value + 1, strcspn(value + 1, "\"")}
	           : word_of(value, "; \t(");
	if (word.n == 0 || word.n > BOUNDARY_MAX)
		return false;
	memcpy(to, word.p, word.n);
	to[word.n] = '\0';
	return true;
}

/* --- parts ---------------------------------------------------------------- */

/* Is it a delimiter?  *ret_last: of the end. */
static bool
is_delimiter(struct span line, const char *boundary, bool *ret_last)
{
	size_t n = strlen(boundary);
	struct span behind;

	if (line.n < n + 2 || memcmp(line.p, "--", 2) != 0 ||
	    memcmp(line.p + 2, boundary, n) != 0)
		return false;
	behind = text_trim(span_from(line, n + 2), WSP);
	*ret_last = span_eq(behind, SPAN("--"));
	return behind.n == 0 || *ret_last;
}

/* What stands before the next delimiter.  False: there is none behind it. */
static bool
take_part(struct span *rest, const char *boundary, struct span *ret)
{
	struct span line;
	bool last = false;

	ret->p = rest->p;
	ret->n = 0;
	while (take_line(rest, &line)) {
		if (is_delimiter(line, boundary, &last))
			return !last;
		ret->n = (size_t)(rest->p - ret->p);
	}
	return false;
}

/* RFC 3464 2.1, RFC 6533 3; of two the first. */
static bool
find_status(struct span rest, const char *boundary, struct span *ret)
{
	struct header header;
	bool more = take_part(&rest, boundary, ret); /* before the first */

	for (size_t i = 0; more && i < PARTS_MAX; i++) {
		more = take_part(&rest, boundary, ret);
		take_header(ret, &header);
		if (has_type(&header, SPAN("message/delivery-status")) ||
		    has_type(&header, SPAN("message/global-delivery-status")))
			return !header.encoded;
	}
	return false;
}

/* --- what it says --------------------------------------------------------- */

struct said {
	char action[32], status[32];
	char diagnostic[FIELD_SIZE];
	/* Without their types; "": it does not say. */
	char final[FIELD_SIZE], original[FIELD_SIZE];
};

/* RFC 3464 2.3.1, 2.3.2, 2.3.6: the type stands before. */
static struct span
behind_type(const char *value)
{
	const char *text = strchr(value, ';');

	return text_trim(span_of(text == NULL ? value : text + 1), WSP);
}

/* RFC 3464 2.1: comments may stand behind; no address of a place has a "(". */
static void
take_address(const char *value, char to[FIELD_SIZE])
{
	struct span is = behind_type(value);

	is = span_first(is, strcspn(is.p, WSP "("));
	if (is.n > 1 && is.p[0] == '<' && is.p[is.n - 1] == '>')
		is = (struct span){is.p + 1, is.n - 2};
	(void)text_copy_span(to, FIELD_SIZE, is);
}

/* A group of fields.  False: there is no more (RFC 3464 2.1). */
static bool
take_group(struct span *rest, struct said *ret)
{
	struct field field;
	bool any = false;

	*ret = (struct said){.action = ""};
	while (rest->n > 0 && !any)
		for (; take_field(rest, &field); any = true) {
			struct span word = word_of(field.value, "; (");

			if (is_named(&field, SPAN("Action")))
				(void)text_copy_span(
				    ret->action, sizeof(ret->action), word);
			if (is_named(&field, SPAN("Status")))
				(void)text_copy_span(
				    ret->status, sizeof(ret->status), word);
			if (is_named(&field, SPAN("Diagnostic-Code")))
				(void)text_copy_span(ret->diagnostic,
				    sizeof(ret->diagnostic),
				    behind_type(field.value));
			if (is_named(&field, SPAN("Final-Recipient")))
				take_address(field.value, ret->final);
			if (is_named(&field, SPAN("Original-Recipient")))
				take_address(field.value, ret->original);
		}
	return any;
}

static void
say_why(const struct said *said, char why[BOUNCE_WHY_SIZE])
{
	char line[FIELD_SIZE + 64];
	size_t n;

	(void)snprintf(line, sizeof(line), "%s%s%s", said->status,
	    said->status[0] == '\0' || said->diagnostic[0] == '\0' ? "" : " ",
	    said->diagnostic);
	n = strlen(line);
	text_escape((struct span){line, n}, why, BOUNCE_WHY_SIZE);
}

static size_t
local_part(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? strlen(address) : (size_t)(at - address);
}

/*
 * Is it the address that we sent it to?  Who stands behind that, as one member
 * of an alias or who it is passed on to, may be gone while others have it.  A
 * server may write another domain of its own; then its Original-Recipient,
 * which we gave it, has to be right.
 */
static bool
is_about(const struct said *said, const char *address)
{
	struct span wanted = span_of(address), final = span_of(said->final);
	char orcpt[BOUNCE_ORCPT_SIZE];
	struct span original = span_of(said->original);

	if (final.n == 0 || span_eq_nocase(final, wanted))
		return true;
	bounce_orcpt(address, orcpt);
	return (span_eq_nocase(original, wanted) ||
		   span_eq_nocase(original, /* as it stood there */
		       span_from(span_of(orcpt), strlen(ORCPT_TYPE)))) &&
	       span_eq_nocase(span_first(final, local_part(said->final)),
		   span_first(wanted, local_part(address)));
}

/*
 * RFC 3464 2.3.3: who was told of as one of several, and others got it, has a
 * place that takes reports.
 */
static enum bounce
judge(struct span status, const char *address, char why[BOUNCE_WHY_SIZE])
{
	enum bounce found = BOUNCE_NEWS;
	struct said said;

	/* RFC 3464 2.2: the message's own group says nothing of an action; where
	 * it is missing, the first is a recipient's. */
	for (size_t i = 0; i <= GROUPS_MAX && take_group(&status, &said); i++) {
		struct span action = span_of(said.action);

		if (span_eq_nocase(action, SPAN("delivered")) ||
		    span_eq_nocase(action, SPAN("relayed")) ||
		    span_eq_nocase(action, SPAN("expanded"))) {
			why[0] = '\0';
			return BOUNCE_NEWS;
		}
		if (found == BOUNCE_FAILED ||
		    !span_eq_nocase(action, SPAN("failed")))
			continue;
		if (!is_about(&said, address)) {
			found = BOUNCE_BEHIND;
			continue;
		}
		found = BOUNCE_FAILED;
		say_why(&said, why);
	}
	return found;
}

enum bounce
bounce_read(struct span mail, const char *address, char why[BOUNCE_WHY_SIZE])
{
	struct span rest = span_first(mail, BOUNCE_LOOK_MAX), status;
	char boundary[BOUNDARY_MAX + 1];
	struct header header;

	why[0] = '\0';
	take_header(&rest, &header);
	/* RFC 6522 3 */
	if (has_type(&header, SPAN("multipart/report")) &&
	    take_boundary(header.type, boundary) &&
	    find_status(rest, boundary, &status))
		return judge(status, address, why);
	return header.automatic ? BOUNCE_AUTOMATIC : BOUNCE_OTHER;
}

const char *
bounce_name(enum bounce bounce)
{
	switch (bounce) {
	case BOUNCE_OTHER:
		return "it is no delivery status notification";
	case BOUNCE_AUTOMATIC:
		return "it is an automatic reply";
	case BOUNCE_NEWS:
		return "it does not say that the report was not delivered";
	case BOUNCE_BEHIND:
		return "it failed for another address, behind that of the "
		       "place";
	case BOUNCE_FAILED:
		return "failed";
	}
	return "?";
}
