/* The way onto the disk, on a real loop, with a disk that fails. */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "mta/intake.h"
#include "mta/net/loop.h"

#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

/* The real disk; a sync may be made to wait, and to fail. */
struct bad_disk {
	struct disk real;
	struct disk_ops ops;
	sem_t go;
	bool fails; /* the next sync, once it may go */
	uint64_t available;
	unsigned looks; /* at the space */
	unsigned writes;
};

struct scene {
	struct bad_disk disk;
	struct kit kit;
	struct loop *loop;
	struct timer *limit;
	struct intake *intake;
	struct kit_envelope envelope;
	unsigned told;
	unsigned failed;
	struct err why;
	unsigned busy;    /* while others had still to be told */
	uint64_t segment; /* that was synced last */
};

static int
bad_sync(void *state, int fd)
{
	struct bad_disk *disk = state;
	bool fails = disk->fails;

	if (!fails)
		return disk->real.ops->fdatasync(disk->real.state, fd);
	while (sem_wait(&disk->go) < 0)
		;
	disk->fails = false;
	return -EIO;
}

static int
bad_space(void *state, const char *path, struct disk_space *ret_space)
{
	struct bad_disk *disk = state;

	(void)path;
	disk->looks++;
	*ret_space = (struct disk_space){.available = disk->available};
	return 0;
}

static ssize_t
counted_write(void *state, int fd, const void *from, size_t n, uint64_t offset)
{
	struct bad_disk *disk = state;

	disk->writes++;
	return disk->real.ops->pwrite(disk->real.state, fd, from, n, offset);
}

static void
on_limit(void *arg)
{
	(void)arg;
	fail_msg("nobody was told within 10 s");
}

static void
on_synced(void *arg, uint64_t segment, uint64_t end)
{
	struct scene *scene = arg;

	(void)end;
	scene->segment = segment;
}

static void
on_done(void *arg, uint64_t id, const struct err *err)
{
	struct scene *scene = arg;

	(void)id;
	scene->told++;
	scene->failed += err != NULL;
	if (err != NULL)
		scene->why = *err;
	scene->busy += intake_busy(scene->intake);
}

static void
open_scene(struct scene *scene, uint64_t memory, bool into_reserve)
{
	struct intake_setup setup = {.spool = &scene->kit.spool,
	    .memory = memory,
	    .into_reserve = into_reserve,
	    .on_synced = on_synced,
	    .arg = scene};
	struct err err;

	*scene = (struct scene){.loop = loop_new()};
	kit_open(&scene->kit);
	scene->disk.real = scene->kit.spool.disk;
	scene->disk.ops = *scene->disk.real.ops;
	scene->disk.ops.fdatasync = bad_sync;
	scene->disk.ops.space = bad_space;
	scene->disk.ops.pwrite = counted_write;
	scene->disk.available = UINT64_MAX;
	scene->kit.spool.disk = (struct disk){&scene->disk.ops, &scene->disk};
	assert_int_equal(sem_init(&scene->disk.go, 0, 0), 0);
	(void)kit_envelope(&scene->envelope, "b@there.example", 1);
	scene->limit = timer_new(scene->loop, on_limit, scene);
	timer_start(scene->limit, 10000);
	setup.loop = scene->loop;
	assert_int_equal(intake_new(&setup, &scene->intake, &err), 0);
}

static void
close_scene(struct scene *scene)
{
	intake_free(&scene->intake);
	timer_free(&scene->limit);
	loop_free(&scene->loop);
	(void)sem_destroy(&scene->disk.go);
	kit_close(&scene->kit);
}

static void
hand_in(struct scene *scene)
{
	struct intake_message *message;
	struct err err;

	assert_int_equal(intake_begin(scene->intake, &message, &err), 0);
	assert_int_equal(intake_add(message, SPAN("hello\r\n"), &err), 0);
	intake_commit(&message, &scene->envelope.envelope, on_done, scene);
}

static void
wait_told(struct scene *scene, unsigned n)
{
	while (scene->told < n)
		loop_run_once(scene->loop);
}

/* Those who wait behind a failed sync are told, and another segment serves. */
static void
test_failed_sync(void **state)
{
	struct scene scene;
	uint64_t first;

	(void)state;
	open_scene(&scene, 1 << 20, false);
	hand_in(&scene);
	wait_told(&scene, 1);
	first = scene.segment;
	scene.disk.fails = true;
	hand_in(&scene);
	hand_in(&scene); /* collects while that one is on its way */
	assert_int_equal(sem_post(&scene.disk.go), 0);
	wait_told(&scene, 3);
	assert_int_equal(scene.failed, 2);
	hand_in(&scene);
	wait_told(&scene, 4);
	assert_int_equal(scene.failed, 2);
	assert_true(scene.segment > first);
	close_scene(&scene);
}

/* Who is told first may ask whether all have been, and end everything then. */
static void
test_busy_until_all_are_told(void **state)
{
	(void)state;
	for (int fails = 0; fails < 2; fails++) {
		struct scene scene;

		open_scene(&scene, 1 << 20, false);
		scene.disk.fails = fails == 1;
		hand_in(&scene);
		/* One batch, which collects while that one is on its way. */
		for (int i = 0; i < 3; i++)
			hand_in(&scene);
		assert_int_equal(sem_post(&scene.disk.go), 0);
		wait_told(&scene, 4);
		assert_int_equal(scene.busy, 3);
		assert_false(intake_busy(scene.intake));
		close_scene(&scene);
	}
}

/* However many begin: the memory of all together has its limit. */
static void
test_memory(void **state)
{
	static const char kilobyte[1024];
	struct intake_message *messages[4];
	struct scene scene;
	struct err err = {0};

	(void)state;
	open_scene(&scene, 3 * sizeof(kilobyte), false);
	for (size_t i = 0; i < ROWS(messages); i++)
		assert_int_equal(
		    intake_begin(scene.intake, &messages[i], &err), 0);
	for (size_t i = 0; i < ROWS(messages); i++)
		assert_int_equal(
		    intake_add(messages[i],
			(struct span){kilobyte, sizeof(kilobyte)}, &err),
		    i < 3 ? 0 : -1);
	assert_string_equal(err.enhanced, "4.3.1");
	assert_int_equal(err.kind, ERR_TEMP);
	for (size_t i = 0; i < ROWS(messages); i++)
		intake_abort(&messages[i]);
	close_scene(&scene);
}

/* What grows on the way stops before the reserve, whatever MAIL was told. */
static void
test_reserve(void **state)
{
	static const char more[INTAKE_COLLECT + 1];
	const struct span piece = {more, sizeof(more)};
	struct intake_message *message;
	struct scene scene;
	struct err err = {0};

	(void)state;
	for (int reserve = 0; reserve < 2; reserve++) {
		open_scene(&scene, 1 << 20, reserve == 1);
		assert_int_equal(intake_begin(scene.intake, &message, &err), 0);
		while (intake_size(message) <= scene.kit.spool.body_max)
			assert_int_equal(intake_add(message, piece, &err), 0);
		scene.disk.available = scene.kit.spool.reserve + piece.n;
		assert_int_equal(intake_add(message, piece, &err), 0);
		scene.disk.available--;
		assert_int_equal(
		    intake_add(message, piece, &err), reserve == 1 ? 0 : -1);
		if (reserve == 0)
			assert_string_equal(err.enhanced, "4.3.1");
		intake_abort(&message);
		close_scene(&scene);
	}
}

/* Octet i of a message, so that none is lost, doubled or out of its place. */
static char
octet(uint64_t i)
{
	return (char)(i * 7 + i / 251);
}

static void
add_octets(struct intake_message *message, size_t n)
{
	char piece[2 * INTAKE_COLLECT];
	struct err err;

	assert_true(n <= sizeof(piece));
	for (size_t i = 0; i < n; i++)
		piece[i] = octet(intake_size(message) + i);
	assert_int_equal(intake_add(message, (struct span){piece, n}, &err), 0);
}

/* Its file of its own holds just these octets. */
static void
check_large(const struct scene *scene, uint64_t id, uint64_t size)
{
	char name[QUEUE_ID_SIZE], path[600];
	uint64_t n = 0;
	FILE *file;
	int c;

	queue_id_text(id, name);
	(void)snprintf(
	    path, sizeof(path), "%s/large/%s", scene->kit.spool.path, name);
	file = fopen(path, "r");
	assert_non_null(file);
	while ((c = fgetc(file)) != EOF)
		assert_int_equal((char)c, octet(n++));
	assert_int_equal(n, size);
	(void)fclose(file);
}

/* However short its pieces are, and whatever their order: few writes. */
static void
test_short_pieces(void **state)
{
	static const size_t pieces[] = {
	    3, 1, INTAKE_COLLECT - 1, INTAKE_COLLECT, INTAKE_COLLECT + 1, 3};
	struct intake_message *message;
	struct scene scene;
	struct err err;
	uint64_t id, size, most;

	(void)state;
	for (size_t row = 0; row < ROWS(pieces); row++) {
		open_scene(&scene, 1 << 20, false);
		scene.disk.writes = 0;
		assert_int_equal(intake_begin(scene.intake, &message, &err), 0);
		while (intake_size(message) <= scene.kit.spool.body_max)
			add_octets(message, 3);
		while (intake_size(message) < 20 * INTAKE_COLLECT) {
			add_octets(message, pieces[row]);
			add_octets(message, row + 1);
		}
		id = intake_id(message);
		size = intake_size(message);
		most = 2 + 2 * (size / INTAKE_COLLECT);
		intake_commit(
		    &message, &scene.envelope.envelope, on_done, &scene);
		wait_told(&scene, 1);
		assert_int_equal(scene.failed, 0);
		assert_in_range(scene.disk.looks, 1, most);
		assert_in_range(scene.disk.writes, 1, most + 4);
		check_large(&scene, id, size);
		close_scene(&scene);
	}
}

/* What has collected at the end, and finds no room, is not acknowledged. */
static void
test_no_room_at_the_end(void **state)
{
	struct intake_message *message;
	struct scene scene;
	struct err err;

	(void)state;
	open_scene(&scene, 1 << 20, false);
	assert_int_equal(intake_begin(scene.intake, &message, &err), 0);
	while (intake_size(message) <= scene.kit.spool.body_max)
		add_octets(message, 1024);
	scene.disk.available = scene.kit.spool.reserve + 9;
	add_octets(message, 10);
	intake_commit(&message, &scene.envelope.envelope, on_done, &scene);
	assert_int_equal(scene.told, 0);
	wait_told(&scene, 1);
	assert_int_equal(scene.failed, 1);
	assert_string_equal(scene.why.enhanced, "4.3.1");
	close_scene(&scene);
}

/* What collects for the file is counted from its first octet to the end. */
static void
test_memory_of_large_ones(void **state)
{
	static const char much[1 << 20];
	struct intake_message *messages[3];
	struct scene scene;
	struct err err = {0};

	(void)state;
	open_scene(&scene, 2 * INTAKE_COLLECT, false);
	assert_true(sizeof(much) > scene.kit.spool.body_max);
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(
			    intake_begin(scene.intake, &messages[i], &err), 0);
			assert_int_equal(
			    intake_add(messages[i],
				(struct span){much, sizeof(much)}, &err),
			    0);
		}
		assert_int_equal(
		    intake_begin(scene.intake, &messages[2], &err), -1);
		assert_string_equal(err.enhanced, "4.3.1");
		/* One is cut off, the other one taken. */
		intake_abort(&messages[0]);
		intake_commit(
		    &messages[1], &scene.envelope.envelope, on_done, &scene);
		wait_told(&scene, (unsigned)again + 1);
	}
	assert_int_equal(scene.failed, 0);
	close_scene(&scene);
}

/* There may be room to begin, and none to collect. */
static void
test_no_memory_for_a_large_one(void **state)
{
	static const char much[1 << 20];
	static const size_t others[] = {INTAKE_COLLECT, 1};
	struct intake_message *messages[3];
	struct scene scene;
	struct err err = {0};

	(void)state;
	open_scene(&scene, 2 * INTAKE_COLLECT, false);
	for (size_t i = 0; i < ROWS(messages); i++)
		assert_int_equal(
		    intake_begin(scene.intake, &messages[i], &err), 0);
	for (size_t i = 0; i < ROWS(others); i++)
		assert_int_equal(intake_add(messages[i],
				     (struct span){much, others[i]}, &err),
		    0);
	assert_int_equal(
	    intake_add(messages[2], (struct span){much, sizeof(much)}, &err),
	    -1);
	assert_string_equal(err.enhanced, "4.3.1");
	assert_int_equal(err.kind, ERR_TEMP);
	for (size_t i = 0; i < ROWS(messages); i++)
		intake_abort(&messages[i]);
	close_scene(&scene);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_failed_sync),
	    cmocka_unit_test(test_busy_until_all_are_told),
	    cmocka_unit_test(test_memory),
	    cmocka_unit_test(test_reserve),
	    cmocka_unit_test(test_short_pieces),
	    cmocka_unit_test(test_no_room_at_the_end),
	    cmocka_unit_test(test_memory_of_large_ones),
	    cmocka_unit_test(test_no_memory_for_a_large_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
