/* The deliver role by its channels: a test plays supervisor and queue. */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "mta/ipc.h"
#include "mta/net/address.h"
#include "mta/net/channel.h"
#include "mta/report_mails.h"
#include "mta/role.h"
#include "queue/record.h"

#include "tests/support/config.h"
#include "tests/support/spool_kit.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

#define FD_SUPERVISOR 3

struct stage {
	struct kit kit;
	struct role role;
	pthread_t thread; /* the role's */
	struct loop *loop;
	struct timer *limit;
	struct channel *supervisor;
	struct channel *queue;
	unsigned heard[IPC_SANDBOX + 1]; /* messages by type */
	uint64_t message;
	struct ipc_result result; /* the last */
};

static void *
run_role(void *arg)
{
	struct role *role = arg;

	role->loop = loop_new();
	(void)deliver_main(role);
	channel_close(&role->supervisor);
	loop_free(&role->loop);
	return NULL;
}

static void
on_limit(void *arg)
{
	(void)arg;
	fail_msg("nothing was heard for 60 s");
}

static void
on_nothing(void *arg)
{
	(void)arg;
}

static void
remove_tree(const char *folder)
{
	assert_int_equal(tree_remove(folder), 0);
}

static void
on_message(void *owner, uint16_t type, struct span payload, int fd)
{
	struct stage *stage = owner;

	assert_int_equal(fd, -1);
	assert_true(type < ROWS(stage->heard));
	stage->heard[type]++;
	if (type == IPC_RESULT)
		assert_true(ipc_take_result(payload, &stage->result));
}

static void
on_closed(void *owner)
{
	(void)owner;
}

static const struct channel_ops ops = {on_message, on_closed};

static void
wait_heard(struct stage *stage, enum ipc_type type, unsigned n)
{
	timer_start(stage->limit, 60000);
	while (stage->heard[type] < n)
		loop_run_once(stage->loop);
	timer_stop(stage->limit);
	assert_int_equal(stage->heard[type], n);
}

static void
open_spool(struct stage *stage)
{
	struct segment *segment;
	struct err err;

	kit_open(&stage->kit);
	assert_int_equal(segment_create(&stage->kit.spool, &segment, &err), 0);
	stage->message = kit_append(
	    segment, "b@there.example", "Subject: x\r\n\r\nx\r\n", 1);
	assert_true(kit_sync(segment) > 0);
	segment_close(&segment);
}

/* A queue role appears. */
static void
meet_queue(struct stage *stage)
{
	struct ipc_peer peer = {.kind = ROLE_QUEUE};
	struct buf out;
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	channel_close(&stage->queue);
	stage->queue = channel_new(stage->loop, fds[0], &ops, stage);
	buf_init(&out, 64);
	ipc_put_peer(&out, &peer);
	channel_send_fd(stage->supervisor, IPC_PEER, buf_span(&out), fds[1]);
	buf_free(&out);
}

static void
open_stage(struct stage *stage, const char *more)
{
	char text[1024];
	int fds[2];

	*stage = (struct stage){0};
	/* Before anything else takes the role's descriptor. */
	assert_int_equal(channel_pair(fds), 0);
	if (fds[0] == FD_SUPERVISOR) {
		fds[0] = fds[1];
		fds[1] = FD_SUPERVISOR;
	} else if (fds[1] != FD_SUPERVISOR) {
		assert_int_equal(dup2(fds[1], FD_SUPERVISOR), FD_SUPERVISOR);
		(void)close(fds[1]);
	}
	open_spool(stage);
	(void)snprintf(text, sizeof(text),
	    HOST LISTEN "spool = \"%s\"\nresolver { trust_anchor = \"\" }\n"
			"limits { deliveries = 1 }\n%s",
	    stage->kit.folder, more);
	stage->role.kind = ROLE_DELIVER;
	stage->role.config = parse_good(text);
	stage->loop = loop_new();
	stage->limit = timer_new(stage->loop, on_limit, stage);
	stage->supervisor = channel_new(stage->loop, fds[0], &ops, stage);
	assert_int_equal(
	    pthread_create(&stage->thread, NULL, run_role, &stage->role), 0);
	wait_heard(stage, IPC_READY, 1);
	meet_queue(stage);
	wait_heard(stage, IPC_HELD, 1);
}

static void
send_drain(struct stage *stage)
{
	struct buf out;

	buf_init(&out, 16);
	ipc_put_drain(&out, 1000);
	channel_send(stage->supervisor, IPC_DRAIN, buf_span(&out));
	buf_free(&out);
	loop_run_once(stage->loop);
}

static void
close_stage(struct stage *stage)
{
	send_drain(stage);
	assert_int_equal(pthread_join(stage->thread, NULL), 0);
	channel_close(&stage->supervisor);
	channel_close(&stage->queue);
	timer_free(&stage->limit);
	loop_free(&stage->loop);
	config_free(&stage->role.config);
	kit_close(&stage->kit);
}

static void
send_job_to(
    struct stage *stage, uint64_t message, uint64_t segment, const char *target)
{
	struct ipc_job job = {
	    .message = message,
	    .segment = segment,
	    .offset = SEGMENT_HEADER,
	    .target = span_of(target),
	    .nrcpts = 1,
	};
	struct buf out;

	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_job(&out, &job);
	channel_send(stage->queue, IPC_JOB, buf_span(&out));
	buf_free(&out);
}

static void
send_job(struct stage *stage)
{
	send_job_to(stage, stage->message, 1, "discard");
}

static void
send_settled(struct stage *stage)
{
	struct buf out;

	buf_init(&out, 64);
	ipc_put_settled(&out, stage->message, 0);
	channel_send(stage->queue, IPC_SETTLED, buf_span(&out));
	buf_free(&out);
}

static void
test_job(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "");
	send_job(&stage);
	wait_heard(&stage, IPC_RESULT, 1);
	assert_int_equal(stage.result.message, stage.message);
	assert_int_equal(stage.result.rcpts[0].outcome, OUTCOME_DELIVERED);
	send_settled(&stage);
	close_stage(&stage);
}

/* Due again before its result was durable: it is done again, not forgotten. */
static void
test_job_before_settled(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "");
	send_job(&stage);
	wait_heard(&stage, IPC_RESULT, 1);
	send_job(&stage);
	send_settled(&stage);
	wait_heard(&stage, IPC_RESULT, 2);
	send_settled(&stage);
	close_stage(&stage);
}

/* What a new queue role was not told it decides anew. */
static void
test_new_queue(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "");
	send_job(&stage);
	wait_heard(&stage, IPC_RESULT, 1);
	send_job(&stage);
	meet_queue(&stage);
	wait_heard(&stage, IPC_RESULT, 2); /* the same, told again */
	assert_int_equal(stage.heard[IPC_HELD], 3);
	send_settled(&stage);
	send_job(&stage);
	wait_heard(&stage, IPC_RESULT, 3);
	send_settled(&stage);
	close_stage(&stage);
}

/* A next hop that accepts connections and says nothing. */
static int
silent_hop(char target[64])
{
	struct net_address address;
	struct sockaddr_in in;
	socklen_t n = sizeof(in);
	struct err err;
	int fd;

	assert_true(net_address_ip("127.0.0.1", 0, &address));
	fd = net_listen(&address, 8, &err);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	(void)snprintf(target, 64, "smtp:127.0.0.1:%u", ntohs(in.sin_port));
	return fd;
}

/* Jobs that end as soon as they begin, very many, behind one that does not. */
static void
test_jobs_that_fail_at_once(void **state)
{
	enum {
		JOBS = 20000
	};
	struct stage stage;
	char target[64];
	int hop;

	(void)state;
	open_stage(&stage, "");
	hop = silent_hop(target);
	send_job_to(&stage, stage.message, 1, target);
	for (unsigned i = 1; i <= JOBS; i++)
		send_job_to(&stage, i, 999, target);
	loop_run_once(stage.loop);
	(void)close(hop);
	wait_heard(&stage, IPC_RESULT, JOBS + 1);
	meet_queue(&stage);
	close_stage(&stage);
}

/* The walk through its policies holds the end up, and messages go on. */
static void
test_told_while_it_ends(void **state)
{
	char folder[] = "/tmp/danelaw-deliver-XXXXXX", file[64], more[128];
	struct stage stage;
	sqlite3 *other;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(file, sizeof(file), "%s/sts.db", folder);
	assert_int_equal(sqlite3_open(file, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "CREATE TABLE other (x); BEGIN EXCLUSIVE", NULL,
		NULL, NULL),
	    SQLITE_OK);
	(void)snprintf(more, sizeof(more),
	    "state = \"%s\"\nmta_sts { refresh = \"100ms\" }\n", folder);
	open_stage(&stage, more);
	assert_int_equal(usleep(300000), 0);
	send_drain(&stage);
	assert_int_equal(usleep(300000), 0);
	channel_send(stage.supervisor, IPC_STS, SPAN("a.test"));
	close_stage(&stage);
	(void)sqlite3_close(other);
	(void)unlink(file);
	assert_int_equal(rmdir(folder), 0);
}

static void
hear_nothing_for(struct stage *stage, unsigned ms, enum ipc_type type)
{
	unsigned before = stage->heard[type];
	struct timer *timer = timer_new(stage->loop, on_nothing, NULL);

	timer_start(timer, ms);
	while (timer_running(timer))
		loop_run_once(stage->loop);
	timer_free(&timer);
	assert_int_equal(stage->heard[type], before);
}

/* The disk, which takes its time, and will not. */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

int __real_report_put_commit(struct report_put **put, struct err *err);
int __wrap_report_put_commit(struct report_put **put, struct err *err);

int
__wrap_report_put_commit(struct report_put **put, struct err *err)
{
	static atomic_int commits;
	int rc;

	(void)pthread_mutex_lock(&disk);
	if (atomic_fetch_add(&commits, 1) == 0) {
		report_put_abort(put);
		rc = err_set(err, ERR_TEMP, "4.3.0", "not now");
	} else {
		rc = __real_report_put_commit(put, err);
	}
	(void)pthread_mutex_unlock(&disk);
	return rc;
}

/*
 * A mail to an address for reports is settled when its copy is durable, not
 * before; without one it is delivered all the same.
 */
static void
test_a_result_waits_for_its_copy(void **state)
{
	char folder[] = "/tmp/danelaw-deliver-XXXXXX";
	char id[QUEUE_ID_SIZE], copy[160], box[80], more[300];
	struct stage stage;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(box, sizeof(box), "maildir:%s/box", folder);
	(void)snprintf(more, sizeof(more),
	    "state = \"%s\"\ndomain \"there.example\" { deliver = \"%s\"\n"
	    "tls_reports = b }\n",
	    folder, box);
	open_stage(&stage, more);
	queue_id_text(stage.message, id);
	(void)snprintf(copy, sizeof(copy), "%s/reports-in/%s", folder, id);

	(void)pthread_mutex_lock(&disk);
	send_job_to(&stage, stage.message, 1, box);
	hear_nothing_for(&stage, 500, IPC_RESULT);
	/* Nor does a new queue role hear of it. */
	meet_queue(&stage);
	wait_heard(&stage, IPC_HELD, 3);
	hear_nothing_for(&stage, 100, IPC_RESULT);
	(void)pthread_mutex_unlock(&disk);
	wait_heard(&stage, IPC_RESULT, 1);
	assert_int_equal(stage.result.rcpts[0].outcome, OUTCOME_DELIVERED);
	assert_true(access(copy, F_OK) < 0);
	send_settled(&stage);

	send_job_to(&stage, stage.message, 1, box);
	wait_heard(&stage, IPC_RESULT, 2);
	assert_int_equal(access(copy, F_OK), 0);
	send_settled(&stage);
	close_stage(&stage);
	remove_tree(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_job),
	    cmocka_unit_test(test_job_before_settled),
	    cmocka_unit_test(test_new_queue),
	    cmocka_unit_test(test_jobs_that_fail_at_once),
	    cmocka_unit_test(test_told_while_it_ends),
	    cmocka_unit_test(test_a_result_waits_for_its_copy),
	};

	log_setup("deliver", LOG_LEVEL_ERROR, false, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
