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
	BOUNCE_BEHIND,    /* it failed for others than whom it was sent to */
	BOUNCE_FAILED,    /* to all of whom it tells, and he is one of them */
};

/*
 * Of what was sent to this address.  The first BOUNCE_LOOK_MAX octets of the
 * mail are enough.  *why, where it
 * FAILED: status and diagnostic, or as much as is said; one printable line.
 */
enum bounce bounce_read(
    struct span mail, const char *address, char why[BOUNCE_WHY_SIZE]);

/*
 * What is said with RCPT (RFC 3461 4.2), so that a notification knows whom it
 * was sent to, whatever became of the address; "" where there is no room.
 */
#define BOUNCE_ORCPT_SIZE 501
void bounce_orcpt(const char *address, char to[BOUNCE_ORCPT_SIZE]);

const char *bounce_name(enum bounce bounce);
