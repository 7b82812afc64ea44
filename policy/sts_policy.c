#include "policy/sts_policy.h"

#include "base/text.h"
#include "policy/txt.h"

/* RFC 8461 3.2: sts-policy-max-age-value has 10 digits at most */
#define DIGITS_MAX 10
/* RFC 1035 2.3.4: of a label, and of a name in text */
#define LABEL_MAX  63
#define DOMAIN_MAX 253

/* So much of a stranger's text goes into a reason. */
#define SHOWN_SIZE 80

enum field {
	FIELD_OTHER = 0,
	FIELD_VERSION,
	FIELD_MODE,
	FIELD_MAX_AGE,
	FIELD_MX,
	FIELDS,
};

static const char *const field_names[FIELDS] = {
    [FIELD_OTHER] = "",
    [FIELD_VERSION] = "version",
    [FIELD_MODE] = "mode",
    [FIELD_MAX_AGE] = "max_age",
    [FIELD_MX] = "mx",
};

struct reader {
	struct arena *arena;
	struct sts_policy policy;
	const char **mx;
	size_t room; /* for patterns */
	unsigned line;
	unsigned seen[FIELDS]; /* how often */
};

/* RFC 3463 3.8: X.7.5, for want of one for policies */
static int
invalid(const struct reader *reader, struct span shown, const char *what,
    struct err *err)
{
	char text[SHOWN_SIZE];

	text_escape(shown, text, sizeof(text));
	return err_set(err, ERR_TEMP, "4.7.5", "line %u: \"%s\" %s",
	    reader->line, text, what);
}

/* RFC 8461 3.2: sts-policy-ext-value, of which all others are a part */
static bool
is_value(struct span value)
{
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
			return false;
	return value.n > 0 && text_is_utf8(value);
}

/* RFC 8461 3.2: %s"STSv1" */
static int
take_version(struct reader *reader, struct span value, struct err *err)
{
	if (!span_eq(value, SPAN("STSv1")))
		return invalid(reader, value, "is not version STSv1", err);
	return 0;
}

/* RFC 8461 3.2: %s"testing" / %s"enforce" / %s"none" */
static int
take_mode(struct reader *reader, struct span value, struct err *err)
{
	for (enum sts_mode mode = STS_MODE_NONE; mode <= STS_MODE_ENFORCE;
	     mode++)
		if (span_eq(value, span_of(sts_mode_name(mode)))) {
			reader->policy.mode = mode;
			return 0;
		}
	return invalid(
	    reader, value, "is not mode enforce, testing or none", err);
}

/*
 * RFC 8461 3.2: 1*10(DIGIT), at most 31557600.  Erratum 7282 sees that these
 * two do not go together: we take what the grammar takes, and keep a year.
 */
static int
take_max_age(struct reader *reader, struct span value, struct err *err)
{
	uint64_t seconds;

	if (value.n > DIGITS_MAX || !text_parse_u64(value, &seconds))
		return invalid(
		    reader, value, "is not a max_age of 1 to 10 digits", err);
	reader->policy.max_age = seconds < STS_MAX_AGE ? (uint32_t)seconds
	                                               : STS_MAX_AGE;
	return 0;
}

/* RFC 5321 4.1.2: sub-domain = Let-dig [Ldh-str] */
static bool
is_label(struct span label)
{
	if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' ||
	    label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!text_is_alnum(label.p[i]) && label.p[i] != '-')
			return false;
	return true;
}

/* RFC 5321 4.1.2: Domain = sub-domain *("." sub-domain), no dot at its end */
static bool
is_domain(struct span name)
{
	const char *dot;

	if (name.n == 0 || name.n > DOMAIN_MAX)
		return false;
	while ((dot = memchr(name.p, '.', name.n)) != NULL) {
		size_t n = (size_t)(dot - name.p);

		if (!is_label(span_first(name, n)))
			return false;
		name = span_from(name, n + 1);
		if (name.n == 0)
			return false;
	}
	return is_label(name);
}

/* RFC 8461 3.2: ["*."] Domain */
static int
take_mx(struct reader *reader, struct span value, struct err *err)
{
	size_t from = span_starts_nocase(value, SPAN("*.")) ? 2 : 0;
	char *copy;

	if (!is_domain(span_from(value, from)))
		return invalid(reader, value,
		    "is not an mx in A-labels, with or without \"*.\"", err);
	if (reader->policy.nmx == STS_MX_MAX)
		return invalid(reader, value, "is one mx too many", err);
	copy = arena_strndup(reader->arena, value.p, value.n);
	if (copy == NULL || reader->policy.nmx == reader->room)
		return invalid(reader, value, "does not fit", err);
	text_fold(copy);
	reader->mx[reader->policy.nmx++] = copy;
	return 0;
}

static enum field
field_of(struct span name)
{
	for (int i = FIELD_VERSION; i < FIELDS; i++)
		if (span_eq(name, span_of(field_names[i])))
			return (enum field)i;
	return FIELD_OTHER;
}

static int
take_field(
    struct reader *reader, enum field field, struct span value, struct err *err)
{
	switch (field) {
	case FIELD_VERSION:
		return take_version(reader, value, err);
	case FIELD_MODE:
		return take_mode(reader, value, err);
	case FIELD_MAX_AGE:
		return take_max_age(reader, value, err);
	case FIELD_MX:
		return take_mx(reader, value, err);
	case FIELD_OTHER: /* RFC 8461 3.2: unknown fields are ignored */
	case FIELDS:
		return 0;
	}
	return invalid(reader, value, "is nothing we know", err);
}

static int
take_line(struct reader *reader, struct span line, struct err *err)
{
	const char *colon;
	struct span name;
	struct span value;
	enum field field;

	if (text_trim(line, TXT_WSP).n == 0)
		return 0;
	colon = memchr(line.p, ':', line.n);
	name = span_first(line, colon == NULL ? 0 : (size_t)(colon - line.p));
	/* RFC 8461 3.2: no white space before the colon */
	if (!txt_is_name(name))
		return invalid(reader, line, "is not \"name: value\"", err);
	value = text_trim(span_from(line, name.n + 1), TXT_WSP);
	if (!is_value(value))
		return invalid(reader, line,
		    "has no value, or one with a control character", err);
	field = field_of(name);
	/* RFC 8461 3.2: of all but mx the first counts */
	if (reader->seen[field]++ > 0 && field != FIELD_MX)
		return 0;
	return take_field(reader, field, value, err);
}

/* RFC 8461 3.2: LF / CRLF (erratum 6253); the last line may have neither. */
static struct span
next_line(struct span *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	struct span line = *rest;

	if (end == NULL) {
		*rest = span_from(*rest, rest->n);
		return line;
	}
	line.n = (size_t)(end - rest->p);
	*rest = span_from(*rest, line.n + 1);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* RFC 8461 3.2: version, mode and max_age once; mx, but for mode "none" */
static int
check_fields(const struct reader *reader, struct err *err)
{
	for (int i = FIELD_VERSION; i < FIELDS; i++) {
		if (reader->seen[i] > 0)
			continue;
		if (i == FIELD_MX && reader->policy.mode == STS_MODE_NONE)
			continue;
		return err_set(
		    err, ERR_TEMP, "4.7.5", "there is no %s", field_names[i]);
	}
	return 0;
}

/* Room for a pattern a line, at most. */
static size_t
count_lines(struct span text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n < STS_MX_MAX ? n : STS_MX_MAX;
}

static int
start(struct reader *reader, struct span body, struct err *err)
{
	if (body.n > STS_POLICY_MAX)
		return err_set(err, ERR_TEMP, "4.7.5",
		    "it has more than %d octets", STS_POLICY_MAX);
	reader->policy.text = arena_span(reader->arena, body);
	reader->room = count_lines(body);
	reader->mx = arena_alloc(
	    reader->arena, reader->room * sizeof(*reader->mx));
	if (reader->policy.text.p == NULL || reader->mx == NULL)
		return err_set(err, ERR_TEMP, "4.3.1", "it does not fit");
	reader->policy.mx = reader->mx;
	return 0;
}

int
sts_policy_read(struct span body, struct arena *arena, struct sts_policy *ret,
    struct err *err)
{
	struct reader reader = {.arena = arena};
	struct span rest;

	if (start(&reader, body, err) < 0)
		return -1;
	rest = reader.policy.text;
	while (rest.n > 0) {
		struct span line = next_line(&rest);

		reader.line++;
		if (take_line(&reader, line, err) < 0)
			return -1;
	}
	if (check_fields(&reader, err) < 0)
		return -1;
	*ret = reader.policy;
	return 0;
}

/* RFC 8461 4.1: "*" is the whole of the left-most label, and one label. */
static bool
matches(struct span pattern, struct span host)
{
	const char *dot;

	if (!span_starts_nocase(pattern, SPAN("*.")))
		return span_eq_nocase(pattern, host);
	dot = memchr(host.p, '.', host.n);
	if (dot == NULL || dot == host.p)
		return false;
	return span_eq_nocase(
	    span_from(pattern, 1), span_from(host, (size_t)(dot - host.p)));
}

bool
sts_policy_allows_mx(const struct sts_policy *policy, const char *host)
{
	struct span name = span_of(host);

	if (name.n > 1 && name.p[name.n - 1] == '.')
		name.n--;
	for (size_t i = 0; i < policy->nmx; i++)
		if (matches(span_of(policy->mx[i]), name))
			return true;
	return false;
}

enum sts_state
sts_policy_state(const struct sts_policy *policy, const char *host)
{
	switch (policy->mode) {
	case STS_MODE_UNKNOWN:
		return STS_UNKNOWN;
	case STS_MODE_NONE:
		return STS_NONE;
	case STS_MODE_TESTING:
		return sts_policy_allows_mx(policy, host)
		           ? STS_TESTING_MATCH
		           : STS_TESTING_NO_MATCH;
	case STS_MODE_ENFORCE:
		return sts_policy_allows_mx(policy, host) ? STS_MATCH
		                                          : STS_NO_MATCH;
	}
	return STS_UNKNOWN;
}

const char *
sts_mode_name(enum sts_mode mode)
{
	switch (mode) {
	case STS_MODE_UNKNOWN:
		return "unknown";
	case STS_MODE_NONE:
		return "none";
	case STS_MODE_TESTING:
		return "testing";
	case STS_MODE_ENFORCE:
		return "enforce";
	}
	return "?";
}
