/* MTA-STS policies on disk: written by several at once, and interrupted. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/sts_place.h"
#include "tests/support/test.h"

static void
nothing_is_put_while_another_writes(void **state)
{
	struct place *place = *state;
	struct sts_entry entry = place_entry(place, NOW);
	struct err err = {0};
	size_t n;
	int fd;

	place_put(place, "a.example", &entry);
	entry = place_entry(place, NOW + 1);
	sts_store_close(&place->store);
	assert_int_equal(
	    sts_store_open(place->folder, 30, &place->store, &err), 0);
	fd = open(place_path(place, "sts.lock"), O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(
	    sts_store_put(place->store, "a.example", &entry, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(
	    sts_store_forget(place->store, "a.example", &n, &err), -1);
	assert_int_equal(sts_store_reset(place->folder, 30, &err), -1);
	assert_int_equal(place_get(place, "a.example").fetched_at, NOW);
	(void)close(fd);
	place_put(place, "a.example", &entry);
	assert_int_equal(place_get(place, "a.example").fetched_at, NOW + 1);
}

/* A store of its own; puts a domain after the other, and says so. */
static _Noreturn void
put_on(struct place *place, const char *prefix, int from, int n, int said)
{
	struct sts_entry entry = place_entry(place, NOW);
	struct sts_store *store;
	struct err err;
	char domain[32];

	/* What was open before the fork is the parent's. */
	if (sts_store_open(place->folder, 20000, &store, &err) < 0)
		_exit(2);
	for (int i = from; i < from + n; i++) {
		(void)snprintf(
		    domain, sizeof(domain), "%s%d.example", prefix, i);
		entry.failures = (uint32_t)i;
		if (sts_store_put(store, domain, &entry, &err) < 0)
			_exit(3);
		if (said >= 0 && write(said, &i, sizeof(i)) != sizeof(i))
			_exit(4);
	}
	_exit(0);
}

#define WRITERS 4
#define TIMES   60

static void
processes_that_write_at_once_lose_nothing(void **state)
{
	static const char *const prefixes[WRITERS] = {"a", "b", "c", "d"};
	struct place *place = *state;
	pid_t children[WRITERS];
	char domain[32];
	int status;

	for (int i = 0; i < WRITERS; i++) {
		children[i] = fork();
		if (children[i] == 0)
			put_on(place, prefixes[i], 0, TIMES, -1);
	}
	/* Readers are in nobody's way. */
	for (int i = 0; i < TIMES; i++)
		(void)place_get(place, "a1.example");
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	for (int i = 0; i < WRITERS * TIMES; i++) {
		(void)snprintf(domain, sizeof(domain), "%s%d.example",
		    prefixes[i % WRITERS], i / WRITERS);
		assert_int_equal(
		    place_get(place, domain).failures, i / WRITERS);
	}
}

static const char *
domain_of(int i)
{
	static char domain[32];

	(void)snprintf(domain, sizeof(domain), "k%d.example", i);
	return domain;
}

/* What was said to be kept is there; returns up to which. */
static int
look_back(struct place *place, int said, int from, int last)
{
	int i;

	while (read(said, &i, sizeof(i)) == sizeof(i))
		last = i;
	for (i = from; i <= last; i++)
		if (place_get(place, domain_of(i)).state != STS_ENTRY_POLICY)
			fail_msg("%s is lost", domain_of(i));
	return last;
}

#define KILLS 30

static void
a_writer_that_is_killed_loses_nothing(void **state)
{
	struct place *place = *state;
	int next = 0, kept = 0;

	for (unsigned i = 0; i < KILLS; i++) {
		int said[2], last;
		pid_t child;

		assert_int_equal(pipe2(said, O_CLOEXEC), 0);
		child = fork();
		if (child == 0)
			put_on(place, "k", next, 1000000, said[1]);
		(void)close(said[1]);
		assert_int_equal(
		    read(said[0], &last, sizeof(last)), sizeof(last));
		(void)usleep((i * 7919u) % 30000u);
		(void)kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		last = look_back(place, said[0], next, last);
		(void)close(said[0]);
		next = last + 2; /* one may have been under way */
	}
	/* Nor is one that was there before. */
	for (int i = 0; i < next; i++)
		kept += place_get(place, domain_of(i)).state ==
		        STS_ENTRY_POLICY;
	assert_true(kept >= next - KILLS);
}

int
main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
	    T(nothing_is_put_while_another_writes),
	    T(processes_that_write_at_once_lose_nothing),
	    T(a_writer_that_is_killed_loses_nothing),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
