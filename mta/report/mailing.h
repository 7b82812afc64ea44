/*
 * The mails of reports, into the spool: a segment of this process, and the
 * queue role that is told of it.
 */
#pragma once
#include "mta/intake.h"
#include "mta/role.h"

struct mailing;

/* BLOCKING: makes the segment. */
int mailing_new(struct role *role, struct mailing **ret, struct err *err);
/* Not while mailing_busy(). */
void mailing_free(struct mailing **mailing);
bool mailing_busy(const struct mailing *mailing);
/* The queue role, perhaps a new one; takes the descriptor. */
void mailing_peer(struct mailing *mailing, int fd);
/* What the queue role tells of a report: IPC_REPORTED. */
typedef void mailing_word(void *arg, struct span payload);
void mailing_listen(struct mailing *mailing, mailing_word *word, void *arg);
/* As intake_commit(): the envelope lives until `done`. */
int mailing_send(struct mailing *mailing, struct span message,
    const struct envelope *envelope, intake_done *done, void *arg,
    struct err *err);
