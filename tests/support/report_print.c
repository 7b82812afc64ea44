#include "tests/support/report_print.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "reporting/result.h"

static void
add(struct buf *to, const char *key, const char *value)
{
	int rc = value[0] == '\0' ? 0 : buf_printf(to, "%s%s", key, value);

	assert(rc == 0);
}

static void
print_detail(struct buf *to, const struct report_failure *detail)
{
	int rc = buf_printf(
	    to, " {%s/%d", detail->result_type, (int)detail->result);

	add(to, " from=", detail->sending_mta_ip);
	add(to, " host=", detail->receiving_mx_hostname);
	add(to, " helo=", detail->receiving_mx_helo);
	add(to, " to=", detail->receiving_ip);
	rc |= buf_printf(to, " n=%" PRIu64, detail->sessions);
	add(to, " more=", detail->additional_information);
	add(to, " code=", detail->failure_reason_code);
	rc |= buf_add_str(to, "}");
	assert(rc == 0);
}

static void
print_policy(struct buf *to, const struct report_policy *policy)
{
	int rc = buf_printf(to, " [%s/%s", policy->type_text,
	    report_policy_type_name(policy->type));

	add(to, " ", policy->domain);
	for (size_t i = 0; i < policy->nstrings; i++)
		rc |= buf_printf(to, " \"%s\"", policy->strings[i]);
	for (size_t i = 0; i < policy->nmx; i++)
		rc |= buf_printf(to, " mx=%s", policy->mx[i]);
	rc |= buf_printf(
	    to, " %" PRIu64 "/%" PRIu64, policy->successes, policy->failures);
	for (size_t i = 0; i < policy->ndetails; i++)
		print_detail(to, &policy->details[i]);
	rc |= buf_add_str(to, "]");
	assert(rc == 0);
}

void
report_print(struct buf *to, const struct report *report)
{
	int rc = buf_printf(to, "%s %s %s %" PRId64 "-%" PRId64,
	    report->organization, report->contact, report->id, report->start,
	    report->end);

	assert(rc == 0);
	for (size_t i = 0; i < report->npolicies; i++)
		print_policy(to, &report->policies[i]);
}

void
report_print_notes(struct buf *to, const struct report_notes *notes)
{
	for (size_t i = 0; i < notes->n; i++) {
		const struct report_note *note = &notes->list[i];
		int rc = buf_printf(to, "%s%s", i == 0 ? "" : " ",
		    report_oddity_name(note->what));

		if (note->count != 1)
			rc |= buf_printf(to, "*%u", note->count);
		add(to, "@", note->where);
		assert(rc == 0);
	}
}
