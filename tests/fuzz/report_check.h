/* What holds of every report that was read, whatever it was read from. */
#pragma once
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "reporting/advise.h"
#include "reporting/report_read_json.h"
#include "reporting/result.h"
#include "reporting/summary.h"

static inline void
check_text(const char *text)
{
	size_t n = strlen(text);

	assert(n <= REPORT_TEXT_MAX);
	assert(text_is_utf8((struct span){text, n}));
	for (size_t i = 0; i < n; i++) {
		assert((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
		assert(text[i] != '\xc2' || (unsigned char)text[i + 1] >= 0xa0);
	}
}

static inline void
check_failure(const struct report_failure *failure)
{
	assert(failure->result < RESULTS);
	check_text(failure->result_type);
	check_text(failure->sending_mta_ip);
	check_text(failure->receiving_mx_hostname);
	check_text(failure->receiving_mx_helo);
	check_text(failure->receiving_ip);
	check_text(failure->additional_information);
	check_text(failure->failure_reason_code);
	assert(failure->sessions <= REPORT_COUNT_MAX);
}

static inline void
check_policy(const struct report_policy *policy)
{
	check_text(policy->type_text);
	check_text(policy->domain);
	assert(policy->nstrings <= REPORT_LINES_MAX);
	assert(policy->nmx <= REPORT_LINES_MAX);
	assert(policy->ndetails <= REPORT_DETAILS_MAX);
	assert(policy->successes <= REPORT_COUNT_MAX);
	for (size_t i = 0; i < policy->nstrings; i++)
		check_text(policy->strings[i]);
	for (size_t i = 0; i < policy->nmx; i++)
		check_text(policy->mx[i]);
	for (size_t i = 0; i < policy->ndetails; i++)
		check_failure(&policy->details[i]);
}

/* It adds up, too. */
static inline void
check_sums(const struct report *report, struct arena *arena)
{
	struct summary_ask ask = {.last_day = report->start / 86400};
	struct summary_rows rows;
	struct summary summary;
	int rc = summary_rows_of(report, arena, &rows);

	assert(rc == 0 && rows.ntotals == report->npolicies);
	for (int by = SUMMARY_BY_DOMAIN; by <= SUMMARY_BY_RESULT; by++) {
		ask.by = (enum summary_by)by;
		rc = summary_make(&rows, &ask, arena, &summary);
		assert(rc == 0);
		assert(summary.n <= rows.ntotals + rows.nfailures);
	}
}

static inline void
check_report(const struct report *report)
{
	struct arena *arena = arena_new(REPORT_ARENA);

	check_text(report->organization);
	check_text(report->contact);
	check_text(report->id);
	assert(report->start >= -86400 && report->end >= -86400);
	assert(report->npolicies <= REPORT_POLICIES_MAX);
	for (size_t i = 0; i < report->npolicies; i++)
		check_policy(&report->policies[i]);
	check_sums(report, arena);
	arena_free(&arena);
}

static inline void
check_notes(const struct report_notes *notes)
{
	assert(notes->n <= ODDITIES);
	for (size_t i = 0; i < notes->n; i++) {
		assert(notes->list[i].what > ODD_NOTHING);
		assert(notes->list[i].what < ODDITIES);
		assert(notes->list[i].count > 0);
		check_text(notes->list[i].where);
	}
}

static inline void
check_refusal(const struct err *err)
{
	assert(err->kind == ERR_PERM && err->text[0] != '\0');
	check_text(err->text);
}
