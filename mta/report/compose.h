/* A report that goes out: out of the store, packed, and as a signed mail. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "mta/config.h"
#include "mta/report/keys.h"
#include "reporting/mail.h"
#include "reporting/store.h"

struct composed {
	struct arena *arena;
	struct report report;
	char id[REPORT_ID_SIZE];
	size_t octets; /* of its JSON; 0: it was not made */
	struct buf gzipped;
};

/*
 * Of a day and domain.  1; 0: nothing was counted; -1: the store cannot be
 * read (ERR_TEMP), or it is larger than the operator allows (ERR_PERM).
 * *ret is to be freed in each case.
 */
int compose_report(struct report_store *store, const struct config *config,
    int64_t day, const char *domain, struct composed *ret, struct err *err);
void composed_free(struct composed *composed);

/*
 * The mail to one place, signed (RFC 8460 3, 5.3).  -1 (ERR_PERM): it cannot
 * be written or signed.
 */
struct compose_mail {
	const struct report_keys *keys;
	const char *domain;
	const char *to;
	unsigned number;
	int64_t now;
};
int compose_mail(const struct composed *composed,
    const struct compose_mail *mail, struct buf *out, struct err *err);
