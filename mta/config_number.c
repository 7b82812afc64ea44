/* Counts, sizes and times of the configuration, and their bounds in words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/config_private.h"

struct unit {
	struct span suffix;
	uint64_t factor;
};

struct measure {
	const char *noun;
	const struct unit *units; /* ascending; the first has no suffix */
	uint64_t divisor;         /* from the smallest unit to what is kept */
};

static const struct unit plain[] = {{{"", 0}, 1}, {{NULL, 0}, 0}};

static const struct unit sizes[] = {
    {{"", 0}, 1},
    {{"K", 1}, 1ull << 10},
    {{"M", 1}, 1ull << 20},
    {{"G", 1}, 1ull << 30},
    {{"T", 1}, 1ull << 40},
    {{NULL, 0}, 0},
};

/* In milliseconds; a number alone is seconds. */
static const struct unit times[] = {
    {{"", 0}, 1000},
    {{"ms", 2}, 1},
    {{"s", 1}, 1000},
    {{"m", 1}, 60000},
    {{"h", 1}, 3600000},
    {{"d", 1}, 86400000},
    {{NULL, 0}, 0},
};

static struct measure
measure_of(enum config_value_kind kind)
{
	if (kind == VALUE_SIZE || kind == VALUE_SIZE32)
		return (struct measure){"a size", sizes, 1};
	if (kind == VALUE_MILLISECONDS)
		return (struct measure){"a time", times, 1};
	if (kind == VALUE_SECONDS)
		return (struct measure){"a time", times, 1000};
	return (struct measure){"a number", plain, 1};
}

bool
config_number(const struct config_key *key, struct span text, uint64_t *ret)
{
	struct measure measure = measure_of(key->kind);
	const struct unit *unit = measure.units;
	size_t digits = 0;
	uint64_t number;

	while (digits < text.n && text_is_digit(text.p[digits]))
		digits++;
	if (!text_parse_u64(span_first(text, digits), &number))
		return false;
	while (unit->factor != 0 &&
	       !span_eq(unit->suffix, span_from(text, digits)))
		unit++;
	if (unit->factor == 0 ||
	    __builtin_mul_overflow(number, unit->factor, &number) ||
	    number % measure.divisor != 0)
		return false;
	number /= measure.divisor;
	if (number < key->least || number > key->most)
		return false;
	*ret = number;
	return true;
}

/* With the largest unit that divides it. */
static void
write_number(
    const struct measure *measure, uint64_t number, char *to, size_t size)
{
	const struct unit *best = NULL;

	number *= measure->divisor;
	for (const struct unit *u = measure->units; u->factor != 0; u++)
		if (number != 0 && number % u->factor == 0)
			best = u;
	if (best == NULL)
		(void)text_copy(to, size, "0");
	else
		(void)snprintf(to, size, "%" PRIu64 "%s", number / best->factor,
		    best->suffix.p);
}

void
config_number_expected(const struct config_key *key, char *to, size_t size)
{
	struct measure measure = measure_of(key->kind);
	char least[32], most[32];

	write_number(&measure, key->least, least, sizeof(least));
	write_number(&measure, key->most, most, sizeof(most));
	(void)snprintf(to, size, "%s of %s to %s", measure.noun, least, most);
}
