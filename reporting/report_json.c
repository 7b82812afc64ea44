#include "reporting/report_json.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "reporting/result.h"

/* The last second of a year with four digits. */
#define WALL_MAX INT64_C(253402300799)

void
report_date_text(int64_t wall, char to[REPORT_DATE_SIZE])
{
	time_t seconds = wall < 0 ? 0 : wall > WALL_MAX ? WALL_MAX : wall;
	struct tm tm = {0};

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(to, REPORT_DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static json_t *
repaired(const char *text)
{
	char *copy = mem_strdup(text);
	json_t *value;

	for (char *c = copy; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	value = json_string(copy);
	mem_free(copy);
	return value;
}

static json_t *
string(const char *text)
{
	return text_is_utf8(span_of(text)) ? json_string(text) : repaired(text);
}

static void
set_text(json_t *object, const char *key, const char *text)
{
	(void)json_object_set_new(object, key, string(text));
}

/* Left out where there is nothing to say. */
static void
add_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		set_text(object, key, text);
}

static void
add_list(json_t *object, const char *key, const char *const *list, size_t n)
{
	json_t *array;

	if (n == 0)
		return;
	array = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(array, string(list[i]));
	(void)json_object_set_new(object, key, array);
}

static void
set_count(json_t *object, const char *key, uint64_t count)
{
	if (count > REPORT_JSON_COUNT)
		count = REPORT_JSON_COUNT;
	(void)json_object_set_new(object, key, json_integer((json_int_t)count));
}

/* RFC 8460 4.4: an array each for policy-string and mx-host (erratum 6241). */
static json_t *
policy_json(const struct report_policy *policy)
{
	json_t *object = json_object();
	const char *type = policy->type == POLICY_TYPE_OTHER
	                       ? policy->type_text
	                       : report_policy_type_name(policy->type);

	set_text(object, "policy-type", type);
	add_list(object, "policy-string", policy->strings, policy->nstrings);
	set_text(object, "policy-domain", policy->domain);
	if (policy->type == POLICY_TYPE_STS)
		add_list(object, "mx-host", policy->mx, policy->nmx);
	return object;
}

static json_t *
summary_json(const struct report_policy *policy)
{
	json_t *object = json_object();

	set_count(object, "total-successful-session-count", policy->successes);
	set_count(object, "total-failure-session-count", policy->failures);
	return object;
}

static json_t *
failure_json(const struct report_failure *failure)
{
	json_t *object = json_object();

	set_text(object, "result-type",
	    failure->result == RESULT_OTHER ? failure->result_type
					    : tls_result_name(failure->result));
	add_text(object, "sending-mta-ip", failure->sending_mta_ip);
	add_text(
	    object, "receiving-mx-hostname", failure->receiving_mx_hostname);
	add_text(object, "receiving-mx-helo", failure->receiving_mx_helo);
	add_text(object, "receiving-ip", failure->receiving_ip);
	set_count(object, "failed-session-count", failure->sessions);
	add_text(
	    object, "additional-information", failure->additional_information);
	add_text(object, "failure-reason-code", failure->failure_reason_code);
	return object;
}

static json_t *
entry_json(const struct report_policy *policy)
{
	json_t *object = json_object();
	json_t *details;

	(void)json_object_set_new(object, "policy", policy_json(policy));
	(void)json_object_set_new(object, "summary", summary_json(policy));
	if (policy->ndetails == 0)
		return object;
	details = json_array();
	for (size_t i = 0; i < policy->ndetails; i++)
		(void)json_array_append_new(
		    details, failure_json(&policy->details[i]));
	(void)json_object_set_new(object, "failure-details", details);
	return object;
}

static json_t *
range_json(const struct report *report)
{
	json_t *object = json_object();
	char text[REPORT_DATE_SIZE];

	report_date_text(report->start, text);
	set_text(object, "start-datetime", text);
	report_date_text(report->end, text);
	set_text(object, "end-datetime", text);
	return object;
}

/* RFC 8460 4: policies is an array, also of one, or of none. */
static json_t *
report_object(const struct report *report)
{
	json_t *object = json_object();
	json_t *policies = json_array();

	set_text(object, "organization-name", report->organization);
	(void)json_object_set_new(object, "date-range", range_json(report));
	set_text(object, "contact-info", report->contact);
	set_text(object, "report-id", report->id);
	for (size_t i = 0; i < report->npolicies; i++)
		(void)json_array_append_new(
		    policies, entry_json(&report->policies[i]));
	(void)json_object_set_new(object, "policies", policies);
	return object;
}

static int
take_bytes(const char *bytes, size_t n, void *arg)
{
	return buf_add(arg, (struct span){bytes, n});
}

int
report_json(const struct report *report, struct buf *out)
{
	json_t *object = report_object(report);
	/* Who looks at it has others' texts on his terminal: ASCII alone. */
	int rc = json_dump_callback(object, take_bytes, out,
	    JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);

	json_decref(object);
	return rc;
}
