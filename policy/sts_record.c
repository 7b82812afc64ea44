#include "policy/sts_record.h"

#include "base/buf.h"
#include "base/text.h"
#include "policy/txt.h"

/* RFC 8461 3.1: what does not begin so is no record of MTA-STS. */
#define VERSION SPAN("v=STSv1;")

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
take_field(const struct txt_field *field, char id[STS_ID_MAX + 1])
{
	if (!span_eq(field->name, SPAN("id")) || id[0] != '\0')
		return txt_check_unknown(field);
	if (!is_id(field->value))
		return "the id is not 1 to 32 letters and digits";
	memcpy(id, field->value.p, field->value.n);
	id[field->value.n] = '\0';
	return NULL;
}

/* What follows the version.  NULL, or what is wrong. */
static const char *
read_fields(struct span rest, char id[STS_ID_MAX + 1])
{
	struct txt_field field;
	const char *wrong;

	while (txt_next(&rest, &field, &wrong)) {
		if (wrong == NULL)
			wrong = take_field(&field, id);
		if (wrong != NULL)
			return wrong;
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
	const char *wrong = read_fields(text, record.id);

	return wrong == NULL ? record : without_id(STS_RECORD_MALFORMED, wrong);
}

/* RFC 8461 3.1: "if the number of resulting records is not one" */
static struct sts_record
read_found(enum txt_found found, const struct buf *text, bool obtained)
{
	switch (found) {
	case TXT_ONE:
		return read_record(buf_span(text));
	case TXT_NONE:
		return without_id(STS_RECORD_NONE, "there is no record");
	case TXT_SEVERAL:
		return without_id(
		    STS_RECORD_NONE, "there is more than one record");
	case TXT_FAILED:
		break;
	}
	return without_id(STS_RECORD_FAILED,
	    obtained ? "the answer is malformed" : "the lookup failed");
}

struct sts_record
sts_record_read(const struct dns_answer *answer)
{
	struct sts_record record;
	struct buf text;

	if (answer->not_asked)
		return without_id(STS_RECORD_NOT_ASKED, "nobody was asked");
	buf_init(&text, TXT_TEXT_MAX);
	record = read_found(
	    txt_find(answer, VERSION, &text), &text, answer->trust > DNS_BOGUS);
	buf_free(&text);
	return record;
}

const char *
sts_record_state_name(enum sts_record_state state)
{
	switch (state) {
	case STS_RECORD_UNKNOWN:
		return "unknown";
	case STS_RECORD_NOT_ASKED:
		return "not asked";
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
