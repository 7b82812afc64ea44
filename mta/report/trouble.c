/* What the supervisor, and so who asks for the status, hears; see private.h. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mta/report/private.h"

/* More than the supervisor keeps: "; " between two. */
#define BOTH_SIZE (2 * REPORT_TROUBLE_SIZE + 2)
/* It waits for those that deliver, and for what is on its way to the disk. */
#define FOLLOW_MS 60000u

void
report_tell_trouble(
    struct report_role *report, enum report_part which, const char *text)
{
	const char *sending = report->trouble[REPORT_SENDING];
	const char *taking = report->trouble[REPORT_TAKING];
	char said[REPORT_TROUBLE_SIZE] = "", both[BOTH_SIZE];

	/* A longer one is cut. */
	(void)text_copy(said, sizeof(said), text);
	if (strcmp(report->trouble[which], said) == 0)
		return;
	memcpy(report->trouble[which], said, sizeof(said));
	(void)snprintf(both, sizeof(both), "%s%s%s", sending,
	    sending[0] == '\0' || taking[0] == '\0' ? "" : "; ", taking);
	role_tell_trouble(report->role, both);
}

static bool
is_failing(const struct report_role *report)
{
	bool failing = false;

	for (int i = 0; i < REPORT_DOINGS; i++)
		failing |= report->failing[i];
	return failing;
}

bool
report_went(struct report_role *report, enum report_doing doing, int rc,
    const struct err *err)
{
	bool was_failing = is_failing(report);
	bool follows = report->store == NULL &&
	               clock_mono_ms() - report->began < FOLLOW_MS;

	report->failing[doing] = rc < 0;
	if (rc < 0 && !was_failing)
		log_event(LOG_LEVEL_ERROR, "report-not-written", err->text);
	if (rc < 0)
		report_tell_trouble(
		    report, REPORT_SENDING, follows ? "" : err->text);
	if (is_failing(report))
		return rc >= 0;
	if (was_failing)
		log_event(LOG_LEVEL_INFO, "report-written", NULL);
	report_tell_trouble(report, REPORT_SENDING, "");
	return true;
}
