/*
 * What sessions come to, counted for reports about TLS (RFC 8460 4): alike
 * ones together, and told to the report role twice a second.
 *
 * A session is a connection: what is sent over one that rested is no new one.
 * Nothing here delays a delivery or makes it fail; while there is no report
 * role the counts wait, within bounds, and the log tells of what is lost.
 */
#pragma once
#include <stdbool.h>

struct deliver;
struct delivery;
struct job;
struct outcome;

void deliver_report_open(struct deliver *deliver);
/* What is left is told before. */
void deliver_report_close(struct deliver *deliver);
/* The report role is there, perhaps a new one; takes the descriptor. */
void deliver_report_peer(struct deliver *deliver, int fd);
/* A connection is ready, has failed, or is not to be made: d->link or NULL. */
void deliver_report_session(const struct delivery *d);
/* What became of a job, if it is the mail of a report of ours. */
void deliver_report_mail(const struct job *job, const struct outcome *outcomes);
