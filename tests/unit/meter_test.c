/* What the supervisor answers to the web role. */
#include "mta/net/channel.h"
#include "mta/supervisor/private.h"

#include "tests/support/test.h"

static unsigned sent;
static struct ipc_ask heard;

void __wrap_channel_send(
    struct channel *channel, uint16_t type, struct span payload);

void
__wrap_channel_send(struct channel *channel, uint16_t type, struct span payload)
{
	(void)channel;
	sent++;
	assert_int_equal(type, IPC_ANSWER);
	assert_true(ipc_take_ask(payload, &heard));
	/* it is lent */
	assert_int_equal(heard.text.n, 0);
}

/* Else it would wait until its patience ends, and say that we are away. */
static void
what_cannot_be_made_is_told(void **state)
{
	struct supervisor supervisor = {.current = NULL};
	struct child child = {.supervisor = &supervisor,
	    .channel = (struct channel *)&supervisor};
	const struct ipc_ask ask = {.id = 7, .text = SPAN("nothing")};

	(void)state;
	meter_answer(&child, &ask);
	assert_int_equal(sent, 1);
	assert_int_equal(heard.id, 7);
	assert_true(heard.last);
	child.channel = NULL; /* it has gone */
	meter_answer(&child, &ask);
	assert_int_equal(sent, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_cannot_be_made_is_told),
	};

	return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
