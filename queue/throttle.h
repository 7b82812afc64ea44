/*
 * How much of one destination at a time, and when to leave it alone.  Pure.
 *
 * The limit begins small and grows by one with each success, so that it
 * doubles in about the time of one delivery; after the first sign of too much
 * it is halved and from then on grows by one a limit's worth of successes.
 * A destination nobody could be reached at is left alone for a time that
 * doubles, and then tried with one job.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_START   5
#define THROTTLE_LONGEST 3600 /* seconds a destination is left alone */

struct throttle {
	uint32_t limit;  /* jobs under way at once; 0 only before the start */
	uint32_t credit; /* successes since it last grew */
	uint32_t dead;   /* times in a row that nobody was reached */
	bool cautious;   /* it has been too much before */
};

void throttle_start(struct throttle *throttle, uint32_t most);
void throttle_good(struct throttle *throttle, uint32_t most);
void throttle_busy(struct throttle *throttle);
/* Seconds to leave it alone; `first` after the first time. */
int64_t throttle_dead(struct throttle *throttle, int64_t first);
