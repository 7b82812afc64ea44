/* Messages between processes, over a real socket pair and loop. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "mta/net/channel.h"
#include "mta/net/loop.h"

#include "tests/support/test.h"

struct heard {
	struct loop *loop;
	struct channel *channel;
	unsigned messages;
	uint16_t type;
	size_t bytes;
	char last; /* of the last payload */
	int fd;
	bool closed;
	bool close_at_first;
	struct timer *limit;
};

static void
on_message(void *owner, uint16_t type, struct span payload, int fd)
{
	struct heard *h = owner;

	h->messages++;
	h->type = type;
	h->bytes += payload.n;
	h->last = payload.n > 0 ? payload.p[payload.n - 1] : '\0';
	if (fd >= 0)
		h->fd = fd;
	if (h->close_at_first) {
		channel_close(&h->channel);
		loop_stop(h->loop);
	}
}

static void
on_closed(void *owner)
{
	struct heard *h = owner;

	h->closed = true;
	loop_stop(h->loop);
}

static const struct channel_ops ops = {on_message, on_closed};

static void
on_limit(void *arg)
{
	struct heard *h = arg;

	loop_stop(h->loop);
	fail_msg("nothing happened for 5 s");
}

static int
heard_open(struct heard *h)
{
	int fds[2];

	*h = (struct heard){.loop = loop_new(), .fd = -1};
	assert_int_equal(channel_pair(fds), 0);
	h->channel = channel_new(h->loop, fds[0], &ops, h);
	h->limit = timer_new(h->loop, on_limit, h);
	timer_start(h->limit, 5000);
	return fds[1];
}

static void
heard_close(struct heard *h)
{
	timer_free(&h->limit);
	channel_close(&h->channel);
	loop_free(&h->loop);
}

static void
many_messages_arrive_in_order_and_whole(void **state)
{
	struct heard in, out;
	int fds[2];
	char *big = mem_new(1u << 20);

	(void)state;
	in = (struct heard){.loop = loop_new(), .fd = -1};
	assert_int_equal(channel_pair(fds), 0);
	in.channel = channel_new(in.loop, fds[0], &ops, &in);
	out = (struct heard){.loop = in.loop};
	out.channel = channel_new(in.loop, fds[1], &ops, &out);
	in.limit = timer_new(in.loop, on_limit, &in);
	timer_start(in.limit, 5000);
	big[(1u << 20) - 1] = 'z';
	for (unsigned i = 0; i < 1000; i++)
		channel_send(out.channel, 7, SPAN("abc"));
	channel_send(out.channel, 8, (struct span){big, 1u << 20});
	assert_true(channel_backlog(out.channel) > 0);
	while (in.messages < 1001)
		loop_run_once(in.loop);
	assert_int_equal(in.bytes, 3000 + (1u << 20));
	assert_int_equal(in.type, 8);
	assert_int_equal(in.last, 'z');
	channel_close(&out.channel);
	heard_close(&in);
	mem_free(big);
}

static void
a_descriptor_comes_with_its_message(void **state)
{
	struct heard in, out;
	int fds[2], passed[2];
	char byte = 0;

	(void)state;
	in = (struct heard){.loop = loop_new(), .fd = -1};
	assert_int_equal(channel_pair(fds), 0);
	in.channel = channel_new(in.loop, fds[0], &ops, &in);
	out = (struct heard){.loop = in.loop};
	out.channel = channel_new(in.loop, fds[1], &ops, &out);
	in.limit = timer_new(in.loop, on_limit, &in);
	timer_start(in.limit, 5000);
	assert_int_equal(channel_pair(passed), 0);
	channel_send(out.channel, 1, SPAN("before"));
	channel_send_fd(out.channel, 2, SPAN("with"), passed[0]);
	while (in.messages < 2)
		loop_run_once(in.loop);
	assert_true(in.fd >= 0);
	assert_int_equal(write(passed[1], "x", 1), 1);
	assert_int_equal(read(in.fd, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(close(in.fd), 0);
	assert_int_equal(close(passed[1]), 0);
	channel_close(&out.channel);
	heard_close(&in);
}

/* What a process gone mad may write. */
static void
bad_frames_end_the_channel(void **state)
{
	const struct {
		const char *why;
		struct span bytes;
	} rows[] = {
	    {"longer than allowed", SPAN("\xff\xff\xff\x7f\x01\x00\x00\x00")},
	    {"a descriptor promised and missing",
		SPAN("\x00\x00\x00\x00\x01\x00\x01\x00")},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct heard h;
		int fd = heard_open(&h);

		assert_int_equal(write(fd, rows[i].bytes.p, rows[i].bytes.n),
		    (ssize_t)rows[i].bytes.n);
		loop_run(h.loop);
		if (!h.closed || h.messages > 0)
			fail_msg("%s", rows[i].why);
		assert_int_equal(close(fd), 0);
		heard_close(&h);
	}
}

static void
half_a_frame_is_no_message(void **state)
{
	struct heard h;
	int fd = heard_open(&h);

	(void)state;
	assert_int_equal(
	    write(fd, "\x05\x00\x00\x00\x01\x00\x00\x00xy", 10), 10);
	assert_int_equal(close(fd), 0);
	loop_run(h.loop);
	assert_true(h.closed);
	assert_int_equal(h.messages, 0);
	heard_close(&h);
}

static void
the_owner_may_close_inside_its_callback(void **state)
{
	struct heard h;
	int fd = heard_open(&h);

	(void)state;
	h.close_at_first = true;
	assert_int_equal(write(fd,
			     "\x00\x00\x00\x00\x01\x00\x00\x00"
			     "\x00\x00\x00\x00\x01\x00\x00\x00",
			     16),
	    16);
	loop_run(h.loop);
	assert_int_equal(h.messages, 1);
	assert_int_equal(close(fd), 0);
	heard_close(&h);
}

#define PIECES 40u
#define PIECE  100000u /* more than goes out with others */

/* Sent, and not taken by the kernel: nobody reads yet. */
static int
finished_with_much_to_say(struct loop *loop)
{
	struct heard out = {.loop = loop};
	char *piece = mem_new(PIECE);
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	out.channel = channel_new(loop, fds[1], &ops, &out);
	for (unsigned i = 0; i < PIECES; i++)
		channel_send(out.channel, 7, (struct span){piece, PIECE});
	channel_finish(&out.channel);
	assert_null(out.channel);
	loop_run_once(loop);
	mem_free(piece);
	return fds[0];
}

/* A process that is slow to read loses nothing by another taking its place. */
static void
what_was_sent_arrives_after_the_end(void **state)
{
	struct heard in = {.loop = loop_new(), .fd = -1};
	int fd = finished_with_much_to_say(in.loop);

	(void)state;
	in.channel = channel_new(in.loop, fd, &ops, &in);
	in.limit = timer_new(in.loop, on_limit, &in);
	timer_start(in.limit, 5000);
	loop_run(in.loop);
	assert_true(in.closed);
	assert_int_equal(in.messages, PIECES);
	assert_int_equal(in.bytes, PIECES * PIECE);
	heard_close(&in);
}

/* Neither who is gone nor who hears nothing more keeps the loop. */
static void
an_end_does_not_wait_for_who_is_gone(void **state)
{
	struct loop *loop = loop_new();
	struct heard out = {.loop = loop};
	int fds[2];

	(void)state;
	assert_int_equal(close(finished_with_much_to_say(loop)), 0);
	assert_int_equal(channel_pair(fds), 0);
	out.channel = channel_new(loop, fds[1], &ops, &out);
	channel_finish(&out.channel);
	channel_finish(&out.channel);
	(void)alarm(5);
	loop_free(&loop);
	(void)alarm(0);
	assert_false(out.closed);
	assert_int_equal(close(fds[0]), 0);
}

struct eager {
	struct loop *loop;
	struct timer *timers[2];
	unsigned turns;
};

/* Each starts both again, at once. */
static void
on_eager(void *arg)
{
	struct eager *eager = arg;

	timer_start(eager->timers[0], 0);
	timer_start(eager->timers[1], 0);
	(void)usleep(2000);
	if (++eager->turns == 100)
		loop_stop(eager->loop);
}

static void
on_heard(void *arg)
{
	struct eager *eager = arg;

	loop_stop(eager->loop);
}

static void
timers_that_start_themselves_leave_others_a_turn(void **state)
{
	struct eager eager = {.loop = loop_new()};
	struct watch *watch;
	int fds[2];

	(void)state;
	assert_int_equal(channel_pair(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	watch = watch_new(eager.loop, fds[0], on_heard, &eager);
	for (size_t i = 0; i < 2; i++)
		eager.timers[i] = timer_new(eager.loop, on_eager, &eager);
	timer_start(eager.timers[0], 0);
	loop_run(eager.loop);
	assert_in_range(eager.turns, 1, 10);
	watch_free(&watch);
	for (size_t i = 0; i < 2; i++)
		timer_free(&eager.timers[i]);
	loop_free(&eager.loop);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(close(fds[i]), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(many_messages_arrive_in_order_and_whole),
	    cmocka_unit_test(a_descriptor_comes_with_its_message),
	    cmocka_unit_test(bad_frames_end_the_channel),
	    cmocka_unit_test(half_a_frame_is_no_message),
	    cmocka_unit_test(the_owner_may_close_inside_its_callback),
	    cmocka_unit_test(what_was_sent_arrives_after_the_end),
	    cmocka_unit_test(an_end_does_not_wait_for_who_is_gone),
	    cmocka_unit_test(timers_that_start_themselves_leave_others_a_turn),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
