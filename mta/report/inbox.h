/*
 * Reports about TLS that come by mail: who delivers puts each mail into a
 * folder (mta/report_mails.h); here they are taken out, the oldest first, and
 * those that were never tried before the others:
 *
 *   look > read > (ask > read ...) > keep > remove
 *                                  > set aside
 *                                  > wait, and once more
 *
 * Reading is a process of its own (reader.h), one at a time; the keys are asked
 * for here, of several mails at a time.  A mail leaves the folder only when the
 * store has it or it lies aside, so an end at any time costs at most that one is
 * read again, and known already.
 */
#pragma once
#include "mta/config.h"
#include "mta/net/loop.h"

struct inbox;

struct inbox_setup {
	struct loop *loop;
	const struct config *config; /* outlives it */
	const char *program;         /* that reads; NULL: this one */
	/* What keeps all of them from being read or kept; "": it is over.  It
	 * may be said again and again.  NULL: nobody wants to know. */
	void (*on_trouble)(void *owner, const char *text);
	void *owner;
};

/* Begins at once. */
struct inbox *inbox_new(const struct inbox_setup *setup);
/* What is being read stays where it is. */
void inbox_free(struct inbox **inbox);
