/*
 * A mail that came in as a report: read, and vouched for.  An engine, as the
 * verifier in it: names of keys come out, answers go in.
 *
 *     ingest_begin(&ingest, mail, arena, now, &err)
 *     while ((name = ingest_question(&ingest)) != NULL)
 *             ingest_answer(&ingest, the answer for TXT of name);
 *     ingest_end(&ingest, &err)
 *
 * Only keys of the domain in its From are asked for: no other counts.
 * Whether it is about one of our domains is for who has the configuration.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "dnssec/dnssec.h"
#include "reporting/dkim.h"
#include "reporting/report_read.h"

#define INGEST_NOTES_SIZE 400

struct dkim_verifier;

struct ingest {
	struct report_read read; /* on the arena */
	struct dkim_verifier *verifier;
	/* After the end: the domain that vouches for it, or "". */
	char signer[DKIM_NAME_SIZE];
};

/*
 * A whole mail, its lines ending as in a file or as in SMTP, or what was in
 * one; it is lent for the call.  The arena needs REPORT_ARENA.  -1 (ERR_PERM):
 * to be set aside.  Free it in either case.
 */
int ingest_begin(struct ingest *ingest, struct span mail, struct arena *arena,
    int64_t now, struct err *err);
/* The same of one that nobody has to vouch for: there are no questions. */
int ingest_begin_unsigned(struct ingest *ingest, struct span mail,
    struct arena *arena, struct err *err);
const char *ingest_question(const struct ingest *ingest);
void ingest_answer(struct ingest *ingest, const struct dns_answer *answer);
/* -1: ERR_PERM: to be set aside; ERR_TEMP: the key may be had later. */
int ingest_end(struct ingest *ingest, struct err *err);
/* The domain in its From, as far as it was read, whoever wrote it; or "". */
const char *ingest_from(const struct ingest *ingest);
void ingest_free(struct ingest *ingest);

/* What is odd about it, in one line of words. */
void ingest_notes(const struct ingest *ingest, char to[INGEST_NOTES_SIZE]);
