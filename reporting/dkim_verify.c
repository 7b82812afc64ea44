#include "reporting/dkim_verify.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/name.h"
#include "policy/txt.h"
#include "reporting/dkim_canon.h"
#include "reporting/dkim_crypto.h"
#include "reporting/dkim_header.h"
#include "reporting/dkim_record.h"
#include "reporting/dkim_signature.h"

/* Of several records at one name, this many are tried (RFC 6376 6.1.2). */
#define RECORDS_MAX 4

/* What a signature waits for. */
enum stage {
	STAGE_DONE = 0, /* nothing: its result is there */
	STAGE_BODY,
	STAGE_KEY,
};

/* One signature on its way. */
struct check {
	enum stage stage;
	struct dkim_signature signature;
	struct dkim_result result;
	size_t own; /* which field of the header it is */
	/* hash step 1 */
	struct dkim_body body;
	struct dkim_hash *body_hash;
	uint64_t octets; /* of canonical body */
	/* hash step 2 */
	unsigned char hash[DKIM_HASH_SIZE];
	char question[DKIM_NAME_SIZE];
};

struct dkim_verifier {
	int64_t now;
	char *service;
	struct dkim_header header;
	bool failed; /* the header is beyond every measure */
	bool ended;
	struct check *checks;
	size_t nchecks;
};

/* --- life ----------------------------------------------------------------- */

struct dkim_verifier *
dkim_verifier_new(const struct dkim_verify_setup *setup)
{
	struct dkim_verifier *v = mem_new(sizeof(*v));

	v->now = setup->now;
	v->service = mem_strdup(
	    setup->service == NULL ? "email" : setup->service);
	dkim_header_init(&v->header);
	return v;
}

void
dkim_verifier_free(struct dkim_verifier **verifier)
{
	struct dkim_verifier *v = *verifier;

	if (v == NULL)
		return;
	for (size_t i = 0; i < v->nchecks; i++)
		dkim_hash_free(&v->checks[i].body_hash);
	mem_free(v->checks);
	dkim_header_free(&v->header);
	mem_free(v->service);
	mem_free(v);
	*verifier = NULL;
}

static void
settle(struct check *check, struct dkim_finding finding)
{
	check->stage = STAGE_DONE;
	check->result.verdict = finding.verdict;
	check->result.why = finding.why;
	dkim_hash_free(&check->body_hash);
}

/* --- the header ----------------------------------------------------------- */

/* A hash of the body's beginning, when l= says so. */
static void
take_body(struct span bytes, void *arg)
{
	struct check *check = arg;
	uint64_t left = UINT64_MAX;

	if (check->signature.has_length)
		left = check->octets < check->signature.length
		           ? check->signature.length - check->octets
		           : 0;
	check->octets += bytes.n;
	dkim_hash_add(check->body_hash,
	    left < bytes.n ? span_first(bytes, (size_t)left) : bytes);
}

static void
show(const struct dkim_signature *from, struct dkim_result *to)
{
	(void)text_copy(to->domain, sizeof(to->domain), from->domain);
	(void)text_copy(to->selector, sizeof(to->selector), from->selector);
	(void)text_copy(to->identity, sizeof(to->identity), from->identity);
	to->algorithm = from->algorithm;
	to->has_length = from->has_length;
	to->signed_at = from->signed_at;
}

static struct dkim_cover
cover_of(const struct check *check, struct span field)
{
	return (struct dkim_cover){.canon = check->signature.header,
	    .names = check->signature.names,
	    .own = check->own,
	    .field = field};
}

/* RFC 6376 3.7: the field itself is hashed with an empty b= */
static int
hash_header(const struct dkim_header *header, struct check *check)
{
	struct dkim_cover cover;
	struct buf field;
	int rc;

	buf_init(&field, DKIM_FIELD_MAX);
	rc = buf_add(&field, check->signature.before_b);
	if (rc == 0)
		rc = buf_add(&field, check->signature.after_b);
	cover = cover_of(check, buf_span(&field));
	if (rc == 0)
		rc = dkim_header_hash(header, &cover, check->hash);
	buf_free(&field);
	return rc;
}

/* RFC 6376 3.6.2.1: "foo.bar._domainkey.example.com" */
static bool
make_question(struct check *check)
{
	char name[3 * DKIM_NAME_SIZE];
	char normal[DNS_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%s._domainkey.%s",
	    check->signature.selector, check->signature.domain);
	return dns_name_normal(name, normal) &&
	       text_copy(check->question, sizeof(check->question), normal);
}

static void
begin(struct dkim_verifier *v, struct check *check)
{
	struct dkim_finding finding = dkim_signature_read(
	    v->header.fields[check->own].raw, v->now, &check->signature);

	show(&check->signature, &check->result);
	if (finding.verdict == DKIM_PASS && !make_question(check))
		finding = (struct dkim_finding){
		    DKIM_PERMERROR, "s= and d= are too long (RFC 6376 3.6.2)"};
	if (finding.verdict == DKIM_PASS && hash_header(&v->header, check) < 0)
		finding = (struct dkim_finding){
		    DKIM_TEMPERROR, "OpenSSL would not hash the header"};
	if (finding.verdict != DKIM_PASS) {
		settle(check, finding);
		return;
	}
	check->stage = STAGE_BODY;
	check->body_hash = dkim_hash_new();
	dkim_body_init(&check->body, check->signature.body, take_body, check);
}

static void
begin_all(struct dkim_verifier *v)
{
	v->checks = mem_array(DKIM_SIGNATURES_MAX, sizeof(*v->checks));
	for (size_t i = 0;
	     i < v->header.nfields && v->nchecks < DKIM_SIGNATURES_MAX; i++) {
		if (!span_eq_nocase(
			v->header.fields[i].name, SPAN("DKIM-Signature")))
			continue;
		v->checks[v->nchecks].own = i;
		v->checks[v->nchecks].result.why = "not verified to the end";
		begin(v, &v->checks[v->nchecks++]);
	}
}

static int
give_up(struct dkim_verifier *v, struct err *err)
{
	v->failed = true;
	return err_set(err, ERR_PERM, "5.6.0",
	    "the header is longer than %zu octets or has more than %d fields",
	    DKIM_HEADER_MAX, DKIM_FIELDS_MAX);
}

/* --- the body ------------------------------------------------------------- */

int
dkim_verifier_feed(
    struct dkim_verifier *verifier, struct span piece, struct err *err)
{
	struct dkim_verifier *v = verifier;

	if (v->failed)
		return give_up(v, err);
	if (v->ended)
		return err_set(err, ERR_BUG, "4.3.0", "the message has ended");
	if (!v->header.complete) {
		if (dkim_header_feed(&v->header, &piece) < 0)
			return give_up(v, err);
		if (v->header.complete)
			begin_all(v);
	}
	for (size_t i = 0; piece.n > 0 && i < v->nchecks; i++)
		if (v->checks[i].stage == STAGE_BODY)
			dkim_body_feed(&v->checks[i].body, piece);
	return 0;
}

/* RFC 6376 6.1.3: "body hash did not verify" */
static struct dkim_finding
judge_body(struct check *check)
{
	const struct dkim_signature *signature = &check->signature;
	unsigned char hash[DKIM_HASH_SIZE];

	dkim_body_end(&check->body);
	if (dkim_hash_end(check->body_hash, hash) < 0)
		return (struct dkim_finding){
		    DKIM_TEMPERROR, "OpenSSL would not hash the body"};
	/* RFC 6376 3.5: "MUST NOT be larger than the actual number" */
	if (signature->has_length && signature->length > check->octets)
		return (struct dkim_finding){DKIM_PERMERROR,
		    "l= is more than there is of the body (RFC 6376 3.5)"};
	if (signature->has_length)
		check->result.unsigned_octets = check->octets -
		                                signature->length;
	if (memcmp(hash, signature->body_hash, sizeof(hash)) != 0)
		return (struct dkim_finding){DKIM_FAIL,
		    "the body is not the one signed (RFC 6376 6.1.3)"};
	return (struct dkim_finding){DKIM_PASS, ""};
}

int
dkim_verifier_end(struct dkim_verifier *verifier, struct err *err)
{
	struct dkim_verifier *v = verifier;

	if (v->failed)
		return give_up(v, err);
	if (v->ended)
		return 0;
	if (!v->header.complete) {
		if (dkim_header_end(&v->header) < 0)
			return give_up(v, err);
		begin_all(v);
	}
	v->ended = true;
	for (size_t i = 0; i < v->nchecks; i++) {
		struct check *check = &v->checks[i];
		struct dkim_finding finding;

		if (check->stage != STAGE_BODY)
			continue;
		finding = judge_body(check);
		if (finding.verdict != DKIM_PASS)
			settle(check, finding);
		else
			check->stage = STAGE_KEY;
	}
	return 0;
}

/* --- the key -------------------------------------------------------------- */

const char *
dkim_verifier_question(const struct dkim_verifier *verifier)
{
	for (size_t i = 0; i < verifier->nchecks; i++)
		if (verifier->checks[i].stage == STAGE_KEY)
			return verifier->checks[i].question;
	return NULL;
}

static struct dkim_finding
judge_key(const char *service, struct check *check, struct span text)
{
	const struct dkim_signature *signature = &check->signature;
	struct dkim_record record;
	struct dkim_finding finding = dkim_record_read(
	    text, service, signature->algorithm, &record);

	check->result.key_flags = record.flags;
	check->result.key_bits = 0;
	if (finding.verdict != DKIM_PASS)
		return finding;
	/* RFC 6376 3.6.1, t=s: "MUST NOT be a subdomain" */
	if ((record.flags & DKIM_FLAG_STRICT) != 0 &&
	    strcmp(signature->identity, signature->domain) != 0)
		return (struct dkim_finding){DKIM_PERMERROR,
		    "the key is for d= alone, not below (RFC 6376 3.6.1)"};
	return dkim_public_verify(signature->algorithm,
	    (struct span){(const char *)record.key, record.nkey}, check->hash,
	    (struct span){(const char *)signature->bytes, signature->nbytes},
	    &check->result.key_bits);
}

/*
 * RFC 6376 6.1.2: of several records each may be the one; a wildcard brings
 * some that are none.  The first that passes counts, else the first that was
 * a key and did not fit, else the first.
 */
static struct dkim_finding
judge_records(const char *service, struct check *check,
    const struct dns_answer *answer, struct buf *text)
{
	struct dkim_finding best = {
	    DKIM_PERMERROR, "there is no key (RFC 6376 6.1.2)"};
	size_t n = answer->nrdata < RECORDS_MAX ? answer->nrdata : RECORDS_MAX;

	for (size_t i = 0; i < n && best.verdict != DKIM_PASS; i++) {
		struct dkim_result before = check->result;
		struct dkim_finding finding;

		buf_clear(text);
		/* RFC 6376 3.6.2.2: "with no intervening whitespace" */
		if (txt_join(answer->rdata[i], text) < 0)
			return (struct dkim_finding){DKIM_TEMPERROR,
			    "the answer is malformed (RFC 1035 3.3.14)"};
		finding = judge_key(service, check, buf_span(text));
		if (i == 0 || finding.verdict == DKIM_PASS ||
		    (finding.verdict == DKIM_FAIL && best.verdict != DKIM_FAIL))
			best = finding;
		else
			check->result = before;
	}
	return best;
}

static struct dkim_finding
judge_answer(
    const char *service, struct check *check, const struct dns_answer *answer)
{
	struct dkim_finding finding;
	struct buf text;

	/* RFC 6376 6.1.2: "key unavailable" */
	if (answer->trust <= DNS_BOGUS)
		return (struct dkim_finding){DKIM_TEMPERROR,
		    "the key could not be looked up (RFC 6376 6.1.2)"};
	buf_init(&text, TXT_TEXT_MAX);
	finding = judge_records(service, check, answer, &text);
	buf_free(&text);
	return finding;
}

/* Each that waits for the name which is asked for now. */
static struct check *
next_waiting(struct dkim_verifier *v, const char *name)
{
	for (size_t i = 0; i < v->nchecks; i++)
		if (v->checks[i].stage == STAGE_KEY &&
		    strcmp(v->checks[i].question, name) == 0)
			return &v->checks[i];
	return NULL;
}

void
dkim_verifier_answer(
    struct dkim_verifier *verifier, const struct dns_answer *answer)
{
	const char *asked = dkim_verifier_question(verifier);
	char name[DKIM_NAME_SIZE];
	struct check *check;

	if (asked == NULL)
		return;
	(void)text_copy(name, sizeof(name), asked);
	while ((check = next_waiting(verifier, name)) != NULL)
		settle(check, judge_answer(verifier->service, check, answer));
}

void
dkim_verifier_answer_text(struct dkim_verifier *verifier, struct span record)
{
	struct dns_answer answer = {.trust = DNS_INSECURE};
	struct span rdata;
	struct buf strings;
	struct span rest = span_first(record, TXT_TEXT_MAX / 2);

	buf_init(&strings, TXT_TEXT_MAX);
	do {
		struct span piece = span_first(rest, 255);
		char n = (char)piece.n;

		if (buf_add(&strings, (struct span){&n, 1}) < 0 ||
		    buf_add(&strings, piece) < 0)
			break;
		rest = span_from(rest, piece.n);
	} while (rest.n > 0);
	rdata = buf_span(&strings);
	answer.exists = record.p != NULL;
	answer.rdata = &rdata;
	answer.nrdata = answer.exists ? 1 : 0;
	dkim_verifier_answer(verifier, &answer);
	buf_free(&strings);
}

/* --- what came of it ------------------------------------------------------ */

size_t
dkim_verifier_count(const struct dkim_verifier *verifier)
{
	return verifier->nchecks;
}

const struct dkim_result *
dkim_verifier_result(const struct dkim_verifier *verifier, size_t i)
{
	return &verifier->checks[i].result;
}

bool
dkim_verifier_covers(
    const struct dkim_verifier *verifier, size_t i, const char *field)
{
	const struct check *check = &verifier->checks[i];
	struct dkim_cover cover = cover_of(check, (struct span){0});

	return dkim_header_covers(&verifier->header, &cover, span_of(field));
}
