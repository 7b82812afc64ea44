#include "reporting/report_read_json.h"

#include <jansson.h>
#include <stdio.h>

#include "base/text.h"
#include "reporting/json_scan.h"
#include "reporting/json_take.h"
#include "reporting/result.h"

#define DAY INT64_C(86400)

/* The longest word of RFC 8460 4.3 has 25. */
#define WORD_SIZE 32

struct reader {
	struct taker taker;
	struct report report;
	size_t ndetails; /* of all policies */
	struct err *err;
};

static int
refuse(struct reader *reader, const char *why)
{
	return err_set(reader->err, ERR_PERM, "5.6.0", "%s", why);
}

/* Into an entry of the list of policies. */
static void
enter(struct taker *taker, size_t at, const char *part)
{
	(void)snprintf(
	    taker->place, sizeof(taker->place), "policies[%zu].%s", at, part);
}

static int
too_many(struct reader *reader, const char *what, int most)
{
	return err_set(reader->err, ERR_PERM, "5.3.4", "it has more than %d %s",
	    most, what);
}

/* The words are known in small letters. */
static struct span
word_of(const char *text, char small[WORD_SIZE])
{
	if (!text_copy(small, WORD_SIZE, text))
		return SPAN("");
	text_fold(small);
	return span_of(small);
}

/* RFC 8460 4.4: what may be missing is not `needed`. */
static void
read_detail(struct taker *taker, const json_t *from, struct report_failure *to)
{
	static const struct member type = {
	    .name = "result-type", .needed = true};
	static const struct member sending = {
	    .name = "sending-mta-ip", .needed = true};
	static const struct member host = {
	    .name = "receiving-mx-hostname", .fold = true};
	static const struct member helo = {.name = "receiving-mx-helo"};
	static const struct member ip = {.name = "receiving-ip"};
	static const struct member sessions = {
	    .name = "failed-session-count", .needed = true};
	static const struct member more = {
	    .name = "additional-information", .other = "additional-info-uri"};
	static const struct member code = {
	    .name = "failure-reason-code", .other = "failure-error-code"};
	char small[WORD_SIZE];

	to->result_type = take_text(taker, from, &type);
	to->result = tls_result_of(word_of(to->result_type, small));
	/* RFC 8460 6.6: the list is open. */
	if (to->result != RESULT_OTHER)
		to->result_type = tls_result_name(to->result);
	else if (to->result_type[0] != '\0')
		take_note(taker, ODD_RESULT_TYPE, to->result_type);
	to->sending_mta_ip = take_text(taker, from, &sending);
	to->receiving_mx_hostname = take_text(taker, from, &host);
	to->receiving_mx_helo = take_text(taker, from, &helo);
	to->receiving_ip = take_text(taker, from, &ip);
	to->sessions = take_count(taker, from, &sessions, NULL);
	to->additional_information = take_text(taker, from, &more);
	to->failure_reason_code = take_text(taker, from, &code);
}

static int
read_details(
    struct reader *reader, json_t *list, size_t at, struct report_policy *to)
{
	struct taker *taker = &reader->taker;
	size_t n = json_array_size(list);
	struct report_failure *details;
	size_t i;
	json_t *one;

	if (n > REPORT_DETAILS_MAX - reader->ndetails)
		return too_many(reader, "failure details", REPORT_DETAILS_MAX);
	reader->ndetails += n;
	details = arena_alloc(taker->arena, n * sizeof(*details));
	if (details == NULL)
		return refuse(reader, "it does not fit");
	to->details = details;
	json_array_foreach(list, i, one)
	{
		(void)snprintf(taker->place, sizeof(taker->place),
		    "policies[%zu].failure-details[%zu].", at, i);
		if (json_is_object(one))
			read_detail(taker, one, &details[to->ndetails++]);
		else
			take_note(taker, ODD_TYPE, NULL);
	}
	return 0;
}

/* Does it say that there was no policy to be applied? */
static bool
is_without_policy(const json_t *detail)
{
	const char *said = json_string_value(
	    json_object_get(detail, "result-type"));
	char small[WORD_SIZE];

	switch (tls_result_of(word_of(said == NULL ? "" : said, small))) {
	case RESULT_DNSSEC_INVALID:
	case RESULT_DANE_REQUIRED:
	case RESULT_STS_POLICY_FETCH_ERROR:
	case RESULT_STS_POLICY_INVALID:
	case RESULT_STS_WEBPKI_INVALID:
		return true;
	case RESULT_OTHER:
	case RESULT_STARTTLS_NOT_SUPPORTED:
	case RESULT_CERTIFICATE_HOST_MISMATCH:
	case RESULT_CERTIFICATE_EXPIRED:
	case RESULT_CERTIFICATE_NOT_TRUSTED:
	case RESULT_VALIDATION_FAILURE:
	case RESULT_TLSA_INVALID:
	case RESULTS:
		break;
	}
	return false;
}

/*
 * RFC 8460 4.3.2: it is of a policy that was looked for and could not be had,
 * so there are no lines and no patterns to be told (4.4: "the applied policy").
 */
static bool
lacks_policy(const json_t *details)
{
	size_t n = json_array_size(details);

	for (size_t i = 0; i < n; i++)
		if (!is_without_policy(json_array_get(details, i)))
			return false;
	return n > 0;
}

/* RFC 8460 4.2 */
static void
read_policy_object(struct taker *taker, const json_t *from, bool applied,
    struct report_policy *to)
{
	static const struct member type = {
	    .name = "policy-type", .needed = true};
	static const struct member domain = {
	    .name = "policy-domain", .needed = true, .fold = true};
	struct member strings = {
	    .name = "policy-string", .other = "policy-strings"};
	struct member mx = {
	    .name = "mx-host", .other = "mx-host-pattern", .fold = true};
	char small[WORD_SIZE];

	to->type_text = take_text(taker, from, &type);
	to->type = report_policy_type_of(word_of(to->type_text, small));
	if (to->type == POLICY_TYPE_OTHER && to->type_text[0] != '\0')
		take_note(taker, ODD_POLICY_TYPE, to->type_text);
	to->domain = take_text(taker, from, &domain);
	strings.needed = applied && (to->type == POLICY_TYPE_STS ||
					to->type == POLICY_TYPE_TLSA);
	to->strings = take_list(taker, from, &strings, &to->nstrings);
	mx.needed = applied && to->type == POLICY_TYPE_STS;
	to->mx = take_list(taker, from, &mx, &to->nmx);
}

static uint64_t
sum_of(const struct report_policy *policy)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < policy->ndetails; i++)
		sum += policy->details[i].sessions;
	return sum;
}

/*
 * RFC 8460 4.2.1, 4.2.2.  The details may add up to more, as one session can
 * fail in two ways (RFC 8460 4): they stand in only where no sum is given.
 */
static void
read_summary(struct taker *taker, const json_t *from, struct report_policy *to)
{
	static const struct member good = {
	    .name = "total-successful-session-count", .needed = true};
	static const struct member bad = {
	    .name = "total-failure-session-count", .needed = true};
	bool given;

	to->successes = take_count(taker, from, &good, NULL);
	to->failures = take_count(taker, from, &bad, &given);
	if (!given)
		to->failures = sum_of(to);
}

/* An object of the entry, or an empty one to find everything missing in. */
static const json_t *
part_of(struct taker *taker, const json_t *entry, const char *name,
    const json_t *empty)
{
	struct member member = {.name = name, .needed = true};
	const json_t *part = take_member(taker, entry, &member);

	if (part == NULL || json_is_object(part))
		return part == NULL ? empty : part;
	take_note(taker, ODD_TYPE, name);
	return empty;
}

static int
read_policy(struct reader *reader, const json_t *entry, size_t at,
    struct report_policy *to)
{
	static const struct member details = {.name = "failure-details"};
	struct taker *taker = &reader->taker;
	json_t *empty = json_object();
	json_t *list;
	const json_t *part;
	int result;

	enter(taker, at, "");
	list = take_objects(taker, entry, &details);
	part = part_of(taker, entry, "policy", empty);
	enter(taker, at, "policy.");
	read_policy_object(taker, part, !lacks_policy(list), to);
	result = list == NULL ? 0 : read_details(reader, list, at, to);
	enter(taker, at, "");
	part = part_of(taker, entry, "summary", empty);
	enter(taker, at, "summary.");
	read_summary(taker, part, to);
	json_decref(list);
	json_decref(empty);
	return result;
}

static int
read_policy_list(struct reader *reader, const json_t *list)
{
	struct taker *taker = &reader->taker;
	size_t n = json_array_size(list);
	struct report_policy *policies;
	size_t i;
	json_t *entry;

	if (n > REPORT_POLICIES_MAX)
		return too_many(reader, "policies", REPORT_POLICIES_MAX);
	policies = arena_alloc(taker->arena, n * sizeof(*policies));
	if (policies == NULL)
		return refuse(reader, "it does not fit");
	reader->report.policies = policies;
	json_array_foreach(list, i, entry)
	{
		struct report_policy *to = &policies[reader->report.npolicies];

		taker->place[0] = '\0';
		if (!json_is_object(entry)) {
			take_note(taker, ODD_TYPE, "policies");
			continue;
		}
		reader->report.npolicies++;
		if (read_policy(reader, entry, i, to) < 0)
			return -1;
	}
	return 0;
}

static int
read_policies(struct reader *reader, const json_t *root)
{
	static const struct member policies = {
	    .name = "policies", .needed = true};
	json_t *list = take_objects(&reader->taker, root, &policies);
	int result = list == NULL ? 0 : read_policy_list(reader, list);

	reader->taker.place[0] = '\0';
	if (result == 0 && reader->report.npolicies == 0)
		take_note(&reader->taker, ODD_NO_POLICIES, NULL);
	json_decref(list);
	return result;
}

/* RFC 8460 4.4: a full UTC day, 00:00-24:00; many end it a second earlier. */
static bool
is_a_day(int64_t start, int64_t end)
{
	return start % DAY == 0 &&
	       (end == start + DAY || end == start + DAY - 1);
}

static void
read_window(struct reader *reader, const json_t *root)
{
	static const struct member range = {
	    .name = "date-range", .needed = true};
	static const struct member start = {
	    .name = "start-datetime", .needed = true};
	static const struct member end = {
	    .name = "end-datetime", .needed = true};
	struct taker *taker = &reader->taker;
	struct report *report = &reader->report;
	const json_t *from = take_member(taker, root, &range);

	if (from == NULL)
		return;
	(void)snprintf(taker->place, sizeof(taker->place), "date-range.");
	report->start = take_time(taker, from, &start);
	report->end = take_time(taker, from, &end);
	taker->place[0] = '\0';
	if (!is_a_day(report->start, report->end))
		take_note(taker, ODD_WINDOW, range.name);
}

static int
read_report(struct reader *reader, const json_t *root)
{
	static const struct member organization = {
	    .name = "organization-name", .needed = true};
	static const struct member contact = {
	    .name = "contact-info", .needed = true};
	static const struct member id = {.name = "report-id", .needed = true};
	struct taker *taker = &reader->taker;

	if (!json_is_object(root))
		return refuse(reader, "the JSON is no object");
	if (json_object_get(root, "policies") == NULL &&
	    json_object_get(root, "report-id") == NULL &&
	    json_object_get(root, "date-range") == NULL)
		return refuse(reader, "it is JSON and no report");
	reader->report.organization = take_text(taker, root, &organization);
	reader->report.contact = take_text(taker, root, &contact);
	reader->report.id = take_text(taker, root, &id);
	read_window(reader, root);
	if (read_policies(reader, root) < 0)
		return -1;
	return taker->full ? refuse(reader, "it does not fit") : 0;
}

static json_t *
parse(const struct buf *text, struct report_notes *notes, json_error_t *why)
{
	const size_t flags = JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL;
	json_t *root = json_loadb(
	    text->p, text->n, flags | JSON_REJECT_DUPLICATES, why);

	/* RFC 8460 4: I-JSON (RFC 7493 2.3) has no duplicate names. */
	if (root == NULL && json_error_code(why) == json_error_duplicate_key) {
		root = json_loadb(text->p, text->n, flags, why);
		report_note(notes, ODD_DUPLICATE, "");
	}
	return root;
}

static json_t *
load(struct buf *text, struct report_notes *notes, struct err *err)
{
	json_error_t why;
	char shown[120];
	struct span rest;
	json_t *root;

	if (text->n > REPORT_JSON_MAX) {
		(void)err_set(err, ERR_PERM, "5.3.4",
		    "it has more than %zu octets of JSON", REPORT_JSON_MAX);
		return NULL;
	}
	if (json_scan(text, notes, err) < 0)
		return NULL;
	root = parse(text, notes, &why);
	if (root == NULL) {
		text_escape(span_of(why.text), shown, sizeof(shown));
		(void)err_set(
		    err, ERR_PERM, "5.6.0", "line %d: %s", why.line, shown);
		return NULL;
	}
	rest = span_from(buf_span(text), (size_t)why.position);
	if (text_trim(rest, " \t\r\n").n > 0)
		report_note(notes, ODD_TRAILING, "");
	return root;
}

int
report_read_json(struct buf *text, struct arena *arena, struct report *ret,
    struct report_notes *notes, struct err *err)
{
	struct reader reader = {
	    .taker = {.arena = arena, .notes = notes}, .err = err};
	json_t *root = load(text, notes, err);
	int result;

	buf_free(text);
	if (root == NULL)
		return -1;
	result = read_report(&reader, root);
	json_decref(root);
	if (result == 0)
		*ret = reader.report;
	return result;
}
