#include "tests/bench/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/span.h"
#include "base/text.h"

uint64_t
kit_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Below SPREAD_STEPS each value has its place, then each doubling has half
 * as many places as there are steps. */
static size_t
spread_place(uint64_t us)
{
	unsigned shift = 0;
	size_t place;

	while (us >> shift >= SPREAD_STEPS)
		shift++;
	place = shift * (SPREAD_STEPS / 2) + (size_t)(us >> shift);
	return place < SPREAD_SIZE ? place : SPREAD_SIZE - 1;
}

static uint64_t
spread_value(size_t place)
{
	size_t shift = 0;

	if (place >= SPREAD_STEPS)
		shift = place / (SPREAD_STEPS / 2) - 1;
	return (uint64_t)(place - shift * (SPREAD_STEPS / 2)) << shift;
}

void
spread_add(struct spread *spread, uint64_t us)
{
	spread->n++;
	spread->counts[spread_place(us)]++;
}

uint64_t
spread_at(const struct spread *spread, unsigned percent)
{
	uint64_t wanted = (spread->n * percent + 99) / 100, seen = 0;

	for (size_t i = 0; i < SPREAD_SIZE; i++) {
		seen += spread->counts[i];
		if (seen > 0 && seen >= wanted)
			return spread_value(i);
	}
	return 0;
}

static double
seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

struct kit_cpu
kit_cpu(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_SELF, &used);
	return (struct kit_cpu){seconds(used.ru_utime), seconds(used.ru_stime)};
}

static _Noreturn void
refuse(const char *what, const char *text)
{
	(void)fprintf(stderr, "%s: %s\n", what, text);
	exit(2);
}

struct net_address
kit_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct net_address address;
	char host[NET_ADDRESS_TEXT];
	uint32_t port = 0;
	size_t n = colon == NULL ? 0 : (size_t)(colon - text);

	if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(host) ||
	    !text_parse_u32(span_of(colon + 1), &port) || port > UINT16_MAX)
		refuse("not ADDRESS:PORT", text);
	memcpy(host, text, n);
	host[n] = '\0';
	if (!net_address_ip(host, (uint16_t)port, &address))
		refuse("not an address", text);
	return address;
}

uint32_t
kit_number(const char *option, const char *text, uint32_t least)
{
	uint32_t number;

	if (!text_parse_u32(span_of(text), &number) || number < least)
		refuse(option, "a number is wanted");
	return number;
}

void
kit_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}
