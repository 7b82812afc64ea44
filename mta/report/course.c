#include "mta/report/course.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

const char *
report_unwanted(const struct config *config, const char *domain)
{
	return config_excludes(config, domain) ? "it is excluded" : NULL;
}

/* 1: some failed, 0: none did, -1: the store cannot be read. */
static int
has_failures(struct report_store *store, int64_t day, const char *domain,
    struct err *err)
{
	struct arena *arena = arena_new(REPORT_STORE_ARENA);
	struct report report = {.npolicies = 0};
	int rc = report_store_load(store, day, domain, arena, &report, err);

	if (rc > 0) {
		rc = 0;
		for (size_t i = 0; i < report.npolicies; i++)
			rc |= report.policies[i].failures > 0;
	}
	arena_free(&arena);
	return rc;
}

/* One that is named twice gets one. */
static void
to_place(struct report_course *to, const char *rua)
{
	for (size_t i = 0; i < to->nrua; i++)
		if (strcmp(to->rua[i], rua) == 0)
			return;
	to->rua[to->nrua++] = rua;
}

/* RFC 8460 3: each is tried, whatever becomes of the others. */
static void
to_places(const struct config *config, const struct tlsrpt_record *record,
    struct report_course *ret)
{
	const struct config_reporting *reporting = &config->reporting;

	ret->goes = REPORT_GOES_OUT;
	for (size_t i = 0; i < record->nrua; i++)
		to_place(ret, record->rua[i].to);
	for (size_t i = 0; i < reporting->ncopies; i++)
		to_place(ret, reporting->copies[i]);
}

static int
by_failures(struct report_store *store, const struct config *config,
    int64_t day, const char *domain, const struct tlsrpt_record *record,
    struct report_course *ret, struct err *err)
{
	int failures = config->reporting.failures_only
	                   ? has_failures(store, day, domain, err)
	                   : 1;

	if (failures < 0)
		return -1;
	ret->goes = REPORT_GOES_NOWHERE;
	ret->why = "nothing failed";
	if (failures > 0)
		to_places(config, record, ret);
	return 0;
}

int
report_course_of(struct report_store *store, const struct config *config,
    int64_t day, const char *domain, const struct tlsrpt_record *record,
    struct report_course *ret, struct err *err)
{
	*ret = (struct report_course){
	    .goes = REPORT_GOES_LATER, .why = record->why};
	switch (record->state) {
	case TLSRPT_RECORD_UNKNOWN:
	case TLSRPT_RECORD_FAILED:
		return 0;
	case TLSRPT_RECORD_NONE:
	case TLSRPT_RECORD_MALFORMED:
		ret->goes = REPORT_GOES_NOWHERE;
		return 0;
	case TLSRPT_RECORD_FOUND:
		return by_failures(
		    store, config, day, domain, record, ret, err);
	}
	return 0;
}

/* 1: nothing is sent there for now, and until when. */
static int
is_silenced(struct report_store *store, const char *domain, const char *rua,
    int64_t now, char ret_why[REPORT_STORE_WORDS], struct err *err)
{
	struct report_trouble trouble;
	char text[CLOCK_RFC5322_SIZE];

	if (report_store_trouble(store, domain, rua, &trouble, err) < 0)
		return -1;
	if (trouble.until <= now)
		return 0;
	clock_rfc5322(trouble.until, text);
	(void)snprintf(ret_why, REPORT_STORE_WORDS,
	    "reports could not be delivered there: nothing is sent before %s",
	    text);
	return 1;
}

int
report_barred(struct report_store *store, const struct config *config,
    const char *domain, const char *rua, int64_t now,
    char ret_why[REPORT_STORE_WORDS], struct err *err)
{
	const char *unwanted = report_unwanted(config, domain);

	ret_why[0] = '\0';
	/* By a configuration that came after its plan. */
	if (unwanted == NULL)
		return is_silenced(store, domain, rua, now, ret_why, err);
	(void)snprintf(ret_why, REPORT_STORE_WORDS, "%s", unwanted);
	return 1;
}
