#include "tests/support/report_rows.h"

#include <string.h>

#include "reporting/report_read_json.h"

#include "tests/support/report_print.h"
#include "tests/support/test.h"

#define TEXT_MAX ((size_t)1 << 20)

static struct buf
text_of(const char *json)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	assert_int_equal(buf_add_str(&text, json), 0);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\'')
			text.p[i] = '"';
	return text;
}

static void
assert_same(const char *json, const struct buf *got, const char *want)
{
	if (!span_eq(buf_span(got), span_of(want)))
		fail_msg("%s\n gives %.*s\n not   %s", json, (int)got->n,
		    got->p, want);
}

static void
check_read(const struct report_row *row, struct buf *text, struct arena *arena)
{
	struct report report = {0};
	struct report_notes notes = {0};
	struct err err = {0};
	struct buf out;

	buf_init(&out, TEXT_MAX);
	if (report_read_json(text, arena, &report, &notes, &err) < 0)
		fail_msg("%s: %s", row->json, err.text);
	report_print(&out, &report);
	assert_same(row->json, &out, row->report);
	buf_clear(&out);
	report_print_notes(&out, &notes);
	assert_same(row->json, &out, row->notes);
	buf_free(&out);
}

static void
check_refused(
    const struct report_row *row, struct buf *text, struct arena *arena)
{
	struct report report = {.start = 99};
	struct report_notes notes = {0};
	struct err err = {0};

	if (report_read_json(text, arena, &report, &notes, &err) == 0)
		fail_msg("%s: is read", row->json);
	assert_int_equal(err.kind, ERR_PERM);
	assert_int_equal(report.start, 99);
	if (strstr(err.text, row->notes) == NULL)
		fail_msg(
		    "%s: \"%s\", not \"%s\"", row->json, err.text, row->notes);
	for (const char *p = err.text; *p != '\0'; p++)
		assert_in_range(*p, ' ', '~');
}

void
report_rows_check(const struct report_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *arena = arena_new(REPORT_ARENA);
		struct buf text = text_of(rows[i].json);

		if (rows[i].report == NULL)
			check_refused(&rows[i], &text, arena);
		else
			check_read(&rows[i], &text, arena);
		assert_null(text.p);
		buf_free(&text);
		arena_free(&arena);
	}
}
