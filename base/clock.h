/*
 * Time.  The two clocks are read here and in mta/ only; engines get `now` as
 * a parameter.  Wall time is int64_t seconds since the epoch; spans of time
 * and the monotonic clock are milliseconds.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

int64_t clock_wall(void);
int64_t clock_wall_us(void);
uint64_t clock_mono_ms(void);

/*
 * Is the wall clock set back?  Asked once a second or so, with both clocks: by
 * how many seconds it is behind where it should be since the last time, or 0.
 * What is slewed, or less than ten seconds, is not told.  Pure; begin with zero.
 */
struct clock_watch {
	int64_t wall;
	uint64_t mono_ms;
};
int64_t clock_set_back(
    struct clock_watch *watch, int64_t wall, uint64_t mono_ms);

/*
 * An end that was given by both clocks comes with whichever is there first, so
 * that a wall clock that is set back puts nothing off.  As wall time; 0: it
 * has come.  Pure.
 */
struct clock_end {
	int64_t wall;
	uint64_t mono_ms;
};
int64_t clock_end_of(
    const struct clock_end *end, int64_t wall, uint64_t mono_ms);

/* RFC 5322 3.3: "Sun, 22 Nov 2026 09:06:00 +0000"; always UTC. */
#define CLOCK_RFC5322_SIZE 80
void clock_rfc5322(int64_t wall, char to[CLOCK_RFC5322_SIZE]);

/* RFC 3339 with milliseconds: "2026-11-22T09:06:00.123Z". */
#define CLOCK_RFC3339_SIZE 80
void clock_rfc3339(int64_t wall_us, char to[CLOCK_RFC3339_SIZE]);

/* "3 days", "2 hours", "5 minutes", "12 seconds": for people. */
#define CLOCK_WORDS_SIZE 32
void clock_words(int64_t seconds, char to[CLOCK_WORDS_SIZE]);
