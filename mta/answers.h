/*
 * What lookups have said in one transaction: decisions about recipients are
 * pure functions of the configuration and of these.  When one is missing the
 * decision names the question; whoever decides asks it, adds the answer, and
 * decides again (mta/lookup/inquiry.h).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"
#include "mta/config.h"
#include "mta/recipients.h"

#define ANSWER_VALUE_MAX (64u << 10) /* octets of what was found */

enum answer_kind {
	ANSWER_FAILED = 0, /* err says why: nobody knows */
	ANSWER_MISSING,
	ANSWER_FOUND,
};

struct finding {
	enum answer_kind kind;
	struct err err;             /* FAILED; ERR_PERM: it is for good */
	const char *const *targets; /* FOUND: as of an alias; NULL: no list */
};

struct question {
	const struct config_lookup *by;
	char key[RECIPIENTS_KEY];
};

struct answers;

struct answers *answers_new(void);
void answers_free(struct answers **answers);

/* NULL: it has not been asked. */
const struct finding *answers_find(const struct answers *answers,
    const struct config_lookup *by, const char *key);

/*
 * `value`, as found, is what stands behind the colon of an alias; what is not
 * is no list.  -1 when there are too many answers or octets.
 */
int answers_add(struct answers *answers, const struct question *question,
    enum answer_kind kind, struct span value, const struct err *err);
/* The next one who needs a failed answer asks again. */
void answers_forget_failed(struct answers *answers);
