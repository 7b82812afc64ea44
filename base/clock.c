#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define SET_BACK_LEAST 10

int64_t
clock_wall(void)
{
	return clock_wall_us() / 1000000;
}

int64_t
clock_wall_us(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

uint64_t
clock_mono_ms(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int64_t
clock_set_back(struct clock_watch *watch, int64_t wall, uint64_t mono_ms)
{
	struct clock_watch before = *watch;
	int64_t behind;

	*watch = (struct clock_watch){wall, mono_ms};
	if (before.mono_ms == 0 || mono_ms < before.mono_ms)
		return 0;
	behind = before.wall + (int64_t)((mono_ms - before.mono_ms) / 1000) -
	         wall;
	return behind < SET_BACK_LEAST ? 0 : behind;
}

int64_t
clock_end_of(const struct clock_end *end, int64_t wall, uint64_t mono_ms)
{
	int64_t then;

	if (end->wall <= wall || end->mono_ms <= mono_ms)
		return 0;
	then = wall + (int64_t)((end->mono_ms - mono_ms + 999) / 1000);
	return end->wall < then ? end->wall : then;
}

void
clock_rfc5322(int64_t wall, char to[CLOCK_RFC5322_SIZE])
{
	static const char days[7][4] = {
	    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)wall;
	struct tm tm = {0};

	(void)gmtime_r(&t, &tm);
	(void)snprintf(to, CLOCK_RFC5322_SIZE,
	    "%s, %02d %s %04d %02d:%02d:%02d +0000", days[tm.tm_wday % 7],
	    tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

void
clock_rfc3339(int64_t wall_us, char to[CLOCK_RFC3339_SIZE])
{
	time_t t = (time_t)(wall_us / 1000000);
	struct tm tm = {0};

	(void)gmtime_r(&t, &tm);
	(void)snprintf(to, CLOCK_RFC3339_SIZE,
	    "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    (int)(wall_us / 1000 % 1000));
}

void
clock_words(int64_t seconds, char to[CLOCK_WORDS_SIZE])
{
	static const struct {
		int64_t size;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}};
	int64_t n = seconds;
	const char *name = "second";

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (seconds < units[i].size)
			continue;
		n = seconds / units[i].size;
		name = units[i].name;
		break;
	}
	(void)snprintf(to, CLOCK_WORDS_SIZE, "%" PRId64 " %s%s", n, name,
	    n == 1 ? "" : "s");
}
