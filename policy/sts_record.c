#include "policy/sts_record.h"

#include "base/buf.h"
#include "base/text.h"
#include "policy/sts_private.h"

/* RFC 8461 3.1: what does not begin so is no record of MTA-STS. */
#define VERSION SPAN("v=STSv1;")

/* RFC 1035 3.1: the data of a record has a length of 16 bits. */
#define RDATA_MAX 65535

/* RFC 8461 3.1: sts-ext-name has 32 characters at most */
#define NAME_MAX_LENGTH 32

static struct span
skip_wsp(struct span s)
{
	struct span rest = text_trim(s, STS_WSP);

	return span_from(s, rest.n == 0 ? s.n : (size_t)(rest.p - s.p));
}

/*
 * RFC 8461 3.1: several strings of one record are joined, without spaces.
 * -1 when they are not what RFC 1035 3.3.14 says, lengths and octets.
 */
static int
join_strings(struct span rdata, struct buf *to)
{
	if (rdata.n == 0)
		return -1;
	while (rdata.n > 0) {
		size_t n = (unsigned char)rdata.p[0];

		rdata = span_from(rdata, 1);
		if (n > rdata.n || buf_add(to, span_first(rdata, n)) < 0)
			return -1;
		rdata = span_from(rdata, n);
	}
	return 0;
}

bool
sts_is_name(struct span name)
{
	if (name.n == 0 || name.n > NAME_MAX_LENGTH ||
	    !text_is_alnum(name.p[0]))
		return false;
	for (size_t i = 1; i < name.n; i++)
		if (!text_is_alnum(name.p[i]) && name.p[i] != '_' &&
		    name.p[i] != '-' && name.p[i] != '.')
			return false;
	return true;
}

/* RFC 8461 3.1: sts-ext-value, printable ASCII without "=" and ";" */
static bool
is_value(struct span value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] >= 0x7f ||
		    value.p[i] == '=' || value.p[i] == ';')
			return false;
	return value.n > 0;
}

static bool
is_id(struct span id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!text_is_alnum(id.p[i]))
			return false;
	return id.n > 0 && id.n <= STS_ID_MAX;
}

/*
 * One "name=value".  RFC 8461 3.2: of a field that stands there twice the
 * first counts, in TXT records, too; RFC 8461 3.1: %s"id=", small letters.
 * NULL, or what is wrong.
 */
static const char *
take_field(struct span field, char id[STS_ID_MAX + 1])
{
	const char *equals = memchr(field.p, '=', field.n);
	struct span name;
	struct span value;

	if (equals == NULL)
		return "a field is not name=value";
	name = span_first(field, (size_t)(equals - field.p));
	value = span_from(field, name.n + 1);
	if (span_eq(name, SPAN("id")) && id[0] == '\0') {
		if (!is_id(value))
			return "the id is not 1 to 32 letters and digits";
		memcpy(id, value.p, value.n);
		id[value.n] = '\0';
		return NULL;
	}
	if (!sts_is_name(name))
		return "the name of a field is not 1 to 32 letters, digits, "
		       "\"_\", \"-\" and \".\"";
	return is_value(value) ? NULL
	                       : "the value of a field is empty or has a "
	                         "blank, \"=\" or octet it may not have";
}

/*
 * What follows the version.  NULL, or what is wrong.  RFC 8461 3.1: white
 * space is part of a delimiter, before it and after.
 */
static const char *
read_fields(struct span rest, char id[STS_ID_MAX + 1])
{
	rest = skip_wsp(rest);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, ';', rest.n);
		struct span field = rest;
		const char *wrong;

		if (end != NULL)
			field = text_trim(
			    span_first(rest, (size_t)(end - rest.p)), STS_WSP);
		wrong = take_field(field, id);
		if (wrong != NULL)
			return wrong;
		if (end == NULL)
			break;
		rest = skip_wsp(span_from(rest, (size_t)(end - rest.p) + 1));
	}
	return id[0] == '\0' ? "there is no id" : NULL;
}

static struct sts_record
without_id(enum sts_record_state state, const char *why)
{
	return (struct sts_record){.state = state, .why = why};
}

static struct sts_record
read_record(struct span text)
{
	struct sts_record record = {.state = STS_RECORD_FOUND, .why = ""};
	const char *wrong = read_fields(span_from(text, VERSION.n), record.id);

	return wrong == NULL ? record : without_id(STS_RECORD_MALFORMED, wrong);
}

/* All records of the answer; the text of each passes through `text`. */
static struct sts_record
read_records(const struct dns_answer *answer, struct buf *text)
{
	struct sts_record found = without_id(
	    STS_RECORD_NONE, "there is no record");
	size_t n = 0;

	for (size_t i = 0; i < answer->nrdata; i++) {
		buf_clear(text);
		if (join_strings(answer->rdata[i], text) < 0)
			return without_id(
			    STS_RECORD_FAILED, "the answer is malformed");
		/* RFC 8461 3.1: those that begin otherwise are discarded */
		if (!span_eq(span_first(buf_span(text), VERSION.n), VERSION))
			continue;
		found = read_record(buf_span(text));
		n++;
	}
	/* RFC 8461 3.1: "if the number of resulting records is not one" */
	return n < 2 ? found
	             : without_id(
			   STS_RECORD_NONE, "there is more than one record");
}

struct sts_record
sts_record_read(const struct dns_answer *answer)
{
	struct sts_record record;
	struct buf text;

	if (answer->trust <= DNS_BOGUS)
		return without_id(STS_RECORD_FAILED, "the lookup failed");
	buf_init(&text, RDATA_MAX);
	record = read_records(answer, &text);
	buf_free(&text);
	return record;
}

const char *
sts_record_state_name(enum sts_record_state state)
{
	switch (state) {
	case STS_RECORD_UNKNOWN:
		return "unknown";
	case STS_RECORD_FAILED:
		return "failed";
	case STS_RECORD_NONE:
		return "none";
	case STS_RECORD_MALFORMED:
		return "malformed";
	case STS_RECORD_FOUND:
		return "found";
	}
	return "?";
}
