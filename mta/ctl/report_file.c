/* The files of reports: what stands in them, as a mail or as a report. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "mta/ctl/report.h"
#include "reporting/report_read.h"

static int
fail_file(struct err *err)
{
	return err_set(err, ERR_TEMP, "4.3.0", "%s", strerrordesc_np(errno));
}

static int
load_octets(FILE *from, struct buf *to, struct err *err)
{
	char piece[16384];
	size_t n;

	while ((n = fread(piece, 1, sizeof(piece), from)) > 0)
		if (buf_add(to, (struct span){piece, n}) < 0)
			return err_set(err, ERR_PERM, "5.3.4",
			    "it is larger than %zu octets", MIME_MAIL_MAX);
	return ferror(from) != 0 ? fail_file(err) : 0;
}

/* --- a mailbox in one file ------------------------------------------------ */

/* What is behind the line; nothing: it was the last. */
static struct span
next_line(struct span text)
{
	const char *end = text.n == 0 ? NULL : memchr(text.p, '\n', text.n);

	return span_from(
	    text, end == NULL ? text.n : (size_t)(end - text.p) + 1);
}

static bool
begins(struct span text, const char *with)
{
	return span_eq(span_first(text, strlen(with)), span_of(with));
}

static bool
is_empty(struct span line)
{
	return begins(line, "\n") || begins(line, "\r\n");
}

/* RFC 5322 2.2: "Name:" */
static bool
is_field(struct span line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] > ' ' && line.p[n] < 0x7f &&
	       line.p[n] != ':')
		n++;
	return n > 0 && n < line.n && line.p[n] == ':';
}

/*
 * RFC 4155: a line "From " behind an empty one begins the next mail; a header
 * below it tells it from a sentence.
 */
static bool
has_another(struct span mail)
{
	while (mail.n > 0) {
		bool empty = is_empty(mail);

		mail = next_line(mail);
		if (empty && begins(mail, "From ") && is_field(next_line(mail)))
			return true;
	}
	return false;
}

static int
find_mail(struct report_file *file, struct err *err)
{
	file->text = buf_span(&file->octets);
	if (!begins(file->text, "From "))
		return 0;
	file->text = next_line(file->text);
	return has_another(file->text)
	           ? err_set(err, ERR_PERM, "5.6.0",
			 "it is a mailbox of several mails; name files of one "
			 "mail each")
	           : 0;
}

/* --- one file ------------------------------------------------------------- */

int
report_file_load(const char *name, struct report_file *ret, struct err *err)
{
	bool is_stdin = strcmp(name, "-") == 0;
	FILE *from = is_stdin ? stdin : fopen(name, "re");
	int rc;

	buf_init(&ret->octets, MIME_MAIL_MAX);
	if (from == NULL)
		return fail_file(err);
	rc = load_octets(from, &ret->octets, err);
	if (!is_stdin)
		(void)fclose(from);
	return rc < 0 ? -1 : find_mail(ret, err);
}

int
report_file_read(const struct report_file *file, struct arena *arena,
    struct report_read *ret, struct err *err)
{
	return mime_is_report(file->text)
	           ? report_read_body(file->text, arena, ret, err)
	           : report_read_mail(file->text, arena, ret, err);
}
