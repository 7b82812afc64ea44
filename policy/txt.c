#include "policy/txt.h"

#include "base/text.h"

/* sts-ext-name and tlsrpt-ext-name have 32 characters at most. */
#define NAME_MAX_LENGTH 32

int
txt_join(struct span rdata, struct buf *to)
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

/* Those that begin otherwise are discarded; exactly one must remain. */
enum txt_found
txt_find(const struct dns_answer *answer, struct span version, struct buf *rest)
{
	const struct span *one = NULL;
	bool several = false;

	if (answer->trust <= DNS_BOGUS)
		return TXT_FAILED;
	for (size_t i = 0; i < answer->nrdata; i++) {
		buf_clear(rest);
		if (txt_join(answer->rdata[i], rest) < 0)
			return TXT_FAILED;
		if (!span_eq(span_first(buf_span(rest), version.n), version))
			continue;
		several |= one != NULL;
		one = &answer->rdata[i];
	}
	if (one == NULL || several)
		return one == NULL ? TXT_NONE : TXT_SEVERAL;
	buf_clear(rest);
	if (txt_join(*one, rest) < 0)
		return TXT_FAILED;
	buf_shift(rest, version.n);
	return TXT_ONE;
}

static struct span
skip_wsp(struct span s)
{
	struct span rest = text_trim(s, TXT_WSP);

	return span_from(s, rest.n == 0 ? s.n : (size_t)(rest.p - s.p));
}

/* White space is part of a delimiter, before it and after. */
bool
txt_next(struct span *rest, struct txt_field *ret_field, const char **why)
{
	struct span field = skip_wsp(*rest);
	const char *end;
	const char *equals;

	*why = NULL;
	*rest = span_from(field, field.n);
	if (field.n == 0)
		return false;
	end = memchr(field.p, ';', field.n);
	if (end != NULL) {
		size_t n = (size_t)(end - field.p);

		*rest = span_from(field, n + 1);
		field = text_trim(span_first(field, n), TXT_WSP);
	}
	equals = memchr(field.p, '=', field.n);
	if (equals == NULL) {
		*why = "a field is not name=value";
		return true;
	}
	ret_field->name = span_first(field, (size_t)(equals - field.p));
	ret_field->value = span_from(field, ret_field->name.n + 1);
	return true;
}

bool
txt_is_name(struct span name)
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

bool
txt_is_value(struct span value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] >= 0x7f ||
		    value.p[i] == '=' || value.p[i] == ';')
			return false;
	return value.n > 0;
}

const char *
txt_check_unknown(const struct txt_field *field)
{
	if (!txt_is_name(field->name))
		return "the name of a field is not 1 to 32 letters, digits, "
		       "\"_\", \"-\" and \".\"";
	return txt_is_value(field->value)
	           ? NULL
	           : "the value of a field is empty or has a "
	             "blank, \"=\" or octet it may not have";
}
