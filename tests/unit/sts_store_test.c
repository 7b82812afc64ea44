/* MTA-STS policies on disk: what is kept, replaced, forgotten and found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

#include "tests/support/sts_place.h"
#include "tests/support/test.h"

static void
set_id(char to[STS_ID_MAX + 1], const char *id)
{
	assert_true(text_copy(to, STS_ID_MAX + 1, id));
}

/* --- one domain ----------------------------------------------------------- */

static void
every_field_comes_back(void **state)
{
	struct place *place = *state;
	struct sts_entry full = place_entry(place, NOW), got;
	struct err err;
	struct stat st;

	full.last_used = NOW + 11;
	full.last_try = NOW + 12;
	full.failures = UINT32_MAX;
	set_id(full.id, "abcdefghijklmnopqrstuvwxyz012345");
	set_id(full.tried_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ678901");
	place_put(place, "full.example", &full);
	got = place_get(place, "full.example");
	place_same(&got, &full);
	assert_int_equal(stat(place_path(place, "sts.db"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	/* The same by one that has only the file to go by. */
	sts_store_close(&place->store);
	assert_int_equal(
	    sts_store_open(place->folder, 100, &place->store, &err), 0);
	got = place_get(place, "full.example");
	place_same(&got, &full);
}

static void
a_try_without_a_policy_comes_back(void **state)
{
	struct place *place = *state;
	struct sts_entry tried = {.state = STS_ENTRY_EMPTY,
	    .last_used = NOW,
	    .last_try = NOW + 3,
	    .tried_id = "x1",
	    .failures = 4};
	struct sts_entry got = place_get(place, "none.example");

	assert_int_equal(got.state, STS_ENTRY_EMPTY);
	assert_int_equal(got.last_try, 0);
	place_put(place, "tried.example", &tried);
	got = place_get(place, "tried.example");
	place_same(&got, &tried);
	got = place_get(place, "none.example");
	assert_int_equal(got.state, STS_ENTRY_EMPTY);
	assert_int_equal(got.last_try, 0);
}

static void
the_largest_policy_comes_back(void **state)
{
	struct place *place = *state;
	static char text[STS_POLICY_MAX];
	struct sts_entry entry = place_policy(place, NOW, "enforce", 1000), got;
	struct err err;

	assert_int_equal(entry.policy.nmx, STS_MX_MAX);
	place_put(place, "many.example", &entry);
	got = place_get(place, "many.example");
	place_same(&got, &entry);

	memcpy(text, entry.policy.text.p, entry.policy.text.n);
	memset(text + entry.policy.text.n, '\n',
	    sizeof(text) - entry.policy.text.n);
	assert_int_equal(sts_policy_read((struct span){text, sizeof(text)},
			     place->arena, &entry.policy, &err),
	    0);
	place_put(place, "long.example", &entry);
	got = place_get(place, "long.example");
	assert_int_equal(got.policy.text.n, STS_POLICY_MAX);
	place_same(&got, &entry);
}

static void
what_could_not_be_read_again_is_not_put(void **state)
{
	struct place *place = *state;
	struct sts_entry good = place_entry(place, NOW), bad[12];
	size_t n = 0;
	struct err err;

	for (size_t i = 0; i < ROWS(bad); i++)
		bad[i] = good;
	bad[n++].state = STS_ENTRY_UNKNOWN;
	bad[n++].policy.text = (struct span){0};
	bad[n++].policy.text = SPAN("version: STSv1\nmode: enforce\n");
	bad[n++].expires_at = NOW - 1;
	bad[n++].expires_at = NOW + STS_MAX_AGE + 1;
	bad[n++].fetched_at = 0;
	bad[n++].fetched_at = -1;
	bad[n++].last_used = -1;
	bad[n++].last_try = INT64_MAX;
	set_id(bad[n++].id, "a-b");
	set_id(bad[n++].tried_id, " ");
	bad[n++].state = STS_ENTRY_EMPTY; /* and yet it was fetched */
	assert_int_equal(n, ROWS(bad));
	place_put(place, "a.example", &good);
	for (size_t i = 0; i < n; i++) {
		if (sts_store_put(place->store, "a.example", &bad[i], &err) !=
		    -1)
			fail_msg("%zu: put", i);
		assert_true(err.kind != ERR_NONE);
	}
	assert_int_equal(
	    sts_store_put(place->store, "A.example", &good, &err), -1);
	assert_int_equal(
	    sts_store_put(place->store, "a..example", &good, &err), -1);
	bad[0] = place_get(place, "a.example");
	place_same(&bad[0], &good);
}

/* --- what replaces what --------------------------------------------------- */

static void
an_older_policy_replaces_none(void **state)
{
	static const struct {
		int64_t fetched_at;
		bool newer;
	} rows[] = {
	    {NOW + 1, true}, {NOW, true}, {NOW - 1, false}, {NOW + DAY, true}};
	struct place *place = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sts_entry old = place_entry(place, NOW), got, put;
		char domain[32];

		put = place_policy(place, rows[i].fetched_at, "testing", 1);
		put.last_used = NOW + 20;
		put.last_try = NOW + 30;
		put.failures = 5;
		set_id(put.id, "new");
		set_id(put.tried_id, "tried");
		(void)snprintf(domain, sizeof(domain), "d%zu.example", i);
		place_put(place, domain, &old);
		place_put(place, domain, &put);
		got = place_get(place, domain);
		if (!rows[i].newer) {
			put.policy = old.policy;
			put.fetched_at = old.fetched_at;
			put.expires_at = old.expires_at;
			set_id(put.id, old.id);
		}
		place_same(&got, &put);
	}
}

static void
a_try_replaces_no_policy(void **state)
{
	struct place *place = *state;
	struct sts_entry policy = place_entry(place, NOW), got;
	struct sts_entry tried = {.state = STS_ENTRY_EMPTY,
	    .last_used = NOW + 9,
	    .last_try = NOW + 8,
	    .tried_id = "x2",
	    .failures = 7};

	place_put(place, "a.example", &tried);
	place_put(place, "a.example", &policy);
	got = place_get(place, "a.example");
	place_same(&got, &policy);
	place_put(place, "a.example", &tried);
	got = place_get(place, "a.example");
	policy.last_used = tried.last_used;
	policy.last_try = tried.last_try;
	policy.failures = tried.failures;
	set_id(policy.tried_id, tried.tried_id);
	place_same(&got, &policy);
	/* One who has never used it: it is in use all the same. */
	tried.last_used = 0;
	place_put(place, "a.example", &tried);
	got = place_get(place, "a.example");
	place_same(&got, &policy);
}

/* A clock that was ahead would keep it there for good. */
static void
a_policy_of_a_day_to_come_is_replaced(void **state)
{
	struct place *place = *state;
	struct sts_entry ahead = place_entry(place, INT64_C(7000000000));
	struct sts_entry policy = place_policy(place, NOW, "testing", 1), got;
	struct sts_entry tried = {.state = STS_ENTRY_EMPTY, .last_try = NOW};

	place_put(place, "a.example", &ahead);
	place_put(place, "a.example", &tried);
	got = place_get(place, "a.example");
	assert_int_equal(got.state, STS_ENTRY_POLICY);
	assert_int_equal(got.fetched_at, ahead.fetched_at);
	place_put(place, "a.example", &policy);
	got = place_get(place, "a.example");
	place_same(&got, &policy);
}

/* --- forgetting ----------------------------------------------------------- */

static void
what_is_forgotten_is_gone(void **state)
{
	struct place *place = *state;
	struct sts_entry entry = place_entry(place, NOW), got;
	struct err err;
	size_t n = 9;

	assert_int_equal(
	    sts_store_forget(place->store, "a.example", &n, &err), 0);
	assert_int_equal(n, 0);
	place_put(place, "a.example", &entry);
	place_put(place, "b.example", &entry);
	assert_int_equal(
	    sts_store_forget(place->store, "a.example", &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(
	    sts_store_forget(place->store, "a.example", &n, &err), 0);
	assert_int_equal(n, 0);
	got = place_get(place, "a.example");
	assert_int_equal(got.state, STS_ENTRY_EMPTY);
	got = place_get(place, "b.example");
	assert_int_equal(got.state, STS_ENTRY_POLICY);
}

static void
a_sweep_takes_what_is_over(void **state)
{
	struct place *place = *state;
	static const int64_t ages[] = {1, 7, 9, 10, 30}; /* days */
	struct sts_entry tried = {.state = STS_ENTRY_EMPTY};
	struct err err;
	char domain[32];
	size_t n, most = SIZE_MAX;

	assert_int_equal(sts_store_sweep(place->store, NOW, most, &n, &err), 0);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < ROWS(ages); i++) {
		struct sts_entry entry = place_entry(
		    place, NOW - ages[i] * DAY);

		(void)snprintf(
		    domain, sizeof(domain), "d%d.example", (int)ages[i]);
		/* It was asked for once more; and one is still. */
		entry.last_try = ages[i] == 30 ? NOW - DAY : entry.expires_at;
		place_put(place, domain, &entry);
	}
	tried.last_try = NOW - DAY;
	place_put(place, "late.example", &tried);
	tried.last_try = NOW - DAY - 1;
	place_put(place, "over.example", &tried);
	assert_int_equal(sts_store_sweep(place->store, NOW, 2, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(sts_store_sweep(place->store, NOW, most, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(
	    place_get(place, "d1.example").state, STS_ENTRY_POLICY);
	assert_int_equal(
	    place_get(place, "d7.example").state, STS_ENTRY_POLICY);
	assert_int_equal(
	    place_get(place, "d10.example").state, STS_ENTRY_EMPTY);
	assert_int_equal(place_get(place, "d9.example").state, STS_ENTRY_EMPTY);
	assert_int_equal(
	    place_get(place, "d30.example").state, STS_ENTRY_POLICY);
	assert_int_equal(place_get(place, "late.example").last_try, NOW - DAY);
	assert_int_equal(place_get(place, "over.example").last_try, 0);
}

/* --- walking -------------------------------------------------------------- */

struct seen {
	struct place *place;
	size_t n;
	char names[400][32];
};

static void
see(const char *domain, const struct sts_entry *entry, void *arg)
{
	struct seen *seen = arg;
	struct sts_entry got = place_get(seen->place, domain);

	assert_true(seen->n < ROWS(seen->names));
	place_same(entry, &got);
	(void)snprintf(
	    seen->names[seen->n++], sizeof(seen->names[0]), "%s", domain);
}

static void
each_one_is_seen_in_order(void **state)
{
	struct place *place = *state;
	struct seen seen = {.place = place};
	struct sts_entry tried = {.state = STS_ENTRY_EMPTY, .last_try = NOW};
	struct err err;
	char domain[32];

	assert_int_equal(sts_store_each(place->store, see, &seen, &err), 0);
	assert_int_equal(seen.n, 0);
	for (size_t i = 0; i < 100; i++) {
		struct sts_entry entry = place_policy(
		    place, NOW, "testing", i % 7 + 1);

		(void)snprintf(
		    domain, sizeof(domain), "d%zu.example", (i * 37) % 100);
		place_put(place, domain, i % 3 == 0 ? &tried : &entry);
	}
	assert_int_equal(sts_store_each(place->store, see, &seen, &err), 0);
	assert_int_equal(seen.n, 100);
	for (size_t i = 1; i < seen.n; i++)
		assert_true(strcmp(seen.names[i - 1], seen.names[i]) < 0);
}

static void
those_that_may_be_due_expire_first_first(void **state)
{
	struct place *place = *state;
	struct seen seen = {.place = place};
	static const char *const due[] = {
	    "d6.example", "d4.example", "d2.example", "ahead.example"};
	struct sts_entry entry, tried = {.state = STS_ENTRY_EMPTY};
	struct err err;
	char domain[32];

	/* Fetched 0 to 8 days ago; the last of them has expired. */
	for (int i = 0; i <= 8; i += 2) {
		entry = place_entry(place, NOW - i * DAY);
		(void)snprintf(domain, sizeof(domain), "d%d.example", i);
		place_put(place, domain, &entry);
	}
	place_put(place, "tried.example", &tried);
	entry = place_entry(place, NOW - 5 * DAY);
	entry.last_used = NOW - 91 * DAY;
	place_put(place, "unused.example", &entry);
	entry.last_used = NOW;
	entry.last_try = NOW - 10;
	place_put(place, "pause.example", &entry);
	entry = place_entry(place, NOW + DAY);
	entry.last_used = NOW;
	place_put(place, "ahead.example", &entry);
	assert_int_equal(
	    sts_store_each_old(place->store, NOW, 99, see, &seen, &err), 0);
	assert_int_equal(seen.n, ROWS(due));
	for (size_t i = 0; i < seen.n; i++)
		assert_string_equal(seen.names[i], due[i]);
	seen.n = 0;
	assert_int_equal(
	    sts_store_each_old(place->store, NOW, 2, see, &seen, &err), 0);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.names[1], due[1]);
}

int
main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
	    T(every_field_comes_back),
	    T(a_try_without_a_policy_comes_back),
	    T(the_largest_policy_comes_back),
	    T(what_could_not_be_read_again_is_not_put),
	    T(an_older_policy_replaces_none),
	    T(a_try_replaces_no_policy),
	    T(a_policy_of_a_day_to_come_is_replaced),
	    T(what_is_forgotten_is_gone),
	    T(a_sweep_takes_what_is_over),
	    T(each_one_is_seen_in_order),
	    T(those_that_may_be_due_expire_first_first),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
