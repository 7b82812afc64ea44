/* Private to reporting/: the part of a report's mail that people read. */
#pragma once
#include "reporting/mail.h"

/* ASCII, lines of at most 76 characters.  -1: over the limit. */
int mail_words_write(
    const struct report_outgoing *mail, const char *submitter, struct buf *out);
