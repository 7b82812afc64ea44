/*
 * Reports from files: read, vouched for, about us, kept.  Whatever does not
 * get that far is told with the reason.  The file stays where it is, unless it
 * is one that the daemon has set aside and that counts now.
 */
#include <stdio.h>
#include <string.h>

#include "dnssec/rdata.h"
#include "mta/config.h"
#include "mta/ctl/lookup.h"
#include "mta/ctl/report.h"
#include "mta/report_mails.h"
#include "mta/report_ours.h"
#include "reporting/ingest.h"
#include "reporting/report_read_json.h"

static void
on_key(const struct dns_answer *answer, void *arg)
{
	ingest_answer(arg, answer);
}

/* From its octets to one that somebody vouches for. */
static int
read_signed(struct report_work *work, struct lookup *lookup, struct span text,
    struct arena *arena, struct ingest *ret, struct err *err)
{
	const char *name;

	if (ingest_begin(ret, text, arena, work->now, err) < 0)
		return -1;
	while ((name = ingest_question(ret)) != NULL)
		lookup_records(lookup, name, RR_TXT, on_key, ret);
	return ingest_end(ret, err);
}

/* Or by nobody, where that will do: whoever vouches is known all the same, or
 * the report would count a second time, as one of somebody else. */
static int
read_one(struct report_work *work, struct lookup *lookup, struct span text,
    struct arena *arena, struct ingest *ret, struct err *err)
{
	if (read_signed(work, lookup, text, arena, ret, err) == 0)
		return 0;
	/* RFC 6376 6.1.2: nobody knows as yet whether somebody does. */
	if (!work->options->is_unsigned || err->kind == ERR_TEMP)
		return -1;
	ingest_free(ret);
	*ret = (struct ingest){.signer = ""};
	arena_reset(arena);
	return ingest_begin_unsigned(ret, text, arena, err);
}

static int
keep(struct report_work *work, const struct ingest *ingest,
    enum inbox_added *ret, struct err *err)
{
	const struct report *report = &ingest->read.report;
	char notes[INGEST_NOTES_SIZE];
	const struct inbox_origin origin = {
	    .domain = report_about(
		work->config, ingest->read.mail.domain, report),
	    .signer = ingest->signer,
	    .received = work->now,
	    .notes = notes};

	if (origin.domain == NULL)
		return err_set(err, ERR_PERM, "5.7.1",
		    "it is about no domain of the configuration");
	ingest_notes(ingest, notes);
	return inbox_store_add(&work->store, report, &origin, ret, err);
}

static void
leave_aside(const struct report_work *work, const struct report_file *file)
{
	const char *slash = strrchr(file->name, '/');

	(void)report_mail_was_taken(work->config->state,
	    slash == NULL ? file->name : slash + 1, &file->st);
}

static int
ingest_one(struct report_work *work, struct lookup *lookup,
    const struct report_file *file)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	enum inbox_added added = INBOX_NOT;
	char room[REPORT_SHOWN_SIZE], name[REPORT_FILE_SHOWN];
	struct ingest ingest = {.signer = ""};
	struct err err = file->err;
	int rc = file->is_loaded
	             ? read_one(work, lookup, file->text, arena, &ingest, &err)
	             : -1;

	(void)report_shown_name(file->name, name);
	if (rc == 0)
		rc = keep(work, &ingest, &added, &err);
	if (rc < 0)
		(void)printf("%s: %s: %s\n", name,
		    err.kind == ERR_PERM ? "does not count" : "not kept",
		    err.text);
	else
		(void)printf("%s: %s, from %s\n", name,
		    added == INBOX_KNOWN ? "known already" : "kept",
		    report_shown(ingest.read.report.organization, room));
	if (rc == 0)
		leave_aside(work, file);
	ingest_free(&ingest);
	arena_free(&arena);
	return rc < 0 ? EXIT_WANTED : EXIT_FINE;
}

int
report_do_ingest(struct report_work *work)
{
	int status = EXIT_FINE;
	struct lookup lookup;

	if (lookup_start(work->config, 0, &lookup) < 0)
		return EXIT_WANTED;
	for (size_t i = 0; i < work->nfiles; i++)
		if (ingest_one(work, &lookup, &work->files[i]) != EXIT_FINE)
			status = EXIT_WANTED;
	lookup_close(&lookup);
	return status;
}

int
report_do_read(struct report_work *work)
{
	int status = EXIT_FINE;

	for (int i = 0; i < work->nnames; i++) {
		struct arena *arena = arena_new(REPORT_ARENA);
		char name[REPORT_FILE_SHOWN];
		struct report_read read = {0};
		struct report_file file;
		struct err err = {0};

		report_file_load(work->names[i], &file);
		(void)report_shown_name(work->names[i], name);
		if (report_file_read(&file, arena, &read, &err) < 0)
			status = command_complain(name, err.text);
		else if (work->options->json)
			report_print_json(stdout, work->names[i], &read);
		else
			report_print(
			    stdout, work->nnames > 1 ? name : NULL, &read);
		report_file_free(&file);
		arena_free(&arena);
	}
	return status;
}
