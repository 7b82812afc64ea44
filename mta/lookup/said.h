/* What somebody who was asked has said. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "mta/answers.h"

struct said {
	enum answer_kind kind;
	struct span value; /* FOUND; lent for the call */
	struct err err;    /* FAILED; ERR_PERM: no, but not for want of him */
};

typedef void said_fn(void *arg, const struct said *said);

/* Nobody knows, for now. */
void said_fail(struct said *said, const char *enhanced, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
