/*
 * One fetch of one domain's policy (RFC 8461 3.3): the addresses of its policy
 * host from our own resolver, the file by HTTPS, and the file read.
 *
 *     domain > mta-sts.DOMAIN > addresses > GET > policy, or why not
 */
#pragma once
#include "base/arena.h"
#include "policy/sts_cache.h"

struct dns;
struct https;
struct sts_fetch_run;

#define STS_FETCH_TEXT 400

/* Lent for the call, but for the arena. */
struct sts_fetch_end {
	enum sts_fetched fetched;
	struct sts_policy policy; /* with STS_FETCHED_POLICY, on the arena, */
	struct arena *arena;      /* which the callback takes over; or NULL */
	char why[STS_FETCH_TEXT]; /* else; one printable line */
	bool busy;                /* too many were under way */
	const char *result_type;  /* else; RFC 8460 4.3.2, or "" */
};

typedef void sts_fetch_done(const struct sts_fetch_end *end, void *arg);

/*
 * Never NULL; the callback comes from the loop or dns_process(), not from in
 * here.  The domain in normal form.
 */
struct sts_fetch_run *sts_fetch_begin(struct dns *dns, struct https *https,
    uint16_t port, const char *domain, sts_fetch_done *done, void *arg);
/* `done` is never called. */
void sts_fetch_cancel(struct sts_fetch_run **run);
