/* What waits for filters: in memory, or on the disk in few writes. */
#include <stdio.h>
#include <string.h>

#include "mta/receive/keep.h"
#include "mta/receive/private.h"

#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

#define MIB     (1u << 20)
#define COLLECT 16384u

struct scene {
	struct kit kit;
	struct config config;
	struct receive receive;
	struct disk_ops ops;
	uint64_t available;
	unsigned looks; /* at the space: one a write */
};

static int
counted_space(void *state, const char *path, struct disk_space *ret_space)
{
	struct scene *scene = state;

	(void)path;
	scene->looks++;
	*ret_space = (struct disk_space){.available = scene->available};
	return 0;
}

static void
open_scene(struct scene *scene)
{
	*scene = (struct scene){.available = UINT64_MAX};
	kit_open(&scene->kit);
	scene->config.limits.memory = MIB;
	scene->config.limits.inline_message = 65536;
	scene->config.limits.message = (uint64_t)8 * MIB;
	scene->receive.config = &scene->config;
	scene->receive.spool = scene->kit.spool;
	scene->ops.space = counted_space;
	scene->receive.spool.disk = (struct disk){&scene->ops, scene};
}

/* Octet i of a message, so that none is lost, doubled or out of its place. */
static char
octet(uint64_t i)
{
	return (char)(i * 7 + i / 251);
}

static int
add(struct keep *keep, size_t n, struct err *err)
{
	static char piece[65536];

	assert_true(n <= sizeof(piece));
	for (size_t i = 0; i < n; i++)
		piece[i] = octet(keep->size + i);
	return keep_add(keep, (struct span){piece, n}, err);
}

static void
check_octets(struct keep *keep)
{
	char room[1000];
	uint64_t at = 0;
	struct span piece;
	struct err err;

	do {
		assert_int_equal(
		    keep_read(keep, at, room, sizeof(room), &piece, &err), 0);
		for (size_t i = 0; i < piece.n; i++)
			assert_int_equal(piece.p[i], octet(at + i));
		at += piece.n;
	} while (piece.n > 0);
	assert_int_equal(at, keep->size);
}

/* However short its pieces are, and whatever their order: few writes. */
static void
test_short_pieces(void **state)
{
	static const size_t pieces[] = {
	    3, 1, COLLECT - 1, COLLECT, COLLECT + 1, 65536};
	struct scene scene;
	struct keep keep;
	struct err err;

	(void)state;
	open_scene(&scene);
	for (size_t row = 0; row < ROWS(pieces); row++) {
		keep_init(&keep, &scene.receive);
		scene.looks = 0;
		while (keep.size < 20u * COLLECT) {
			assert_int_equal(add(&keep, pieces[row], &err), 0);
			assert_int_equal(add(&keep, row + 1, &err), 0);
		}
		assert_int_equal(keep_flush(&keep, &err), 0);
		assert_in_range(scene.looks, 1, 2 + 2 * (keep.size / COLLECT));
		check_octets(&keep);
		assert_int_equal(scene.receive.kept, COLLECT);
		keep_clear(&keep);
		assert_int_equal(scene.receive.kept, 0);
	}
	kit_close(&scene.kit);
}

/* It is told at the end at the latest. */
static void
test_no_room_at_the_end(void **state)
{
	struct scene scene;
	struct keep keep;
	struct err err = {0};

	(void)state;
	open_scene(&scene);
	keep_init(&keep, &scene.receive);
	assert_int_equal(add(&keep, 65536, &err), 0);
	assert_int_equal(add(&keep, 65536, &err), 0);
	scene.available = scene.kit.spool.reserve + 9;
	assert_int_equal(add(&keep, 10, &err), 0);
	assert_int_equal(keep_flush(&keep, &err), -1);
	assert_string_equal(err.enhanced, "4.3.1");
	keep_clear(&keep);
	assert_int_equal(scene.receive.kept, 0);
	kit_close(&scene.kit);
}

/* Bodies go to the disk at half of it, and what collects there has the rest. */
static void
test_memory(void **state)
{
	static struct keep keeps[64];
	struct scene scene;
	struct err err = {0};
	size_t n = 0, in_memory = 0;

	(void)state;
	open_scene(&scene);
	for (size_t i = 0; i < ROWS(keeps); i++)
		keep_init(&keeps[i], &scene.receive);
	while (n < ROWS(keeps) && add(&keeps[n], 65536, &err) == 0) {
		assert_true(scene.receive.kept <= MIB);
		in_memory += keeps[n++].fd < 0;
	}
	assert_int_equal(in_memory, MIB / 2 / 65536);
	assert_int_equal(n - in_memory, MIB / 2 / COLLECT);
	assert_string_equal(err.enhanced, "4.3.1");
	assert_int_equal(err.kind, ERR_TEMP);
	for (size_t i = 0; i < ROWS(keeps); i++)
		keep_clear(&keeps[i]);
	assert_int_equal(scene.receive.kept, 0);
	kit_close(&scene.kit);
}

/* RFC 5321 2.3.8: the last line ends, too, and where it does is on the disk
 * or has yet to be written. */
static void
test_last_line(void **state)
{
	static const struct {
		const char *end, *becomes;
	} cases[] = {
	    {"a", "a\r\n"},
	    {"a\r", "a\r\n"},
	    {"a\n", "a\r\n"},
	    {"a\r\n", "a\r\n"},
	};
	static const size_t before[] = {0, 65536, 65536 + COLLECT - 1};
	static char zeros[65536 + COLLECT];
	char room[9];
	struct scene scene;
	struct keep keep;
	struct span end;
	struct err err;

	(void)state;
	open_scene(&scene);
	for (size_t i = 0; i < ROWS(cases) * ROWS(before); i++) {
		size_t n = before[i % ROWS(before)];
		const char *becomes = cases[i / ROWS(before)].becomes;

		keep_init(&keep, &scene.receive);
		assert_int_equal(
		    keep_add_lines(&keep, (struct span){zeros, n}, &err), 0);
		assert_int_equal(
		    keep_add_lines(
			&keep, span_of(cases[i / ROWS(before)].end), &err),
		    0);
		assert_int_equal(keep_end_lines(&keep, &err), 0);
		assert_int_equal(keep.size, n + strlen(becomes));
		assert_int_equal(
		    keep_read(&keep, n, room, sizeof(room), &end, &err), 0);
		assert_true(span_eq(end, span_of(becomes)));
		keep_clear(&keep);
	}
	kit_close(&scene.kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_short_pieces),
	    cmocka_unit_test(test_no_room_at_the_end),
	    cmocka_unit_test(test_memory),
	    cmocka_unit_test(test_last_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
