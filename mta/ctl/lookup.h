/*
 * Questions to our own resolver, one after the other: what a command that
 * runs without the daemon has instead of a loop.
 */
#pragma once
#include "dnssec/host.h"
#include "tlsa/find.h"

#define LOOKUP_WAIT_S     20 /* for all of them together */
#define LOOKUP_WAIT_S_MAX 3600

struct config;
struct options;

/* Zeroed, it is closed. */
struct lookup {
	struct dns *dns;
	uint32_t wait_s; /* for all, or, with `each`, for each */
	bool each;
	bool told; /* what it waits for */
};

/* "--wait TIME" as it was typed, or NULL; false: it is none. */
bool lookup_read_wait(const char *text, uint32_t *ret_s);
/*
 * By the configuration, for as long; 0: each lookup for as long as the
 * configuration says.  -1: a complaint stands on stderr.
 */
int lookup_start(
    const struct config *config, uint32_t wait_s, struct lookup *ret);
/* The same, with the configuration that the options name. */
int lookup_open(
    const struct options *options, uint32_t wait_s, struct lookup *ret);
void lookup_close(struct lookup *lookup);

/*
 * Until *done; some callback of the resolver sets it.  After three seconds
 * stderr tells, once, what is waited for.
 */
void lookup_wait(struct lookup *lookup, const char *name, const bool *done);

/* They wait like that. */
void lookup_host(struct lookup *lookup, const char *name, struct host_dns *ret);
/* The answer is lent to `done`. */
void lookup_records(struct lookup *lookup, const char *name, uint16_t type,
    dns_done *done, void *arg);
/* The set is in the arena. */
void lookup_tlsa(struct lookup *lookup, const struct host_dns *host,
    uint16_t port, struct arena *arena, struct tlsa_found *ret);
