/*
 * Reports from files: read, vouched for, about us, kept.  Whatever does not
 * get that far is told with the reason, and the file stays where it is.
 */
#include <string.h>

#include "base/mem.h"
#include "dnssec/rdata.h"
#include "mta/config.h"
#include "mta/ctl/lookup.h"
#include "mta/ctl/report.h"
#include "mta/resolver.h"
#include "reporting/dkim_report.h"
#include "reporting/dkim_signature.h"
#include "reporting/dkim_verify.h"
#include "reporting/report_read.h"
#include "reporting/report_read_json.h"

#define NOTES_SIZE 400

/* --- who vouches ---------------------------------------------------------- */

static void
on_key(const struct dns_answer *answer, void *arg)
{
	dkim_verifier_answer(arg, answer);
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

/*
 * RFC 8460 3: a report without a signature of its reporter's domain is to be
 * ignored.
 */
static int
judge(
    const struct dkim_verifier *verifier, const char *reporter, struct err *err)
{
	struct dkim_report judged = dkim_report_judge(verifier, reporter);
	const struct dkim_result *waiting;

	if (judged.vouched)
		return 0;
	waiting = find_waiting(verifier, reporter);
	if (waiting != NULL)
		return err_set(err, ERR_TEMP, "4.7.5",
		    "key %s of %s: %s; try again", waiting->selector,
		    waiting->domain, waiting->why);
	return err_set(err, ERR_PERM, "5.7.20", "nobody vouches for it: %s%s",
	    judged.why,
	    strstr(judged.why, "RFC 8460") == NULL ? " (RFC 8460 3)" : "");
}

static int
check_signature(struct dns *dns, struct span mail,
    const struct report_read *read, int64_t now, struct err *err)
{
	const struct dkim_verify_setup setup = {
	    .now = now, .service = DKIM_REPORT_SERVICE};
	struct dkim_verifier *verifier = dkim_verifier_new(&setup);
	const char *name;
	int rc = 0;

	if (feed_lines(verifier, mail, err) < 0)
		rc = -1;
	while (rc == 0 && (name = dkim_verifier_question(verifier)) != NULL)
		lookup_records(dns, name, RR_TXT, on_key, verifier);
	if (rc == 0)
		rc = judge(verifier, read->mail.from_domain, err);
	dkim_verifier_free(&verifier);
	return rc;
}

/* --- whom it is about ----------------------------------------------------- */

/* Anybody can report to us about anybody. */
static const char *
domain_of(const struct config *config, const struct report_read *read)
{
	const struct report *report = &read->report;

	if (report_is_ours(config, read->mail.domain))
		return read->mail.domain;
	for (size_t i = 0; i < report->npolicies; i++)
		if (report_is_ours(config, report->policies[i].domain))
			return report->policies[i].domain;
	return NULL;
}

/* --- one file ------------------------------------------------------------- */

static void
say_notes(const struct report_notes *notes, char to[NOTES_SIZE])
{
	size_t at = 0;

	to[0] = '\0';
	for (size_t i = 0; i < notes->n && at < NOTES_SIZE; i++) {
		int n = snprintf(to + at, NOTES_SIZE - at, "%s%s",
		    i == 0 ? "" : ", ",
		    report_oddity_name(notes->list[i].what));

		at += n < 0 ? NOTES_SIZE : (size_t)n;
	}
}

/*
 * The signature is that of the mail; what a message inside of it says, and who
 * made that, it does not know.
 */
static int
check_voucher(struct dns *dns, struct span text, const struct report_read *read,
    int64_t now, struct err *err)
{
	if (mime_is_report(text))
		return err_set(err, ERR_PERM, "5.7.20",
		    "nobody vouches for a file without its mail; "
		    "--unsigned takes it all the same");
	if (report_note_of(&read->notes, ODD_FORWARDED) != NULL)
		return err_set(err, ERR_PERM, "5.7.20",
		    "nobody vouches for a report that is forwarded inside of "
		    "another mail; --unsigned takes it all the same");
	return check_signature(dns, text, read, now, err);
}

static int
keep(struct report_work *work, struct dns *dns, struct span text,
    const struct report_read *read, enum inbox_added *ret, struct err *err)
{
	struct inbox_origin origin = {.signer = "", .received = work->now};
	char notes[NOTES_SIZE], signer[DKIM_NAME_SIZE];

	*ret = INBOX_NOT;
	if (!work->options->is_unsigned) {
		if (check_voucher(dns, text, read, work->now, err) < 0)
			return -1;
		/* The same name for the same domain, as d= has it. */
		if (dkim_name_read(span_of(read->mail.from_domain), signer))
			origin.signer = signer;
	}
	origin.domain = domain_of(work->config, read);
	if (origin.domain == NULL)
		return err_set(err, ERR_PERM, "5.7.1",
		    "it is about no domain of the configuration");
	say_notes(&read->notes, notes);
	origin.notes = notes;
	return inbox_store_add(&work->store, &read->report, &origin, ret, err);
}

static int
ingest_one(
    struct report_work *work, struct dns *dns, const struct report_file *file)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	enum inbox_added added = INBOX_NOT;
	char room[REPORT_SHOWN_SIZE];
	struct report_read read = {0};
	struct err err = {0};
	int rc = report_file_read(file, arena, &read, &err);

	if (rc == 0)
		rc = keep(work, dns, file->text, &read, &added, &err);
	if (rc < 0)
		(void)printf("%s: %s: %s\n", file->name,
		    err.kind == ERR_PERM ? "set aside" : "not kept", err.text);
	else
		(void)printf("%s: %s, from %s\n", file->name,
		    added == INBOX_KNOWN ? "known already" : "kept",
		    report_shown(read.report.organization, room));
	arena_free(&arena);
	return rc < 0 ? EXIT_WANTED : EXIT_FINE;
}

int
report_do_ingest(struct report_work *work)
{
	int status = EXIT_FINE;
	struct err err;
	struct dns *dns = resolver_open(work->config, &err);

	if (dns == NULL)
		return command_complain("report", err.text);
	for (size_t i = 0; i < work->nfiles; i++)
		if (ingest_one(work, dns, &work->files[i]) != EXIT_FINE)
			status = EXIT_WANTED;
	dns_free(&dns);
	return status;
}

int
report_do_read(struct report_work *work)
{
	int status = EXIT_FINE;

	for (int i = 0; i < work->nnames; i++) {
		struct arena *arena = arena_new(REPORT_ARENA);
		struct report_read read = {0};
		struct report_file file;
		struct err err = {0};

		report_file_load(work->names[i], &file);
		if (report_file_read(&file, arena, &read, &err) < 0)
			status = command_complain(work->names[i], err.text);
		else if (work->options->json)
			report_print_json(stdout, work->names[i], &read);
		else
			report_print(stdout,
			    work->nnames > 1 ? work->names[i] : NULL, &read);
		report_file_free(&file);
		arena_free(&arena);
	}
	return status;
}
