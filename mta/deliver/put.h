/*
 * Mail to an address for reports about TLS: once it is in its mailbox, and
 * before that is said to be settled, a copy goes to where the report role
 * finds it (mta/report_mails.h).  So a crash costs at most that it is delivered
 * and read again.
 *
 * Whatever goes wrong here is told by the log alone: the mail is delivered.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mta/report_mails.h"

struct deliver;
struct job;
struct message_in;
struct outcome;

/*
 * Is one of those it was delivered to such an address?  Then a copy is on its
 * way, and job_was_put() and deliver_next() follow.
 */
bool put_start(const struct job *job, const struct outcome *outcomes);

struct put_as {
	enum report_folder folder;
	const char *name;
	uint64_t most; /* octets, from its beginning */
};

/*
 * What is left of the message, as a file there.  BLOCKING.  -1: there is
 * nothing.
 */
int put_copy(const char *state, const struct put_as *as, struct message_in *in,
    struct err *err);

/* In job.c: nothing keeps the result back any more. */
void job_was_put(struct deliver *deliver, uint64_t message, uint16_t first);
