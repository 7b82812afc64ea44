/* What the load generator and the sink share: clock, latencies, options. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mta/net/address.h"

/* Microseconds, monotonic: what Python calls time.monotonic(). */
uint64_t kit_now_us(void);

/* Latencies, each kept within 2 % of its size. */
enum {
	SPREAD_STEPS = 64,
	SPREAD_SIZE = SPREAD_STEPS * 32
};
struct spread {
	uint64_t n;
	uint64_t counts[SPREAD_SIZE];
};
void spread_add(struct spread *spread, uint64_t us);
/* The value that `percent` of all stay below, in microseconds. */
uint64_t spread_at(const struct spread *spread, unsigned percent);

/* Seconds of processor time this process has used. */
struct kit_cpu {
	double user;
	double system;
};
struct kit_cpu kit_cpu(void);

/* "127.0.0.1:2525" or "[::1]:2525"; else says so and ends the process. */
struct net_address kit_address(const char *text);
/* Decimal digits of at least `least`; else says so and ends the process. */
uint32_t kit_number(const char *option, const char *text, uint32_t least);
/* As many descriptors as we may have. */
void kit_raise_limits(void);
