/*
 * A scripted server for the client session.
 *
 * A dialog is text, one line each: "S line" is said by the server, "C line"
 * must be the client's next line, "X why" loses the connection.  S lines that
 * stand together arrive together.
 */
#pragma once
#include "mta/smtp/client.h"

#define SCRIPT_OUTCOME_MAX 1024

struct script {
	struct client_setup setup;
	bool tls;  /* STARTTLS when offered */
	bool hold; /* never go on in the clear */
	bool quit; /* at the end */
	bool eight_bit;
	unsigned messages; /* to be sent over the connection */
	struct envelope envelope;
	struct span message;
	uint64_t size; /* what client_send() is told */
	size_t piece;  /* octets a client_body(); 0: all */
	size_t step;   /* octets a client_feed(); 0: all */
};

/* One message of `n` recipients r0@x.org, r1@x.org and so on. */
struct script script_new(size_t n);

/*
 * Run it.  The outcome: for each transaction the recipients' results, "ok",
 * "T4.2.0" or "P5.1.1", then "ready", "closed", "failed" with the error, or
 * the name of the wait; "?" behind it when in doubt.  NULL when the dialog was followed, else what
 * was different.
 */
const char *script_run(const struct script *script, const char *dialog,
    char outcome[SCRIPT_OUTCOME_MAX]);
