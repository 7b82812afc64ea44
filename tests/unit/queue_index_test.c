/* The index against a model: what stands where, and in which order. */
#include <stdio.h>
#include <string.h>

#include "queue/index.h"
#include "queue/place.h"

#include "tests/support/test.h"

enum {
	MESSAGES = 300,
	STEPS = 20000,
	DESTINATIONS = 7
};

struct model {
	uint64_t id; /* 0: none */
	enum job_state state;
	bool awaits; /* LEASED, and under way to nobody */
	int64_t due;
};

struct bench {
	struct index index;
	struct places places;
	struct place *place;
	struct model model[MESSAGES];
	uint64_t random;
	uint64_t ids;
};

static uint64_t
chance(struct bench *bench, uint64_t n)
{
	bench->random ^= bench->random << 13;
	bench->random ^= bench->random >> 7;
	bench->random ^= bench->random << 17;
	return (bench->random >> 16) % n;
}

static void
bench_open(struct bench *bench, uint32_t most)
{
	*bench = (struct bench){.random = 88172645463325252u};
	index_init(&bench->index, 5, most);
	bench->place = places_take(&bench->places, 1);
}

static void
bench_close(struct bench *bench)
{
	index_free(&bench->index);
	places_free(&bench->places);
}

static struct message *
add(struct bench *bench, const char *key)
{
	struct destination *to = index_destination(&bench->index, span_of(key));
	struct message_spec spec = {
	    .id = ++bench->ids,
	    .place = bench->place,
	    .length = 10,
	    .rcpts = (const uint16_t[]){0},
	    .to = &to,
	    .n = 1,
	};

	return index_add(&bench->index, &spec);
}

static void
add_one(struct bench *bench, struct model *model)
{
	char key[16];

	(void)snprintf(
	    key, sizeof(key), "d%u", (unsigned)chance(bench, DESTINATIONS));
	model->id = add(bench, key)->id;
	model->awaits = false;
	model->state = JOB_HELD;
}

static void
move_one(struct bench *bench, struct model *model)
{
	struct message *message = index_find(&bench->index, model->id);
	struct job *job;

	assert_non_null(message);
	job = &message->jobs[0];
	model->awaits = false;
	switch (chance(bench, 6)) {
	case 0:
		model->due = (int64_t)chance(bench, 1000);
		model->state = JOB_WAITING;
		job_wait(&bench->index, job, model->due);
		return;
	case 1:
		model->state = JOB_READY;
		job_ready(&bench->index, job);
		return;
	case 2:
		model->state = JOB_LEASED;
		job_lease(&bench->index, job, 3);
		return;
	case 3:
		model->state = JOB_HELD;
		job_hold(&bench->index, job);
		return;
	case 4:
		model->state = JOB_LEASED;
		model->awaits = true;
		job_await(&bench->index, job);
		return;
	default:
		model->id = 0;
		index_remove(&bench->index, message);
		return;
	}
}

/* Of all destinations together. */
static void
count_jobs(const struct bench *bench, uint64_t *running, uint64_t *waiting)
{
	const struct names *names = &bench->index.destinations;

	*running = *waiting = 0;
	for (size_t i = 0; i < names->nbuckets; i++)
		for (struct name *name = names->buckets[i]; name != NULL;
		     name = name->next) {
			struct destination *to = (struct destination *)name;

			*running += to->running;
			*waiting += to->waiting;
		}
}

static void
assert_counts(struct bench *bench)
{
	uint64_t n[4] = {0}, all = 0, awaiting = 0, running, waiting;
	int64_t when = INT64_MAX;

	for (size_t i = 0; i < MESSAGES; i++) {
		const struct model *model = &bench->model[i];

		if (model->id == 0)
			continue;
		all++;
		n[model->state]++;
		awaiting += model->awaits;
		if (model->state == JOB_WAITING && model->due < when)
			when = model->due;
	}
	assert_int_equal(bench->index.n, all);
	assert_int_equal(bench->index.nheap, n[JOB_WAITING]);
	assert_int_equal(bench->index.nready, n[JOB_READY]);
	assert_int_equal(bench->index.nleased, n[JOB_LEASED]);
	assert_int_equal(bench->index.nheld, n[JOB_HELD]);
	count_jobs(bench, &running, &waiting);
	assert_int_equal(running, n[JOB_LEASED] - awaiting);
	assert_int_equal(waiting, n[JOB_WAITING]);
	assert_int_equal(bench->place->live, all);
	assert_int_equal(bench->place->bytes, 10 * all);
	assert_int_equal(index_when(&bench->index), when);
}

static void
every_job_stands_in_one_place(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, 3);
	for (int i = 0; i < STEPS; i++) {
		struct model *model = &bench.model[chance(&bench, MESSAGES)];

		if (model->id == 0)
			add_one(&bench, model);
		else
			move_one(&bench, model);
		assert_counts(&bench);
	}
	for (size_t i = 0; i < MESSAGES; i++)
		if (bench.model[i].id != 0)
			index_remove(&bench.index,
			    index_find(&bench.index, bench.model[i].id));
	assert_int_equal(bench.index.destinations.n, 0);
	assert_int_equal(bench.index.bytes, 0);
	assert_null(bench.index.ring);
	bench_close(&bench);
}

static void
what_is_due_first_comes_first(void **state)
{
	struct bench bench;
	int64_t last = -1;

	(void)state;
	bench_open(&bench, 1000);
	for (int i = 0; i < MESSAGES; i++)
		job_wait(&bench.index, &add(&bench, "d")->jobs[0],
		    (int64_t)chance(&bench, 5000));
	/* Some out of the middle. */
	for (uint64_t id = 5; id < MESSAGES; id += 7)
		index_remove(&bench.index, index_find(&bench.index, id));
	while (bench.index.nheap > 0) {
		int64_t when = index_when(&bench.index);
		struct job *job;

		assert_true(when > last);
		last = when;
		index_wake(&bench.index, when);
		while ((job = index_pick(&bench.index)) != NULL) {
			assert_int_equal(job->due, when);
			index_remove(&bench.index, job_message(job));
		}
	}
	assert_int_equal(bench.index.n, 0);
	bench_close(&bench);
}

static void
names_are_counted(void **state)
{
	struct names names;
	struct name *first;
	char text[16];

	(void)state;
	names_init(&names, 1);
	first = names_take(&names, SPAN("one"), sizeof(struct name));
	assert_ptr_equal(
	    names_take(&names, SPAN("one"), sizeof(struct name)), first);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "n%d", i);
		(void)names_take(&names, span_of(text), sizeof(struct name));
	}
	assert_int_equal(names.n, 1001);
	assert_ptr_equal(names_find(&names, SPAN("one")), first);
	names_drop(&names, first);
	assert_ptr_equal(names_find(&names, SPAN("one")), first);
	names_drop(&names, first);
	assert_null(names_find(&names, SPAN("one")));
	names_drop(&names, NULL);
	names_free(&names);
}

static void
places_are_sorted(void **state)
{
	static const uint64_t numbers[] = {5, 3, 9, 1, 7, 3};
	struct places places = {0};

	(void)state;
	for (size_t i = 0; i < ROWS(numbers); i++)
		(void)places_take(&places, numbers[i]);
	assert_int_equal(places.n, 5);
	for (size_t i = 1; i < places.n; i++)
		assert_true(
		    places.list[i - 1]->number < places.list[i]->number);
	places_remove(&places, 5);
	places_remove(&places, 6);
	assert_int_equal(places.n, 4);
	assert_null(places_find(&places, 5));
	assert_int_equal(places_find(&places, 7)->number, 7);
	places_free(&places);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_job_stands_in_one_place),
	    cmocka_unit_test(what_is_due_first_comes_first),
	    cmocka_unit_test(names_are_counted),
	    cmocka_unit_test(places_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
