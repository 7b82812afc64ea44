#include "tlsa/zone.h"

#include <ctype.h>
#include <ldns/ldns.h>

#include "base/text.h"
#include "dnssec/name.h"

/* The longest record as hexadecimal digits, and room around them. */
#define LINE_MAX_SIZE (2u * 65535u + 4096u)

/* --- printing ------------------------------------------------------------- */

/* False: not all of it could be made. */
static bool
add_fields(ldns_rr *rr, const struct tlsa_record *record)
{
	ldns_rdf *fields[] = {
	    ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, record->usage),
	    ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, record->selector),
	    ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, record->matching),
	    ldns_rdf_new_frm_data(
		LDNS_RDF_TYPE_HEX, record->data.n, record->data.p),
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i] == NULL || !ldns_rr_push_rdf(rr, fields[i]))
			ok = false;
	return ok;
}

int
tlsa_zone_print(const char *owner, uint32_t ttl,
    const struct tlsa_record *record, struct buf *out)
{
	ldns_rr *rr;
	ldns_rdf *name;
	char *text = NULL;
	int rc = -1;

	/* ldns does not read every odd name as it has printed it. */
	if (!dns_name_is_host(owner))
		return -1;
	rr = ldns_rr_new();
	name = ldns_dname_new_frm_str(owner);
	if (rr != NULL && name != NULL) {
		ldns_rr_set_owner(rr, name);
		ldns_rr_set_type(rr, LDNS_RR_TYPE_TLSA);
		ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
		ldns_rr_set_ttl(rr, ttl);
		if (add_fields(rr, record))
			text = ldns_rr2str(rr);
	}
	if (text != NULL)
		rc = buf_add_str(out, text);
	LDNS_FREE(text);
	ldns_rr_free(rr);
	if (rr == NULL)
		ldns_rdf_deep_free(name);
	return rc;
}

/* --- reading -------------------------------------------------------------- */

/*
 * One record as one line: comments go, and what stands in parentheses moves
 * onto the line they began on (RFC 1035 5.1).  False: over the limit.
 */
static bool
take_line(struct span *rest, struct buf *line)
{
	bool inside = false, comment = false, quoted = false;
	size_t i = 0;

	buf_clear(line);
	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (c == '\n' && !inside)
			break;
		if (c == '\n')
			comment = quoted = false;
		else if (c == ';' && !quoted)
			comment = true;
		if (comment)
			continue;
		if (c == '"')
			quoted = !quoted;
		else if ((c == '(' || c == ')') && !quoted)
			inside = c == '(';
		if (c == '(' || c == ')' || c == '\n' || c == '\r' || c == '\0')
			c = ' ';
		if (buf_add(line, (struct span){&c, 1}) < 0)
			return false;
	}
	*rest = span_from(*rest, i + 1);
	return buf_add(line, (struct span){"", 1}) == 0;
}

static bool
is_blank(const char *line)
{
	return line[strspn(line, " \t")] == '\0';
}

/*
 * What stands behind three numbers of one octet each; NULL when they are
 * none: ldns would take 300 for 44.
 */
static const char *
behind_numbers(const char *text)
{
	for (int i = 0; i < 3; i++) {
		uint32_t number;
		size_t n;

		text += strspn(text, " \t");
		n = strspn(text, "0123456789");
		if (strchr(" \t", text[n]) == NULL ||
		    !text_parse_u32((struct span){text, n}, &number) ||
		    number > UINT8_MAX)
			return NULL;
		text += n;
	}
	return text + strspn(text, " \t");
}

/*
 * Octets of two digits each, in groups or not (RFC 6698 2.2): ldns would take
 * a last digit that is alone for 16 times as much.
 */
static bool
is_hexadecimal(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		if (isxdigit((unsigned char)*text))
			n++;
		else if (strchr(" \t", *text) == NULL)
			return false;
	return n % 2 == 0;
}

static bool
is_data(const char *text)
{
	text = behind_numbers(text);
	return text != NULL && text[0] != '\0' && is_hexadecimal(text);
}

/* What stands behind the type; NULL when it is not written as "TLSA". */
static const char *
behind_type(const char *line)
{
	for (const char *at = line; (at = strcasestr(at, "TLSA")) != NULL; at++)
		if (at > line && strchr(" \t", at[-1]) != NULL &&
		    strchr(" \t", at[4]) != NULL)
			return at + 4;
	return NULL;
}

/* "3 1 1 0123..." and no more. */
static bool
is_data_alone(const char *line)
{
	return behind_type(line) == NULL && behind_numbers(line) != NULL;
}

/*
 * Behind the owner, among TTL and class, stands another type's name.  ldns
 * is not asked to read such a record: we have no use for it, and for some
 * types it loses memory over a bad one.
 */
static bool
is_of_other_type(const char *line)
{
	char word[16];

	for (int i = 0; i < 4; i++) {
		size_t n = strcspn(line, " \t");

		if (i > 0 && n < sizeof(word)) {
			ldns_rr_type type;

			(void)snprintf(
			    word, sizeof(word), "%.*s", (int)n, line);
			type = ldns_get_rr_type_by_name(word);
			if (type != 0)
				return type != LDNS_RR_TYPE_TLSA;
		}
		line += n;
		line += strspn(line, " \t");
	}
	return false;
}

static ldns_rr *
parse_line(const char *line)
{
	char whole[LINE_MAX_SIZE];
	ldns_rr *rr = NULL;
	bool alone = is_data_alone(line);
	const char *data = alone ? line : behind_type(line);

	/* ldns would take a directive for the name of a record. */
	if (line[strspn(line, " \t")] == '$' ||
	    (data != NULL && !is_data(data)))
		return NULL;
	if (alone && snprintf(whole, sizeof(whole), ". 0 IN TLSA %s", line) >=
			 (int)sizeof(whole))
		return NULL;
	if (ldns_rr_new_frm_str(&rr, alone ? whole : line, 3600, NULL, NULL) ==
		LDNS_STATUS_OK &&
	    ldns_rr_get_type(rr) == LDNS_RR_TYPE_TLSA)
		return rr;
	ldns_rr_free(rr);
	return NULL;
}

static const char *
why_no_record(const char *line)
{
	const char *data = behind_type(line);

	if (line[strspn(line, " \t")] == '$')
		return "directives are not read";
	data = behind_numbers(data == NULL ? line : data);
	if (data == NULL)
		return "expected usage, selector and matching type (0 to 255) "
		       "and data, alone or behind NAME TTL IN TLSA";
	if (data[0] == '\0')
		return "there is no data behind the three numbers";
	if (!is_hexadecimal(data))
		return "the data is not octets of two hexadecimal digits";
	return "expected NAME TTL IN TLSA in front";
}

static bool
copy_owner(const ldns_rr *rr, struct arena *arena, struct tlsa_entry *ret)
{
	char *text = ldns_rdf2str(ldns_rr_owner(rr));
	char normal[DNS_NAME_SIZE];
	bool ok = text != NULL && dns_name_normal(text, normal);

	LDNS_FREE(text);
	if (!ok)
		return false;
	ret->owner = strcmp(normal, ".") == 0
	                 ? ""
	                 : arena_strndup(arena, normal, strlen(normal));
	return ret->owner != NULL;
}

static bool
copy_rdata(const ldns_rr *rr, struct arena *arena, struct tlsa_entry *ret)
{
	ldns_buffer *wire = ldns_buffer_new(LDNS_MIN_BUFLEN);
	bool ok = wire != NULL &&
	          ldns_rr_rdata2buffer_wire(wire, rr) == LDNS_STATUS_OK;

	if (ok) {
		ret->rdata = arena_span(
		    arena, (struct span){(const char *)ldns_buffer_begin(wire),
			       ldns_buffer_position(wire)});
		ok = ret->rdata.p != NULL;
	}
	ldns_buffer_free(wire);
	return ok;
}

/* 1: a TLSA record; 0: nothing, or one of another type; -1: no record. */
static int
read_line(const char *line, struct arena *arena, struct tlsa_entry *ret,
    struct err *err)
{
	char shown[60];
	ldns_rr *rr;
	int rc;

	if (is_blank(line) || (!is_data_alone(line) && is_of_other_type(line)))
		return 0;
	rr = parse_line(line);
	if (rr == NULL) {
		text_escape(span_of(line), shown, sizeof(shown));
		return err_set(err, ERR_PERM, "5.3.5", "no record: \"%s\": %s",
		    shown, why_no_record(line));
	}
	*ret = (struct tlsa_entry){.ttl = ldns_rr_ttl(rr)};
	rc = copy_owner(rr, arena, ret) && copy_rdata(rr, arena, ret)
	         ? 1
	         : err_set(err, ERR_PERM, "5.3.5", "too much text");
	ldns_rr_free(rr);
	return rc;
}

static int
read_lines(struct span text, struct arena *arena, struct tlsa_entry *ret,
    size_t room, size_t *ret_n, struct buf *line, struct err *err)
{
	size_t n = 0;

	while (text.n > 0) {
		struct tlsa_entry one;
		int rc;

		if (!take_line(&text, line))
			return err_set(
			    err, ERR_PERM, "5.3.5", "a line is too long");
		rc = read_line(line->p, arena, &one, err);
		if (rc < 0)
			return -1;
		if (rc == 1 && n == room)
			return err_set(err, ERR_PERM, "5.3.5",
			    "more than %zu TLSA records", room);
		if (rc == 1)
			ret[n++] = one;
	}
	*ret_n = n;
	return 0;
}

int
tlsa_zone_read(struct span text, struct arena *arena, struct tlsa_entry *ret,
    size_t room, size_t *ret_n, struct err *err)
{
	struct buf line;
	int rc;

	buf_init(&line, LINE_MAX_SIZE - 20);
	rc = read_lines(text, arena, ret, room, ret_n, &line, err);
	buf_free(&line);
	return rc;
}
