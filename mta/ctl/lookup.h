/*
 * Questions to our own resolver, one after the other: what a command that
 * runs without the daemon has instead of a loop.
 */
#pragma once
#include "dnssec/host.h"
#include "tlsa/find.h"

struct options;

/* As the configuration says; NULL: a complaint stands on stderr. */
struct dns *lookup_open(const struct options *options);

/* They wait; the resolver's time limit ends it.  On a terminal stderr tells
 * after two seconds what for. */
void lookup_host(struct dns *dns, const char *name, struct host_dns *ret);
/* The answer is lent to `done`. */
void lookup_records(struct dns *dns, const char *name, uint16_t type,
    dns_done *done, void *arg);
/* The set is in the arena. */
void lookup_tlsa(struct dns *dns, const struct host_dns *host, uint16_t port,
    struct arena *arena, struct tlsa_found *ret);
