/*
 * The JSON of a report (RFC 8460 4.4) as others write it.
 *
 * Tolerant: what deviates and can be understood is read and noted; what is
 * missing is "", 0 or an empty list.  The lists of types are open (RFC 8460
 * 6.6): a word that nobody knows is kept as text.  Names of hosts and domains
 * are folded to lower case and lose a dot at their end.  A text has no control
 * characters and at most REPORT_TEXT_MAX octets of UTF-8; it is a stranger's
 * all the same, and has to be escaped for wherever it is shown.
 *
 * Bounded: by json_scan(), and by the numbers below.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "reporting/report.h"
#include "reporting/report_note.h"

#define REPORT_JSON_MAX      ((size_t)16 << 20)
#define REPORT_POLICIES_MAX  1000
#define REPORT_DETAILS_MAX   20000 /* of all policies together */
#define REPORT_LINES_MAX     1200  /* of one policy: strings, or mx */
#define REPORT_ALL_LINES_MAX 50000
#define REPORT_TEXT_MAX      4096
/* More sessions in a day nobody has; sums of such counts do not overflow. */
#define REPORT_COUNT_MAX UINT64_C(1000000000000)
/* Of RFC 3339, and a day on either side for a zone. */
#define REPORT_TIME_LEAST INT64_C(-86400)
#define REPORT_TIME_MOST  INT64_C(253402387199)
/* Room for whatever report_read_json() accepts. */
#define REPORT_ARENA ((size_t)32 << 20)

/*
 * `text` is mended where it stands and emptied when the tree is built: both
 * would be a lot at the same time.  -1 (ERR_PERM) with the reason for what is
 * no JSON, is no report, or is too much; *ret is then untouched.
 */
int report_read_json(struct buf *text, struct arena *arena, struct report *ret,
    struct report_notes *notes, struct err *err);
