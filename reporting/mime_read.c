#include "reporting/mime_read.h"

#include <gmime/gmime.h>

#include "base/text.h"
#include "reporting/gunzip.h"
#include "reporting/mime_bounds.h"

#define PIECE 16384
#define BOM   "\xef\xbb\xbf"

/* What a part is said to be. */
enum claim {
	CLAIM_OTHER = 0,
	CLAIM_TLSRPT, /* application/tlsrpt, as some write it */
	CLAIM_JSON,
	CLAIM_GZIP,
};

struct part {
	GMimePart *part;       /* the tree's */
	GMimeMessage *message; /* that it stands in; the tree's */
	enum claim claim;
	unsigned level; /* of messages inside of messages */
};

struct walk {
	struct part parts[MIME_PARTS_MAX];
	size_t n;
	bool more; /* than fit */
};

static enum claim
claim_of(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);

	if (g_mime_content_type_is_type(type, "application", "tlsrpt+gzip"))
		return CLAIM_GZIP;
	if (g_mime_content_type_is_type(type, "application", "tlsrpt+json"))
		return CLAIM_JSON;
	if (g_mime_content_type_is_type(type, "application", "tlsrpt"))
		return CLAIM_TLSRPT;
	return CLAIM_OTHER;
}

static void collect(
    struct walk *to, GMimeObject *object, struct part at, unsigned depth);

static void
walk_multipart(
    struct walk *to, GMimeMultipart *multipart, struct part at, unsigned depth)
{
	int n = g_mime_multipart_get_count(multipart);

	for (int i = 0; i < n && !to->more; i++)
		collect(
		    to, g_mime_multipart_get_part(multipart, i), at, depth + 1);
}

static void
walk_message(
    struct walk *to, GMimeMessagePart *inner, struct part at, unsigned depth)
{
	GMimeMessage *message = g_mime_message_part_get_message(inner);

	if (message == NULL)
		return;
	at.message = message;
	at.level++;
	collect(to, g_mime_message_get_mime_part(message), at, depth + 1);
}

static bool
is_a(GMimeObject *object, GType type)
{
	return g_type_check_instance_is_a((GTypeInstance *)object, type);
}

static void
collect(struct walk *to, GMimeObject *object, struct part at, unsigned depth)
{
	if (object == NULL)
		return;
	if (depth > MIME_DEPTH_MAX || to->n == MIME_PARTS_MAX) {
		to->more = true;
	} else if (is_a(object, GMIME_TYPE_MULTIPART)) {
		walk_multipart(to, GMIME_MULTIPART(object), at, depth);
	} else if (is_a(object, GMIME_TYPE_MESSAGE_PART)) {
		walk_message(to, GMIME_MESSAGE_PART(object), at, depth);
	} else if (is_a(object, GMIME_TYPE_PART)) {
		at.part = GMIME_PART(object);
		at.claim = claim_of(object);
		to->parts[to->n++] = at;
	}
}

/* --- what a part holds ---------------------------------------------------- */

/* The stream as it stands in the mail, from its start. */
static GMimeStream *
raw_stream(const struct part *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part->part);
	GMimeStream *stream = content == NULL
	                          ? NULL
	                          : g_mime_data_wrapper_get_stream(content);

	if (stream != NULL)
		(void)g_mime_stream_reset(stream);
	return stream;
}

/*
 * RFC 2045 6.8: an alphabet, lines, and "=" at the end up to a multiple of
 * four.
 */
struct base64 {
	size_t digits;
	size_t pads;
	bool odd;
};

static void
look_at_base64(struct base64 *base64, const char *piece, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = piece[i];

		if (c == '\r' || c == '\n')
			continue;
		base64->odd |= c != '=' && base64->pads > 0;
		if (c == '=')
			base64->pads++;
		else if (text_is_alnum(c) || c == '+' || c == '/')
			base64->digits++;
		else
			base64->odd = true;
	}
}

static bool
is_strict(const struct base64 *base64)
{
	return !base64->odd && base64->pads <= 2 &&
	       (base64->digits + base64->pads) % 4 == 0;
}

static int
decode_piece(
    GMimeEncoding *encoding, const char *piece, size_t n, struct buf *to)
{
	char *room = buf_reserve(to, g_mime_encoding_outlen(encoding, n));

	if (room == NULL)
		return -1;
	to->n += g_mime_encoding_step(encoding, piece, n, room);
	return 0;
}

/* The end of base64 that was left off is put back, or an octet is lost. */
static int
decode(const struct part *part, struct buf *to, bool *ret_strict)
{
	GMimeContentEncoding how = g_mime_part_get_content_encoding(part->part);
	GMimeStream *stream = raw_stream(part);
	struct base64 base64 = {0};
	GMimeEncoding encoding;
	char piece[PIECE];
	ssize_t n;

	buf_clear(to);
	*ret_strict = true;
	if (stream == NULL)
		return 0;
	g_mime_encoding_init_decode(&encoding, how);
	while ((n = g_mime_stream_read(stream, piece, sizeof(piece))) > 0) {
		if (decode_piece(&encoding, piece, (size_t)n, to) < 0)
			return -1;
		if (how == GMIME_CONTENT_ENCODING_BASE64)
			look_at_base64(&base64, piece, (size_t)n);
	}
	*ret_strict = is_strict(&base64);
	if (base64.digits % 4 < 2 || base64.pads > 0)
		return 0;
	return decode_piece(&encoding, "==", 4 - base64.digits % 4, to);
}

bool
mime_is_report(struct span octets)
{
	if (gunzip_is(octets))
		return true;
	if (span_starts_nocase(octets, SPAN(BOM)))
		octets = span_from(octets, sizeof(BOM) - 1);
	while (octets.n > 0 && strchr(" \t\r\n", octets.p[0]) != NULL)
		octets = span_from(octets, 1);
	return octets.n > 0 && octets.p[0] == '{';
}

/* The first part that holds a report; those of the right type go first. */
static const struct part *
choose(const struct walk *walk, struct buf *octets, bool *ret_strict)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < walk->n; i++) {
			const struct part *part = &walk->parts[i];

			if ((part->claim == CLAIM_OTHER) == (pass == 1) &&
			    decode(part, octets, ret_strict) == 0 &&
			    mime_is_report(buf_span(octets)))
				return part;
		}
	return NULL;
}

/* --- what the mail says --------------------------------------------------- */

/* One line of it on the arena, trimmed. */
static const char *
field(GMimeMessage *message, const char *name, struct arena *arena)
{
	GMimeHeader *header = g_mime_header_list_get_header(
	    g_mime_object_get_header_list(GMIME_OBJECT(message)), name);
	const char *raw = header == NULL ? NULL
	                                 : g_mime_header_get_raw_value(header);
	struct span value = text_trim(
	    span_of(raw == NULL ? "" : raw), " \t\r\n");
	char *copy = arena_strndup(
	    arena, value.p, value.n < MIME_TEXT_MAX ? value.n : MIME_TEXT_MAX);
	size_t n = 0;

	if (copy == NULL)
		return "";
	for (const char *p = copy; *p != '\0'; p++)
		if (*p != '\r' && *p != '\n')
			copy[n++] = *p;
	copy[n] = '\0';
	text_make_printable(copy);
	return copy;
}

/* The first word of it, as a domain. */
static const char *
domain(struct arena *arena, struct span text)
{
	size_t n = 0;
	char *copy;

	while (n < text.n && n < MIME_TEXT_MAX && text.p[n] > ' ' &&
	       text.p[n] <= '~' && strchr(";,()<>", text.p[n]) == NULL)
		n++;
	while (n > 0 && text.p[n - 1] == '.')
		n--;
	copy = arena_strndup(arena, text.p, n);
	if (copy == NULL)
		return "";
	text_fold(copy);
	return copy;
}

static const char *
domain_field(GMimeMessage *message, const char *name, struct arena *arena)
{
	return domain(arena, span_of(field(message, name, arena)));
}

/* Of the first mailbox. */
static const char *
from_domain(GMimeMessage *message, struct arena *arena)
{
	InternetAddressList *list = g_mime_message_get_from(message);
	int n = list == NULL ? 0 : internet_address_list_length(list);

	for (int i = 0; i < n; i++) {
		InternetAddress *address = internet_address_list_get_address(
		    list, i);
		const char *text;
		const char *at;

		if (!INTERNET_ADDRESS_IS_MAILBOX(address))
			continue;
		text = internet_address_mailbox_get_addr(
		    INTERNET_ADDRESS_MAILBOX(address));
		at = text == NULL ? NULL : strrchr(text, '@');
		return at == NULL ? "" : domain(arena, span_of(at + 1));
	}
	return "";
}

static void
say(GMimeMessage *message, struct arena *arena, struct mime_mail *ret)
{
	ret->from_domain = from_domain(message, arena);
	ret->subject = field(message, "Subject", arena);
	ret->domain = domain_field(message, "TLS-Report-Domain", arena);
	ret->submitter = domain_field(message, "TLS-Report-Submitter", arena);
}

static void
say_forwarded(GMimeMessage *inner, struct arena *arena, struct mime_mail *ret)
{
	if (ret->domain[0] == '\0')
		ret->domain = domain_field(inner, "TLS-Report-Domain", arena);
	if (ret->submitter[0] == '\0')
		ret->submitter = domain_field(
		    inner, "TLS-Report-Submitter", arena);
}

/* RFC 8460 5.3 */
static bool
is_tlsrpt_report(GMimeMessage *message)
{
	GMimeObject *top = g_mime_message_get_mime_part(message);
	const char *type;

	if (top == NULL || !GMIME_IS_MULTIPART(top) ||
	    !g_mime_content_type_is_type(
		g_mime_object_get_content_type(top), "multipart", "report"))
		return false;
	type = g_mime_object_get_content_type_parameter(top, "report-type");
	return type != NULL && span_eq_nocase(span_of(type), SPAN("tlsrpt"));
}

static void
note_part(const struct walk *walk, const struct part *part, struct span octets,
    struct report_notes *notes)
{
	bool gzip = gunzip_is(octets);
	size_t claims = 0;

	for (size_t i = 0; i < walk->n; i++)
		claims += walk->parts[i].claim != CLAIM_OTHER;
	if (claims > 1)
		report_note(notes, ODD_SEVERAL, "");
	if (part->claim == CLAIM_OTHER || part->claim == CLAIM_TLSRPT)
		report_note(notes, ODD_PART_TYPE, "");
	if (part->claim == CLAIM_GZIP && !gzip)
		report_note(notes, ODD_NOT_GZIP, "");
	if (part->claim == CLAIM_JSON && gzip)
		report_note(notes, ODD_GZIP, "");
	if (part->level > 0)
		report_note(notes, ODD_FORWARDED, "");
}

static int
read_message(GMimeMessage *message, struct arena *arena, struct buf *octets,
    struct mime_mail *ret, struct report_notes *notes, struct err *err)
{
	struct walk parts = {0};
	const struct part *part;
	bool strict;

	say(message, arena, ret);
	collect(&parts, g_mime_message_get_mime_part(message),
	    (struct part){.message = message}, 0);
	part = choose(&parts, octets, &strict);
	if (part == NULL && parts.more)
		return err_set(err, ERR_PERM, "5.3.4",
		    "the mail has too many parts, or they are nested too "
		    "deep");
	if (part == NULL)
		return err_set(
		    err, ERR_PERM, "5.6.0", "no part of the mail is a report");
	if (!is_tlsrpt_report(message))
		report_note(notes, ODD_TOP_TYPE, "");
	note_part(&parts, part, buf_span(octets), notes);
	if (!strict)
		report_note(notes, ODD_BASE64, "");
	if (part->level > 0)
		say_forwarded(part->message, arena, ret);
	if (ret->domain[0] == '\0')
		report_note(notes, ODD_NO_DOMAIN, "");
	if (ret->submitter[0] == '\0')
		report_note(notes, ODD_NO_SUBMITTER, "");
	return 0;
}

static GMimeMessage *
parse(GMimeStream *stream)
{
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message;

	g_mime_parser_set_persist_stream(parser, TRUE);
	message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	return message;
}

/* Counts how often it was called, and works once. */
static void
start_library(void)
{
	g_mime_init();
}

int
mime_read(struct span mail, struct arena *arena, struct buf *ret_part,
    struct mime_mail *ret, struct report_notes *notes, struct err *err)
{
	GMimeMessage *message = NULL;
	GMimeStream *stream;
	GByteArray *copy;
	int result;

	*ret = (struct mime_mail){"", "", "", ""};
	if (mail.n > MIME_MAIL_MAX)
		return err_set(err, ERR_PERM, "5.3.4",
		    "the mail has more than %zu octets", MIME_MAIL_MAX);
	start_library();
	stream = g_mime_stream_mem_new_with_buffer(
	    mail.n == 0 ? "" : mail.p, mail.n);
	copy = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	result = mime_tame((char *)copy->data, copy->len, err);
	if (result == 0)
		message = parse(stream);
	if (message != NULL) {
		result = read_message(
		    message, arena, ret_part, ret, notes, err);
		g_object_unref(message);
	} else if (result == 0) {
		result = err_set(err, ERR_PERM, "5.6.0", "it is no mail");
	}
	g_object_unref(stream);
	return result;
}
