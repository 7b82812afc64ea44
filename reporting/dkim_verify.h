/*
 * The signatures of a message, one verdict each (RFC 6376 6).
 *
 *     v = dkim_verifier_new(&setup);
 *     dkim_verifier_feed(v, piece, &err);        as often as there are pieces
 *     dkim_verifier_end(v, &err);
 *     while ((name = dkim_verifier_question(v)) != NULL)
 *             dkim_verifier_answer(v, the answer for TXT of name);
 *     for (i = 0; i < dkim_verifier_count(v); i++)
 *             dkim_verifier_result(v, i)
 *
 * An engine: no name server is asked in here, so the answers may come when
 * they come.  Of a message the header is kept (up to 256 KiB), the body is
 * not.  A signature whose body hash does not fit asks for no key.
 *
 * A result is DKIM_UNKNOWN, which is no pass, until its question has been
 * answered; a caller that waits no longer has nothing to do.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "dnssec/dnssec.h"
#include "reporting/dkim.h"

/* RFC 6376 6.1: "A Verifier MAY limit the number of signatures it tries" */
#define DKIM_SIGNATURES_MAX 8

struct dkim_verifier;

/* Zero: signatures with x= have expired, and keys have to be for mail. */
struct dkim_verify_setup {
	int64_t now;
	const char *service; /* RFC 6376 3.6.1: "email", "tlsrpt"; copied */
};

struct dkim_result {
	enum dkim_verdict verdict;
	const char *why; /* static, with the section; "" with DKIM_PASS */
	/* Of what could be read; names in normal form, or "". */
	char domain[DKIM_NAME_SIZE];   /* d= */
	char selector[DKIM_NAME_SIZE]; /* s= */
	char identity[DKIM_NAME_SIZE]; /* the domain of i= */
	enum dkim_algorithm algorithm; /* a= */
	bool has_length;               /* l=: there may be more body */
	uint64_t unsigned_octets;      /* of body, canonical, behind l= */
	uint64_t signed_at;            /* t=, or 0 */
	unsigned key_flags;            /* see dkim_record.h; 0 before */
	unsigned key_bits;             /* 0 before there was a key */
};

struct dkim_verifier *dkim_verifier_new(const struct dkim_verify_setup *setup);
void dkim_verifier_free(struct dkim_verifier **verifier);

/*
 * -1 (ERR_PERM): the header is beyond every measure.  Nothing of it is
 * verified then, now or later.
 */
int dkim_verifier_feed(
    struct dkim_verifier *verifier, struct span piece, struct err *err);
int dkim_verifier_end(struct dkim_verifier *verifier, struct err *err);

/*
 * After the end: a name whose TXT records are wanted, or NULL.  Good until it
 * has been answered.
 */
const char *dkim_verifier_question(const struct dkim_verifier *verifier);
/* What was asked: for each signature that waits for this name. */
void dkim_verifier_answer(
    struct dkim_verifier *verifier, const struct dns_answer *answer);
/* The same from one record's text; {NULL, 0}: there is none. */
void dkim_verifier_answer_text(
    struct dkim_verifier *verifier, struct span record);

/*
 * One result a signature, from the top of the header; those beyond
 * DKIM_SIGNATURES_MAX are not looked at.
 */
size_t dkim_verifier_count(const struct dkim_verifier *verifier);
const struct dkim_result *dkim_verifier_result(
    const struct dkim_verifier *verifier, size_t i);

/*
 * Does the message have such a field, and is each of that name under this
 * signature?  That says nothing of whether it passed.
 */
bool dkim_verifier_covers(
    const struct dkim_verifier *verifier, size_t i, const char *field);
