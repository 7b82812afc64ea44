/* See reader_wire.h. */
#include "mta/report/reader_wire.h"

#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "reporting/ingest.h"
#include "reporting/report_read_json.h"

#define RDATA_MAX 65535u /* as its length in two octets says */

/* --- answers -------------------------------------------------------------- */

int
reader_put_answer(struct buf *out, const struct dns_answer *answer)
{
	size_t n = answer->exists ? answer->nrdata : 0;

	if (n > READER_RECORDS_MAX)
		n = READER_RECORDS_MAX;
	if (put_u8(out, (uint8_t)answer->trust) < 0 ||
	    put_u8(out, answer->exists) < 0 || put_u32(out, (uint32_t)n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (put_blob(out, answer->rdata[i]) < 0)
			return -1;
	return 0;
}

bool
reader_take_answer(
    struct span *bytes, struct arena *arena, struct dns_answer *ret)
{
	struct cursor in = cursor_of(*bytes);
	struct span *rdata;
	uint8_t trust, exists;
	uint32_t n;

	if (!take_u8(&in, &trust) || trust > DNS_SECURE ||
	    !take_u8(&in, &exists) || exists > 1 || !take_u32(&in, &n) ||
	    n > READER_RECORDS_MAX)
		return false;
	rdata = arena_alloc(arena, (n + 1) * sizeof(rdata[0]));
	for (uint32_t i = 0; i < n; i++)
		if (rdata == NULL || !take_blob(&in, RDATA_MAX, &rdata[i]))
			return false;
	*ret = (struct dns_answer){.trust = (enum dns_trust)trust,
	    .exists = exists == 1,
	    .canonical = "",
	    .rdata = rdata,
	    .nrdata = n,
	    .why = ""};
	*bytes = in.rest;
	return rdata != NULL;
}

/* --- writing a result ----------------------------------------------------- */

int
reader_put_question(struct buf *out, const char *name)
{
	return put_u8(out, READER_ASKS) < 0 ? -1 : put_blob(out, span_of(name));
}

int
reader_put_failure(struct buf *out, const struct err *err, const char *from)
{
	if (put_u8(out, READER_FAILED) < 0 ||
	    put_u8(out, (uint8_t)err->kind) < 0 ||
	    put_blob(out, span_of(err->enhanced)) < 0 ||
	    put_blob(out, span_of(err->text)) < 0)
		return -1;
	return put_blob(out, span_of(from));
}

static int
put_texts(struct buf *out, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (put_blob(out, span_of(texts[i])) < 0)
			return -1;
	return 0;
}

static int
put_detail(struct buf *out, const struct report_failure *detail)
{
	const char *const texts[] = {detail->result_type,
	    detail->sending_mta_ip, detail->receiving_mx_hostname,
	    detail->receiving_ip, detail->failure_reason_code};

	if (put_u64(out, detail->sessions) < 0)
		return -1;
	return put_texts(out, texts, sizeof(texts) / sizeof(texts[0]));
}

static int
put_policy(struct buf *out, const struct report_policy *policy)
{
	if (put_u8(out, (uint8_t)policy->type) < 0 ||
	    put_u64(out, policy->successes) < 0 ||
	    put_u64(out, policy->failures) < 0 ||
	    put_blob(out, span_of(policy->domain)) < 0 ||
	    put_u32(out, (uint32_t)policy->ndetails) < 0)
		return -1;
	for (size_t i = 0; i < policy->ndetails; i++)
		if (put_detail(out, &policy->details[i]) < 0)
			return -1;
	return 0;
}

int
reader_put_report(struct buf *out, const struct ingest *ingest)
{
	const struct report *report = &ingest->read.report;
	char notes[INGEST_NOTES_SIZE];
	const char *const texts[] = {ingest->signer, ingest->read.mail.domain,
	    notes, report->organization, report->contact, report->id};

	ingest_notes(ingest, notes);
	if (put_u8(out, READER_READ) < 0 ||
	    put_texts(out, texts, sizeof(texts) / sizeof(texts[0])) < 0 ||
	    put_i64(out, report->start) < 0 || put_i64(out, report->end) < 0 ||
	    put_u32(out, (uint32_t)report->npolicies) < 0)
		return -1;
	for (size_t i = 0; i < report->npolicies; i++)
		if (put_policy(out, &report->policies[i]) < 0)
			return -1;
	return 0;
}

/* --- reading a result ----------------------------------------------------- */

struct taking {
	struct cursor in;
	struct arena *arena;
	size_t ndetails; /* of all policies */
};

/* In UTF-8; a terminal obeys them as it does others. */
static bool
is_c1(struct span text)
{
	return text.n > 1 && text.p[0] == '\xc2' &&
	       (unsigned char)text.p[1] < 0xa0;
}

static bool
is_clean(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ||
		    is_c1(span_from(text, i)))
			return false;
	return text.n == 0 || text_is_utf8(text);
}

static bool
take_text(struct taking *taking, const char **ret)
{
	struct span text;

	if (!take_blob(&taking->in, REPORT_TEXT_MAX, &text) || !is_clean(text))
		return false;
	*ret = arena_strndup(taking->arena, text.n == 0 ? "" : text.p, text.n);
	return *ret != NULL;
}

static bool
take_number(struct taking *taking, uint64_t *ret)
{
	return take_u64(&taking->in, ret) && *ret <= REPORT_COUNT_MAX;
}

static bool
take_time(struct taking *taking, int64_t *ret)
{
	return take_i64(&taking->in, ret) && *ret >= REPORT_TIME_LEAST &&
	       *ret <= REPORT_TIME_MOST;
}

static bool
take_detail(struct taking *taking, struct report_failure *ret)
{
	*ret = (struct report_failure){
	    .receiving_mx_helo = "", .additional_information = ""};
	return take_number(taking, &ret->sessions) &&
	       take_text(taking, &ret->result_type) &&
	       take_text(taking, &ret->sending_mta_ip) &&
	       take_text(taking, &ret->receiving_mx_hostname) &&
	       take_text(taking, &ret->receiving_ip) &&
	       take_text(taking, &ret->failure_reason_code);
}

static bool
take_details(struct taking *taking, struct report_policy *policy)
{
	struct report_failure *details;
	uint32_t n;

	if (!take_u32(&taking->in, &n) ||
	    n > REPORT_DETAILS_MAX - taking->ndetails)
		return false;
	taking->ndetails += n;
	details = arena_alloc(taking->arena, n * sizeof(details[0]) + 1);
	for (uint32_t i = 0; i < n; i++)
		if (details == NULL || !take_detail(taking, &details[i]))
			return false;
	policy->details = details;
	policy->ndetails = n;
	return details != NULL;
}

static bool
take_policy(struct taking *taking, struct report_policy *ret)
{
	uint8_t type;

	*ret = (struct report_policy){.type_text = ""};
	if (!take_u8(&taking->in, &type) || type > POLICY_TYPE_STS ||
	    !take_number(taking, &ret->successes) ||
	    !take_number(taking, &ret->failures) ||
	    !take_text(taking, &ret->domain))
		return false;
	ret->type = (enum report_policy_type)type;
	return take_details(taking, ret);
}

static bool
take_policies(struct taking *taking, struct report *report)
{
	struct report_policy *policies;
	uint32_t n;

	if (!take_u32(&taking->in, &n) || n > REPORT_POLICIES_MAX)
		return false;
	policies = arena_alloc(taking->arena, n * sizeof(policies[0]) + 1);
	for (uint32_t i = 0; i < n; i++)
		if (policies == NULL || !take_policy(taking, &policies[i]))
			return false;
	report->policies = policies;
	report->npolicies = n;
	return policies != NULL;
}

static bool
take_report(struct taking *taking, struct reader_result *ret)
{
	struct report *report = &ret->report;

	return take_text(taking, &ret->signer) &&
	       take_text(taking, &ret->about) &&
	       take_text(taking, &ret->notes) &&
	       take_text(taking, &report->organization) &&
	       take_text(taking, &report->contact) &&
	       take_text(taking, &report->id) &&
	       take_time(taking, &report->start) &&
	       take_time(taking, &report->end) && take_policies(taking, report);
}

static bool
take_failure(struct taking *taking, const char **ret_from, struct err *ret)
{
	const char *enhanced, *text;
	uint8_t kind;

	if (!take_u8(&taking->in, &kind) ||
	    (kind != ERR_TEMP && kind != ERR_PERM) ||
	    !take_text(taking, &enhanced) || !take_text(taking, &text) ||
	    !take_text(taking, ret_from))
		return false;
	ret->kind = (enum err_kind)kind;
	if (!text_copy(ret->enhanced, sizeof(ret->enhanced), enhanced))
		return false;
	(void)text_copy(ret->text, sizeof(ret->text), text);
	text_make_printable(ret->text);
	return true;
}

bool
reader_take_result(
    struct span bytes, struct arena *arena, struct reader_result *ret)
{
	struct taking taking = {.in = cursor_of(bytes), .arena = arena};
	uint8_t kind;
	bool good = false;

	*ret = (struct reader_result){.kind = READER_NOTHING};
	if (!take_u8(&taking.in, &kind))
		return false;
	if (kind == READER_ASKS)
		good = take_text(&taking, &ret->name);
	else if (kind == READER_READ)
		good = take_report(&taking, ret);
	else if (kind == READER_FAILED)
		good = take_failure(&taking, &ret->from, &ret->err);
	if (!good || !cursor_done(&taking.in))
		return false;
	ret->kind = (enum reader_kind)kind;
	return true;
}
