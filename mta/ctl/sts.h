/* Private to mta/ctl/sts*.c: one call of `danelaw sts`. */
#pragma once
#include "mta/ctl/command.h"
#include "mta/sts/store.h"

#define STS_WAIT_MS 5000 /* for others who write */

struct config;

struct sts_work {
	const struct options *options;
	const struct config *config;
	struct sts_store *store;
	char *const *names; /* domains, of argv */
	int nnames;
	void *arg; /* of who calls sts_each_name() */
};

typedef int sts_one(struct sts_work *work, const char *domain);

/* For each name, in normal form; the worst exit status. */
int sts_each_name(struct sts_work *work, sts_one *one);
/*
 * That what is kept of a domain, or of "" for all, is another now.  A daemon
 * that does not run has nothing in memory.  The exit status.
 */
int sts_tell_daemon(const struct sts_work *work, const char *domain);
/* What is kept of a domain, whole.  The exit status. */
int sts_show_one(struct sts_work *work, const char *domain);

/* sts refresh */
int sts_refresh(struct sts_work *work);
