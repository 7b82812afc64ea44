/* What conn.h promises about writing, between two ends in one loop. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "mta/net/conn.h"
#include "mta/net/loop.h"

#include "tests/support/test.h"

#define MUCH (8u << 20) /* more than the kernel takes at once */

/* Two ends; `near` writes, `far` reads. */
struct talk {
	struct loop *loop;
	struct listener *listener;
	struct timer *limit;
	struct conn *near, *far;
	struct buf heard; /* by far */
	unsigned drained;
	bool inside; /* a call into mta/net/ */
	bool down;
	bool eager;    /* near writes again whenever that is done */
	size_t wanted; /* stop once far has heard so much */
};

static void
on_up(void *owner)
{
	struct talk *t = owner;

	if (t->far != NULL)
		loop_stop(t->loop);
}

static void
on_nothing(void *owner)
{
	(void)owner;
}

static void
on_data(void *owner, struct span bytes)
{
	struct talk *t = owner;

	assert_int_equal(buf_add(&t->heard, bytes), 0);
	if (t->heard.n >= t->wanted && (t->drained > 0 || t->near == NULL))
		loop_stop(t->loop);
}

static void
on_drained(void *owner)
{
	struct talk *t = owner;

	assert_false(t->inside);
	assert_int_equal(conn_backlog(t->near), 0);
	t->drained++;
	if (t->eager)
		conn_write(t->near, SPAN("x"));
	if (t->heard.n >= t->wanted)
		loop_stop(t->loop);
}

static void
on_down(void *owner, const struct err *err)
{
	struct talk *t = owner;

	assert_false(t->inside);
	assert_int_equal(err->kind, ERR_TEMP);
	t->down = true;
	loop_stop(t->loop);
}

static const struct conn_ops near_ops = {
    .on_up = on_up,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_nothing,
    .on_down = on_down,
};

static const struct conn_ops far_ops = {
    .on_data = on_data,
    .on_deadline = on_nothing,
    .on_down = on_down,
};

static void
on_accept(void *owner, struct conn *conn)
{
	struct talk *t = owner;

	t->far = conn;
	conn_adopt(conn, &far_ops, t);
	loop_stop(t->loop);
}

static void
on_limit(void *arg)
{
	struct talk *t = arg;

	loop_stop(t->loop);
	fail_msg("nothing happened for 10 s");
}

static int
setup(void **state)
{
	struct talk *t = mem_new(sizeof(*t));
	struct net_address address;
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof(ss);
	struct err err;
	int fd;

	assert_true(net_address_ip("127.0.0.1", 0, &address));
	fd = net_listen(&address, 8, &err);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	net_address_from((struct sockaddr *)&ss, &address);
	t->loop = loop_new();
	t->limit = timer_new(t->loop, on_limit, t);
	timer_start(t->limit, 10000);
	buf_init(&t->heard, 2u * MUCH);
	t->listener = listener_new(t->loop, fd, on_accept, t);
	t->near = conn_connect(t->loop, &address, NULL, &near_ops, t);
	while (t->far == NULL)
		loop_run(t->loop);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct talk *t = *state;

	conn_abort(&t->near);
	conn_abort(&t->far);
	listener_close(&t->listener);
	timer_free(&t->limit);
	buf_free(&t->heard);
	loop_free(&t->loop);
	mem_free(t);
	return 0;
}

static void
write_bytes(struct talk *t, struct span bytes)
{
	t->inside = true;
	conn_write(t->near, bytes);
	t->inside = false;
}

static struct span
much(void)
{
	char *p = mem_new(MUCH);

	for (size_t i = 0; i < MUCH; i++)
		p[i] = (char)('a' + i % 23);
	return (struct span){p, MUCH};
}

static void
test_little(void **state)
{
	struct talk *t = *state;

	t->wanted = 5;
	write_bytes(t, SPAN("hello"));
	assert_int_equal(conn_backlog(t->near), 0);
	assert_int_equal(t->drained, 0);
	loop_run(t->loop);
	assert_int_equal(t->drained, 1);
	assert_true(span_eq(buf_span(&t->heard), SPAN("hello")));
}

/* The kernel takes a part, the rest waits, and what comes later waits too. */
static void
test_much_in_order(void **state)
{
	struct talk *t = *state;
	struct span all = much();

	t->wanted = MUCH + 3;
	write_bytes(t, all);
	assert_true(conn_backlog(t->near) > 0);
	assert_true(conn_backlog(t->near) < MUCH);
	write_bytes(t, SPAN("end"));
	loop_run(t->loop);
	assert_int_equal(conn_backlog(t->near), 0);
	assert_int_equal(t->drained, 1);
	assert_int_equal(t->heard.n, MUCH + 3);
	assert_memory_equal(t->heard.p, all.p, MUCH);
	assert_memory_equal(t->heard.p + MUCH, "end", 3);
	mem_free((char *)(uintptr_t)all.p);
}

/* What was written before conn_close() is still sent. */
static void
test_close_sends(void **state)
{
	struct talk *t = *state;
	struct span all = much();

	t->wanted = MUCH;
	write_bytes(t, all);
	conn_close(&t->near);
	loop_run(t->loop);
	assert_int_equal(t->heard.n, MUCH);
	mem_free((char *)(uintptr_t)all.p);
}

/* Closed by its owner right after a write: no callback follows. */
static void
test_close_after_little(void **state)
{
	struct talk *t = *state;

	t->wanted = 5;
	write_bytes(t, SPAN("hello"));
	conn_close(&t->near);
	loop_run(t->loop);
	assert_int_equal(t->heard.n, 5);
	assert_int_equal(t->drained, 0);
}

/* The peer is gone: told from the loop, whatever the first write says. */
static void
test_peer_gone(void **state)
{
	struct talk *t = *state;
	struct span all = much();

	conn_abort(&t->far);
	for (unsigned i = 0; i < 8 && !t->down; i++) {
		write_bytes(t, all);
		loop_run_once(t->loop);
	}
	assert_true(t->down);
	mem_free((char *)(uintptr_t)all.p);
}

/* The kernel takes thousands of these before it wants somebody to read. */
static void
test_others_have_a_turn(void **state)
{
	struct talk *t = *state;

	t->eager = true;
	t->wanted = 1;
	write_bytes(t, SPAN("x"));
	loop_run(t->loop);
	assert_in_range(t->heard.n, 1, 10);
	assert_in_range(t->drained, 1, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_little, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_much_in_order, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_close_sends, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_close_after_little, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_others_have_a_turn, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_peer_gone, setup, teardown),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
