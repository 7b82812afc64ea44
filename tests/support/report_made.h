/* Reports for tests: those of RFC 8460, and what a report can be at most. */
#pragma once
#include "reporting/report.h"

/* RFC 8460 B, with the mx-host of erratum 6241. */
extern const struct report report_of_the_rfc;
/* Of two policies, with everything that can be said of a failure. */
extern const struct report report_in_full;
/* No policy, no failure: the heartbeat. */
extern const struct report report_of_nothing;
