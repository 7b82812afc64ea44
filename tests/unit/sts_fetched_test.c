/* What becomes of a cached MTA-STS policy: fetches, clocks, the end. */
#include "policy/sts_cache.h"

#include "tests/support/sts_rows.h"
#include "tests/support/test.h"

static const char *const patterns[] = {"mx.example"};
static const struct sts_policy fresh = {
    .mode = STS_MODE_TESTING, .max_age = 1000, .mx = patterns, .nmx = 1};

/* RFC 8461 3.2: "up to this value from the last policy fetch time" */
static void
a_fetched_policy_replaces_the_old(void **state)
{
	static const struct sts_entry olds[] = {
	    EMPTY,
	    {0},
	    TRIED(HOUR, "b", 7),
	    POLICY(DAY, WEEK, "a"),
	    POLICY(2 * WEEK, WEEK, "a"),
	    TRIED_POLICY(DAY, WEEK, "a", 5, "b", 3),
	};
	struct sts_fetch fetch = {STS_FETCHED_POLICY, &fresh, "b"};

	(void)state;
	for (size_t i = 0; i < ROWS(olds); i++) {
		struct sts_entry entry = sts_cache_fetched(
		    &olds[i], &fetch, NOW);
		struct sts_record record = FOUND("b");
		struct sts_answer answer = sts_cache_ask(
		    &entry, &record, NOW, 0);

		assert_int_equal(entry.state, STS_ENTRY_POLICY);
		assert_int_equal(entry.policy.mode, STS_MODE_TESTING);
		assert_ptr_equal(entry.policy.mx, patterns);
		assert_string_equal(entry.id, "b");
		assert_int_equal(entry.fetched_at, NOW);
		assert_int_equal(entry.expires_at, NOW + 1000);
		assert_int_equal(entry.last_try, NOW);
		assert_int_equal(entry.last_used, olds[i].last_used);
		assert_int_equal(entry.failures, 0);
		assert_int_equal(answer.step, USE);
		assert_true(answer.current);
	}
}

/* RFC 8461 10.2: the life is prolonged, the id is not known to be another */
static void
a_refresh_without_a_record_keeps_the_id(void **state)
{
	static const struct sts_entry old = POLICY(DAY, WEEK, "a");
	struct sts_fetch fetch = {STS_FETCHED_POLICY, &fresh, ""};
	struct sts_entry entry = sts_cache_fetched(&old, &fetch, NOW);
	struct sts_record same = FOUND("a");

	(void)state;
	assert_string_equal(entry.id, "a");
	assert_string_equal(entry.tried_id, "a");
	assert_int_equal(entry.expires_at, NOW + 1000);
	assert_int_equal(sts_cache_ask(&entry, &same, NOW, 0).step, USE);
}

/* RFC 8461 3.3: a valid policy outlives any failure, and is still applied */
static void
a_failed_fetch_changes_no_policy(void **state)
{
	static const struct sts_policy unread = {0};
	static const struct sts_fetch fetches[] = {
	    {STS_FETCHED_NOTHING, NULL, "b"},
	    {STS_FETCHED_INVALID, NULL, "b"},
	    {STS_FETCHED_NOTHING, &fresh, "b"},
	    {STS_FETCHED_INVALID, &fresh, "b"},
	    {STS_FETCHED_POLICY, &unread, "b"},
	};
	static const struct sts_entry old = POLICY(DAY, WEEK, "a");
	struct sts_record records[] = {
	    FOUND("a"), FOUND("b"), ABSENT, BROKEN, FAILED};

	(void)state;
	for (size_t i = 0; i < ROWS(fetches); i++) {
		struct sts_entry entry = sts_cache_fetched(
		    &old, &fetches[i], NOW);

		assert_int_equal(entry.state, STS_ENTRY_POLICY);
		assert_int_equal(entry.policy.mode, STS_MODE_ENFORCE);
		assert_string_equal(entry.id, "a");
		assert_int_equal(entry.fetched_at, NOW - DAY);
		assert_int_equal(entry.expires_at, NOW - DAY + WEEK);
		assert_int_equal(entry.last_try, NOW);
		assert_string_equal(entry.tried_id, "b");
		assert_int_equal(entry.failures, 1);
		/* Whoever waited asks once more: the old one applies. */
		for (size_t k = 0; k < ROWS(records); k++)
			assert_int_equal(
			    sts_cache_ask(&entry, &records[k], NOW, 0).step,
			    USE);
	}
}

/* RFC 8461 3.3: the pause is per id, whatever else is tried meanwhile. */
static void
a_refresh_without_a_record_keeps_the_pause(void **state)
{
	static const struct sts_entry old = TRIED_POLICY(
	    2 * DAY, WEEK, "a", HOUR, "b", 3);
	struct sts_fetch fetch = {STS_FETCHED_NOTHING, NULL, ""};
	struct sts_entry entry = sts_cache_fetched(&old, &fetch, NOW);
	struct sts_record record = FOUND("b");

	(void)state;
	assert_string_equal(entry.tried_id, "b");
	assert_int_equal(entry.failures, 4);
	assert_int_equal(
	    sts_cache_ask(&entry, &record, NOW + 40 * MINUTE - 1, 0).step, USE);
	assert_int_equal(
	    sts_cache_ask(&entry, &record, NOW + 40 * MINUTE, 0).step, REFRESH);
}

/* What was not tried says nothing of the policy host. */
static void
a_fetch_that_was_not_tried_changes_nothing(void **state)
{
	static const struct sts_entry old = TRIED_POLICY(
	    DAY, WEEK, "a", 5, "b", 3);
	static const struct sts_fetch fetches[] = {
	    {0, NULL, "c"}, {STS_FETCHED_NOT_TRIED, &fresh, "c"}};

	(void)state;
	for (size_t i = 0; i < ROWS(fetches); i++) {
		struct sts_entry entry = sts_cache_fetched(
		    &old, &fetches[i], NOW);

		assert_memory_equal(&entry, &old, sizeof(old));
	}
}

/* RFC 8461 5.1: no message fails before a newer policy was looked for */
static void
a_policy_that_refuses_mail_may_be_fetched_anew(void **state)
{
	static const struct sts_entry fresh_one = POLICY(MINUTE, WEEK, "a");
	static const struct sts_entry old_one = POLICY(HOUR, WEEK, "a");
	static const struct sts_entry failed = TRIED_POLICY(
	    DAY, WEEK, "a", 6 * MINUTE, "a", 2);
	static const struct sts_entry none = EMPTY;

	(void)state;
	assert_false(sts_cache_may_insist(&fresh_one, NOW));
	assert_true(sts_cache_may_insist(&old_one, NOW));
	assert_false(sts_cache_may_insist(&failed, NOW));
	assert_true(sts_cache_may_insist(&failed, NOW + 4 * MINUTE));
	assert_false(sts_cache_may_insist(&none, NOW));
	assert_false(sts_cache_may_insist(&old_one, NOW + WEEK));
}

/* RFC 8461 3.3: "as though the domain has not implemented MTA-STS" */
static void
a_failed_first_fetch_leaves_no_policy(void **state)
{
	struct sts_fetch fetch = {STS_FETCHED_NOTHING, NULL, "a"};
	struct sts_fetch other = {STS_FETCHED_INVALID, NULL, "b"};
	struct sts_entry entry = EMPTY;
	struct sts_entry unread = {0};
	struct sts_record record = FOUND("a");

	(void)state;
	entry = sts_cache_fetched(&entry, &fetch, NOW);
	assert_int_equal(entry.state, STS_ENTRY_EMPTY);
	assert_int_equal(sts_cache_ask(&entry, &record, NOW, 0).step, NONE);
	entry = sts_cache_fetched(&entry, &other, NOW);
	assert_int_equal(entry.failures, 2);
	assert_string_equal(entry.tried_id, "b");
	entry.failures = UINT32_MAX;
	entry = sts_cache_fetched(&entry, &other, NOW);
	assert_int_equal(entry.failures, UINT32_MAX);
	/* What could not be read is not known to be empty. */
	unread = sts_cache_fetched(&unread, &fetch, NOW);
	assert_int_equal(sts_cache_ask(&unread, &record, NOW, 0).step, DEFER);
}

/* All of an entry lies in the future: the clock was set back by a year. */
static void
a_clock_set_back_drops_and_delays_nothing(void **state)
{
	static const int64_t back = (int64_t)365 * DAY;
	struct sts_entry policy = POLICY(0, WEEK, "a");
	struct sts_entry brief = POLICY(0, 3600, "a");
	struct sts_entry tried = TRIED(0, "a", 9);
	struct sts_record same = FOUND("a");
	struct sts_record other = FOUND("b");
	struct sts_fetch fetch = {STS_FETCHED_POLICY, &fresh, "a"};
	struct sts_answer answer = sts_cache_ask(&policy, &same, NOW - back, 0);

	(void)state;
	assert_int_equal(answer.step, REFRESH);
	assert_true(answer.current);
	assert_int_equal(
	    sts_cache_ask(&policy, &other, NOW - back, 0).step, FETCH);
	assert_true(sts_cache_is_due(&policy, NOW - back, 0));
	assert_false(sts_cache_is_over(&policy, NOW - back));
	assert_int_equal(
	    sts_cache_ask(&brief, &same, NOW - back, 0).step, REFRESH);
	assert_int_equal(
	    sts_cache_ask(&tried, &same, NOW - back, 0).step, FETCH);
	/* Failures count from then on, as ever. */
	policy.failures = 5;
	assert_true(sts_cache_is_due(&policy, NOW - back, 0));
	policy.last_try = NOW - back;
	assert_false(sts_cache_is_due(&policy, NOW - back, 0));
	/* And the next fetch heals the entry. */
	policy = sts_cache_fetched(&policy, &fetch, NOW - back);
	assert_true(sts_cache_used(&policy, NOW - back));
	assert_int_equal(policy.expires_at, NOW - back + 1000);
	assert_int_equal(policy.last_used, NOW - back);
	assert_false(sts_cache_is_due(&policy, NOW - back, 0));
}

/* RFC 8461 3.2: it lives no longer than max_age from when that is seen. */
static void
what_was_fetched_in_the_future_lives_from_now_on(void **state)
{
	static const int64_t ahead = (int64_t)365 * DAY;
	static const struct sts_entry old = POLICY(-ahead, WEEK, "a");
	struct sts_fetch fetch = {STS_FETCHED_NOTHING, NULL, "a"};
	struct sts_record same = FOUND("a");
	struct sts_entry used = old;
	struct sts_entry tried = sts_cache_fetched(&old, &fetch, NOW);

	(void)state;
	assert_int_equal(old.fetched_at, NOW + ahead);
	assert_true(sts_cache_used(&used, NOW));
	assert_int_equal(used.fetched_at, NOW);
	assert_int_equal(used.expires_at, NOW + WEEK);
	assert_int_equal(used.last_used, NOW);
	assert_false(sts_cache_used(&used, NOW));
	/* It is still one to be fetched anew. */
	assert_int_equal(sts_cache_ask(&used, &same, NOW, 0).step, REFRESH);
	assert_true(sts_cache_is_due(&used, NOW, 0));
	assert_int_equal(tried.expires_at, NOW + WEEK);
	assert_int_equal(tried.failures, 1);
	/* Once seen it does not begin again. */
	assert_false(sts_cache_used(&tried, NOW + HOUR));
	tried = sts_cache_fetched(&tried, &fetch, NOW + HOUR);
	assert_int_equal(tried.expires_at, NOW + WEEK);
	assert_int_equal(
	    sts_cache_ask(&tried, &same, NOW + WEEK + 1, 0).step, FETCH);
	/* Nor does what was fetched in its time, or never. */
	tried = (struct sts_entry)POLICY(0, WEEK, "a");
	assert_false(sts_cache_used(&tried, NOW));
	tried = (struct sts_entry)EMPTY;
	tried.last_used = tried.fetched_at = NOW + ahead;
	assert_true(sts_cache_used(&tried, NOW));
	assert_int_equal(tried.expires_at, 0);
}

/* The clock was ahead for a while: a year, and nobody asked meanwhile. */
static void
a_clock_set_ahead_forgets_no_policy(void **state)
{
	static const int64_t ahead = (int64_t)365 * DAY;
	static const struct sts_entry old = POLICY(HOUR, WEEK, "a");
	struct sts_fetch fetch = {STS_FETCHED_NOTHING, NULL, "a"};
	struct sts_record none = ABSENT;
	struct sts_entry tried = sts_cache_fetched(&old, &fetch, NOW + ahead);

	(void)state;
	assert_false(sts_cache_is_over(&old, NOW + ahead));
	assert_int_equal(sts_cache_ask(&old, &none, NOW, 0).step, USE);
	/* Those for which mail comes are fetched, and that fails. */
	assert_false(sts_cache_is_over(&tried, NOW + ahead + DAY));
	assert_true(sts_cache_is_over(&tried, NOW + ahead + DAY + 1));
	assert_false(sts_cache_is_over(&tried, NOW));
	/* No refresh waits for that day to come. */
	assert_int_equal(sts_cache_ask(&tried, &none, NOW, 0).step, REFRESH);
}

static void
entries_are_forgotten_when_they_say_nothing(void **state)
{
	static const struct {
		struct sts_entry entry;
		bool over;
	} rows[] = {
	    {{0}, false},
	    {EMPTY, true},
	    {TRIED(DAY, "a", 1), false},
	    {TRIED(DAY + 1, "a", 1), true},
	    {TRIED(-DAY, "a", 1), false},
	    {POLICY(WEEK, WEEK, "a"), false},
	    {POLICY(WEEK + 1, WEEK, "a"), false},
	    {POLICY(52 * WEEK, WEEK, "a"), false},
	    {POLICY(WEEK + 366 * DAY, WEEK, "a"), false},
	    {POLICY(WEEK + 366 * DAY + 1, WEEK, "a"), true},
	    {TRIED_POLICY(2 * WEEK, WEEK, "a", WEEK + 1, "a", 1), false},
	    {TRIED_POLICY(2 * WEEK, WEEK, "a", WEEK, "a", 1), true},
	    {TRIED_POLICY(WEEK + 1, WEEK, "a", DAY, "a", 3), false},
	    {TRIED_POLICY(WEEK + 2 * DAY, WEEK, "a", DAY + 1, "a", 3), true},
	    /* one that never lives longer than its fetch */
	    {POLICY(DAY, 0, "a"), false},
	    {POLICY(DAY + 1, 0, "a"), true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(
		    sts_cache_is_over(&rows[i].entry, NOW), rows[i].over);
}

/* RFC 8461 10.2: repeated failures, and not with mode "none" */
static void
administrators_are_told_of_failures(void **state)
{
	struct sts_entry entry = TRIED_POLICY(DAY, WEEK, "a", HOUR, "a", 2);
	struct sts_entry tried = TRIED(0, "a", 9);

	(void)state;
	assert_false(sts_cache_alerts(&entry, NOW));
	entry.failures = 3;
	assert_true(sts_cache_alerts(&entry, NOW));
	entry.policy.mode = STS_MODE_TESTING;
	assert_true(sts_cache_alerts(&entry, NOW));
	assert_false(sts_cache_alerts(&entry, NOW + WEEK));
	entry.policy.mode = STS_MODE_NONE;
	assert_false(sts_cache_alerts(&entry, NOW));
	assert_false(sts_cache_alerts(&tried, NOW));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fetched_policy_replaces_the_old),
	    cmocka_unit_test(a_refresh_without_a_record_keeps_the_id),
	    cmocka_unit_test(a_failed_fetch_changes_no_policy),
	    cmocka_unit_test(a_refresh_without_a_record_keeps_the_pause),
	    cmocka_unit_test(a_fetch_that_was_not_tried_changes_nothing),
	    cmocka_unit_test(a_policy_that_refuses_mail_may_be_fetched_anew),
	    cmocka_unit_test(a_failed_first_fetch_leaves_no_policy),
	    cmocka_unit_test(a_clock_set_back_drops_and_delays_nothing),
	    cmocka_unit_test(what_was_fetched_in_the_future_lives_from_now_on),
	    cmocka_unit_test(a_clock_set_ahead_forgets_no_policy),
	    cmocka_unit_test(entries_are_forgotten_when_they_say_nothing),
	    cmocka_unit_test(administrators_are_told_of_failures),
	};

	return cmocka_run_group_tests_name("sts_fetched", tests, NULL, NULL);
}
