/* When a mail that could not be read is tried again. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mta/report/inbox_waits.h"

#include "tests/support/test.h"

static int
set_up(void **state)
{
	*state = mem_new(sizeof(struct inbox_waits));
	return 0;
}

static int
tear_down(void **state)
{
	mem_free(*state);
	return 0;
}

static const char *
next_beside(struct inbox_waits *waits, struct report_mail *list, size_t n,
    const struct inbox_work *work, uint64_t now, uint64_t *ret_ms)
{
	const struct report_mails mails = {.list = list, .n = n};
	const struct report_mail *mail = inbox_wait_next(
	    waits, &mails, work, now, ret_ms);

	return mail == NULL ? "" : mail->name;
}

static const char *
next(struct inbox_waits *waits, struct report_mail *list, size_t n,
    uint64_t now, uint64_t *ret_ms)
{
	static const struct inbox_work none = {.n = 0};

	return next_beside(waits, list, n, &none, now, ret_ms);
}

static uint64_t
again(struct inbox_waits *waits, const char *name, uint64_t now)
{
	struct report_mail mail = {.octets = 1};

	(void)snprintf(mail.name, sizeof(mail.name), "%s", name);
	return inbox_wait_again(waits, &mail, now);
}

static void
each_wait_is_twice_the_last(void **state)
{
	uint64_t ms = INBOX_WAIT_FIRST_MS;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(again(*state, "A", 5), ms);
		ms = ms * 2 < INBOX_WAIT_LAST_MS ? ms * 2 : INBOX_WAIT_LAST_MS;
	}
	assert_int_equal(ms, INBOX_WAIT_LAST_MS);
	inbox_wait_over(*state, "A");
	assert_int_equal(again(*state, "A", 5), INBOX_WAIT_FIRST_MS);
}

static void
what_comes_is_before_what_waits(void **state)
{
	struct report_mail list[] = {{"A", 1, 1}, {"B", 2, 1}, {"C", 3, 1}};
	uint64_t now = 1000, ms;

	assert_string_equal(next(*state, list, 0, now, &ms), "");
	assert_int_equal(ms, UINT64_MAX);
	assert_string_equal(next(*state, list, 3, now, &ms), "A");
	(void)again(*state, "A", now);
	assert_string_equal(next(*state, list, 3, now, &ms), "B");
	(void)again(*state, "B", now + 10);
	/* A is due, and C is new. */
	now += INBOX_WAIT_FIRST_MS;
	assert_string_equal(next(*state, list, 3, now, &ms), "C");
	assert_string_equal(next(*state, list, 2, now, &ms), "A");
	(void)again(*state, "A", now);
	assert_string_equal(next(*state, list, 2, now, &ms), "");
	assert_int_equal(ms, 10);
	assert_string_equal(next(*state, list, 2, now + 10, &ms), "B");
}

static void
half_of_the_room_is_for_what_comes(void **state)
{
	struct report_mail one = {"M3", 1, 1};
	char name[REPORT_NAME_SIZE];
	uint64_t ms;

	for (int i = 0; i < INBOX_WAITS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "M%d", i);
		assert_true(again(*state, name, 1) > 0);
	}
	assert_int_equal(again(*state, "more", 1), 0);
	/* One that waits may go on. */
	assert_int_equal(again(*state, "M3", 1), 2 * INBOX_WAIT_FIRST_MS);
	/* All but that one have gone. */
	assert_string_equal(next(*state, &one, 1, 1, &ms), "");
	assert_int_equal(again(*state, "more", 1), INBOX_WAIT_FIRST_MS);
	assert_int_equal(again(*state, "M3", 1), 4 * INBOX_WAIT_FIRST_MS);
}

/* Of octets, too: a few of the largest would keep all others out for days. */
static void
half_of_the_octets_are_for_what_comes(void **state)
{
	struct report_mail mail = {.octets = 10u << 20};
	struct report_mail small = {"small", 1, 1}, one = {"M1", 1, 1};
	size_t n = 0;
	uint64_t ms;

	do
		(void)snprintf(mail.name, sizeof(mail.name), "M%zu", n++);
	while (inbox_wait_again(*state, &mail, 1) > 0);
	assert_int_equal(n - 1, REPORT_IN_OCTETS / 2 / mail.octets);
	/* One that waits may go on, and what fits is taken. */
	(void)snprintf(mail.name, sizeof(mail.name), "M1");
	assert_int_equal(
	    inbox_wait_again(*state, &mail, 1), 2 * INBOX_WAIT_FIRST_MS);
	assert_int_equal(
	    inbox_wait_again(*state, &small, 1), INBOX_WAIT_FIRST_MS);
	/* All but that one have gone. */
	assert_string_equal(next(*state, &one, 1, 1, &ms), "");
	(void)snprintf(mail.name, sizeof(mail.name), "more");
	assert_int_equal(
	    inbox_wait_again(*state, &mail, 1), INBOX_WAIT_FIRST_MS);
	inbox_wait_over(*state, "M1");
	inbox_wait_over(*state, "more");
	mail.octets = REPORT_IN_OCTETS / 2;
	assert_int_equal(
	    inbox_wait_again(*state, &mail, 1), INBOX_WAIT_FIRST_MS);
}

static void
what_is_under_way_is_not_begun_again(void **state)
{
	struct report_mail list[] = {{"A", 1, 1}, {"B", 2, 1}, {"C", 3, 1}};
	struct inbox_work work = {.names = {"A", "C"}, .n = 1};
	uint64_t ms, now = INBOX_WAIT_FIRST_MS;

	assert_string_equal(next_beside(*state, list, 3, &work, now, &ms), "B");
	(void)again(*state, "B", 0);
	(void)again(*state, "C", 0);
	assert_string_equal(next_beside(*state, list, 3, &work, now, &ms), "B");
	/* C is read once more: it keeps how often that was. */
	work.names[0] = "B";
	work.n = 2;
	assert_string_equal(next_beside(*state, list, 3, &work, now, &ms), "A");
	assert_string_equal(
	    next_beside(*state, list + 1, 2, &work, now, &ms), "");
	assert_int_equal(ms, UINT64_MAX);
	assert_int_equal(again(*state, "C", now), 2 * INBOX_WAIT_FIRST_MS);
}

static void
places_are_kept_for_what_comes(void **state)
{
	struct report_mail list[] = {{"A", 1, 1}, {"B", 2, 1}};
	const struct inbox_work work = {.n = 0, .is_full_of_again = true};
	uint64_t ms;

	assert_false(inbox_wait_is_known(*state, "A"));
	assert_false(inbox_wait_is_known(*state, ""));
	(void)again(*state, "A", 0);
	assert_true(inbox_wait_is_known(*state, "A"));
	assert_string_equal(
	    next(*state, list, 1, INBOX_WAIT_FIRST_MS, &ms), "A");
	assert_string_equal(
	    next_beside(*state, list, 1, &work, INBOX_WAIT_FIRST_MS, &ms), "");
	assert_string_equal(
	    next_beside(*state, list, 2, &work, INBOX_WAIT_FIRST_MS, &ms), "B");
}

/* Half of them: who asks in vain, and asks again, keeps nobody out. */
static void
half_of_the_places_are_for_new_ones(void **state)
{
	struct inbox_work work = {.n = 0};

	(void)state;
	for (int i = 0; i < INBOX_WORK_MAX / 2; i++) {
		assert_false(work.is_full_of_again);
		inbox_work_add(&work, i == 0 ? "first" : "other", true);
	}
	assert_true(work.is_full_of_again);
	assert_int_equal(work.n, INBOX_WORK_MAX / 2);
	assert_string_equal(work.names[0], "first");
	assert_string_equal(work.names[1], "other");
	work = (struct inbox_work){.n = 0};
	for (int i = 0; i < INBOX_WORK_MAX; i++)
		inbox_work_add(&work, "new", false);
	assert_false(work.is_full_of_again);
	assert_int_equal(work.n, INBOX_WORK_MAX);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(each_wait_is_twice_the_last),
	    CASE(what_comes_is_before_what_waits),
	    CASE(half_of_the_room_is_for_what_comes),
	    CASE(half_of_the_octets_are_for_what_comes),
	    CASE(what_is_under_way_is_not_begun_again),
	    CASE(places_are_kept_for_what_comes),
	    CASE(half_of_the_places_are_for_new_ones),
	};

	return cmocka_run_group_tests_name("inbox_waits", tests, NULL, NULL);
}
