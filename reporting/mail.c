#include "reporting/mail.h"

#include <stdio.h>
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "reporting/mail_words.h"
#include "reporting/report_json.h"

#define BOUNDARY_SIZE 80
#define DAY_S         INT64_C(86400)
/* "2016-04-01" of a date with its time */
#define DAY_LENGTH 10

void
report_id(int64_t start, const char *domain, const char *host,
    char to[REPORT_ID_SIZE])
{
	char date[REPORT_DATE_SIZE];

	report_date_text(start, date);
	(void)snprintf(to, REPORT_ID_SIZE, "%.*s.%.255s@%.255s", DAY_LENGTH,
	    date, domain, host);
}

void
report_complete(struct report *report, const struct report_writer *writer,
    const char *domain, int64_t start, char id[REPORT_ID_SIZE])
{
	report_id(start, domain, writer->host, id);
	report->organization = writer->organization;
	report->contact = writer->contact;
	report->id = id;
	report->start = start;
	report->end = start + DAY_S - 1;
}

/* --- names that come from elsewhere --------------------------------------- */

/* A word of a header: nothing that could end it, or begin another. */
static bool
is_word(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f ||
		    strchr("<>\"\\(),;:", text[i]) != NULL)
			return false;
	return n > 0;
}

static bool
is_name(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (!text_is_alnum(*c) && strchr(".-_", *c) == NULL)
			return false;
	return text[0] != '\0';
}

/* The part behind its only "@". */
static const char *
domain_of(const char *address)
{
	const char *at = strchr(address, '@');

	if (at == NULL || at == address || !is_word(address) ||
	    !is_name(at + 1))
		return NULL;
	return at + 1;
}

const char *
report_submitter(const struct report *report)
{
	return domain_of(report->contact);
}

const char *
report_file_name(const struct report_outgoing *mail, char to[REPORT_FILE_SIZE])
{
	const char *sender = report_submitter(mail->report);
	int n;

	if (sender == NULL || !is_name(mail->domain))
		return NULL;
	n = snprintf(to, REPORT_FILE_SIZE, "%s!%s!%lld!%lld.json.gz", sender,
	    mail->domain, (long long)mail->report->start,
	    (long long)mail->report->end);
	return n > 0 && n < REPORT_FILE_SIZE ? to : NULL;
}

/* --- the mail ------------------------------------------------------------- */

/* RFC 5322 3.6.4: the id of the report, numbered to tell its mails apart. */
static int
put_message_id(const struct report_outgoing *mail, struct buf *out)
{
	const char *id = mail->report->id;

	return buf_printf(out, "Message-ID: <%.*s.%u%s>\r\n",
	    (int)strcspn(id, "@"), id, mail->number, strchr(id, '@'));
}

/*
 * RFC 8460 5.3.  RFC 8689 3: whoever passes it on is not to hold it for want
 * of TLS, as we do not (RFC 8460 3).  RFC 3834 5: nobody answers.
 */
static int
put_header(const struct report_outgoing *mail, const char *submitter,
    const char *boundary, struct buf *out)
{
	char date[CLOCK_RFC5322_SIZE];

	clock_rfc5322(mail->now, date);
	if (buf_printf(out, "From: <%s>\r\nTo: <%s>\r\nDate: %s\r\n",
		mail->report->contact, mail->to, date) < 0 ||
	    put_message_id(mail, out) < 0)
		return -1;
	return buf_printf(out,
	    "Subject: Report Domain: %s\r\n"
	    "\tSubmitter: %s\r\n"
	    "\tReport-ID: <%s>\r\n"
	    "TLS-Report-Domain: %s\r\n"
	    "TLS-Report-Submitter: %s\r\n"
	    "TLS-Required: No\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=tlsrpt;\r\n"
	    "\tboundary=\"%s\"\r\n"
	    "\r\n"
	    "This is a report in MIME format.\r\n",
	    mail->domain, submitter, mail->report->id, mail->domain, submitter,
	    boundary);
}

static int
put_words(const struct report_outgoing *mail, const char *submitter,
    const char *boundary, struct buf *out)
{
	if (buf_printf(out,
		"\r\n--%s\r\n"
		"Content-Type: text/plain; charset=us-ascii\r\n"
		"Content-Transfer-Encoding: 7bit\r\n"
		"\r\n",
		boundary) < 0)
		return -1;
	return mail_words_write(mail, submitter, out);
}

static int
put_report(const struct report_outgoing *mail, const char *file,
    const char *boundary, struct buf *out)
{
	if (buf_printf(out,
		"\r\n--%s\r\n"
		"Content-Type: application/tlsrpt+gzip\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment;\r\n"
		"\tfilename=\"%s\"\r\n"
		"\r\n",
		boundary, file) < 0 ||
	    base64_encode(mail->gzipped, out) < 0)
		return -1;
	return buf_printf(out, "\r\n--%s--\r\n", boundary);
}

/* RFC 5322 3.6.4: id-left "@" id-right, both dot-atoms as far as we look. */
static bool
is_report_id(const char *id)
{
	const char *at = strchr(id, '@');

	return at != NULL && at != id && at[1] != '\0' && is_word(id) &&
	       strchr(at + 1, '@') == NULL;
}

int
report_mail_write(const struct report_outgoing *mail, struct buf *out)
{
	const char *submitter = report_submitter(mail->report);
	char boundary[BOUNDARY_SIZE], room[REPORT_FILE_SIZE];
	const char *file = report_file_name(mail, room);

	if (submitter == NULL || file == NULL || domain_of(mail->to) == NULL ||
	    !is_report_id(mail->report->id))
		return -1;
	/* RFC 2045 6.7: "=_" is in no base64, nor in our words. */
	(void)snprintf(boundary, sizeof(boundary), "=_tlsrpt-%lld-%u",
	    (long long)mail->report->start, mail->number);
	if (put_header(mail, submitter, boundary, out) < 0 ||
	    put_words(mail, submitter, boundary, out) < 0)
		return -1;
	return put_report(mail, file, boundary, out);
}
