/*
 * The connections of the load generator, on the mail server's own client
 * engine.  A slot is one session after the other: what ends is opened anew as
 * long as there is something to send.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "mta/net/address.h"
#include "queue/envelope.h"

#include "tests/bench/kit.h"

struct loop;
struct slot;
struct tls_client;

struct load_options {
	struct net_address to;
	uint32_t sessions;
	uint32_t messages;
	uint32_t length;
	uint32_t per_connection; /* 0: as many as there are */
	uint32_t idle;           /* sessions to open and leave alone */
	bool tls;
	const char *from;
	const char *rcpt;
};

struct load {
	struct load_options options;
	struct loop *loop;
	struct tls_client *tls;
	struct slot **slots;
	uint32_t nslots;
	uint32_t open; /* slots that are not done */
	struct envelope envelope;
	struct envelope_rcpt to;
	struct buf body;
	uint32_t claimed; /* messages that have a slot */
	uint32_t taken;   /* answered with 250 */
	uint32_t errors;
	uint32_t connections;
	uint32_t resting; /* idle sessions that are up */
	char error[256];  /* the first one */
	struct spread spread;
	void (*on_end)(struct load *load);
};

/* A slot that connects at once. */
void slot_open(struct load *load);
/* After the loop has ended. */
void slots_free(struct load *load);
