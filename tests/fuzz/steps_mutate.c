/*
 * How libFuzzer changes input that is made of steps (steps.h): a step is put
 * in, left out, said again, moved or changed in one octet, and two inputs are
 * joined between steps; now and then libFuzzer has its own way.
 */
#include <string.h>

#include "tests/fuzz/steps.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(
    uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size,
    const uint8_t *two, size_t two_size, uint8_t *out, size_t room,
    unsigned seed);

/* More steps than any target takes are of no use. */
#define STEPS_ROOM 96u

struct steps {
	uint8_t *p;
	size_t n; /* in steps, as is the room */
	size_t room;
	uint64_t chance;
};

static size_t
steps_room(size_t octets)
{
	size_t n = octets / STEP_OCTETS;

	return n < STEPS_ROOM ? n : STEPS_ROOM;
}

static size_t
draw(struct steps *steps, size_t below)
{
	steps->chance = steps->chance * 6364136223846793005u +
	                1442695040888963407u;
	return (size_t)(steps->chance >> 33) % below;
}

static uint8_t *
at(const struct steps *steps, size_t i)
{
	return steps->p + i * STEP_OCTETS;
}

/* Room for n steps in front of step i; they hold what stood there. */
static void
open_gap(struct steps *steps, size_t i, size_t n)
{
	if (n > steps->room - steps->n)
		n = steps->room - steps->n;
	memmove(at(steps, i + n), at(steps, i), (steps->n - i) * STEP_OCTETS);
	steps->n += n;
}

static void
insert(struct steps *steps)
{
	size_t i = draw(steps, steps->n + 1);

	if (steps->n == steps->room)
		return;
	open_gap(steps, i, 1);
	for (size_t k = 0; k < STEP_OCTETS; k++)
		at(steps, i)[k] = (uint8_t)draw(steps, k == 0 ? 32 : 256);
}

static void
erase(struct steps *steps)
{
	size_t i = draw(steps, steps->n);
	size_t n = 1 + draw(steps, steps->n - i) % 4;

	if (n > steps->n - i)
		n = steps->n - i;
	memmove(
	    at(steps, i), at(steps, i + n), (steps->n - i - n) * STEP_OCTETS);
	steps->n -= n;
}

/* A few steps once more, right behind themselves. */
static void
repeat(struct steps *steps)
{
	size_t i = draw(steps, steps->n);
	size_t n = 1 + draw(steps, steps->n - i);

	open_gap(steps, i, n);
}

static void
swap(struct steps *steps)
{
	uint8_t *one = at(steps, draw(steps, steps->n));
	uint8_t *two = at(steps, draw(steps, steps->n));
	uint8_t held[STEP_OCTETS];

	memcpy(held, one, sizeof(held));
	memmove(one, two, sizeof(held));
	memcpy(two, held, sizeof(held));
}

static void
change(struct steps *steps)
{
	size_t k = draw(steps, STEP_OCTETS);
	uint8_t *octet = at(steps, draw(steps, steps->n)) + k;

	if (draw(steps, 2) == 0)
		*octet ^= (uint8_t)(1u << draw(steps, 8));
	else
		*octet = (uint8_t)draw(steps, k == 0 ? 32 : 256);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
	static void (*const ways[])(struct steps *) = {
	    insert, insert, change, change, change, erase, repeat, swap};
	struct steps steps = {data, size / STEP_OCTETS, steps_room(room), seed};
	size_t times = 1 + draw(&steps, 4);

	if (steps.n > steps.room)
		steps.n = steps.room;
	if (draw(&steps, 16) == 0 && steps.room > 0)
		return LLVMFuzzerMutate(
		    data, steps.n * STEP_OCTETS, steps.room * STEP_OCTETS);
	for (size_t i = 0; i < times && steps.room > 0; i++) {
		size_t way = draw(&steps, sizeof(ways) / sizeof(ways[0]));

		if (steps.n == 0)
			way = 0;
		ways[way](&steps);
	}
	if (steps.n == 0 && steps.room > 0)
		insert(&steps);
	return steps.n * STEP_OCTETS;
}

size_t
LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size,
    const uint8_t *two, size_t two_size, uint8_t *out, size_t room,
    unsigned seed)
{
	struct steps steps = {out, 0, steps_room(room), seed};
	size_t from = draw(&steps, two_size / STEP_OCTETS + 1);
	size_t n = two_size / STEP_OCTETS - from;

	steps.n = draw(&steps, one_size / STEP_OCTETS + 1);
	if (steps.n > steps.room)
		steps.n = steps.room;
	if (n > steps.room - steps.n)
		n = steps.room - steps.n;
	memcpy(out, one, steps.n * STEP_OCTETS);
	memcpy(at(&steps, steps.n), two + from * STEP_OCTETS, n * STEP_OCTETS);
	return (steps.n + n) * STEP_OCTETS;
}
