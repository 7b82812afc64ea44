/* The files of reports: what stands in them, as a mail or as a report. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "mta/ctl/report.h"
#include "reporting/report_read.h"

#define FILES_MAX ((size_t)256 << 20) /* of all, in memory */

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

static int
load(struct report_file *file)
{
	bool is_stdin = strcmp(file->name, "-") == 0;
	FILE *from = is_stdin ? stdin : fopen(file->name, "re");
	int rc;

	if (from == NULL)
		return fail_file(&file->err);
	rc = fstat(fileno(from), &file->st) < 0
	         ? fail_file(&file->err)
	         : load_octets(from, &file->octets, &file->err);
	if (!is_stdin)
		(void)fclose(from);
	return rc < 0 ? -1 : find_mail(file, &file->err);
}

void
report_file_load(const char *name, struct report_file *ret)
{
	*ret = (struct report_file){.name = name};
	buf_init(&ret->octets, MIME_MAIL_MAX);
	ret->is_loaded = load(ret) == 0;
}

void
report_file_free(struct report_file *file)
{
	buf_free(&file->octets);
}

int
report_file_read(const struct report_file *file, struct arena *arena,
    struct report_read *ret, struct err *err)
{
	if (!file->is_loaded) {
		*err = file->err;
		return -1;
	}
	return mime_is_report(file->text)
	           ? report_read_body(file->text, arena, ret, err)
	           : report_read_mail(file->text, arena, ret, err);
}

/* --- all of them ---------------------------------------------------------- */

static const char *
name_at(const struct report_work *work, size_t i)
{
	return work->nnames == 0 ? "-" : work->names[i];
}

void
report_files_load(struct report_work *work)
{
	size_t left = FILES_MAX;

	work->nfiles = work->nnames == 0 ? 1 : (size_t)work->nnames;
	work->files = mem_array(work->nfiles, sizeof(*work->files));
	for (size_t i = 0; i < work->nfiles; i++) {
		struct report_file *file = &work->files[i];

		report_file_load(name_at(work, i), file);
		if (file->octets.n <= left) {
			left -= file->octets.n;
			continue;
		}
		report_file_free(file);
		file->is_loaded = false;
		(void)err_set(&file->err, ERR_TEMP, "4.3.1",
		    "these are more than %zu octets; name fewer at a time",
		    FILES_MAX);
	}
}

void
report_files_free(struct report_work *work)
{
	for (size_t i = 0; i < work->nfiles; i++)
		report_file_free(&work->files[i]);
	mem_free(work->files);
}
