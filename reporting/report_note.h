/*
 * What is odd about a report of somebody else and does not keep it from being
 * read: data for the operator, and for who wants to tell the reporter.
 *
 * There is one note a kind, with how often and where first; so notes are
 * bounded, whatever a report has in it.
 */
#pragma once
#include <stddef.h>

#define REPORT_WHERE_SIZE 64

enum report_oddity {
	ODD_NOTHING = 0,
	/* of the mail */
	ODD_TOP_TYPE,  /* is no multipart/report of tlsrpt */
	ODD_PART_TYPE, /* the part has another media type */
	ODD_NOT_GZIP,  /* JSON in a part that is said to be gzip */
	ODD_GZIP,      /* gzip in a part that is said to be JSON */
	ODD_BASE64,    /* not as RFC 2045 6.8 wants it */
	ODD_FORWARDED, /* in a message inside of the message */
	ODD_SEVERAL,   /* more than one report: the first was read */
	ODD_NO_DOMAIN, /* no TLS-Report-Domain */
	ODD_NO_SUBMITTER,
	ODD_SUBMITTER, /* is not the domain of contact-info */
	ODD_MEMBERS,   /* gzip of more than one member */
	ODD_TRAILING,  /* octets behind the gzip, or behind the JSON */
	/* of the JSON */
	ODD_BOM,
	ODD_UTF8,
	ODD_CONTROL,   /* control characters in a text */
	ODD_DUPLICATE, /* a name twice in an object: the last counts */
	ODD_MISSING,
	ODD_NULL,
	ODD_TYPE, /* not of the type it has to have: left out */
	ODD_NAME, /* a member by another name */
	ODD_NUMBER_TEXT,
	ODD_NUMBER,    /* no whole number from 0 on, or too large */
	ODD_LIST_TEXT, /* a text where a list of texts should be */
	ODD_LIST_JSON, /* a list as JSON inside of a text */
	ODD_LIST_NESTED,
	ODD_NOT_LIST, /* one object where a list of objects should be */
	ODD_NO_POLICIES,
	ODD_LONG,      /* a text that was cut */
	ODD_DATE_FORM, /* no RFC 3339, and yet a time */
	ODD_DATE_ZONE, /* no time zone: taken for UTC */
	ODD_DATE,      /* no time at all */
	ODD_WINDOW,    /* is not one day of UTC */
	ODD_POLICY_TYPE,
	ODD_RESULT_TYPE,
	ODDITIES,
};

struct report_note {
	enum report_oddity what;
	unsigned count;
	char where[REPORT_WHERE_SIZE]; /* "policies[0].policy.mx-host" */
};

struct report_notes {
	struct report_note list[ODDITIES];
	size_t n;
};

/* Once more; `where` counts the first time. */
void report_note(
    struct report_notes *notes, enum report_oddity what, const char *where);

/* The note of a kind, or NULL. */
const struct report_note *report_note_of(
    const struct report_notes *notes, enum report_oddity what);

/* One word for lists and logs, and a sentence for people. */
const char *report_oddity_name(enum report_oddity what);
const char *report_oddity_words(enum report_oddity what);
