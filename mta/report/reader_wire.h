/*
 * Between the report role and the process that reads a mail for it: what
 * stands in the files they share.  Pure.  Reading is strict: who reads a
 * stranger's mail may say anything by now.
 *
 *   answers  what was found for each key the reader has asked for, in order
 *   result   a question, or the report, or why there is none
 */
#pragma once
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "dnssec/dnssec.h"
#include "reporting/dkim.h"
#include "reporting/report.h"

struct ingest;

#define READER_ANSWERS_MAX ((size_t)2 << 20)
#define READER_RECORDS_MAX 100 /* of one answer */
#define READER_RESULT_MAX  ((size_t)32 << 20)
/* Room for whatever reader_take_result() takes. */
#define READER_ARENA ((size_t)48 << 20)

/* -1: it is more than there is room for. */
int reader_put_answer(struct buf *out, const struct dns_answer *answer)
    __attribute__((warn_unused_result));
/*
 * The next of them, its records in the arena; false: there is none.  *bytes is
 * what is left.
 */
bool reader_take_answer(
    struct span *bytes, struct arena *arena, struct dns_answer *ret);

enum reader_kind {
	READER_NOTHING = 0,
	READER_ASKS,   /* for the TXT records of `name` */
	READER_READ,   /* and vouched for by `signer` */
	READER_FAILED, /* `err` says why, `from` whose it is */
};

struct reader_result {
	enum reader_kind kind;
	const char *name;
	const char *signer;
	const char *about; /* TLS-Report-Domain, or "" */
	const char *notes;
	/* What inbox_store.h keeps of one; other texts are "". */
	struct report report;
	struct err err;
	const char *from; /* the domain in its From, or "" */
};

int reader_put_question(struct buf *out, const char *name)
    __attribute__((warn_unused_result));
/* `from`: of the mail, or "". */
int reader_put_failure(struct buf *out, const struct err *err, const char *from)
    __attribute__((warn_unused_result));
int reader_put_report(struct buf *out, const struct ingest *ingest)
    __attribute__((warn_unused_result));
/* Texts are in the arena, valid UTF-8 without control characters. */
bool reader_take_result(
    struct span bytes, struct arena *arena, struct reader_result *ret);
