/* See domain.h. */
#include "mta/domain.h"

#include "base/text.h"

#define LABEL_MAX 63

/* RFC 5321 4.1.2: sub-domain = Let-dig [Ldh-str]. */
static bool
is_label(struct span label)
{
	if (label.n == 0 || label.n > LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!text_is_alnum(label.p[i]) && label.p[i] != '-')
			return false;
	return label.p[0] != '-' && label.p[label.n - 1] != '-';
}

static bool
is_number(struct span label)
{
	for (size_t i = 0; i < label.n; i++)
		if (!text_is_digit(label.p[i]))
			return false;
	return true;
}

static struct span
first_label(struct span name)
{
	const char *dot = name.n == 0 ? NULL : memchr(name.p, '.', name.n);

	return dot == NULL ? name : span_first(name, (size_t)(dot - name.p));
}

/* How many labels; 0 when it is no domain. */
static unsigned
count_labels(struct span name)
{
	unsigned count = 0;

	if (name.n >= DOMAIN_MAX)
		return 0;
	while (true) {
		struct span label = first_label(name);

		if (!is_label(label))
			return 0;
		count++;
		if (label.n == name.n)
			return is_number(label) ? 0 : count;
		name = span_from(name, label.n + 1);
	}
}

bool
domain_fold(struct span text, char to[DOMAIN_MAX])
{
	if (count_labels(text) == 0)
		return false;
	memcpy(to, text.p, text.n);
	to[text.n] = '\0';
	text_fold(to);
	return true;
}

bool
domain_is_qualified(struct span text)
{
	return count_labels(text) >= 2;
}
