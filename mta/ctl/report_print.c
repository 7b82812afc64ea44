/* Reports of others, for people and as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/ctl/report.h"
#include "mta/ctl/table.h"
#include "reporting/advice.h"
#include "reporting/report_read.h"
#include "reporting/result.h"

const char *
report_shown(const char *text, char room[REPORT_SHOWN_SIZE])
{
	text_escape(span_of(text), room, REPORT_SHOWN_SIZE);
	return room;
}

const char *
report_shown_name(const char *file, char room[REPORT_FILE_SHOWN])
{
	text_escape(span_of(file), room, REPORT_FILE_SHOWN);
	return room;
}

const char *
report_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void
report_day(int64_t day, char to[REPORT_DAY_SIZE])
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(day * 86400 * 1000000, text);
	(void)snprintf(to, REPORT_DAY_SIZE, "%.10s", text);
}

/* --- for people ----------------------------------------------------------- */

/* The host, its address, or both. */
static void
print_receiver(FILE *to, const struct report_failure *detail)
{
	const char *host = detail->receiving_mx_hostname;
	const char *ip = detail->receiving_ip;
	char room[REPORT_SHOWN_SIZE], more[REPORT_SHOWN_SIZE];

	if (host[0] != '\0' && ip[0] != '\0')
		(void)fprintf(to, "      at %s (%s)\n",
		    report_shown(host, room), report_shown(ip, more));
	else if (host[0] != '\0' || ip[0] != '\0')
		(void)fprintf(to, "      at %s\n",
		    report_shown(host[0] != '\0' ? host : ip, room));
}

static void
print_detail(FILE *to, const struct report_failure *detail)
{
	char room[REPORT_SHOWN_SIZE];

	(void)fprintf(to, "    %s: %" PRIu64 "\n",
	    report_shown(detail->result_type, room), detail->sessions);
	print_receiver(to, detail);
	if (detail->sending_mta_ip[0] != '\0')
		(void)fprintf(to, "      from %s\n",
		    report_shown(detail->sending_mta_ip, room));
	if (detail->failure_reason_code[0] != '\0')
		(void)fprintf(to, "      reason: %s\n",
		    report_shown(detail->failure_reason_code, room));
	if (detail->additional_information[0] != '\0')
		(void)fprintf(to, "      more: %s\n",
		    report_shown(detail->additional_information, room));
	(void)fprintf(
	    to, "      means: %s\n", advice_for(detail->result)->means);
}

static void
print_policy(FILE *to, const struct report_policy *policy)
{
	char type[REPORT_SHOWN_SIZE], domain[REPORT_SHOWN_SIZE];

	(void)fprintf(to,
	    "  %s for %s: %" PRIu64 " session%s fine, %" PRIu64 " failed\n",
	    report_shown(policy->type_text, type),
	    report_shown(policy->domain, domain), policy->successes,
	    report_plural(policy->successes), policy->failures);
	for (size_t i = 0; i < policy->ndetails; i++)
		print_detail(to, &policy->details[i]);
}

static void
print_oddity(FILE *to, const struct report_note *note)
{
	char room[REPORT_SHOWN_SIZE];

	(void)fprintf(to, "  odd: %s", report_oddity_words(note->what));
	if (note->where[0] != '\0')
		(void)fprintf(to, " (%s)", report_shown(note->where, room));
	(void)fputc('\n', to);
}

void
report_print(FILE *to, const char *file, const struct report_read *read)
{
	const struct report *report = &read->report;
	char from[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];
	char room[REPORT_SHOWN_SIZE];

	clock_rfc3339(report->start * 1000000, from);
	clock_rfc3339(report->end * 1000000, until);
	if (file != NULL)
		(void)fprintf(to, "%s: ", file);
	(void)fprintf(to, "%s\n", report_shown(report->organization, room));
	(void)fprintf(to, "  id: %s\n", report_shown(report->id, room));
	(void)fprintf(
	    to, "  contact: %s\n", report_shown(report->contact, room));
	(void)fprintf(to, "  time: %s to %s\n", from, until);
	for (size_t i = 0; i < report->npolicies; i++)
		print_policy(to, &report->policies[i]);
	for (size_t i = 0; i < read->notes.n; i++)
		print_oddity(to, &read->notes.list[i]);
}

void
report_print_head(FILE *to)
{
	(void)fprintf(to, "%-10s  %-24s  %10s  %10s  %-24s  %s\n", "day",
	    "domain", "fine", "failed", "signed by", "organization");
}

void
report_print_line(FILE *to, const struct inbox_report *report)
{
	char organization[REPORT_SHOWN_SIZE], signer[REPORT_SHOWN_SIZE];
	char day[REPORT_DAY_SIZE];

	report_day(report->start / 86400, day);
	(void)fprintf(to,
	    "%s  %-24s  %10" PRIu64 "  %10" PRIu64 "  %-24s  %s\n", day,
	    report->origin.domain, report->successes, report->failures,
	    report->origin.signer[0] == '\0'
		? "(unsigned)"
		: report_shown(report->origin.signer, signer),
	    report_shown(report->organization, organization));
}

void
report_print_line_json(FILE *to, const struct inbox_report *report)
{
	char day[REPORT_DAY_SIZE];
	json_t *object;

	report_day(report->start / 86400, day);
	object = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:s}",
	    "day", day, "domain", report->origin.domain, "organization",
	    report->organization, "contact", report->contact, "id", report->id,
	    "signer", report->origin.signer, "start", (json_int_t)report->start,
	    "end", (json_int_t)report->end, "received",
	    (json_int_t)report->origin.received, "successes",
	    (json_int_t)report->successes, "failures",
	    (json_int_t)report->failures, "notes", report->origin.notes);
	table_json(to, object);
}

/* --- as JSON -------------------------------------------------------------- */

static void
set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static json_t *
texts_json(const char *const *texts, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(texts[i]));
	return list;
}

static json_t *
detail_json(const struct report_failure *detail)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:s}", "result",
	    detail->result_type, "sending_mta_ip", detail->sending_mta_ip,
	    "receiving_mx_hostname", detail->receiving_mx_hostname,
	    "receiving_mx_helo", detail->receiving_mx_helo, "receiving_ip",
	    detail->receiving_ip, "sessions", (json_int_t)detail->sessions,
	    "additional_information", detail->additional_information,
	    "failure_reason_code", detail->failure_reason_code);
}

static json_t *
policy_json(const struct report_policy *policy)
{
	json_t *object = json_object();
	json_t *details = json_array();

	set(object, "type", json_string(policy->type_text));
	set(object, "domain", json_string(policy->domain));
	set(object, "strings", texts_json(policy->strings, policy->nstrings));
	set(object, "mx", texts_json(policy->mx, policy->nmx));
	set(object, "successes", json_integer((json_int_t)policy->successes));
	set(object, "failures", json_integer((json_int_t)policy->failures));
	for (size_t i = 0; i < policy->ndetails; i++)
		(void)json_array_append_new(
		    details, detail_json(&policy->details[i]));
	set(object, "details", details);
	return object;
}

static json_t *
note_json(const struct report_note *note)
{
	return json_pack("{s:s,s:s,s:i}", "what",
	    report_oddity_name(note->what), "where", note->where, "count",
	    (int)note->count);
}

void
report_print_json(FILE *to, const char *file, const struct report_read *read)
{
	const struct report *report = &read->report;
	json_t *object = json_object();
	json_t *policies = json_array(), *notes = json_array();

	set(object, "file", json_string(file));
	set(object, "organization", json_string(report->organization));
	set(object, "contact", json_string(report->contact));
	set(object, "id", json_string(report->id));
	set(object, "start", json_integer(report->start));
	set(object, "end", json_integer(report->end));
	for (size_t i = 0; i < report->npolicies; i++)
		(void)json_array_append_new(
		    policies, policy_json(&report->policies[i]));
	set(object, "policies", policies);
	for (size_t i = 0; i < read->notes.n; i++)
		(void)json_array_append_new(
		    notes, note_json(&read->notes.list[i]));
	set(object, "notes", notes);
	table_json(to, object);
}
