/* Sessions with us on their way from a receive process into the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wire.h"
#include "mta/ipc_inbound.h"
#include "mta/net/channel.h"
#include "mta/net/loop.h"
#include "mta/receive/private.h"
#include "mta/receive/seen.h"
#include "mta/report/inbound.h"
#include "reporting/inbound_store.h"

#include "tests/support/test.h"

#define DAY 86400

/* A process that receives, and the report role's end of its channel. */
struct stage {
	struct config_domain domain;
	struct config config;
	struct role role;
	struct receive receive;
	struct receive_seen *seen;
	struct counting *counting;
	struct channel *report;
	struct ipc_inbound got; /* last */
	unsigned messages;
	char folder[64];
};

static int
set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	(void)snprintf(
	    stage->folder, sizeof(stage->folder), "/tmp/danelaw-flow-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	stage->domain.ntls_reports = 1;
	stage->config.domains = &stage->domain;
	stage->config.ndomains = 1;
	stage->config.state = stage->folder;
	stage->config.reporting.inbound_days = 35;
	stage->role.config = &stage->config;
	stage->role.loop = loop_new();
	stage->receive.role = &stage->role;
	stage->receive.config = &stage->config;
	*state = stage;
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = {
	    "inbound.db", "inbound.db-journal", "inbound.lock"};
	struct stage *stage = *state;
	char path[128];

	receive_seen_free(&stage->seen);
	counting_free(&stage->counting);
	channel_close(&stage->report);
	loop_free(&stage->role.loop);
	for (size_t i = 0; i < ROWS(names); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", stage->folder, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(stage->folder), 0);
	free(stage);
	return 0;
}

/* --- on the wire ---------------------------------------------------------- */

static const struct inbound_seen samples[] = {
    {.day = 20786,
	.address = {1, 2, 3, [15] = 4},
	.outcome = INBOUND_ALERT,
	.alert = 46,
	.sessions = 12},
    {.day = 0, .outcome = INBOUND_SLOW, .sessions = UINT32_MAX},
};

static void
put(struct buf *out, const struct inbound_seen *seen, size_t n, uint64_t untold)
{
	struct ipc_inbound *inbound = calloc(1, sizeof(*inbound));

	assert_non_null(inbound);
	inbound->untold = untold;
	inbound->n = n;
	if (n > 0)
		memcpy(inbound->seen, seen, n * sizeof(seen[0]));
	buf_init(out, CHANNEL_MESSAGE_MAX);
	ipc_put_inbound(out, inbound);
	free(inbound);
}

static void
what_was_seen_comes_back_and_is_never_cut(void **state)
{
	struct ipc_inbound *back = calloc(1, sizeof(*back));
	struct buf out;

	(void)state;
	put(&out, samples, ROWS(samples), 7);
	assert_true(ipc_take_inbound(buf_span(&out), back));
	assert_int_equal(back->untold, 7);
	assert_int_equal(back->n, ROWS(samples));
	for (size_t i = 0; i < back->n; i++) {
		assert_int_equal(back->seen[i].day, samples[i].day);
		assert_memory_equal(
		    back->seen[i].address, samples[i].address, INBOUND_ADDRESS);
		assert_int_equal(back->seen[i].outcome, samples[i].outcome);
		assert_int_equal(back->seen[i].alert, samples[i].alert);
		assert_int_equal(back->seen[i].sessions, samples[i].sessions);
	}
	for (size_t n = 0; n < out.n; n++)
		assert_false(
		    ipc_take_inbound(span_first(buf_span(&out), n), back));
	assert_int_equal(buf_add(&out, SPAN("x")), 0);
	assert_false(ipc_take_inbound(buf_span(&out), back));
	buf_free(&out);
	free(back);
}

static void
values_outside_their_range_are_refused(void **state)
{
	const struct inbound_seen bad[] = {
	    {.day = -1, .sessions = 1},
	    {.day = 1, .outcome = INBOUND_OUTCOMES, .sessions = 1},
	    {.day = 1, .sessions = 0},
	};
	struct ipc_inbound *back = calloc(1, sizeof(*back));
	struct buf out, many;
	struct span one;

	(void)state;
	for (size_t i = 0; i < ROWS(bad); i++) {
		put(&out, &bad[i], 1, 0);
		assert_false(ipc_take_inbound(buf_span(&out), back));
		buf_free(&out);
	}
	/* As many as it says, and more than we would. */
	for (uint32_t n = IPC_INBOUND_MAX; n <= IPC_INBOUND_MAX + 1; n++) {
		put(&out, samples, 1, 0);
		one = span_from(buf_span(&out), 12);
		buf_init(&many, CHANNEL_MESSAGE_MAX);
		assert_int_equal(put_u64(&many, 0), 0);
		assert_int_equal(put_u32(&many, n), 0);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(buf_add(&many, one), 0);
		assert_int_equal(ipc_take_inbound(buf_span(&many), back),
		    n == IPC_INBOUND_MAX);
		buf_free(&many);
		buf_free(&out);
	}
	free(back);
}

/* --- from a process that receives ----------------------------------------- */

static void
on_message(void *owner, uint16_t type, struct span payload, int fd)
{
	struct stage *stage = owner;

	(void)fd;
	assert_int_equal(type, IPC_INBOUND);
	assert_true(ipc_take_inbound(payload, &stage->got));
	stage->messages++;
	loop_stop(stage->role.loop);
}

static void
on_closed(void *owner)
{
	(void)owner;
}

static const struct channel_ops report_ops = {on_message, on_closed};

static struct receive_seen *
begin(struct stage *stage)
{
	stage->seen = receive_seen_new(&stage->receive);
	assert_non_null(stage->seen);
	return stage->seen;
}

static void
introduce(struct stage *stage, struct receive_seen *seen)
{
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	stage->report = channel_new(
	    stage->role.loop, fds[0], &report_ops, stage);
	receive_seen_peer(seen, fds[1]);
}

/* How a session ended, and what that is. */
static const struct {
	struct seen_session is;
	enum inbound_outcome outcome;
	uint8_t alert;
} ends[] = {
    {{.offered = true}, INBOUND_PLAIN, 0},
    {{.offered = false}, INBOUND_NOT_OFFERED, 0},
    {{.offered = true, .turned_away = true}, INBOUND_TURNED_AWAY, 0},
    {{.offered = true, .messages = 1}, INBOUND_MAIL_PLAIN, 0},
    {{.tls = SEEN_TLS}, INBOUND_TLS, 0},
    {{.tls = SEEN_TLS, .turned_away = true}, INBOUND_TURNED_AWAY, 0},
    {{.tls = SEEN_TLS, .messages = 2}, INBOUND_MAIL_TLS, 0},
    {{.tls = SEEN_TLS, .messages = 2, .turned_away = true}, INBOUND_MAIL_TLS,
	0},
    {{.tls = SEEN_SHAKING}, INBOUND_DROPPED, 0},
    {{.tls = SEEN_SHAKING, .slow = true}, INBOUND_SLOW, 0},
    {{.tls = SEEN_SHAKING, .turned_away = true}, INBOUND_TURNED_AWAY, 0},
    {{.tls = SEEN_SHAKING, .broken = TLS_BREAK_OTHER}, INBOUND_BROKEN, 0},
    {{.tls = SEEN_SHAKING, .broken = TLS_BREAK_VERSION}, INBOUND_VERSION, 0},
    {{.tls = SEEN_SHAKING, .broken = TLS_BREAK_CIPHER}, INBOUND_CIPHER, 0},
    {{.tls = SEEN_SHAKING, .broken = TLS_BREAK_ALERT, .alert = 48},
	INBOUND_ALERT, 48},
    /* Behind the handshake: before any mail, and with it. */
    {{.tls = SEEN_TLS, .broken = TLS_BREAK_ALERT, .alert = 46}, INBOUND_ALERT,
	46},
    {{.tls = SEEN_TLS, .messages = 1, .broken = TLS_BREAK_ALERT, .alert = 46},
	INBOUND_MAIL_TLS, 0},
    {{.tls = SEEN_TLS, .broken = TLS_BREAK_OTHER}, INBOUND_TLS, 0},
};

static void
sessions_have_outcomes(void **state)
{
	struct stage *stage = *state;
	struct receive_seen *seen = begin(stage);

	for (size_t i = 0; i < ROWS(ends); i++) {
		struct seen_session is = ends[i].is;

		is.client = "192.0.2.7";
		is.began = (int64_t)i * DAY + DAY - 1;
		receive_seen_add(seen, &is);
	}
	introduce(stage, seen);
	loop_run(stage->role.loop);
	assert_int_equal(stage->got.n, ROWS(ends));
	for (size_t i = 0; i < ROWS(ends); i++) {
		if (stage->got.seen[i].outcome != ends[i].outcome)
			fail_msg("%zu: %s", i,
			    inbound_outcome_name(stage->got.seen[i].outcome));
		assert_int_equal(stage->got.seen[i].alert, ends[i].alert);
		assert_int_equal(stage->got.seen[i].day, i);
	}
}

static void
only_addresses_are_counted(void **state)
{
	struct stage *stage = *state;
	struct receive_seen *seen = begin(stage);
	struct seen_session is = {.client = "/run/a/socket"};

	receive_seen_add(seen, &is);
	is.client = "2001:db8::1";
	receive_seen_add(seen, &is);
	introduce(stage, seen);
	loop_run(stage->role.loop);
	assert_int_equal(stage->got.n, 1);
	assert_int_equal(stage->got.seen[0].address[0], 0x20);
	/* Without counting nothing is. */
	receive_seen_add(NULL, &is);
}

/* Many sessions are one message, and what does not fit is a number. */
static void
while_nobody_listens_it_stays_bounded(void **state)
{
	struct stage *stage = *state;
	struct receive_seen *seen = begin(stage);
	const struct seen_session is = {.client = "192.0.2.7"};

	for (size_t i = 0; i < IPC_INBOUND_MAX + 10; i++)
		receive_seen_add(seen, &is);
	introduce(stage, seen);
	loop_run(stage->role.loop);
	assert_int_equal(stage->messages, 1);
	assert_int_equal(stage->got.n, IPC_INBOUND_MAX);
	assert_int_equal(stage->got.untold, 10);
	receive_seen_add(seen, &is);
	loop_run(stage->role.loop);
	assert_int_equal(stage->messages, 2);
	assert_int_equal(stage->got.n, 1);
	assert_int_equal(stage->got.untold, 0);
}

static void
assert_nothing_counts(struct stage *stage)
{
	struct receive_seen *seen = receive_seen_new(&stage->receive);
	bool counts = seen != NULL;

	receive_seen_free(&seen);
	assert_false(counts);
}

static void
it_is_counted_where_it_is_wanted(void **state)
{
	struct stage *stage = *state;

	stage->config.reporting.inbound_days = 0;
	assert_nothing_counts(stage);
	stage->config.reporting.inbound_days = 1;
	stage->domain.ntls_reports = 0;
	assert_nothing_counts(stage);
	stage->domain.ntls_reports = 1;
	(void)begin(stage);
}

/* --- into the store ------------------------------------------------------- */

static struct inbound_day
today_of(const struct stage *stage)
{
	const struct inbound_store store = {.folder = stage->folder};
	struct inbound_view *view;
	struct inbound_day is;
	int64_t first;
	struct err err;

	assert_int_equal(inbound_view_open(&store, &view, &first, &err), 0);
	assert_int_equal(
	    inbound_view_day(view, clock_wall() / DAY, &is, &err), 0);
	inbound_view_close(&view);
	return is;
}

/* So many that were never seen before. */
static void
take_many(struct counting *counting, unsigned from, size_t n)
{
	struct inbound_seen *list = calloc(n, sizeof(*list));
	struct buf out;

	assert_non_null(list);
	for (unsigned i = 0; i < n; i++)
		list[i] = (struct inbound_seen){.day = clock_wall() / DAY,
		    .address = {0x20, 1, (uint8_t)((from + i) >> 16),
			(uint8_t)((from + i) >> 8), (uint8_t)(from + i)},
		    .outcome = INBOUND_TLS,
		    .sessions = 1};
	put(&out, list, n, 0);
	assert_true(counting_take(counting, buf_span(&out)));
	buf_free(&out);
	free(list);
}

static void
move_folder(const struct stage *stage, bool away)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%s.away", stage->folder);
	assert_int_equal(
	    away ? rename(stage->folder, path) : rename(path, stage->folder),
	    0);
}

/* What cannot be kept is a number, and none is counted twice. */
static void
while_the_disk_will_not_it_stays_bounded(void **state)
{
	struct stage *stage = *state;
	struct counting *counting = stage->counting = counting_new(
	    &stage->role);
	const unsigned messages = 40;

	move_folder(stage, true);
	for (unsigned i = 0; i < messages; i++)
		take_many(counting, i * IPC_INBOUND_MAX, IPC_INBOUND_MAX);
	move_folder(stage, false);
	counting_free(&stage->counting);
	/* Of a day there is room for so many who were not there before. */
	assert_int_equal(today_of(stage).untold,
	    messages * IPC_INBOUND_MAX - (INBOUND_ROWS - INBOUND_ROWS / 4));
}

static void
those_alike_take_no_room(void **state)
{
	struct stage *stage = *state;
	struct counting *counting = stage->counting = counting_new(
	    &stage->role);

	move_folder(stage, true);
	for (unsigned i = 0; i < 100; i++)
		take_many(counting, 0, IPC_INBOUND_MAX);
	move_folder(stage, false);
	counting_free(&stage->counting);
	assert_int_equal(today_of(stage).untold, 0);
}

static void
turned_off_it_is_forgotten(void **state)
{
	struct stage *stage = *state;
	struct counting *counting = stage->counting = counting_new(
	    &stage->role);
	struct buf out;

	take_many(counting, 0, 1);
	counting_free(&stage->counting);
	assert_true(today_of(stage).last > 0);
	stage->config.reporting.inbound_days = 0;
	assert_null(counting_new(&stage->role));
	assert_int_equal(today_of(stage).last, 0);
	/* From a process of the configuration before. */
	put(&out, samples, 1, 0);
	assert_true(counting_take(NULL, buf_span(&out)));
	buf_free(&out);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_seen_comes_back_and_is_never_cut),
	    cmocka_unit_test(values_outside_their_range_are_refused),
	    CASE(sessions_have_outcomes),
	    CASE(only_addresses_are_counted),
	    CASE(while_nobody_listens_it_stays_bounded),
	    CASE(it_is_counted_where_it_is_wanted),
	    CASE(while_the_disk_will_not_it_stays_bounded),
	    CASE(those_alike_take_no_room),
	    CASE(turned_off_it_is_forgotten),
	};

	return cmocka_run_group_tests_name("inbound_flow", tests, NULL, NULL);
}
