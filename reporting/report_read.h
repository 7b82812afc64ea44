/*
 * A report that came in, from its octets to a value.  Nothing here asks who
 * sent it: that is for the DKIM signature (RFC 8460 3) and the operator.
 *
 * Whatever comes, it takes less than a second and less than 64 MiB.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "reporting/mime_read.h"
#include "reporting/report.h"
#include "reporting/report_note.h"

struct report_read {
	struct report report;
	struct report_notes notes;
	struct mime_mail mail; /* of what came over HTTPS: all "" */
};

/*
 * A whole mail (RFC 8460 5.3), and what was posted (RFC 8460 5.4).  The arena
 * needs REPORT_ARENA.  -1 (ERR_PERM) with the reason to set it aside; what the
 * mail says, and what was noted so far, is in *ret even so.
 */
int report_read_mail(struct span mail, struct arena *arena,
    struct report_read *ret, struct err *err);
int report_read_body(struct span body, struct arena *arena,
    struct report_read *ret, struct err *err);
