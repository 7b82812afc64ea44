/* Private to mta/ctl/report*.c: one call of `danelaw report`. */
#pragma once
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "mta/ctl/command.h"
#include "mta/ctl/report_print.h"
#include "reporting/inbox_store.h"

#define REPORT_WAIT_MS 5000 /* for others who write */

struct arena;
struct config;
struct report_read;

/* A mail, or the file alone that was in one. */
struct report_file {
	const char *name;
	struct buf octets;
	struct span text; /* of them, without what a mailbox put before */
	bool is_loaded;   /* or err says why not */
	struct stat st;   /* when it was read */
	struct err err;
};

struct report_work {
	const struct options *options;
	const struct config *config; /* NULL for report read */
	struct inbox_store store;
	char *const *names; /* files or domains, of argv */
	int nnames;
	struct report_file *files; /* report ingest: their octets */
	size_t nfiles;
	int64_t now;
	int64_t since;   /* with options->since: days since the epoch */
	int64_t day;     /* with options->day: likewise */
	uint32_t wait_s; /* for DNS, dkim-check */
};

/*
 * From a file or "-"; the name is for the caller to say.  Free what came of
 * it.
 */
void report_file_load(const char *name, struct report_file *ret);
void report_file_free(struct report_file *file);
/* -1: *err says why it is to be set aside, or why it was not loaded. */
int report_file_read(const struct report_file *file, struct arena *arena,
    struct report_read *ret, struct err *err);

/*
 * Those that are named, or standard input, all at once: before root becomes
 * somebody who may not read them.  Without the memory for all, some are not
 * loaded.
 */
void report_files_load(struct report_work *work);
void report_files_free(struct report_work *work);

/* Each is one of the words behind `report`; the exit status. */
int report_do_read(struct report_work *work);
int report_do_ingest(struct report_work *work);
int report_do_received(struct report_work *work);
int report_do_forget(struct report_work *work);
int report_do_summary(struct report_work *work);
int report_do_advise(struct report_work *work);
int report_do_show(struct report_work *work);
int report_do_list(struct report_work *work);
int report_do_send(struct report_work *work);
/* report send --dry-run, of a day that is over or not. */
int report_do_dry(struct report_work *work, int64_t day);
int report_do_dkim_record(struct report_work *work);
int report_do_dkim_check(struct report_work *work);
int report_do_aside(struct report_work *work);

/* Is the domain one of those that were named, or was none? */
bool report_is_named(const struct report_work *work, const char *domain);

/*
 * Those that are named, each for itself: EXIT_USAGE, complained: one is no
 * domain; EXIT_WANTED, complained: one is not ours.
 */
int report_check_names(const struct report_work *work);
