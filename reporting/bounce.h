/*
 * A mail that came back to the envelope sender of a report: is it a delivery
 * status notification (RFC 3464, RFC 6522) that says it failed?
 *
 * It comes from a stranger.  Only its beginning is looked at, each line once,
 * and nothing is decoded: RFC 3464 2.1 has the fields in US-ASCII.  Pure.
 */
#pragma once
#include "base/span.h"

/* The notification stands before what it returns. */
#define BOUNCE_LOOK_MAX 262144
#define BOUNCE_WHY_SIZE 256

enum bounce {
	BOUNCE_OTHER = 0, /* no notification, such as what somebody writes */
	BOUNCE_AUTOMATIC, /* neither, of a program: RFC 3834 5 */
	BOUNCE_NEWS,      /* it is delayed, or was delivered to somebody */
	BOUNCE_FAILED,    /* to all of whom it tells */
};

/*
 * The first BOUNCE_LOOK_MAX octets of the mail are enough.  *why, where it
 * FAILED: status and diagnostic, or as much as is said; one printable line.
 */
enum bounce bounce_read(struct span mail, char why[BOUNCE_WHY_SIZE]);

const char *bounce_name(enum bounce bounce);
