/*
 * Greylisting (RFC 6647): who comes with a sender and a recipient for the first
 * time is put off, and taken when it comes again.  A network that has done so
 * often enough is put off no more.
 *
 * STATE/greylist.db, one file for all receive processes.  It may be lost: then
 * all are new again.  What cannot be read or written puts nobody off.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mta/config.h"

struct greylist;

/* What is known of a triple of network, sender and recipient. */
struct grey_row {
	int64_t first; /* seconds; 0: it is new */
	int64_t last;
	bool passed;
};

enum grey_verdict {
	GREY_NEW = 0, /* to be put off, and written down as new */
	GREY_EARLY,   /* to be put off once more */
	GREY_PASS,
};

/* Pure.  *ret_wait: seconds until it will pass. */
enum grey_verdict greylist_judge(const struct config_greylist *config,
    const struct grey_row *row, int64_t now, int64_t *ret_wait);

/* "192.0.2.0/24" or "2001:db8::/64"; false: no address. */
bool greylist_network(const char *client, char to[64]);

/* The file is opened, or made, when it is first needed. */
struct greylist *greylist_new(const struct config *config);
void greylist_free(struct greylist **greylist);

/* 0: take it.  -1: put it off, with *err; trouble with the file is 0 with
 * an error in *err. */
int greylist_ask(struct greylist *greylist, const char *client,
    const char *sender, const char *recipient, int64_t now, struct err *err);
