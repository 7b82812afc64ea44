#include "reporting/report_read.h"

#include "base/text.h"
#include "reporting/gunzip.h"
#include "reporting/report_read_json.h"

/* `octets` is emptied as soon as it is not needed: both are large. */
static int
make_plain(struct buf *octets, struct report_notes *notes, struct err *err)
{
	struct gunzip_seen seen;
	struct buf plain;
	int result;

	if (!gunzip_is(buf_span(octets)))
		return 0;
	buf_init(&plain, REPORT_JSON_MAX);
	result = gunzip(buf_span(octets), &plain, &seen, err);
	buf_free(octets);
	if (result < 0) {
		buf_free(&plain);
		return -1;
	}
	*octets = plain;
	if (seen.members > 1)
		report_note(notes, ODD_MEMBERS, "");
	if (seen.trailing > 0)
		report_note(notes, ODD_TRAILING, "");
	return 0;
}

static int
read_octets(struct buf *octets, struct arena *arena, struct report_read *ret,
    struct err *err)
{
	if (make_plain(octets, &ret->notes, err) < 0)
		return -1;
	return report_read_json(octets, arena, &ret->report, &ret->notes, err);
}

/* RFC 8460 5.3: Submitter is the domain of contact-info. */
static void
compare_submitter(struct report_read *read)
{
	const char *at = strrchr(read->report.contact, '@');
	const char *submitter = read->mail.submitter;

	if (submitter[0] != '\0' && at != NULL &&
	    !span_eq_nocase(span_of(at + 1), span_of(submitter)))
		report_note(&read->notes, ODD_SUBMITTER, submitter);
}

int
report_read_mail(struct span mail, struct arena *arena, struct report_read *ret,
    struct err *err)
{
	struct buf part;
	int result;

	*ret = (struct report_read){0};
	buf_init(&part, MIME_MAIL_MAX);
	result = mime_read(mail, arena, &part, &ret->mail, &ret->notes, err);
	if (result == 0)
		result = read_octets(&part, arena, ret, err);
	if (result == 0)
		compare_submitter(ret);
	buf_free(&part);
	return result;
}

int
report_read_body(struct span body, struct arena *arena, struct report_read *ret,
    struct err *err)
{
	struct buf octets;
	int result;

	*ret = (struct report_read){.mail = {"", "", "", ""}};
	buf_init(&octets, MIME_MAIL_MAX);
	if (buf_add(&octets, body) < 0)
		result = err_set(err, ERR_PERM, "5.3.4",
		    "it has more than %zu octets", MIME_MAIL_MAX);
	else
		result = read_octets(&octets, arena, ret, err);
	buf_free(&octets);
	return result;
}
