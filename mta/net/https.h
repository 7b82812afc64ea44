/*
 * One file by HTTPS, as RFC 8461 3.3 has a policy fetched; or a report by
 * HTTPS, as RFC 8460 5.4 has it sent.
 *
 * A 200 with text/plain, from a host whose certificate WebPKI vouches for
 * under the name that was asked for; no redirect is followed, nothing is kept
 * from one fetch to the next: no connection, session, cookie or cached body.
 * libcurl does the HTTP.  It never asks DNS (addresses are the caller's), and
 * neither environment nor home folder has a say.
 *
 * A post is a fetch that brings something along, and all of this is true of
 * it, but that any 2xx will do, once all was sent: what comes behind the head
 * of that answer, and how it ends, is of no matter.  It does not wait to be
 * asked for what it brings, and begins to send it once at most.
 *
 * Whatever a server sends, a fetch holds 64 KiB of body and ends within its
 * time.  So many run at once, half of them at one address; the others wait in
 * a queue that has an end, and their time runs there, too.  What posts bring
 * is limited for each, and for all together, those that wait included: that
 * much memory they take, and 64 KiB each that runs.
 *
 * Callbacks come from the loop, never from inside https_get() or https_post().
 * SIGPIPE is to be ignored by the process.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "mta/net/address.h"
#include "policy/sts_policy.h"

#define HTTPS_BODY_MAX      STS_POLICY_MAX
#define HTTPS_ADDRESSES_MAX 8
#define HTTPS_TEXT_SIZE     384
#define HTTPS_PATH_MAX      1024

struct https;
struct https_fetch;
struct loop;

/* Zeroed is the default, but for the loop. */
struct https_setup {
	struct loop *loop;   /* outlives it */
	const char *ca_file; /* PEM; NULL: that of Debian */
	/* To connect from, by family; family 0: the kernel chooses. */
	struct net_address source4, source6;
	uint32_t timeout_ms; /* of a fetch, waiting included; 0: a minute */
	size_t at_once;      /* 0: 8 */
	size_t waiting_max;  /* 0: 128 */
	size_t post_max;     /* octets that a post may bring; 0: 10 MiB */
	size_t posts_max;    /* and all of them together; 0: 32 MiB */
};

/* Copied. */
struct https_request {
	const char *host; /* asked for by SNI and Host:, looked for in SANs */
	uint16_t port;    /* said in Host:, unless it is 443; 0: that */
	const char *path; /* from "/" on, with the query */
	/* One after the other until a connection is there; each with its port.
	 * No more than HTTPS_ADDRESSES_MAX are tried. */
	const struct net_address *addresses;
	size_t naddresses;
};

/* What a post brings; copied. */
struct https_content {
	const char *type; /* "application/tlsrpt+gzip" */
	struct span bytes;
};

enum https_kind {
	HTTPS_NO_CONNECTION = 0, /* to no address, or there is none */
	HTTPS_BUSY,              /* too many fetches at once, or too much */
	HTTPS_OURS, /* no memory, no descriptor, no authorities; too large */
	HTTPS_TLS_FAILED,  /* no handshake, whatever the certificate */
	HTTPS_EXPIRED,     /* the certificate is not valid any more */
	HTTPS_WRONG_NAME,  /* it is another host's */
	HTTPS_NOT_TRUSTED, /* or there is something else about it */
	HTTPS_BROKEN,      /* cut short, or no HTTP */
	HTTPS_REDIRECT,    /* 3xx, of a GET */
	HTTPS_STATUS,      /* another status than 200; to a post, 2xx */
	HTTPS_WRONG_TYPE,  /* not text/plain as it stands */
	HTTPS_TOO_LARGE,
	HTTPS_TOO_SLOW, /* time ran out on an open connection */
	HTTPS_FINE,
};

/* Lent for the call. */
struct https_result {
	enum https_kind kind;
	unsigned status;            /* of HTTP; 0: none came */
	struct span body;           /* empty unless a GET is fine */
	char text[HTTPS_TEXT_SIZE]; /* what happened, one printable line */
};

typedef void https_done(void *arg, const struct https_result *result);

/* -1 when the file of authorities does not load. */
int https_new(
    const struct https_setup *setup, struct https **ret, struct err *err);
/* Gives up what runs and waits, without callbacks; not from a callback. */
void https_free(struct https **https);

/* Once `done` is called the fetch is gone, and no more to be cancelled. */
struct https_fetch *https_get(struct https *https,
    const struct https_request *request, https_done *done, void *arg);
struct https_fetch *https_post(struct https *https,
    const struct https_request *request, const struct https_content *content,
    https_done *done, void *arg);
/* `done` is never called. */
void https_cancel(struct https_fetch **fetch);

/* It says nothing of the host: we could not ask. */
bool https_is_ours(enum https_kind kind);

/* "fine", "wrong-name": for logs. */
const char *https_kind_name(enum https_kind kind);
