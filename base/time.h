/*
 * Time.  The two clocks are read here and in mta/ only; engines get `now` as
 * a parameter.  Wall time is int64_t seconds since the epoch; spans of time
 * and the monotonic clock are milliseconds.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

int64_t time_wall(void);
int64_t time_wall_us(void);
uint64_t time_mono_ms(void);

/* RFC 5322 3.3: "Sun, 22 Nov 2026 09:06:00 +0000"; always UTC. */
#define TIME_RFC5322_SIZE 40
void time_rfc5322(int64_t wall, char to[TIME_RFC5322_SIZE]);

/* RFC 3339 with milliseconds: "2026-11-22T09:06:00.123Z". */
#define TIME_RFC3339_SIZE 32
void time_rfc3339(int64_t wall_us, char to[TIME_RFC3339_SIZE]);

/* "3 days", "2 hours", "5 minutes", "12 seconds": for people. */
#define TIME_WORDS_SIZE 32
void time_words(int64_t seconds, char to[TIME_WORDS_SIZE]);
