/* Whatever who reads a stranger's mail may say of it. */
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "mta/report/reader_wire.h"
#include "reporting/report_read_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken is clean, and stays what it was. */
static void
check(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f ||
		    (*c == '\xc2' && (unsigned char)c[1] < 0xa0))
			abort();
	if (!text_is_utf8(span_of(text)))
		abort();
}

static void
check_report(const struct report *report)
{
	check(report->organization);
	check(report->contact);
	check(report->id);
	if (report->start < REPORT_TIME_LEAST ||
	    report->start > REPORT_TIME_MOST ||
	    report->end < REPORT_TIME_LEAST || report->end > REPORT_TIME_MOST)
		abort();
	for (size_t i = 0; i < report->npolicies; i++) {
		const struct report_policy *policy = &report->policies[i];

		check(policy->domain);
		for (size_t j = 0; j < policy->ndetails; j++) {
			check(policy->details[j].result_type);
			check(policy->details[j].sending_mta_ip);
			check(policy->details[j].receiving_mx_hostname);
			check(policy->details[j].receiving_ip);
			check(policy->details[j].failure_reason_code);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = {(const char *)data, size}, rest = all;
	struct arena *arena = arena_new(READER_ARENA);
	struct reader_result result;
	struct dns_answer answer;

	if (reader_take_result(all, arena, &result)) {
		if (result.kind == READER_ASKS)
			check(result.name);
		else if (result.kind == READER_READ)
			check_report(&result.report);
		else if (result.kind == READER_FAILED)
			check(result.from);
		else
			abort();
	}
	arena_reset(arena);
	while (reader_take_answer(&rest, arena, &answer))
		;
	arena_free(&arena);
	return 0;
}
