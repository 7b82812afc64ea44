/*
 * What is to become of the report of a day and domain, and of one that is due:
 * asked by who sends them (send.c, tries.c), and by who only wants to know
 * (danelaw report send --dry-run), so that both have one answer.
 *
 * The store is read, and nothing in it changes.
 */
#pragma once
#include "mta/config.h"
#include "reporting/record.h"
#include "reporting/store.h"

enum report_goes {
	REPORT_GOES_LATER = 0, /* the record is to be looked up again */
	REPORT_GOES_NOWHERE,
	REPORT_GOES_OUT,
};

#define REPORT_PLACES_MAX (TLSRPT_RUA_MAX + CONFIG_COPIES_MAX)

struct report_course {
	enum report_goes goes;
	const char *why; /* static; not out */
	/* Of the record and the configuration. */
	const char *rua[REPORT_PLACES_MAX];
	size_t nrua;
};

/* Before its record is looked up: NULL, or why it gets none. */
const char *report_unwanted(const struct config *config, const char *domain);

/* By what its record says, or that it has none.  -1: the store cannot be
 * read. */
int report_course_of(struct report_store *store, const struct config *config,
    int64_t day, const char *domain, const struct tlsrpt_record *record,
    struct report_course *ret, struct err *err);

/*
 * Of one that is due, before it is made and its way is looked at: 1: it does
 * not go to that place, and why; 0; -1: the store.
 */
int report_barred(struct report_store *store, const struct config *config,
    const char *domain, const char *rua, int64_t now,
    char ret_why[REPORT_STORE_WORDS], struct err *err);
