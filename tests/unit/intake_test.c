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
	const struct bad_disk *disk = state;

	(void)path;
	*ret_space = (struct disk_space){.available = disk->available};
	return 0;
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
	static const char kilobyte[1024];
	const struct span more = {kilobyte, sizeof(kilobyte)};
	struct intake_message *message;
	struct scene scene;
	struct err err = {0};

	(void)state;
	for (int reserve = 0; reserve < 2; reserve++) {
		open_scene(&scene, 1 << 20, reserve == 1);
		assert_int_equal(intake_begin(scene.intake, &message, &err), 0);
		while (intake_size(message) <= scene.kit.spool.body_max)
			assert_int_equal(intake_add(message, more, &err), 0);
		scene.disk.available = scene.kit.spool.reserve + more.n;
		assert_int_equal(intake_add(message, more, &err), 0);
		scene.disk.available--;
		assert_int_equal(
		    intake_add(message, more, &err), reserve == 1 ? 0 : -1);
		if (reserve == 0)
			assert_string_equal(err.enhanced, "4.3.1");
		intake_abort(&message);
		close_scene(&scene);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_failed_sync),
	    cmocka_unit_test(test_memory),
	    cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
