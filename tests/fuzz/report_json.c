/* The JSON of a report. */
#include <stdint.h>

#include "reporting/report_read_json.h"

#include "tests/fuzz/report_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_notes notes = {0};
	struct report report = {0};
	struct err err = {0};
	struct buf text;
	int rc;

	buf_init(&text, REPORT_JSON_MAX);
	rc = buf_add(&text, (struct span){(const char *)data, size});
	assert(rc == 0);
	if (report_read_json(&text, arena, &report, &notes, &err) == 0) {
		assert(err.kind == ERR_NONE);
		check_report(&report);
	} else {
		assert(report.npolicies == 0);
		check_refusal(&err);
	}
	assert(text.p == NULL);
	check_notes(&notes);
	arena_free(&arena);
	return 0;
}
