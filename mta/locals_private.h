/* Between the parts of mta/locals*.c. */
#pragma once
#include <stdbool.h>

#include "mta/locals.h"
#include "mta/recipients.h"
#include "reporting/reverse_path.h"

/* What a domain of ours is made of; in the order of config->domains. */
struct locals_domain {
	struct recipients *aliases; /* NULL: no such file */
	struct recipients *recipients;
	const char *catch_all[2]; /* a list of targets, or empty */
};

struct locals {
	const struct config *config;
	struct reverse_path_secrets secrets; /* of who may have them */
	struct locals_domain *domains;
};

/* What an address is. */
enum place_kind {
	PLACE_TROUBLE = 0, /* nobody can say; *err is why */
	PLACE_ASK,         /* `by` has to be asked for `asked` */
	PLACE_UNKNOWN,     /* nobody, in a domain of ours */
	PLACE_FOREIGN,     /* the domain is not ours */
	PLACE_MAILBOX,
	PLACE_ALIAS,
};

struct place {
	enum place_kind kind;
	const struct config_domain *domain; /* NULL: not ours */
	const char *const *targets;         /* of an alias; NULL-terminated */
	/* The address, or what it is without its extension if it was found so;
	 * two that are the same have the same.  Not of foreign ones. */
	char key[RECIPIENTS_KEY];
	bool stripped;                  /* found without its extension */
	const struct config_lookup *by; /* ASK */
	char asked[RECIPIENTS_KEY];
	const struct err *err; /* TROUBLE; borrowed from the answers */
};

/* Pure.  The postmaster that no file mentions is PLACE_UNKNOWN. */
void locals_place(const struct locals *locals, const struct answers *answers,
    const char *address, struct place *ret);
/* The same; the site's postmaster stands in for that of a domain of ours that
 * has none.  Returns whose place it is. */
const char *locals_find(const struct locals *locals,
    const struct answers *answers, const char *address, struct place *ret);
/* What to say of ASK and TROUBLE; false for all others. */
bool locals_unsettled(const struct place *place, struct inquiry *inquiry,
    struct err *err, enum locals_verdict *ret);

/* The address a return of one of our reports is for, or the address itself. */
const char *locals_reader(const struct locals *locals, const char *address);

/* Put the targets' neighbours in their domain: "bob" is bob@example.org. */
bool locals_complete(
    const char *target, const char *domain, char *to, size_t size);
