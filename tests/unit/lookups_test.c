/* Whose record is looked up, and for how long: lookups.c without a network. */
#include <stdio.h>

#include "base/clock.h"
#include "mta/config.h"
#include "mta/report/sender.h"

#include "tests/support/test.h"

#define NOW INT64_C(1796000000)

static uint64_t clock_ms;
static size_t cancelled, failures;
static char last_why[128];

uint64_t __wrap_clock_mono_ms(void);

uint64_t
__wrap_clock_mono_ms(void)
{
	return clock_ms;
}

struct dns_query *__wrap_dns_lookup(struct dns *dns, const char *name,
    uint16_t type, dns_done *done, void *arg);

/* Nobody ever answers. */
struct dns_query *
__wrap_dns_lookup(
    struct dns *dns, const char *name, uint16_t type, dns_done *done, void *arg)
{
	(void)dns;
	(void)name;
	(void)type;
	(void)done;
	return arg;
}

void __wrap_dns_cancel(struct dns_query **query);

void
__wrap_dns_cancel(struct dns_query **query)
{
	cancelled += *query != NULL;
	*query = NULL;
}

void __wrap_sender_take_failure(
    struct sender *sender, struct agenda_item *item, const char *why);

void
__wrap_sender_take_failure(
    struct sender *sender, struct agenda_item *item, const char *why)
{
	(void)sender;
	failures++;
	(void)snprintf(last_why, sizeof(last_why), "%s", why);
	agenda_item_free(&item);
}

static const struct config config;

static int
set_up(void **state)
{
	static struct sender sender;

	sender = (struct sender){.config = &config};
	clock_ms = 1000;
	cancelled = failures = 0;
	last_why[0] = '\0';
	*state = &sender;
	return 0;
}

static int
tear_down(void **state)
{
	struct sender *sender = *state;

	lookups_cancel(sender);
	agenda_free(&sender->agenda);
	return 0;
}

static void
add(struct sender *sender, const char *domain)
{
	agenda_add(&sender->agenda, agenda_item_new(NOW, 1, domain));
}

static size_t
count_running(const struct sender *sender, const char *const *domains, size_t n)
{
	size_t running = 0;

	for (size_t i = 0; i < n; i++)
		running += lookups_have(sender, 1, domains[i]);
	return running;
}

/* Those below one zone come after others, however early they are due. */
static void
not_all_turns_go_to_one_zone(void **state)
{
	static const char *const same[] = {"a.bad.example", "b.bad.example",
	    "c.bad.example", "d.bad.example", "e.bad.example", "f.bad.example"};
	static const char *const others[] = {"good.example"};
	struct sender *sender = *state;

	for (size_t i = 0; i < ROWS(same); i++)
		add(sender, same[i]);
	add(sender, others[0]);
	lookups_begin(sender, NOW);
	assert_int_equal(
	    count_running(sender, same, ROWS(same)), AGENDA_OF_ZONE_MAX);
	assert_int_equal(count_running(sender, others, 1), 1);
	/* they are not lost, nor asked for on and on */
	assert_null(agenda_next(&sender->agenda, NOW + 1));
	assert_int_equal(sender->agenda.n, ROWS(same) - AGENDA_OF_ZONE_MAX);
	assert_int_equal(failures, 0);
}

/* Whatever the resolver has for it, also where nobody else waits. */
static void
none_takes_longer_than_half_a_minute(void **state)
{
	struct sender *sender = *state;

	add(sender, "a.example");
	lookups_begin(sender, NOW);
	clock_ms += 29999;
	lookups_begin(sender, NOW + 29);
	assert_true(lookups_have(sender, 1, "a.example"));
	assert_int_equal(failures, 0);
	clock_ms += 1;
	lookups_begin(sender, NOW + 30);
	assert_false(lookups_have(sender, 1, "a.example"));
	assert_int_equal(cancelled, 1);
	assert_int_equal(failures, 1);
	assert_string_equal(last_why, "its lookup took too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		not_all_turns_go_to_one_zone, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		none_takes_longer_than_half_a_minute, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("lookups", tests, NULL, NULL);
}
