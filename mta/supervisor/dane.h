/*
 * The switch that turns DANE off for a while (RFC 7672 9.1), kept on disk and
 * told to each deliver role.
 */
#pragma once
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct child;
struct supervisor;
struct timer;

struct dane {
	int64_t since;          /* seconds */
	struct clock_end until; /* 0 and 0: it is on */
	char reason[256];
	struct timer *timer;
};

/* What the state folder says; a file that cannot be read turns it on. */
void dane_start(struct supervisor *sup);
void dane_end(struct supervisor *sup);
/* Off for so many seconds, 0: on again.  -1: it could not be kept on disk. */
int dane_switch(struct supervisor *sup, uint32_t seconds, const char *reason,
    struct err *err);
/* Until when is it off, as wall time?  0: it is on. */
int64_t dane_off_until(const struct dane *dane);
/* Say it to a deliver role that starts. */
void dane_tell(struct child *child);
