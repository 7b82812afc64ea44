/* What a cached MTA-STS policy is good for, and when it is fetched. */
#include "policy/sts_cache.h"

#include "tests/support/sts_rows.h"
#include "tests/support/test.h"

struct row {
	const char *rule;
	struct sts_entry entry;
	struct sts_record record;
	enum sts_step step;
	bool current;
};

static void
run_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct sts_answer answer = sts_cache_ask(
		    &rows[i].entry, &rows[i].record, NOW, 0);

		if (answer.step != rows[i].step ||
		    answer.current != rows[i].current ||
		    answer.why[0] == '\0' || answer.rfc[0] == '\0')
			fail_msg("%s: %s, %s, %s", rows[i].rule,
			    sts_step_name(answer.step),
			    answer.current ? "current" : "not current",
			    answer.why);
	}
}

static void
what_nobody_looked_at_defers(void **state)
{
	static const struct row rows[] = {
	    {"no cache", {0}, FOUND("a"), DEFER, false},
	    {"no cache, no record", {0}, ABSENT, DEFER, false},
	    {"no lookup", EMPTY, UNKNOWN, DEFER, false},
	    {"a forgotten lookup", EMPTY, {0}, DEFER, false},
	    {"a forgotten lookup, but a policy", POLICY(HOUR, WEEK, "a"), {0},
		DEFER, false},
	    {"no lookup, but a policy", POLICY(HOUR, WEEK, "a"), UNKNOWN, DEFER,
		false},
	    {"not asked", EMPTY, NOT_ASKED, DEFER, false},
	    {"not asked, after failures", TRIED(1, "a", 3), NOT_ASKED, DEFER,
		false},
	    {"not asked, expired", POLICY(DAY + 1, DAY, "a"), NOT_ASKED, DEFER,
		false},
	    {"not asked, no cache", {0}, NOT_ASKED, DEFER, false},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
	assert_int_equal((struct sts_answer){0}.step, DEFER);
}

/* RFC 8461 3.3: no policy, and how one is found */
static void
without_a_policy_dns_decides(void **state)
{
	static const struct row rows[] = {
	    {"nothing anywhere", EMPTY, ABSENT, NONE, true},
	    {"a malformed record is none", EMPTY, BROKEN, NONE, true},
	    {"a failed lookup", EMPTY, FAILED, NONE, false},
	    {"a record", EMPTY, FOUND("a"), FETCH, false},
	    /* RFC 8461 5.1: expired is as good as none */
	    {"expired, record", POLICY(DAY + 1, DAY, "a"), FOUND("a"), FETCH,
		false},
	    {"expired, other record", POLICY(DAY + 1, DAY, "a"), FOUND("b"),
		FETCH, false},
	    {"expired, no record", POLICY(DAY + 1, DAY, "a"), ABSENT, NONE,
		true},
	    {"expired, no answer", POLICY(DAY + 1, DAY, "a"), FAILED, NONE,
		false},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
}

/* RFC 8461 3.3, RFC 8461 3.1: nothing but a newer policy removes it */
static void
an_unexpired_policy_applies(void **state)
{
	static const struct row rows[] = {
	    {"same id", POLICY(HOUR, WEEK, "a"), FOUND("a"), USE, true},
	    {"no record", POLICY(HOUR, WEEK, "a"), ABSENT, USE, true},
	    {"malformed", POLICY(HOUR, WEEK, "a"), BROKEN, USE, true},
	    {"no answer", POLICY(HOUR, WEEK, "a"), FAILED, USE, false},
	    {"not asked", POLICY(HOUR, WEEK, "a"), NOT_ASKED, USE, false},
	    {"last second", POLICY(HOUR, HOUR, "a"), FOUND("a"), USE, true},
	    {"last second, no answer", POLICY(HOUR, HOUR, "a"), FAILED, USE,
		false},
	    {"max_age 0 serves who waited for it", POLICY(0, 0, "a"),
		FOUND("a"), USE, true},
	    {"all fetches fail", TRIED_POLICY(HOUR, WEEK, "a", MINUTE, "a", 50),
		FOUND("a"), USE, true},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
}

/* RFC 8461 3.1: "no implied ordering"; RFC 8461 5.1: any other id is news */
static void
another_id_is_fetched(void **state)
{
	static const struct row rows[] = {
	    {"later", POLICY(HOUR, WEEK, "a"), FOUND("b"), FETCH, false},
	    {"earlier", POLICY(HOUR, WEEK, "b"), FOUND("a"), FETCH, false},
	    {"other case", POLICY(HOUR, WEEK, "a"), FOUND("A"), FETCH, false},
	    {"a longer one", POLICY(HOUR, WEEK, "a"), FOUND("aa"), FETCH,
		false},
	    /* ids that change with every answer */
	    {"within a minute", POLICY(MINUTE - 1, WEEK, "a"), FOUND("b"), USE,
		false},
	    {"after a minute", POLICY(MINUTE, WEEK, "a"), FOUND("b"), FETCH,
		false},
	    /* who has a policy waits for a fetch once */
	    {"failed before", TRIED_POLICY(HOUR, WEEK, "a", HOUR, "b", 1),
		FOUND("b"), REFRESH, false},
	    {"failed just now",
		TRIED_POLICY(HOUR, WEEK, "a", 5 * MINUTE - 1, "b", 1),
		FOUND("b"), USE, false},
	    {"the old id is back", TRIED_POLICY(HOUR, WEEK, "a", 1, "b", 1),
		FOUND("a"), USE, true},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
}

/* RFC 8461 3.2: max_age from 0 on; a fetch a minute is enough for any. */
static void
short_lives_are_no_fetch_for_each_delivery(void **state)
{
	static const struct row rows[] = {
	    {"in its second", POLICY(0, 0, "a"), FOUND("a"), USE, true},
	    {"after it", POLICY(1, 0, "a"), FOUND("a"), USE, true},
	    {"to the end of the minute", POLICY(MINUTE - 1, 0, "a"), FOUND("a"),
		USE, true},
	    {"a minute later", POLICY(MINUTE, 0, "a"), FOUND("a"), FETCH,
		false},
	    {"half a minute", POLICY(MINUTE - 1, 30, "a"), FOUND("a"), USE,
		true},
	    {"half a minute, later", POLICY(MINUTE, 30, "a"), FOUND("a"), FETCH,
		false},
	    {"ids that change", POLICY(MINUTE - 1, 0, "a"), FOUND("b"), USE,
		false},
	    {"ids that change, later", POLICY(MINUTE, 0, "a"), FOUND("b"),
		FETCH, false},
	    /* RFC 8461 5.1: it has expired, and nothing says that it is */
	    {"no record", POLICY(1, 0, "a"), ABSENT, NONE, true},
	    {"malformed", POLICY(1, 0, "a"), BROKEN, NONE, true},
	    {"no answer", POLICY(1, 0, "a"), FAILED, NONE, false},
	    /* fetched long ago, and tried just now */
	    {"failed", TRIED_POLICY(WEEK + 1, WEEK, "a", 1, "a", 1), FOUND("a"),
		NONE, false},
	    {"tried, and not known why",
		TRIED_POLICY(WEEK + 1, WEEK, "a", 1, "a", 0), FOUND("a"), NONE,
		false},
	    {"never fetched, and tried", TRIED(1, "a", 0), FOUND("a"), NONE,
		false},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
}

/* RFC 8461 3.3: "a period of five minutes or longer per version ID" */
static void
failures_make_the_pause_longer(void **state)
{
	static const struct {
		uint32_t failures;
		int64_t pause;
	} rows[] = {
	    {1, 5 * MINUTE},
	    {2, 10 * MINUTE},
	    {3, 20 * MINUTE},
	    {4, 40 * MINUTE},
	    {5, HOUR},
	    {6, HOUR},
	    {1000000000, HOUR},
	    {UINT32_MAX, HOUR},
	};
	struct sts_record record = FOUND("a");
	struct sts_record other = FOUND("b");

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sts_entry entry = TRIED(
		    rows[i].pause - 1, "a", rows[i].failures);

		assert_int_equal(
		    sts_cache_ask(&entry, &record, NOW, 0).step, NONE);
		assert_int_equal(
		    sts_cache_ask(&entry, &record, NOW + 1, 0).step, FETCH);
		/* Another id waits for five minutes, whichever it is. */
		entry.last_try = NOW - 5 * MINUTE + 1;
		assert_int_equal(
		    sts_cache_ask(&entry, &other, NOW, 0).step, NONE);
		assert_int_equal(
		    sts_cache_ask(&entry, &other, NOW + 1, 0).step, FETCH);
	}
}

/* RFC 8461 3.3, RFC 8461 10.2: daily, whatever the record says */
static void
policies_are_refreshed_before_they_expire(void **state)
{
	static const struct row rows[] = {
	    {"a day", POLICY(DAY, WEEK, "a"), FOUND("a"), REFRESH, true},
	    {"less", POLICY(DAY - 1, WEEK, "a"), FOUND("a"), USE, true},
	    {"no record", POLICY(DAY, WEEK, "a"), ABSENT, REFRESH, true},
	    {"malformed", POLICY(DAY, WEEK, "a"), BROKEN, REFRESH, true},
	    {"no answer", POLICY(DAY, WEEK, "a"), FAILED, REFRESH, false},
	    {"another id comes first", POLICY(DAY, WEEK, "a"), FOUND("b"),
		FETCH, false},
	    /* a day's policy in its last quarter, shorter ones never */
	    {"lives a day", POLICY(18 * HOUR, DAY, "a"), FOUND("a"), REFRESH,
		true},
	    {"lives a day, young", POLICY(18 * HOUR - 1, DAY, "a"), FOUND("a"),
		USE, true},
	    {"lives less", POLICY(DAY - 1, DAY - 1, "a"), FOUND("a"), USE,
		true},
	    /* failures: one hour, then longer, then daily */
	    {"failed", TRIED_POLICY(2 * DAY, 52 * WEEK, "a", HOUR - 1, "a", 1),
		FOUND("a"), USE, true},
	    {"failed once", TRIED_POLICY(2 * DAY, 52 * WEEK, "a", HOUR, "a", 1),
		FOUND("a"), REFRESH, true},
	    {"failed thrice",
		TRIED_POLICY(2 * DAY, 52 * WEEK, "a", 4 * HOUR - 1, "", 3),
		FOUND("a"), USE, true},
	    {"failed thrice, longer ago",
		TRIED_POLICY(2 * DAY, 52 * WEEK, "a", 4 * HOUR, "", 3), ABSENT,
		REFRESH, true},
	    {"failed often",
		TRIED_POLICY(9 * DAY, 52 * WEEK, "a", DAY - 1, "a", 99),
		FOUND("a"), USE, true},
	    {"failed often, a day ago",
		TRIED_POLICY(9 * DAY, 52 * WEEK, "a", DAY, "a", 99), FOUND("a"),
		REFRESH, true},
	    /* the nearer the end, the more often: a day left */
	    {"a quarter of what is left",
		TRIED_POLICY(6 * DAY, WEEK, "a", 6 * HOUR, "a", 99), FOUND("a"),
		REFRESH, true},
	    {"less than that",
		TRIED_POLICY(6 * DAY, WEEK, "a", 6 * HOUR - 1, "a", 99),
		FOUND("a"), USE, true},
	    {"never more often than hourly",
		TRIED_POLICY(WEEK, WEEK, "a", HOUR - 1, "a", 99), FOUND("a"),
		USE, true},
	    {"the last second", TRIED_POLICY(WEEK, WEEK, "a", HOUR, "a", 99),
		FOUND("a"), REFRESH, true},
	};

	(void)state;
	run_rows(rows, ROWS(rows));
}

/* Spread over three hours, later and never earlier than a day. */
static void
refreshes_are_spread(void **state)
{
	static const struct {
		uint32_t jitter;
		int64_t life;
		int64_t age;
	} rows[] = {
	    {0, WEEK, DAY},
	    {1, WEEK, DAY + 1},
	    {3 * HOUR, WEEK, DAY + 3 * HOUR},
	    {3 * HOUR + 1, WEEK, DAY},
	    {UINT32_MAX, WEEK, DAY + UINT32_MAX % (3 * HOUR + 1)},
	    {8100, DAY, 18 * HOUR + 8100},
	    {8101, DAY, 18 * HOUR},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sts_entry entry = POLICY(
		    rows[i].age - 1, (uint32_t)rows[i].life, "a");

		assert_false(sts_cache_is_due(&entry, NOW, rows[i].jitter));
		assert_true(sts_cache_is_due(&entry, NOW + 1, rows[i].jitter));
		assert_true(rows[i].age < rows[i].life);
	}
}

/* Nobody fetches for ever what nobody needs. */
static void
only_what_is_used_is_refreshed(void **state)
{
	struct sts_entry entry = POLICY(2 * DAY, 31557600, "a");
	struct sts_entry nothing = {0};
	struct sts_entry empty = EMPTY;
	struct sts_entry expired = POLICY(WEEK + 1, WEEK, "a");
	struct sts_record record = FOUND("a");

	(void)state;
	entry.last_used = NOW - (int64_t)90 * DAY;
	assert_true(sts_cache_is_due(&entry, NOW, 0));
	assert_false(sts_cache_is_due(&entry, NOW + 1, 0));
	/* A delivery is a use. */
	assert_int_equal(
	    sts_cache_ask(&entry, &record, NOW + 1, 0).step, REFRESH);
	assert_true(sts_cache_used(&entry, NOW + 1));
	assert_true(sts_cache_is_due(&entry, NOW + 1, 0));
	assert_false(sts_cache_used(&entry, NOW + DAY));
	assert_int_equal(entry.last_used, NOW + 1);
	assert_true(sts_cache_used(&entry, NOW + DAY + 1));
	assert_false(sts_cache_is_due(&nothing, NOW, 0));
	assert_false(sts_cache_is_due(&empty, NOW, 0));
	assert_false(sts_cache_is_due(&expired, NOW, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_nobody_looked_at_defers),
	    cmocka_unit_test(without_a_policy_dns_decides),
	    cmocka_unit_test(an_unexpired_policy_applies),
	    cmocka_unit_test(another_id_is_fetched),
	    cmocka_unit_test(short_lives_are_no_fetch_for_each_delivery),
	    cmocka_unit_test(failures_make_the_pause_longer),
	    cmocka_unit_test(policies_are_refreshed_before_they_expire),
	    cmocka_unit_test(refreshes_are_spread),
	    cmocka_unit_test(only_what_is_used_is_refreshed),
	};

	return cmocka_run_group_tests_name("sts_cache", tests, NULL, NULL);
}
