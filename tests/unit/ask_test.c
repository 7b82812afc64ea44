/* What an operator asks for, and what he is told. */
#include <string.h>

#include "base/text.h"
#include "mta/queue/ask.h"

#include "tests/support/test.h"

static const struct queue_entry usual = {
    .job = {.destination = "mx:far.example", .arrived = 1000, .attempts = 3},
    .state = JOB_WAITING,
    .due = 5000,
    .reason = "4.4.1 far.example: Connection refused",
};

static void
filters_choose(void **state)
{
	static const struct {
		struct control_request request;
		int64_t age;
		bool matches;
	} rows[] = {
	    {{.limit = 0}, 0, true},
	    {{.target = "mx:far.example"}, 0, true},
	    {{.target = "far.example"}, 0, true},
	    {{.target = "FAR.example"}, 0, true},
	    {{.target = "mx"}, 0, false},
	    {{.target = "example"}, 0, false},
	    {{.target = "mx:other.example"}, 0, false},
	    {{.filter.state = "waiting"}, 0, true},
	    {{.filter.state = "held"}, 0, false},
	    {{.filter.state = "wait"}, 0, false},
	    {{.filter.reason = "4.4.1"}, 0, true},
	    {{.filter.reason = "connection REFUSED"}, 0, true},
	    {{.filter.reason = "4.4.2"}, 0, false},
	    {{.filter.older = 60}, 59, false},
	    {{.filter.older = 60}, 60, true},
	    {{.filter.newer = 60}, 60, true},
	    {{.filter.newer = 60}, 61, false},
	    {{.filter.older = 60, .filter.newer = 90}, 70, true},
	    {{.filter.older = 60, .filter.reason = "zzz"}, 70, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (ask_matches_entry(&rows[i].request, &usual,
			usual.job.arrived + rows[i].age) != rows[i].matches)
			fail_msg("row %zu", i);
}

static void
targets_are_found_by_many_names(void **state)
{
	static const struct {
		const char *wanted, *target;
		bool matches, whole;
	} rows[] = {
	    {"mx:far.example", "mx:far.example", true, true},
	    {"MX:FAR.Example", "mx:far.example", true, true},
	    {"far.example", "mx:far.example", true, false},
	    {"smtp:mx.example", "smtp:mx.example:25", true, true},
	    {"smtp:mx.example:26", "smtp:mx.example:25", false, true},
	    {"mx.example:25", "smtp:mx.example:25", true, false},
	    {"mx.example", "smtp:mx.example:25", true, false},
	    {"example", "smtp:mx.example:25", false, false},
	    {"smtp:192.0.2.1", "smtp:[192.0.2.1]:25", true, true},
	    {"192.0.2.1:25", "smtp:[192.0.2.1]:25", true, false},
	    {"192.0.2.1", "smtp:[192.0.2.1]:25", true, false},
	    {"192.0.2.1:2525", "smtp:[192.0.2.1]:25", false, false},
	    {"[2001:DB8::1]:25", "smtp:[2001:db8::1]:25", true, false},
	    {"lmtp:unix:/run/l", "lmtp:unix:/run/l", true, true},
	    {"unix:/run/l", "lmtp:unix:/run/l", true, false},
	    {"discard", "discard", true, true},
	    {"discard", "mx:far.example", false, true},
	    {"", "mx:far.example", true, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct control_request request = {0};
		struct queue_entry entry = usual;
		bool whole;

		(void)text_copy(
		    request.target, sizeof(request.target), rows[i].wanted);
		whole = ask_canonical(request.target);
		entry.job.destination = rows[i].target;
		if (whole != rows[i].whole ||
		    ask_matches_entry(&request, &entry, 1000) !=
			rows[i].matches)
			fail_msg("%s, %s", rows[i].wanted, rows[i].target);
	}
}

static void
addresses_match(void **state)
{
	static const struct {
		const char *wanted, *address;
		bool matches;
	} rows[] = {
	    {"", "a@b.example", true},
	    {"", "", true},
	    {"a@b.example", "A@B.example", true},
	    {"a@b.example", "aa@b.example", false},
	    {"a@b.example", "", false},
	    {"@b.example", "a@b.example", true},
	    {"@b.example", "a@c.b.example", false},
	    {"@b.example", "", false},
	    {"<>", "", true},
	    {"<>", "a@b.example", false},
	    {"a", "a@b.example", false},
	    {"postmaster", "postmaster", true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (ask_matches_address(rows[i].wanted, rows[i].address) !=
		    rows[i].matches)
			fail_msg("%s, %s", rows[i].wanted, rows[i].address);
}

static void
only_addresses_need_the_envelope(void **state)
{
	struct control_request cheap = {.target = "a:b",
	    .filter = {.reason = "x", .state = "held", .older = 1, .newer = 2}};
	struct control_request dear = {.filter.sender = "<>"};
	struct control_request dear_too = {.filter.recipient = "@b"};

	(void)state;
	assert_false(ask_needs_envelope(&cheap));
	assert_true(ask_needs_envelope(&dear));
	assert_true(ask_needs_envelope(&dear_too));
}

static void
words_tell_what_is_next(void **state)
{
	static const struct {
		enum job_state state;
		uint32_t attempts;
		int64_t due;
		const char *says;
	} rows[] = {
	    {JOB_WAITING, 3, 720,
		"will be tried again in 12 minutes, for the 4th time; given "
		"up on Thu, 01 Jan 1970 00:16:40 +0000"},
	    {JOB_WAITING, 0, 1, "will be tried in 1 second, for the 1st time;"},
	    {JOB_WAITING, 1, -9, "will be tried again in 0 seconds, for the 2"},
	    {JOB_READY, 2, 0, "waits for its turn, for the 3rd time; given"},
	    {JOB_LEASED, 10, 0, "is being tried now, for the 11th time;"},
	    {JOB_LEASED, 11, 0, "is being tried now, for the 12th time;"},
	    {JOB_LEASED, 20, 0, "is being tried now, for the 21st time;"},
	    {JOB_LEASED, 111, 0, "is being tried now, for the 112th time;"},
	    {JOB_HELD, 0, 0, "held, to be tried once it is released, for the"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct queue_entry entry = {.state = rows[i].state,
		    .due = rows[i].due,
		    .job.attempts = rows[i].attempts};
		char words[ASK_WORDS_SIZE];

		ask_words(&entry, 0, 1000, words);
		if (strncmp(words, rows[i].says, strlen(rows[i].says)) != 0)
			fail_msg("%s", words);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filters_choose),
	    cmocka_unit_test(targets_are_found_by_many_names),
	    cmocka_unit_test(addresses_match),
	    cmocka_unit_test(only_addresses_need_the_envelope),
	    cmocka_unit_test(words_tell_what_is_next),
	};

	return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}
