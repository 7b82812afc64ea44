/* Reports about TLS that came in: which of our domains are they about?  Pure. */
#pragma once
#include <stdbool.h>

#include "mta/config.h"
#include "reporting/report.h"

/* Of the configuration, or our host. */
bool report_is_ours(const struct config *config, const char *domain);
/*
 * The domain that the mail says it is about (TLS-Report-Domain, or ""), or the
 * first of a policy; NULL: none is ours.  Anybody can report to us about
 * anybody.
 */
const char *report_about(const struct config *config, const char *mail_domain,
    const struct report *report);
