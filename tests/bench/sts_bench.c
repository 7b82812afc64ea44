/*
 * The cache of MTA-STS policies without a network: how long a look takes in
 * memory, on disk, and through all of it.
 *
 *     sts_bench FOLDER
 *
 * FOLDER has an sts.db, which is changed.  Prints "WHAT: VALUE UNIT".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mta/net/loop.h"
#include "mta/sts/private.h"

#include "tests/bench/kit.h"

#define ROWS    20000u /* in memory */
#define LOOKS   1000000u
#define GETS    20000u
#define PUTS    500u
#define STRIDE  7919u /* through the names, in no order of theirs */
#define ENOUGH  1000u /* of a walk: see mta/sts/tend.c */
#define WAIT_MS 5000u

struct names {
	char **names;
	size_t n, room;
};

static _Noreturn void
give_up(const struct err *err)
{
	(void)fprintf(stderr, "sts_bench: %s\n", err->text);
	exit(1);
}

static void
tell(const char *what, double value, const char *unit)
{
	(void)printf("%s: %.6g %s\n", what, value, unit);
}

static double
seconds_since(uint64_t began)
{
	return (double)(kit_now_us() - began) / 1e6;
}

static void
take_name(const char *domain, const struct sts_entry *entry, void *arg)
{
	struct names *names = arg;
	size_t size = sizeof(*names->names);

	(void)entry;
	if (names->n == names->room) {
		size_t room = names->room == 0 ? 1024 : 2 * names->room;

		names->names = mem_grow(
		    names->names, names->room * size, room * size);
		names->room = room;
	}
	names->names[names->n++] = mem_strdup(domain);
}

static void
count(const char *domain, const struct sts_entry *entry, void *arg)
{
	size_t *n = arg;

	(void)domain;
	(void)entry;
	(*n)++;
}

static struct sts_entry
get(struct sts_store *store, const char *domain, struct arena *arena)
{
	struct sts_entry entry;
	struct err err;

	if (sts_store_get(store, domain, arena, &entry, &err) < 0)
		give_up(&err);
	return entry;
}

/* --- on disk -------------------------------------------------------------- */

static void
measure_walks(struct sts_store *store, struct names *names)
{
	uint64_t began = kit_now_us();
	struct err err;
	size_t n = 0;

	if (sts_store_each(store, take_name, names, &err) < 0)
		give_up(&err);
	tell("every policy read", seconds_since(began), "s");
	tell("policies", (double)names->n, "policies");
	began = kit_now_us();
	if (sts_store_each_old(store, clock_wall(), ENOUGH, count, &n, &err) <
	    0)
		give_up(&err);
	tell("a walk, those that are due", seconds_since(began), "s");
	began = kit_now_us();
	if (sts_store_sweep(store, clock_wall(), ENOUGH, &n, &err) < 0)
		give_up(&err);
	tell("a walk, those that are over", seconds_since(began), "s");
}

static void
measure_single(struct sts_store *store, const struct names *names)
{
	struct arena *arena = arena_new(STS_POLICY_ARENA);
	uint64_t began = kit_now_us();
	struct err err;

	for (size_t i = 0; i < GETS; i++) {
		(void)get(store, names->names[i * STRIDE % names->n], arena);
		arena_reset(arena);
	}
	tell("a look on disk", seconds_since(began) * 1e6 / GETS, "µs");
	began = kit_now_us();
	for (size_t i = 0; i < PUTS; i++) {
		const char *name = names->names[i * STRIDE % names->n];
		struct sts_entry entry = get(store, name, arena);

		entry.failures++;
		if (sts_store_put(store, name, &entry, &err) < 0)
			give_up(&err);
		arena_reset(arena);
	}
	tell("a policy made durable", seconds_since(began) * 1e6 / PUTS, "µs");
	arena_free(&arena);
}

/* --- in memory ------------------------------------------------------------ */

/* As a search leaves a row: DNS has named the id of the policy. */
static void
learn(struct sts_finder *finder, struct sts_store *store, const char *domain)
{
	struct arena *arena = arena_new(STS_POLICY_ARENA);
	struct sts_entry entry = get(store, domain, arena);
	struct sts_row *row = sts_table_get(finder->table, domain);

	entry.last_used = clock_wall();
	row->record.state = STS_RECORD_FOUND;
	memcpy(row->record.id, entry.id, sizeof(entry.id));
	row->record_until = UINT64_MAX;
	sts_table_learn(finder->table, row, sts_known_new(arena, &entry));
}

static void
measure_memory(
    const char *folder, struct sts_store *store, const struct names *names)
{
	struct config config = {.state = folder};
	struct sts_finder_setup setup = {.config = &config};
	struct sts_finder *finder;
	struct sts_found found;
	size_t learnt = names->n < ROWS ? names->n : ROWS, n, first;
	uint64_t began;

	setup.loop = loop_new();
	finder = sts_finder_new(&setup);
	for (size_t i = 0; i < learnt; i++)
		learn(finder, store, names->names[i]);
	/* It is bounded: the first of them may have gone. */
	n = sts_table_rows(finder->table);
	first = learnt - n;
	tell("in memory", (double)n, "policies");
	began = kit_now_us();
	for (size_t i = 0; i < LOOKS; i++)
		if (!sts_find_known(
			finder, names->names[first + i * STRIDE % n], &found) ||
		    found.answer.step != STS_STEP_USE)
			give_up(&(struct err){.text = "not in memory"});
	tell("a look in memory", seconds_since(began) * 1e6 / LOOKS, "µs");
	sts_finder_free(&finder);
	loop_free(&setup.loop);
}

int
main(int argc, char **argv)
{
	struct names names = {0};
	struct sts_store *store;
	struct err err;

	if (argc != 2) {
		(void)fputs("usage: sts_bench FOLDER\n", stderr);
		return 2;
	}
	if (sts_store_open(argv[1], WAIT_MS, &store, &err) < 0)
		give_up(&err);
	measure_walks(store, &names);
	measure_single(store, &names);
	measure_memory(argv[1], store, &names);
	sts_store_close(&store);
	for (size_t i = 0; i < names.n; i++)
		mem_free(names.names[i]);
	mem_free(names.names);
	return 0;
}
