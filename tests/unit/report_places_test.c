/* Places that do not take reports, and what comes back of those they took. */
#include <string.h>

#include "tests/support/report_place.h"
#include "tests/support/test.h"

#define DAY REPORT_DAY
#define NOW ((DAY + 1) * REPORT_DAY_S + 600)
#define OLD "r@b.example"
#define NEW "https://b.example/"

static void
trouble_with_a_place_is_remembered(void **state)
{
	struct report_place *place = *state;
	struct report_trouble put = {3, NOW + 5, 0}, got = {7, 7, 7};
	struct err err;

	assert_int_equal(
	    report_store_trouble(place->store, "a.example", OLD, &got, &err),
	    0);
	assert_int_equal(got.failures, 0);
	assert_int_equal(report_store_put_trouble(
			     place->store, "a.example", OLD, &put, &err),
	    0);
	put.failures++;
	assert_int_equal(report_store_put_trouble(
			     place->store, "a.example", OLD, &put, &err),
	    0);
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	assert_int_equal(
	    report_store_trouble(place->store, "a.example", OLD, &got, &err),
	    0);
	assert_int_equal(got.failures, 4);
	assert_int_equal(got.until, NOW + 5);
	assert_int_equal(
	    report_store_trouble(place->store, "a.example", NEW, &got, &err),
	    0);
	assert_int_equal(got.failures, 0);
	assert_int_equal(
	    report_store_trouble(place->store, "b.example", OLD, &got, &err),
	    0);
	assert_int_equal(got.failures, 0);
	put.failures = 0;
	assert_int_equal(report_store_put_trouble(
			     place->store, "a.example", OLD, &put, &err),
	    0);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM troubles"), 0);
}

/* The domain may name another place every day. */
static void
trouble_is_forgotten(void **state)
{
	struct report_place *place = *state;
	struct report_trouble put = {1, DAY * REPORT_DAY_S - 1, 0}, got;
	struct err err;

	assert_int_equal(report_store_put_trouble(
			     place->store, "a.example", OLD, &put, &err),
	    0);
	put.until++;
	assert_int_equal(report_store_put_trouble(
			     place->store, "a.example", NEW, &put, &err),
	    0);
	report_place_forget(place, DAY);
	assert_int_equal(
	    report_store_trouble(place->store, "a.example", OLD, &got, &err),
	    0);
	assert_int_equal(got.failures, 0);
	assert_int_equal(
	    report_store_trouble(place->store, "a.example", NEW, &got, &err),
	    0);
	assert_int_equal(got.failures, 1);
}

/* That it takes something is no proof of a place that sends it back. */
static void
a_place_may_be_doubted(void **state)
{
	struct report_place *place = *state;
	struct report_trouble put = {1, NOW + 5, NOW + 9}, got;
	struct err err;

	assert_int_equal(report_store_put_trouble(
			     place->store, "a.example", OLD, &put, &err),
	    0);
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	assert_int_equal(
	    report_store_trouble(place->store, "a.example", OLD, &got, &err),
	    0);
	assert_int_equal(got.doubted, NOW + 9);
	put = (struct report_trouble){2, NOW + 7, NOW + 11};
	assert_int_equal(report_store_put_trouble(
			     place->store, "a.example", OLD, &put, &err),
	    0);
	assert_int_equal(
	    report_store_trouble(place->store, "a.example", OLD, &got, &err),
	    0);
	assert_int_equal(got.failures, 2);
	assert_int_equal(got.doubted, NOW + 11);
	put = (struct report_trouble){.failures = 0};
	assert_int_equal(report_store_put_trouble(
			     place->store, "a.example", OLD, &put, &err),
	    0);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM doubts"), 0);
}

/* A report of that day to two places, taken by the first. */
static void
send_one(struct report_place *place)
{
	static const struct report_policy none = {
	    .type = POLICY_TYPE_NONE, .domain = "a.example"};
	static const char *const two[] = {OLD, NEW};
	const struct report_event one = {
	    .day = DAY, .domain = "a.example", .policy = &none, .sessions = 1};
	const struct report_plan plan = {.day = DAY,
	    .domain = "a.example",
	    .id = "id",
	    .rua = two,
	    .nrua = 2,
	    .first = NOW};
	struct report_try try = {.day = DAY,
	    .domain = "a.example",
	    .rua = OLD,
	    .number = 1,
	    .state = REPORT_SENT,
	    .why = ""};
	struct err err;

	assert_int_equal(report_place_add(place, &one, 1), 0);
	assert_int_equal(report_store_plan(place->store, &plan, &err), 0);
	assert_int_equal(report_store_note(place->store, &try, &err), 0);
	assert_int_equal(
	    report_store_put_word(place->store, "word", DAY + 1, &try, &err),
	    0);
}

static void
what_comes_back_is_of_one_report_and_place(void **state)
{
	struct report_place *place = *state;
	struct report_returned of = {.day = 0};
	struct report_try try = {.day = DAY,
	    .domain = "a.example",
	    .rua = OLD,
	    .number = 1,
	    .state = REPORT_SENT,
	    .why = ""};
	char rua[REPORT_STORE_PLACE];
	struct err err;

	send_one(place);
	assert_int_equal(report_store_word(place->store, "ward", &of, &err), 0);
	assert_int_equal(report_store_word(place->store, "word", &of, &err), 1);
	assert_int_equal(of.day, DAY);
	assert_string_equal(of.domain, "a.example");
	assert_string_equal(of.rua, OLD);
	assert_int_equal(report_store_bounced(
			     place->store, "word", &of, "it came back", &err),
	    0);
	assert_int_equal(
	    report_place_sql(place, "SELECT count(*) FROM tries"
				    " WHERE state = 2 AND why = 'it came back'"
				    " AND rua = 'r@b.example'"),
	    1);
	assert_int_equal(report_place_sql(place,
			     "SELECT count(*) FROM tries WHERE state = 0"),
	    1);
	/* Once, and what the queue says of it later changes nothing. */
	assert_int_equal(report_store_word(place->store, "word", &of, &err), 0);
	assert_int_equal(
	    report_store_heard(place->store, &try, rua, sizeof(rua), &err), 0);
}

static void
words_are_forgotten(void **state)
{
	struct report_place *place = *state;
	struct report_returned of;
	struct err err;

	send_one(place);
	report_place_forget(place, DAY + 1);
	assert_int_equal(report_store_word(place->store, "word", &of, &err), 1);
	report_place_forget(place, DAY + 3);
	assert_int_equal(report_store_word(place->store, "word", &of, &err), 0);
}

/* One that was made before there were any has its counts afterwards. */
static void
an_older_file_is_taken_over(void **state)
{
	struct report_place *place = *state;
	struct report_returned of;
	struct report report;
	struct err err;

	send_one(place);
	assert_int_equal(report_place_sql(place, "DROP TABLE words"), 0);
	assert_int_equal(report_place_sql(place, "DROP TABLE doubts"), 0);
	assert_int_equal(report_place_open(place).kind, ERR_NONE);
	assert_int_equal(report_store_word(place->store, "word", &of, &err), 0);
	assert_true(report_place_load(place, DAY, "a.example", &report));
	assert_int_equal(report.policies[0].successes, 1);
}

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
	    name, report_place_set_up, report_place_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(trouble_with_a_place_is_remembered),
	    TEST(trouble_is_forgotten),
	    TEST(a_place_may_be_doubted),
	    TEST(what_comes_back_is_of_one_report_and_place),
	    TEST(words_are_forgotten),
	    TEST(an_older_file_is_taken_over),
	};

	return cmocka_run_group_tests_name("report_places", tests, NULL, NULL);
}
