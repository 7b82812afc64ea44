/*
 * What sessions of others with us came to, told to the report role once a
 * second: many in one message.
 *
 * Nothing here delays a session: what the report role does not read in time
 * is told as a number alone.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mta/net/tls.h"

struct receive;
struct receive_seen;

/* How far it came. */
enum seen_tls {
	SEEN_NO_TLS = 0,
	SEEN_SHAKING,
	SEEN_TLS,
};

/* One of them, from its beginning to its end. */
struct seen_session {
	const char *client; /* its address; something else is not counted */
	int64_t began;      /* seconds */
	uint32_t messages;
	bool offered;     /* STARTTLS */
	bool turned_away; /* whatever it wanted */
	bool slow;        /* it was ended in the handshake */
	enum seen_tls tls;
	enum tls_break broken;
	uint8_t alert;
};

/* NULL: the configuration does not want them counted. */
struct receive_seen *receive_seen_new(struct receive *receive);
/* What is left is told before. */
void receive_seen_free(struct receive_seen **seen);
/* The report role is there, perhaps a new one; takes the descriptor. */
void receive_seen_peer(struct receive_seen *seen, int fd);
/* It is over.  NULL counts nothing. */
void receive_seen_add(
    struct receive_seen *seen, const struct seen_session *session);
