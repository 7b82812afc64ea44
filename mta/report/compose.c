#include "mta/report/compose.h"

#include "reporting/dkim_report.h"
#include "reporting/gzip.h"
#include "reporting/report_json.h"

/* More than any report has that report_store_load() makes. */
#define JSON_MAX ((size_t)64 << 20)
/* Base64, its line ends, and the rest of the mail. */
#define MAIL_MAX(gzipped) ((gzipped) / 2 * 3 + ((size_t)1 << 20))
#define SIGNATURES_MAX    ((size_t)64 << 10)

static int
pack(const struct config *config, struct composed *ret, struct err *err)
{
	struct buf json;
	int rc;

	buf_init(&json, JSON_MAX);
	/* RFC 8460 5.2: ten megabytes are what everybody takes. */
	buf_init(&ret->gzipped, (size_t)config->reporting.size);
	rc = report_json(&ret->report, &json) < 0 ||
	             gzip_write(buf_span(&json), &ret->gzipped) < 0
	         ? err_set(err, ERR_PERM, "5.3.4", "the report is too large")
	         : 1;
	ret->octets = rc == 1 ? json.n : 0;
	buf_free(&json);
	return rc;
}

int
compose_report(struct report_store *store, const struct config *config,
    int64_t day, const char *domain, struct composed *ret, struct err *err)
{
	int rc;

	*ret = (struct composed){.arena = arena_new(REPORT_STORE_ARENA)};
	rc = report_store_load(
	    store, day, domain, ret->arena, &ret->report, err);
	if (rc <= 0)
		return rc;
	report_complete(&ret->report,
	    &(struct report_writer){config->reporting.organization,
		config->reporting.contact, config->hostname},
	    domain, day * REPORT_DAY_S, ret->id);
	return pack(config, ret, err);
}

void
composed_free(struct composed *composed)
{
	arena_free(&composed->arena);
	buf_free(&composed->gzipped);
}

static int
sign(const struct compose_mail *mail, struct span text, struct buf *out,
    struct err *err)
{
	const struct dkim_sign_setup setup = {.domain = mail->keys->domain,
	    .keys = mail->keys->list,
	    .nkeys = mail->keys->n,
	    .oversigned = dkim_report_fields,
	    .now = mail->now};
	struct dkim_signer *signer;
	int rc;

	/* RFC 8460 3: without one it MUST be ignored. */
	if (mail->keys->n == 0)
		return err_set(
		    err, ERR_PERM, "5.7.0", "there is no key to sign with");
	if (dkim_signer_new(&setup, &signer, err) < 0)
		return -1;
	rc = dkim_signer_feed(signer, text, err);
	if (rc == 0)
		rc = dkim_signer_end(signer, out, err);
	dkim_signer_free(&signer);
	return rc;
}

int
compose_mail(const struct composed *composed, const struct compose_mail *mail,
    struct buf *out, struct err *err)
{
	const struct report_outgoing outgoing = {.report = &composed->report,
	    .domain = mail->domain,
	    .to = mail->to,
	    .gzipped = buf_span(&composed->gzipped),
	    .number = mail->number,
	    .now = mail->now};
	struct buf text;
	int rc = 0;

	buf_init(&text, MAIL_MAX(composed->gzipped.n));
	buf_init(out, text.limit + SIGNATURES_MAX);
	if (report_mail_write(&outgoing, &text) < 0)
		rc = err_set(err, ERR_PERM, "5.6.0",
		    "the report cannot be written to this address");
	if (rc == 0)
		rc = sign(mail, buf_span(&text), out, err);
	if (rc == 0 && buf_add(out, buf_span(&text)) < 0)
		rc = err_set(err, ERR_PERM, "5.3.4", "the report is too large");
	buf_free(&text);
	return rc;
}
