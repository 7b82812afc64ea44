/* See metrics.h: the text format of Prometheus. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mta/metrics.h"

int
metrics_write(const struct metric_sample *sample, enum metric_family *last,
    struct buf *out)
{
	const struct metric_family_type *family = metric_family(sample->family);
	const char *labels = sample->labels;
	const char *kind = family->kind == METRIC_GAUGE ? "gauge" : "counter";

	if (*last != sample->family &&
	    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name,
		family->help, family->name, kind) < 0)
		return -1;
	*last = sample->family;
	return buf_printf(out,
	    labels[0] == '\0' ? "%s%s %" PRId64 "\n" : "%s{%s} %" PRId64 "\n",
	    family->name, labels, sample->value);
}

/* `at` grows; false: there is no room. */
static bool
put(char *to, size_t size, size_t *at, const char *text)
{
	size_t n = strlen(text);

	if (n >= size - *at)
		return false;
	memcpy(to + *at, text, n + 1);
	*at += n;
	return true;
}

void
metrics_label(char *labels, size_t size, const char *name, const char *value)
{
	size_t start = strlen(labels), at = start;
	bool good = put(labels, size, &at, start == 0 ? "" : ",") &&
	            put(labels, size, &at, name) &&
	            put(labels, size, &at, "=\"");

	for (; good && *value != '\0'; value++) {
		char one[3] = {*value, '\0', '\0'};

		if (*value == '\\' || *value == '"')
			(void)snprintf(one, sizeof(one), "\\%c", *value);
		else if (*value == '\n')
			(void)snprintf(one, sizeof(one), "\\n");
		/* The quotation mark behind it must fit. */
		if (at + 3 >= size || !put(labels, size, &at, one))
			break;
	}
	if (!good || !put(labels, size, &at, "\""))
		labels[start] = '\0';
}
