/* Who gets a session, and how much of it: the guard's decisions. */
#include <stdio.h>
#include <string.h>

#include "base/wire.h"
#include "mta/receive/guard.h"

#include "tests/support/config.h"
#include "tests/support/test.h"

#define MINUTE 60000u

static void
a_rate_bears_a_burst_and_then_its_pace(void **state)
{
	struct rate rate = {0};
	uint64_t now = 1000;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(rate_take(&rate, 3, MINUTE, now));
	assert_false(rate_take(&rate, 3, MINUTE, now));
	assert_false(rate_take(&rate, 3, MINUTE, now + 19999));
	assert_true(rate_take(&rate, 3, MINUTE, now + 20000));
	assert_false(rate_take(&rate, 3, MINUTE, now + 20000));
	/* What was refused is not counted; a quiet minute forgets all. */
	now += 100 * (uint64_t)MINUTE;
	for (unsigned i = 0; i < 3; i++)
		assert_true(rate_take(&rate, 3, MINUTE, now));
	assert_false(rate_take(&rate, 3, MINUTE, now));
	assert_true(rate_take(&rate, 0, MINUTE, now)); /* 0: any number */
}

static struct cidr
key(unsigned n)
{
	char text[32];
	struct cidr ret;

	(void)snprintf(text, sizeof(text), "10.%u.%u.%u", n >> 16,
	    (n >> 8) & 255, n & 255);
	assert_true(cidr_network(text, &ret));
	return ret;
}

static void
networks_are_bounded_and_sessions_stay(void **state)
{
	struct networks *networks = networks_new(10);
	struct cidr first = key(0), second = key(1), later;
	struct network *busy, *used;

	(void)state;
	busy = networks_get(networks, &first);
	busy->sessions = 1;
	for (unsigned i = 1; i < 1000; i++) {
		used = networks_get(networks, &second);
		used->messages.due = 7; /* never the oldest */
		later = key(i + 1);
		(void)networks_get(networks, &later);
		assert_true(networks_count(networks) <= 10);
	}
	assert_ptr_equal(networks_get(networks, &first), busy);
	assert_int_equal(busy->sessions, 1);
	assert_int_equal(networks_get(networks, &second)->messages.due, 7);
	/* One that was dropped has done nothing. */
	later = key(2);
	assert_int_equal(networks_get(networks, &later)->messages.due, 0);
	networks_free(&networks);
	assert_null(networks);
}

struct attempt {
	const char *client;
	enum refusal kind;
};

static void
enter(struct guard *guard, const struct attempt *attempts, size_t n,
    struct guard_pass *passes)
{
	for (size_t i = 0; i < n; i++) {
		struct err err = {0};
		enum refusal kind = guard_enter(
		    guard, attempts[i].client, 1000, &passes[i], &err);

		if (kind != attempts[i].kind)
			fail_msg("%zu: %s: %s (%s)", i, attempts[i].client,
			    refusal_name(kind), err.text);
		assert_int_equal(kind != REFUSAL_NONE, err.kind == ERR_TEMP);
	}
}

#define OWN                                                          \
	LEAST "relay { from = {\"10.0.0.0/8\"} }\n"                  \
	      "defence { allow = {\"192.0.2.64/26\"} }\n"            \
	      "limits { sessions_client = 2 connections_client = 3 " \
	      "messages_client = 2 }\n"

static void
a_network_has_so_many_sessions(void **state)
{
	static const struct attempt attempts[] = {
	    {"192.0.2.1", REFUSAL_NONE},
	    {"192.0.2.1", REFUSAL_NONE},
	    {"192.0.2.1", REFUSAL_SESSIONS_CLIENT},
	    {"192.0.2.2", REFUSAL_NONE}, /* IPv4: each address by itself */
	    {"2001:db8::1", REFUSAL_NONE},
	    {"2001:db8::ffff:1", REFUSAL_NONE}, /* IPv6: a /64 */
	    {"2001:db8:0:0:1::1", REFUSAL_SESSIONS_CLIENT},
	    {"2001:db8:0:1::1", REFUSAL_NONE},
	    {"10.1.1.1", REFUSAL_NONE}, /* who may relay */
	    {"10.1.1.1", REFUSAL_NONE},
	    {"10.1.1.1", REFUSAL_NONE},
	    {"192.0.2.65", REFUSAL_NONE}, /* allowed */
	    {"192.0.2.65", REFUSAL_NONE},
	    {"192.0.2.65", REFUSAL_NONE},
	};
	struct config *config = parse_good(OWN);
	struct guard *guard = guard_new(config, 100);
	struct guard_pass passes[ROWS(attempts)], again;
	struct err err;

	(void)state;
	enter(guard, attempts, ROWS(attempts), passes);
	assert_true(passes[8].exempt && passes[11].exempt);
	assert_false(passes[0].exempt);
	/* A session that goes makes room, also one that was turned away. */
	guard_leave(guard, &passes[2]);
	guard_leave(guard, &passes[0]);
	assert_int_equal(
	    guard_enter(guard, "192.0.2.1", 1000, &again, &err), REFUSAL_NONE);
	guard_free(&guard);
	config_free(&config);
}

static void
all_together_have_so_many_sessions(void **state)
{
	static const struct attempt attempts[] = {
	    {"192.0.2.1", REFUSAL_NONE},
	    {"10.1.1.1", REFUSAL_NONE},
	    {"192.0.2.3", REFUSAL_SESSIONS},
	    {"10.1.1.1", REFUSAL_SESSIONS},
	};
	struct config *config = parse_good(OWN);
	struct guard *guard = guard_new(config, 2);
	struct guard_pass passes[ROWS(attempts)], again;
	struct err err;

	(void)state;
	enter(guard, attempts, ROWS(attempts), passes);
	for (size_t i = 0; i < ROWS(attempts); i++)
		guard_leave(guard, &passes[i]);
	assert_int_equal(
	    guard_enter(guard, "192.0.2.3", 1000, &again, &err), REFUSAL_NONE);
	guard_free(&guard);
	config_free(&config);
}

static void
connections_and_messages_have_a_pace(void **state)
{
	struct config *config = parse_good(OWN);
	struct guard *guard = guard_new(config, 100);
	struct guard_pass pass;
	struct refusals told;
	struct err err = {0};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(
		    guard_enter(guard, "192.0.2.1", 1000, &pass, &err),
		    REFUSAL_NONE);
		guard_leave(guard, &pass);
	}
	assert_int_equal(guard_enter(guard, "192.0.2.1", 1000, &pass, &err),
	    REFUSAL_CONNECTIONS_CLIENT);
	assert_string_equal(err.enhanced, "4.7.0");
	guard_leave(guard, &pass);
	assert_int_equal(
	    guard_enter(guard, "192.0.2.1", 21000, &pass, &err), REFUSAL_NONE);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
		    guard_message(guard, &pass, 21000, &err), REFUSAL_NONE);
	assert_int_equal(
	    guard_message(guard, &pass, 21000, &err), REFUSAL_MESSAGES_CLIENT);
	assert_string_equal(err.enhanced, "4.7.1");
	assert_int_equal(guard_message(guard, &pass, 21000 + 30 * MINUTE, &err),
	    REFUSAL_NONE);
	guard_leave(guard, &pass);
	assert_int_equal(
	    guard_enter(guard, "10.0.0.1", 21000, &pass, &err), REFUSAL_NONE);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(
		    guard_message(guard, &pass, 21000, &err), REFUSAL_NONE);
	guard_count(guard, REFUSAL_SLOW);
	assert_true(guard_tell(guard, &told));
	assert_int_equal(told.counts[REFUSAL_CONNECTIONS_CLIENT], 1);
	assert_int_equal(told.counts[REFUSAL_MESSAGES_CLIENT], 1);
	assert_int_equal(told.counts[REFUSAL_SLOW], 1);
	assert_int_equal(told.counts[REFUSAL_SESSIONS], 0);
	assert_false(guard_tell(guard, &told)); /* once */
	assert_int_equal(told.counts[REFUSAL_SLOW], 0);
	guard_free(&guard);
	config_free(&config);
}

static void
refusals_go_between_processes(void **state)
{
	struct refusals said = {0}, heard = {0};
	struct buf out;

	(void)state;
	for (unsigned k = 0; k < REFUSAL_KINDS; k++) {
		said.counts[k] = 7 * (uint64_t)k;
		assert_true(refusal_name((enum refusal)k)[0] != '\0');
	}
	buf_init(&out, 1024);
	refusals_put(&out, &said);
	assert_false(
	    refusals_take(span_first(buf_span(&out), out.n - 1), &heard));
	assert_int_equal(heard.counts[1], 0);
	assert_true(refusals_take(buf_span(&out), &heard));
	assert_memory_equal(&said, &heard, sizeof(said));
	assert_int_equal(put_u8(&out, 0), 0);
	assert_false(refusals_take(buf_span(&out), &heard));
	buf_free(&out);
}

/* RFC 5321 4.5.3.2: no wait ends before it is slow, and none is begun while
 * nothing is amid. */
static void
slow_ones_run_out_of_time(void **state)
{
	static const struct config_defence defence = {
	    .slow_octets = 600, .slow_ms = 10000};
	static const struct config_defence none = {.slow_ms = 10000};
	struct pace pace = {0};

	(void)state;
	pace_credit(&pace, &defence, 5, 1000);
	assert_false(pace_is_slow(&pace, 1000000));
	assert_int_equal(pace_wait(&pace, 300000, 1000), 300000);
	pace_judge(&pace, &defence, true, 1000);
	assert_int_equal(pace_wait(&pace, 300000, 1000), 10000);
	assert_int_equal(pace_wait(&pace, 5000, 1000), 5000);
	/* One octet is worth a tenth of a second, */
	pace_credit(&pace, &defence, 10, 6000);
	pace_judge(&pace, &defence, true, 6000);
	assert_int_equal(pace_wait(&pace, 300000, 6000), 6000);
	/* and a lot of them no more than slow_ms. */
	pace_credit(&pace, &defence, 1000000, 7000);
	assert_int_equal(pace_wait(&pace, 300000, 7000), 10000);
	assert_false(pace_is_slow(&pace, 16999));
	assert_true(pace_is_slow(&pace, 17000));
	assert_int_equal(pace_wait(&pace, 300000, 18000), 1);
	pace_judge(&pace, &defence, false, 18000);
	assert_false(pace_is_slow(&pace, 18000));
	pace_judge(&pace, &none, true, 18000);
	assert_false(pace_is_slow(&pace, 1800000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rate_bears_a_burst_and_then_its_pace),
	    cmocka_unit_test(networks_are_bounded_and_sessions_stay),
	    cmocka_unit_test(a_network_has_so_many_sessions),
	    cmocka_unit_test(all_together_have_so_many_sessions),
	    cmocka_unit_test(connections_and_messages_have_a_pace),
	    cmocka_unit_test(refusals_go_between_processes),
	    cmocka_unit_test(slow_ones_run_out_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
