/*
 * From where the sessions came of which reports of others tell that they
 * failed: beside the counts of inbox_store.h, and forgotten with them.
 */
#pragma once
#include "reporting/inbound.h"
#include "reporting/inbox_store.h"

/* Lent for the call. */
struct inbox_sender {
	const char *domain; /* of ours */
	const char *result_type;
	const char *reporter;        /* who vouches, or else calls himself so */
	bool vouched;                /* the former */
	int64_t first_day, last_day; /* of the report's time */
	uint8_t address[INBOUND_ADDRESS];
	const char *mx;       /* receiving-mx-hostname, or "" */
	const char *receiver; /* receiving-ip, or "" */
	uint64_t sessions;
};

typedef void inbox_sender_fn(const struct inbox_sender *sender, void *arg);

/*
 * By domain, kind of failure and reporter, one who vouches apart from who only
 * calls himself so; of these those with most sessions first.  What named no
 * address, or something that is none, is left out.
 */
int inbox_store_senders(const struct inbox_store *store, int64_t since_day,
    inbox_sender_fn *fn, void *arg, struct err *err);
