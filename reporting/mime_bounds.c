#include "reporting/mime_bounds.h"

#include "base/span.h"
#include "base/text.h"

struct tally {
	size_t fields;
	size_t octets; /* of fields */
	size_t others;
	size_t boundaries;
	bool in_field; /* a folded line goes on with one */
};

/* RFC 5322 2.2: a name and a colon; the name is not looked at closely. */
static bool
is_field(struct span line)
{
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == ':')
			return i > 0;
		if ((unsigned char)line.p[i] <= ' ')
			return false;
	}
	return false;
}

static void
tame_field(char *p, size_t n)
{
	bool utf8 = text_is_utf8((struct span){p, n});

	for (size_t i = 0; i < n; i++) {
		bool encoded = p[i] == '?' && i > 0 && p[i - 1] == '=';

		if (p[i] == '*' || encoded)
			p[i] = '_';
		else if (!utf8 && (unsigned char)p[i] >= 0x80)
			p[i] = '?';
	}
}

static void
tame_line(struct tally *tally, char *p, size_t n)
{
	struct span line = {p, n};
	bool folded = n > 0 && (*p == ' ' || *p == '\t');

	if (!folded) {
		bool field = is_field(line);

		tally->in_field = field && text_is_alpha(*p);
		tally->fields += tally->in_field;
		tally->others += field && !tally->in_field;
		tally->boundaries += n >= 2 && p[0] == '-' && p[1] == '-';
	}
	if (tally->in_field) {
		tally->octets += n;
		tame_field(p, n);
	}
}

static int
judge(const struct tally *tally, struct err *err)
{
	const char *what = NULL;

	if (tally->fields > MIME_FIELDS_MAX)
		what = "fields";
	else if (tally->octets > MIME_FIELD_OCTETS_MAX)
		what = "octets of fields";
	else if (tally->others > MIME_OTHERS_MAX)
		what = "lines like fields";
	else if (tally->boundaries > MIME_BOUNDARIES_MAX)
		what = "lines like boundaries";
	if (what == NULL)
		return 0;
	return err_set(
	    err, ERR_PERM, "5.3.4", "the mail has too many %s", what);
}

int
mime_tame(char *mail, size_t n, struct err *err)
{
	struct tally tally = {0};
	size_t from = 0;

	while (from < n) {
		char *end = memchr(mail + from, '\n', n - from);
		size_t to = end == NULL ? n : (size_t)(end - mail);

		tame_line(&tally, mail + from, to - from);
		from = to + 1;
	}
	return judge(&tally, err);
}
