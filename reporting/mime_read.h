/*
 * A mail with a report in it (RFC 8460 5.3), taken apart.
 *
 * The part with the report is known by its media type; without one, by its
 * first octets.  What it is, gzip or JSON, the octets say, not the type.  Names
 * of files are not looked at (RFC 8460 6.3).
 *
 * No character set is converted: a field in encoded words stays as it is.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "reporting/report_note.h"

/* RFC 8460 5.2: what is larger many would not take. */
#define MIME_MAIL_MAX  ((size_t)10 << 20)
#define MIME_PARTS_MAX 100
#define MIME_DEPTH_MAX 8
/* Of a field that is kept. */
#define MIME_TEXT_MAX 500

/*
 * What the mail says of itself; "" for what it does not.  Nothing of it is
 * proven, and the report is what counts (RFC 8460 5.6).  Domains are folded to
 * lower case.  The first two may be those of the message inside, when the
 * report was forwarded (ODD_FORWARDED).
 */
struct mime_mail {
	const char *domain;    /* TLS-Report-Domain */
	const char *submitter; /* TLS-Report-Submitter */
	const char *from_domain;
	const char *subject;
};

/* Does it look like gzip or a JSON object? */
bool mime_is_report(struct span octets);

/*
 * Decode the part with the report into `ret_part`, a buffer with room for
 * MIME_MAIL_MAX.  *ret is filled in as far as can be, even with -1 (ERR_PERM:
 * no mail, no report in it, or too much of something).
 */
int mime_read(struct span mail, struct arena *arena, struct buf *ret_part,
    struct mime_mail *ret, struct report_notes *notes, struct err *err);
