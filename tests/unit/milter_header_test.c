/* The header section of a message, and what filters change of it. */
#include <string.h>

#include "mta/milter/header.h"

#include "tests/support/test.h"

struct edit {
	char letter; /* h add, i insert, m change; 0: no more */
	uint32_t index;
	const char *name, *value;
};

struct header_row {
	const char *message, *result;
	struct edit edits[2];
};

static const struct header_row headers[] = {
    {"A: 1\r\nB: 2\r\n\r\nx", "R: us\r\nA: 1\r\nB: 2\r\n\r\n", {{0}}},
    {"A: 1\r\n\r\nx", "R: us\r\nA: 1\r\nC: 3\r\n\r\n", {{'h', 0, "C", "3"}}},
    {"A: 1\r\n\r\nx", "C: 3\r\nR: us\r\nA: 1\r\n\r\n", {{'i', 0, "C", "3"}}},
    {"A: 1\r\n\r\nx", "R: us\r\nC: 3\r\nA: 1\r\n\r\n", {{'i', 1, "C", "3"}}},
    {"A: 1\r\n\r\nx", "R: us\r\nD: 4\r\nC: 3\r\nA: 1\r\n\r\n",
	{{'i', 1, "C", "3"}, {'i', 1, "D", "4"}}},
    {"A: 1\r\n\r\nx", "R: us\r\nA: 1\r\nC: 3\r\n\r\n", {{'i', 99, "C", "3"}}},
    {"A: 1\r\na: 2\r\n\r\nx", "R: us\r\nA: 1\r\nA: 9\r\n\r\n",
	{{'m', 2, "A", "9"}}},
    {"A: 1\r\na: 2\r\n\r\nx", "R: us\r\na: 2\r\n\r\n", {{'m', 1, "a", ""}}},
    {"A: 1\r\n\r\nx", "R: us\r\nA: 9\r\n\r\n", {{'m', 0, "A", "9"}}},
    {"A: 1\r\n\r\nx", "R: us\r\nA: 1\r\nA: 9\r\n\r\n", {{'m', 2, "A", "9"}}},
    {"A: 1\r\n\r\nx", "R: us\r\nA: 1\r\n\r\n", {{'m', 2, "A", ""}}},
    {"A: 1\r\n\r\nx", "R: us\r\nA: 1\r\nR: 9\r\n\r\n", {{'m', 1, "R", "9"}}},
    {"A: 1\r\n\r\nx", "R: us\r\nA: 1\r\n\r\n", {{'m', 1, "R", ""}}},
    {"A: 1\r\n 2\r\n\t3\r\nB: 4\r\n\r\n",
	"R: us\r\nA: 1\r\n 2\r\n\t3\r\nB: 5\r\n\r\n", {{'m', 1, "B", "5"}}},
    {"A : 1\r\n\r\nx", "R: us\r\nA: 2\r\n\r\n", {{'m', 1, "A", "2"}}},
    {"A: 1\r\nno field\r\n\r\nx", "R: us\r\nA: 1\r\n", {{0}}},
    {"A: 1\r\nno field\r\n\r\nx", "R: us\r\nA: 1\r\nB: 2\r\n\r\n",
	{{'h', 0, "B", "2"}}},
    {"no field\r\n", "R: us\r\nB: 2\r\n\r\n", {{'h', 0, "B", "2"}}},
    {"\r\nbody", "R: us\r\nB: 2\r\n\r\n", {{'h', 0, "B", "2"}}},
    {"A: 1\r\n", "R: us\r\nA: 1\r\n", {{0}}},
    {"A: 1\r\n", "R: us\r\nA: 1\r\nB: 2\r\n", {{'h', 0, "B", "2"}}},
    {"", "R: us\r\nB: 2\r\n", {{'h', 0, "B", "2"}}},
};

static int
edit(struct milter_header *header, const struct edit *edit)
{
	const struct milter_change_field field = {
	    span_of(edit->name), span_of(edit->value), edit->index, false};

	if (edit->letter == 'h')
		return milter_header_add(header, &field);
	if (edit->letter == 'i')
		return milter_header_insert(header, &field);
	return milter_header_change(header, &field);
}

static void
header_section(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(headers); i++) {
		struct arena *arena = arena_new(10000);
		struct span message = span_of(headers[i].message);
		struct milter_header header;
		struct buf out;
		size_t body;

		buf_init(&out, 1000);
		assert_int_equal(milter_header_read(&header, arena,
				     SPAN("R: us\r\n"), message, &body),
		    0);
		for (size_t k = 0; k < 2; k++)
			if (headers[i].edits[k].letter != 0)
				assert_int_equal(
				    edit(&header, &headers[i].edits[k]), 0);
		assert_int_equal(
		    milter_header_write(&header, body < message.n, &out), 0);
		if (!span_eq(buf_span(&out), span_of(headers[i].result)))
			fail_msg("row %zu: %.*s", i, (int)out.n, out.p);
		milter_header_free(&header);
		buf_free(&out);
		arena_free(&arena);
	}
}

static void
limits(void **state)
{
	struct arena *arena = arena_new(100);
	struct milter_header header;
	struct milter_change_field field = {SPAN("X"),
	    SPAN("0123456789012345678901234567890123456789"), 0, false};
	size_t body;
	struct buf many;

	(void)state;
	assert_int_equal(milter_header_read(&header, arena, SPAN("R: us\r\n"),
			     SPAN("A: 1\r\n\r\n"), &body),
	    0);
	assert_int_equal(milter_header_add(&header, &field), 0);
	assert_int_equal(milter_header_add(&header, &field), -1);
	milter_header_free(&header);
	buf_init(&many, 1 << 20);
	for (unsigned i = 0; i < MILTER_FIELDS_MAX; i++)
		assert_int_equal(buf_add_str(&many, "A: 1\r\n"), 0);
	assert_int_equal(milter_header_read(&header, arena, SPAN("R: us\r\n"),
			     buf_span(&many), &body),
	    -1);
	milter_header_free(&header);
	buf_free(&many);
	arena_free(&arena);
}

/* RFC 5322 2.2.3: folds of filters end as all lines do. */
static void
folds(void **state)
{
	static const struct {
		const char *value, *text;
		bool spaced;
	} rows[] = {
	    {"a\n\tb", "X: a\r\n\tb", false},
	    {"a\r\n b\r c", "X: a\r\n b\r\n c", false},
	    {"a", "X:a", true},
	    {" a", "X: a", true},
	    {"\n a", "X:\r\n a", true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_new(10000);
		struct milter_change_field field = {
		    SPAN("X"), span_of(rows[i].value), 0, rows[i].spaced};
		struct milter_header header;
		size_t body;

		assert_int_equal(milter_header_read(&header, arena,
				     SPAN("R: us\r\n"), SPAN("\r\n"), &body),
		    0);
		assert_int_equal(milter_header_insert(&header, &field), 0);
		assert_true(
		    span_eq(header.list[0].text, span_of(rows[i].text)));
		milter_header_free(&header);
		arena_free(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(header_section),
	    cmocka_unit_test(folds),
	    cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
