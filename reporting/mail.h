/*
 * A report on its way (RFC 8460 5): its name, and the mail it travels in.
 *
 * The mail is whole but for the DKIM signature, which it MUST have (RFC 8460
 * 3) before it goes out.  Pure: the same from the same.
 */
#pragma once
#include "base/buf.h"
#include "reporting/report.h"

/*
 * RFC 8460 4.4, 5.3: unique to a report, and the same for all its mails and
 * tries: "2026-11-28.example.com@mx1.sender.example", of the day from `start`
 * on, the domain the report is about, and the host that writes it.
 */
#define REPORT_ID_SIZE 600
void report_id(int64_t start, const char *domain, const char *host,
    char to[REPORT_ID_SIZE]);

/* Who writes it, and where. */
struct report_writer {
	const char *organization;
	const char *contact;
	const char *host;
};

/*
 * What report_store_load() leaves open: who, the id in the room of `id`, and
 * the day from `start` on (RFC 8460 4.1, 4.4).
 */
void report_complete(struct report *report, const struct report_writer *writer,
    const char *domain, int64_t start, char id[REPORT_ID_SIZE]);

struct report_outgoing {
	/* Its contact is who it is from, by whose domain it is signed. */
	const struct report *report;
	const char *domain;  /* that the report is about: the next hop's */
	const char *to;      /* an address */
	struct span gzipped; /* the report as JSON, packed by gzip_write() */
	unsigned number; /* of the place among those of the record, from 1 */
	int64_t now;
};

/*
 * RFC 8460 5.1: "sender!domain!start!end.json.gz"; NULL: the contact has no
 * domain, or a name has what file names may not have.
 */
#define REPORT_FILE_SIZE 640
const char *report_file_name(
    const struct report_outgoing *mail, char to[REPORT_FILE_SIZE]);

/* "sender.example" of "tls@sender.example"; NULL: there is none. */
const char *report_submitter(const struct report *report);

/*
 * Lines end in CRLF.  -1: over the limit of the buffer, or an address, a name
 * or the id is none that may stand in a header.
 */
int report_mail_write(const struct report_outgoing *mail, struct buf *out);
