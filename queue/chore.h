/*
 * Space: files nobody needs any more.  Take (NULL: nothing to do), run on a
 * worker, give back.  One chore at a time.
 */
#pragma once
#include "queue/queue.h"

struct chore;

struct chore *queue_chore_take(struct queue *queue);
/* BLOCKING, worker. */
int chore_run(struct chore *chore, struct err *err);
void queue_chore_done(struct queue *queue, struct chore **chore, bool ok);
