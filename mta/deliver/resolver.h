/*
 * The resolver of a deliver process, its tests of itself, and whether DANE is
 * turned off.
 *
 * Ownership: all of it belongs to struct deliver.  What is returned is valid
 * until the loop runs again.
 */
#pragma once
#include <stdint.h>

#include "base/err.h"
#include "dnssec/health.h"

struct deliver;
struct ipc_dane;

/* deliver->dns, from here to close. */
int deliver_resolver_open(struct deliver *deliver, struct err *err);
/* Begin to test it, now that the supervisor listens. */
void deliver_resolver_start(struct deliver *deliver);
void deliver_resolver_close(struct deliver *deliver);
/* dns_health_denies(): no host may be taken to have no TLSA records. */
const struct dns_health *deliver_dns_health(const struct deliver *deliver);
void deliver_switch_dane(struct deliver *deliver, const struct ipc_dane *dane);
/*
 * As wall time.  0 while DANE is on, whether or not the supervisor gets round
 * to saying so, and whatever the wall clock is set to.
 */
int64_t deliver_dane_off_until(const struct deliver *deliver, int64_t now);
