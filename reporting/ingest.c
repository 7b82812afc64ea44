/* See ingest.h. */
#include "reporting/ingest.h"

#include <stdio.h>
#include <string.h>

#include "reporting/dkim_report.h"
#include "reporting/dkim_signature.h"
#include "reporting/dkim_verify.h"

#define KEYS "._domainkey."

/* --- whose keys are asked for --------------------------------------------- */

/* RFC 6376 3.6.2.1: "<selector>._domainkey.<domain>" */
static bool
is_key_of(const char *name, const char *domain)
{
	size_t n = strlen(name), under = sizeof(KEYS) - 1 + strlen(domain);

	return n > under &&
	       strncmp(name + n - under, KEYS, sizeof(KEYS) - 1) == 0 &&
	       strcmp(name + n - strlen(domain), domain) == 0;
}

/* RFC 8460 3: other signatures do not vouch for it, whatever their keys. */
static void
pass_over_others(struct ingest *ingest)
{
	static const struct dns_answer none = {.trust = DNS_FAILED};
	const char *name;
	char domain[DKIM_NAME_SIZE];

	if (!dkim_name_read(span_of(ingest->read.mail.from_domain), domain))
		domain[0] = '\0';
	while ((name = dkim_verifier_question(ingest->verifier)) != NULL &&
	       !is_key_of(name, domain))
		dkim_verifier_answer(ingest->verifier, &none);
}

/* --- reading -------------------------------------------------------------- */

static int
read_it(struct ingest *ingest, struct span mail, struct arena *arena,
    struct err *err)
{
	*ingest = (struct ingest){.signer = ""};
	return mime_is_report(mail)
	           ? report_read_body(mail, arena, &ingest->read, err)
	           : report_read_mail(mail, arena, &ingest->read, err);
}

/* RFC 6376 2.7: lines end with CRLF; in a file they do so with LF alone. */
static int
feed_lines(struct dkim_verifier *verifier, struct span mail, struct err *err)
{
	while (mail.n > 0) {
		const char *end = memchr(mail.p, '\n', mail.n);
		size_t n = end == NULL ? mail.n : (size_t)(end - mail.p);
		bool whole = n > 0 && end != NULL && end[-1] == '\r';
		struct span line = span_first(mail, whole ? n + 1 : n);

		if (dkim_verifier_feed(verifier, line, err) < 0 ||
		    (!whole &&
			dkim_verifier_feed(verifier, SPAN("\r\n"), err) < 0))
			return -1;
		mail = span_from(mail, end == NULL ? n : n + 1);
	}
	return dkim_verifier_end(verifier, err);
}

/*
 * The signature is that of the mail; what a message inside of it says, and who
 * made that, it does not know.
 */
static int
check_form(const struct ingest *ingest, struct span mail, struct err *err)
{
	if (mime_is_report(mail))
		return err_set(err, ERR_PERM, "5.7.20",
		    "nobody vouches for a file without its mail; "
		    "--unsigned takes it all the same");
	if (report_note_of(&ingest->read.notes, ODD_FORWARDED) != NULL)
		return err_set(err, ERR_PERM, "5.7.20",
		    "nobody vouches for a report that is forwarded inside of "
		    "another mail; --unsigned takes it all the same");
	return 0;
}

int
ingest_begin(struct ingest *ingest, struct span mail, struct arena *arena,
    int64_t now, struct err *err)
{
	const struct dkim_verify_setup setup = {
	    .now = now, .service = DKIM_REPORT_SERVICE};

	if (read_it(ingest, mail, arena, err) < 0 ||
	    check_form(ingest, mail, err) < 0)
		return -1;
	ingest->verifier = dkim_verifier_new(&setup);
	if (feed_lines(ingest->verifier, mail, err) < 0)
		return -1;
	pass_over_others(ingest);
	return 0;
}

int
ingest_begin_unsigned(struct ingest *ingest, struct span mail,
    struct arena *arena, struct err *err)
{
	return read_it(ingest, mail, arena, err);
}

/* --- who vouches ---------------------------------------------------------- */

const char *
ingest_question(const struct ingest *ingest)
{
	return ingest->verifier == NULL
	           ? NULL
	           : dkim_verifier_question(ingest->verifier);
}

void
ingest_answer(struct ingest *ingest, const struct dns_answer *answer)
{
	dkim_verifier_answer(ingest->verifier, answer);
	pass_over_others(ingest);
}

/*
 * RFC 6376 6.1.2: a key that cannot be had now may be had later.  It is that of
 * the reporter that counts.
 */
static const struct dkim_result *
find_waiting(const struct dkim_verifier *verifier, const char *reporter)
{
	char domain[DKIM_NAME_SIZE];

	if (!dkim_name_read(span_of(reporter), domain))
		return NULL;
	for (size_t i = 0; i < dkim_verifier_count(verifier); i++) {
		const struct dkim_result *result = dkim_verifier_result(
		    verifier, i);

		if (result->verdict == DKIM_TEMPERROR &&
		    strcmp(result->domain, domain) == 0)
			return result;
	}
	return NULL;
}

/* What is wrong, and with which signature; the key stands under both names. */
static int
fail_ignored(const struct dkim_verifier *verifier,
    const struct dkim_report *judged, struct err *err)
{
	const char *rfc = strstr(judged->why, "RFC 8460") == NULL
	                      ? " (RFC 8460 3)"
	                      : "";
	const struct dkim_result *own;

	if (!judged->is_own)
		return err_set(err, ERR_PERM, "5.7.20",
		    "nobody vouches for it: %s%s", judged->why, rfc);
	own = dkim_verifier_result(verifier, judged->signature);
	return err_set(err, ERR_PERM, "5.7.20",
	    "nobody vouches for it: signature %s of %s: %s%s", own->selector,
	    own->domain, judged->why, rfc);
}

/*
 * RFC 8460 3: a report without a signature of its reporter's domain is to be
 * ignored.
 */
static int
judge(const struct dkim_verifier *verifier, const char *reporter,
    size_t *ret_signature, struct err *err)
{
	struct dkim_report judged = dkim_report_judge(verifier, reporter);
	const struct dkim_result *waiting;

	*ret_signature = judged.signature;
	if (judged.vouched)
		return 0;
	waiting = find_waiting(verifier, reporter);
	if (waiting != NULL)
		return err_set(err, ERR_TEMP, "4.7.5",
		    "key %s of %s: %s; try again", waiting->selector,
		    waiting->domain, waiting->why);
	return fail_ignored(verifier, &judged, err);
}

int
ingest_end(struct ingest *ingest, struct err *err)
{
	struct mime_mail *mail = &ingest->read.mail;
	const char *reporter = mail->from_domain;
	size_t signature;

	if (ingest->verifier == NULL)
		return 0;
	if (judge(ingest->verifier, reporter, &signature, err) < 0)
		return -1;
	/* RFC 8460 5.3: else whoever passes on a report about himself could
	 * say that it is about us. */
	if (!dkim_verifier_covers(
		ingest->verifier, signature, "TLS-Report-Domain"))
		mail->domain = "";
	/* The same name for the same domain, as d= has it. */
	if (!dkim_name_read(span_of(reporter), ingest->signer))
		ingest->signer[0] = '\0';
	return 0;
}

const char *
ingest_from(const struct ingest *ingest)
{
	const char *domain = ingest->read.mail.from_domain;

	return domain == NULL ? "" : domain;
}

void
ingest_free(struct ingest *ingest)
{
	dkim_verifier_free(&ingest->verifier);
}

/* --- what is odd ---------------------------------------------------------- */

void
ingest_notes(const struct ingest *ingest, char to[INGEST_NOTES_SIZE])
{
	const struct report_notes *notes = &ingest->read.notes;
	size_t at = 0;

	to[0] = '\0';
	for (size_t i = 0; i < notes->n && at < INGEST_NOTES_SIZE; i++) {
		int n = snprintf(to + at, INGEST_NOTES_SIZE - at, "%s%s",
		    i == 0 ? "" : ", ",
		    report_oddity_name(notes->list[i].what));

		at += n < 0 ? INGEST_NOTES_SIZE : (size_t)n;
	}
}
