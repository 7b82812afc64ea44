/*
 * What became of deliveries, by destination and reason: counted here, on disk
 * every few seconds, for `danelaw audit summary`.  See mta/audit_store.h.
 *
 * A delivery counts when it ended for a recipient, and so does each attempt
 * that enforcement sent back to the queue.  Nothing here delays a delivery or
 * makes it fail: what cannot be written is kept, within bounds, and the log
 * tells.
 */
#pragma once
#include <stdbool.h>

struct audit;
struct deliver;
struct delivery;
struct tls_plan;
struct tls_seen;

void deliver_audit_open(struct deliver *deliver);
/* Writes what is left; may wait for who writes at the moment. */
void deliver_audit_close(struct deliver *deliver);
/* The attempt ends with this in d->way and d->outcomes. */
void deliver_audit_settled(const struct delivery *d);
/* No host was left. */
void deliver_audit_given_up(const struct delivery *d);
/* A host will not do; is it for want of security?  Kept in *d. */
void deliver_audit_skipped(struct delivery *d, const char *why);
