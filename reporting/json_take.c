#include "reporting/json_take.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "reporting/report_date.h"
#include "reporting/report_read_json.h"

/* RFC 3339 5.6: 9999 is the last year */
#define TIME_MAX INT64_C(253402300799)

void
take_note(struct taker *taker, enum report_oddity what, const char *name)
{
	char where[2 * TAKE_PLACE_SIZE];

	(void)snprintf(where, sizeof(where), "%s%s", taker->place,
	    name == NULL ? "" : name);
	report_note(taker->notes, what, where);
}

const json_t *
take_member(
    struct taker *taker, const json_t *object, const struct member *member)
{
	const json_t *value = json_object_get(object, member->name);

	if (value == NULL && member->other != NULL) {
		value = json_object_get(object, member->other);
		if (value != NULL)
			take_note(taker, ODD_NAME, member->other);
	}
	if (value == NULL && member->needed)
		take_note(taker, ODD_MISSING, member->name);
	if (!json_is_null(value))
		return value;
	take_note(taker, ODD_NULL, member->name);
	return NULL;
}

/* No escape sequences for a terminal: C0, DEL, and C1 in its two octets. */
static bool
clean(char *s, size_t n)
{
	bool cleaned = false;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < ' ' || c == 0x7f) {
			s[i] = '?';
			cleaned = true;
		} else if (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0) {
			s[i] = s[i + 1] = '?';
			cleaned = true;
		}
	}
	return cleaned;
}

static size_t
cut(struct span s, size_t most)
{
	size_t n = s.n < most ? s.n : most;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static char *
keep(struct taker *taker, struct span text, const char *name)
{
	size_t n = cut(text, REPORT_TEXT_MAX);
	char *copy = arena_strndup(taker->arena, text.p, n);

	if (copy == NULL) {
		taker->full = true;
		return NULL;
	}
	if (n < text.n)
		take_note(taker, ODD_LONG, name);
	if (clean(copy, n))
		take_note(taker, ODD_CONTROL, name);
	return copy;
}

static struct span
span_of_json(const json_t *value)
{
	return (struct span){
	    json_string_value(value), json_string_length(value)};
}

static void
fold(char *name)
{
	size_t n = strlen(name);

	if (n > 1 && name[n - 1] == '.')
		name[n - 1] = '\0';
	text_fold(name);
}

static char *
text_or_null(
    struct taker *taker, const json_t *value, const struct member *member)
{
	char number[32];

	if (json_is_string(value))
		return keep(taker, span_of_json(value), member->name);
	take_note(taker, ODD_TYPE, member->name);
	if (!json_is_integer(value))
		return NULL;
	(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
	    json_integer_value(value));
	return keep(taker, span_of(number), member->name);
}

const char *
take_value(
    struct taker *taker, const json_t *value, const struct member *member)
{
	char *text = text_or_null(taker, value, member);

	if (text != NULL && member->fold)
		fold(text);
	return text == NULL ? "" : text;
}

const char *
take_text(
    struct taker *taker, const json_t *object, const struct member *member)
{
	const json_t *value = take_member(taker, object, member);

	return value == NULL ? "" : take_value(taker, value, member);
}

/* Is it a number, by hook or by crook? */
static bool
number_of(
    struct taker *taker, const json_t *value, const char *name, uint64_t *ret)
{
	double real;

	switch (json_typeof(value)) {
	case JSON_INTEGER:
		*ret = (uint64_t)json_integer_value(value);
		return json_integer_value(value) >= 0;
	case JSON_REAL:
		real = json_real_value(value);
		if (!(real >= 0) || real > (double)REPORT_COUNT_MAX)
			return false;
		*ret = (uint64_t)real;
		return (double)*ret >= real; /* none of 0.5 */
	case JSON_STRING:
		take_note(taker, ODD_NUMBER_TEXT, name);
		return text_parse_u64(text_trim(span_of_json(value), " "), ret);
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return false;
	}
	return false;
}

uint64_t
take_count(struct taker *taker, const json_t *object,
    const struct member *member, bool *ret_given)
{
	const json_t *value = take_member(taker, object, member);
	uint64_t count = 0;
	bool given = value != NULL &&
	             number_of(taker, value, member->name, &count);

	if (ret_given != NULL)
		*ret_given = given;
	if (value != NULL && (!given || count > REPORT_COUNT_MAX))
		take_note(taker, ODD_NUMBER, member->name);
	if (!given)
		return 0;
	return count < REPORT_COUNT_MAX ? count : REPORT_COUNT_MAX;
}

static enum report_date
time_of(const json_t *value, int64_t *ret)
{
	json_int_t number = json_integer_value(value);

	if (json_is_string(value))
		return report_date_read(span_of_json(value), ret);
	if (!json_is_integer(value) || number < 0 || number > TIME_MAX)
		return REPORT_DATE_BAD;
	*ret = number;
	return REPORT_DATE_OTHER;
}

int64_t
take_time(
    struct taker *taker, const json_t *object, const struct member *member)
{
	static const enum report_oddity oddity[] = {
	    [REPORT_DATE_BAD] = ODD_DATE,
	    [REPORT_DATE_GOOD] = ODD_NOTHING,
	    [REPORT_DATE_NO_ZONE] = ODD_DATE_ZONE,
	    [REPORT_DATE_OTHER] = ODD_DATE_FORM,
	};
	const json_t *value = take_member(taker, object, member);
	int64_t seconds = 0;
	enum report_date form;

	if (value == NULL)
		return 0;
	form = time_of(value, &seconds);
	if (form != REPORT_DATE_GOOD)
		take_note(taker, oddity[form], member->name);
	return seconds;
}

json_t *
take_objects(
    struct taker *taker, const json_t *object, const struct member *member)
{
	const json_t *value = take_member(taker, object, member);
	json_t *list;

	if (value == NULL)
		return NULL;
	if (json_is_array(value))
		return json_incref((json_t *)(uintptr_t)value);
	if (!json_is_object(value)) {
		take_note(taker, ODD_TYPE, member->name);
		return NULL;
	}
	take_note(taker, ODD_NOT_LIST, member->name);
	list = json_array();
	(void)json_array_append(list, (json_t *)(uintptr_t)value);
	return list;
}
