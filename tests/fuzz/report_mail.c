/* A whole mail with a report in it, or what was posted. */
#include <stdint.h>

#include "reporting/report_read.h"

#include "tests/fuzz/report_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_said(const char *text)
{
	assert(strlen(text) <= MIME_TEXT_MAX);
	for (; *text != '\0'; text++)
		assert(*text >= ' ' && *text <= '~');
}

static void
check(const struct report_read *read, int rc, const struct err *err)
{
	check_said(read->mail.domain);
	check_said(read->mail.submitter);
	check_said(read->mail.from_domain);
	check_said(read->mail.subject);
	check_notes(&read->notes);
	if (rc == 0)
		check_report(&read->report);
	else
		check_refusal(err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = {(const char *)data, size};
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_read read;
	struct err err = {0};
	int rc = report_read_mail(bytes, arena, &read, &err);

	check(&read, rc, &err);
	arena_reset(arena);
	rc = report_read_body(bytes, arena, &read, &err);
	check(&read, rc, &err);
	arena_free(&arena);
	return 0;
}
