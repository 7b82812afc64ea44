/* Which reports are to be written, where they go, and what became of them. */
#include <stdio.h>
#include <string.h>

#include "dnssec/name.h"

#include "tests/support/report_place.h"
#include "tests/support/test.h"

#define DAY REPORT_DAY
#define NOW ((DAY + 1) * REPORT_DAY_S + 600)

#define count report_place_count
#define plan  report_place_plan

/* "a.example b.example ": what report_store_next() goes through. */
static const char *
walk(struct report_place *place, enum report_which which, int64_t day)
{
	static char text[500];
	char name[DNS_NAME_SIZE] = "", next[DNS_NAME_SIZE];
	struct err err;
	int n = 0, rc;

	text[0] = '\0';
	while ((rc = report_store_next(place->store, which, day, name, next,
		    sizeof(next), &err)) > 0) {
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s ", next);
		(void)snprintf(name, sizeof(name), "%s", next);
	}
	assert_int_equal(rc, 0);
	return text;
}

static const char *
left(struct report_place *place, int64_t day)
{
	return walk(place, REPORT_UNPLANNED, day);
}

static void
note_one(const struct report_try *try, void *arg)
{
	char *text = arg;
	size_t n = strlen(text);

	assert_string_equal(try->id, "an-id");
	(void)snprintf(text + n, 1000 - n, "%d %s %u %s %s %u %d %s; ",
	    (int)(try->day - DAY), try->domain, try->number, try->rua,
	    report_state_name(try->state), try->tries, (int)(try->next - NOW),
	    try->why);
}

static const char *
due_by(
    struct report_place *place, enum report_way way, int64_t now, size_t most)
{
	static char text[1000];
	struct err err;

	text[0] = '\0';
	if (report_store_due(
		place->store, way, now, most, note_one, text, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

static const char *
due(struct report_place *place, int64_t now, size_t most)
{
	return due_by(place, REPORT_BY_MAIL, now, most);
}

static const char *
listed(struct report_place *place, int64_t since)
{
	static char text[1000];
	const struct report_try behind = {.day = since, .domain = ""};
	struct err err;

	text[0] = '\0';
	if (report_store_list(
		place->store, &behind, 100, note_one, text, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

static void
note(struct report_place *place, const char *domain, const char *rua,
    enum report_state state, uint32_t tries, int64_t next, const char *why)
{
	struct report_try try = {.day = DAY,
	    .domain = domain,
	    .rua = rua,
	    .state = state,
	    .tries = tries,
	    .next = next,
	    .why = why};
	struct err err;

	if (report_store_note(place->store, &try, &err) < 0)
		fail_msg("%s", err.text);
}

static const char *const two[] = {"r@b.example", "https://b.example/"};

static void
every_domain_is_planned_once(void **state)
{
	struct report_place *place = *state;

	assert_string_equal(left(place, DAY), "");
	count(place, DAY, "c.example");
	count(place, DAY, "a.example");
	count(place, DAY, "b.example");
	count(place, DAY + 1, "d.example");
	assert_string_equal(left(place, DAY), "a.example b.example c.example ");
	plan(place, DAY, "b.example", two, 2, NOW);
	plan(place, DAY, "c.example", NULL, 0, NOW);
	assert_string_equal(left(place, DAY), "a.example ");
	assert_string_equal(left(place, DAY + 1), "d.example ");
	assert_string_equal(
	    walk(place, REPORT_COUNTED, DAY), "a.example b.example c.example ");
	/* not again, and not for what was never counted */
	note(place, "b.example", "r@b.example", REPORT_SENT, 1, 0, "");
	plan(place, DAY, "b.example", two, 2, NOW);
	plan(place, DAY, "c.example", two, 2, NOW);
	plan(place, DAY, "x.example", two, 2, NOW);
	assert_string_equal(listed(place, 0),
	    "0 b.example 1 r@b.example sent 1 -1795911000 ; "
	    "0 b.example 2 https://b.example/ due 0 0 ; ");
	assert_string_equal(listed(place, DAY + 1), "");
}

static void
what_is_due_is_told_in_order(void **state)
{
	struct report_place *place = *state;

	count(place, DAY, "a.example");
	count(place, DAY, "b.example");
	plan(place, DAY, "a.example", two, 1, NOW + 100);
	plan(place, DAY, "b.example", two, 2, NOW + 50);
	assert_string_equal(due(place, NOW + 49, 10), "");
	assert_string_equal(
	    due(place, NOW + 50, 10), "0 b.example 1 r@b.example due 0 50 ; ");
	assert_string_equal(due_by(place, REPORT_BY_POST, NOW + 50, 10),
	    "0 b.example 2 https://b.example/ due 0 50 ; ");
	assert_string_equal(
	    due(place, NOW + 100, 1), "0 b.example 1 r@b.example due 0 50 ; ");
	note(place, "b.example", "r@b.example", REPORT_DUE, 1, NOW + 300,
	    "451 later");
	note(place, "b.example", "https://b.example/", REPORT_GIVEN_UP, 1, 0,
	    "404");
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	assert_string_equal(due(place, NOW + 1000, 10),
	    "0 a.example 1 r@b.example due 0 100 ; "
	    "0 b.example 1 r@b.example due 1 300 451 later; ");
	note(place, "b.example", "r@b.example", REPORT_SENT, 2, 0, NULL);
	assert_string_equal(due(place, NOW + 1000, 10),
	    "0 a.example 1 r@b.example due 0 100 ; ");
	assert_string_equal(listed(place, DAY),
	    "0 a.example 1 r@b.example due 0 100 ; "
	    "0 b.example 1 r@b.example sent 2 -1795911000 ; "
	    "0 b.example 2 https://b.example/ given-up 1 -1795911000 404; ");
}

/* RFC 3986 3.1: a scheme in any case; an address may look like one. */
static void
what_is_posted_has_a_line_of_its_own(void **state)
{
	static const char *const rua[] = {
	    "HTTPS://b.example/", "https@b.example", "https:@", "http"};
	struct report_place *place = *state;

	count(place, DAY, "a.example");
	plan(place, DAY, "a.example", rua, 4, NOW);
	assert_string_equal(due(place, NOW, 10),
	    "0 a.example 2 https@b.example due 0 0 ; "
	    "0 a.example 4 http due 0 0 ; ");
	assert_string_equal(due_by(place, REPORT_BY_POST, NOW, 10),
	    "0 a.example 1 HTTPS://b.example/ due 0 0 ; "
	    "0 a.example 3 https:@ due 0 0 ; ");
}

static int
heard(struct report_place *place, const char *domain, unsigned number,
    enum report_state state, const char *why)
{
	struct report_try try = {.day = DAY,
	    .domain = domain,
	    .number = number,
	    .state = state,
	    .next = NOW + 9000,
	    .why = why};
	char rua[100] = "";
	struct err err;
	int rc = report_store_heard(place->store, &try, rua, sizeof(rua), &err);

	if (rc < 0)
		fail_msg("%s", err.text);
	if (rc > 0)
		assert_string_equal(rua, number == 1 ? two[0] : two[1]);
	return rc;
}

static void
queued(struct report_place *place, const char *domain, const char *rua)
{
	struct report_try try = {
	    .day = DAY, .domain = domain, .rua = rua, .next = NOW + 5000};
	struct err err;

	if (report_store_queued(place->store, &try, &err) < 0)
		fail_msg("%s", err.text);
}

static const char *
overdue(struct report_place *place, int64_t now)
{
	static char text[1000];
	struct err err;

	text[0] = '\0';
	if (report_store_overdue(place->store, now, 10, note_one, text, &err) <
	    0)
		fail_msg("%s", err.text);
	return text;
}

static void
what_is_in_the_queue_is_not_sent_again(void **state)
{
	struct report_place *place = *state;

	count(place, DAY, "a.example");
	plan(place, DAY, "a.example", two, 2, NOW);
	queued(place, "a.example", two[0]);
	assert_string_equal(due(place, NOW + 9999, 10), "");
	assert_string_equal(due_by(place, REPORT_BY_POST, NOW + 9999, 10),
	    "0 a.example 2 https://b.example/ due 0 0 ; ");
	assert_int_equal(
	    heard(place, "a.example", 1, REPORT_QUEUED, "451 later"), 1);
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	/* Another word about it makes it stay no longer. */
	assert_string_equal(overdue(place, NOW + 4999), "");
	assert_string_equal(overdue(place, NOW + 5000),
	    "0 a.example 1 r@b.example queued 0 5000 451 later; ");
	assert_int_equal(heard(place, "a.example", 1, REPORT_SENT, ""), 1);
	assert_string_equal(overdue(place, NOW + 9999), "");
	/* What has its end keeps it. */
	assert_int_equal(
	    heard(place, "a.example", 1, REPORT_GIVEN_UP, "550 no"), 0);
	queued(place, "a.example", two[0]);
	assert_string_equal(listed(place, DAY),
	    "0 a.example 1 r@b.example sent 0 5000 ; "
	    "0 a.example 2 https://b.example/ due 0 0 ; ");
	assert_int_equal(heard(place, "a.example", 3, REPORT_SENT, ""), 0);
	assert_int_equal(heard(place, "x.example", 1, REPORT_SENT, ""), 0);
}

/* The queue may be done with it before we know that it has it. */
static void
its_end_may_be_told_first(void **state)
{
	struct report_place *place = *state;

	count(place, DAY, "a.example");
	plan(place, DAY, "a.example", two, 2, NOW);
	assert_int_equal(heard(place, "a.example", 1, REPORT_SENT, ""), 1);
	queued(place, "a.example", two[0]);
	assert_int_equal(
	    heard(place, "a.example", 2, REPORT_QUEUED, "451 later"), 1);
	queued(place, "a.example", two[1]);
	assert_string_equal(due(place, NOW + 99999, 10), "");
	assert_string_equal(listed(place, DAY),
	    "0 a.example 1 r@b.example sent 0 9000 ; "
	    "0 a.example 2 https://b.example/ queued 0 9000 451 later; ");
}

static void
trouble_until(struct report_place *place, const char *rua, int64_t until)
{
	struct report_trouble put = {2, NOW + until, NOW + until};
	struct err err;

	assert_int_equal(report_store_put_trouble(
			     place->store, "a.example", rua, &put, &err),
	    0);
}

/* It was ahead: nobody waits until it comes there again. */
static void
a_clock_set_back_puts_nothing_off(void **state)
{
	static const char *const rua[] = {"a", "b", "c", "d"};
	const int64_t month = 32 * REPORT_DAY_S, week = 7 * REPORT_DAY_S;
	struct report_place *place = *state;
	struct err err;

	count(place, DAY, "a.example");
	plan(place, DAY, "a.example", rua, 4, NOW);
	note(place, "a.example", "a", REPORT_DUE, 1, NOW + 14400, "");
	note(place, "a.example", "b", REPORT_DUE, 1, NOW + 14401, "");
	note(place, "a.example", "c", REPORT_QUEUED, 1, NOW + 93600, "");
	note(place, "a.example", "d", REPORT_QUEUED, 1, NOW + 99 * month, "");
	trouble_until(place, "a", month);
	trouble_until(place, "b", month + 1);
	trouble_until(place, "c", month + week);
	trouble_until(place, "d", month + week + 1);
	assert_int_equal(report_store_set_back(place->store, NOW, &err), 0);
	assert_string_equal(listed(place, DAY),
	    "0 a.example 1 a due 1 14400 ; 0 a.example 2 b due 1 0 ; "
	    "0 a.example 3 c queued 1 93600 ; "
	    "0 a.example 4 d queued 1 93600 ; ");
	assert_int_equal(report_place_sql(place,
			     "SELECT count(*) FROM troubles WHERE rua = 'a'"
			     " AND until = 1795911000 + 2764800"),
	    1);
	assert_int_equal(report_place_sql(place,
			     "SELECT count(*) FROM troubles"
			     " WHERE until = 1795911000 AND failures = 2"),
	    3);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM doubts"
				    " WHERE until = 1795911000 AND rua = 'd'"),
	    1);
	assert_int_equal(report_place_sql(place, "SELECT count(*) FROM doubts"
						 " WHERE until = 1795911000"),
	    1);
}

/* The clock was ahead, or its word took long: that it was sent is the truth. */
static void
what_was_not_heard_of_may_be_sent_yet(void **state)
{
	struct report_place *place = *state;

	count(place, DAY, "a.example");
	plan(place, DAY, "a.example", two, 2, NOW);
	note(place, "a.example", two[0], REPORT_GIVEN_UP, 1, REPORT_UNHEARD,
	    "nothing");
	note(place, "a.example", two[1], REPORT_GIVEN_UP, 1, 0, "550 no");
	assert_int_equal(
	    heard(place, "a.example", 1, REPORT_QUEUED, "451 later"), 0);
	assert_int_equal(
	    heard(place, "a.example", 1, REPORT_GIVEN_UP, "550 no"), 0);
	assert_int_equal(heard(place, "a.example", 1, REPORT_SENT, ""), 1);
	assert_int_equal(heard(place, "a.example", 1, REPORT_SENT, ""), 0);
	assert_int_equal(heard(place, "a.example", 2, REPORT_SENT, ""), 0);
	assert_int_equal(
	    report_place_sql(place, "SELECT state FROM tries WHERE number = 1"),
	    REPORT_SENT);
}

static void
one_can_be_planned_again(void **state)
{
	static const char *const three[] = {
	    "new@b.example", "r@b.example", "https://b.example/"};
	struct report_place *place = *state;
	struct err err;

	assert_int_equal(
	    report_store_again(place->store, DAY, "a.example", NOW, &err), 0);
	count(place, DAY, "a.example");
	plan(place, DAY, "a.example", two, 2, NOW);
	note(place, "a.example", two[0], REPORT_GIVEN_UP, 3, 0, "550 no");
	note(place, "a.example", two[1], REPORT_SENT, 1, 0, "");
	assert_int_equal(
	    report_store_again(place->store, DAY, "a.example", NOW + 9, &err),
	    1);
	assert_string_equal(left(place, DAY), "a.example ");
	plan(place, DAY, "a.example", three, 3, NOW + 9);
	assert_string_equal(listed(place, DAY),
	    "0 a.example 1 r@b.example due 0 9 ; "
	    "0 a.example 2 https://b.example/ sent 1 -1795911000 ; "
	    "0 a.example 3 new@b.example due 0 9 ; ");
	/* One that no record names any more stays as it is. */
	note(place, "a.example", two[0], REPORT_GIVEN_UP, 3, 0, "550 no");
	assert_int_equal(
	    report_store_again(place->store, DAY, "a.example", NOW + 10, &err),
	    1);
	plan(place, DAY, "a.example", three, 1, NOW + 10);
	assert_string_equal(listed(place, DAY),
	    "0 a.example 1 r@b.example given-up 3 -1795911000 550 no; "
	    "0 a.example 2 https://b.example/ sent 1 -1795911000 ; "
	    "0 a.example 3 new@b.example due 0 10 ; ");
}

/* What we did not write is not sent. */
static void
a_state_nobody_knows_is_the_last(void **state)
{
	struct report_place *place = *state;

	count(place, DAY, "a.example");
	plan(place, DAY, "a.example", two, 1, NOW);
	(void)report_place_sql(place, "UPDATE tries SET state = 7");
	assert_string_equal(due(place, NOW, 10), "");
	assert_string_equal(
	    listed(place, 0), "0 a.example 1 r@b.example given-up 0 0 ; ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_domain_is_planned_once,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(what_is_due_is_told_in_order,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_posted_has_a_line_of_its_own, report_place_set_up,
		report_place_tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_in_the_queue_is_not_sent_again, report_place_set_up,
		report_place_tear_down),
	    cmocka_unit_test_setup_teardown(its_end_may_be_told_first,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(a_clock_set_back_puts_nothing_off,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(
		what_was_not_heard_of_may_be_sent_yet, report_place_set_up,
		report_place_tear_down),
	    cmocka_unit_test_setup_teardown(one_can_be_planned_again,
		report_place_set_up, report_place_tear_down),
	    cmocka_unit_test_setup_teardown(a_state_nobody_knows_is_the_last,
		report_place_set_up, report_place_tear_down),
	};

	return cmocka_run_group_tests_name("report_tries", tests, NULL, NULL);
}
