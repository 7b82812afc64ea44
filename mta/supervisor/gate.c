/* See gate.h. */
#include "mta/supervisor/gate.h"

#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "mta/metrics.h"
#include "mta/net/channel.h"
#include "mta/net/process.h"
#include "mta/supervisor/private.h"

#define GRACE_MS 10000 /* beyond what its lookups may take, and to end */

/* It stays until its process has gone: somebody has to wait for that. */
struct gate_run {
	const struct gate_ops *ops;
	void *owner;             /* NULL after gate_free() */
	struct process *process; /* NULL when it has gone */
	struct channel *channel;
	struct timer *timer;
};

static void
end_run(struct gate_run *run, const char *why)
{
	void *owner = run->owner;

	channel_close(&run->channel);
	timer_stop(run->timer);
	run->ops->on_end(owner, why);
}

static void
forget(struct gate_run *run)
{
	timer_free(&run->timer);
	mem_free(run);
}

static void
on_message(void *arg, uint16_t type, struct span payload, int fd)
{
	struct gate_run *run = arg;
	struct ipc_gate *verdict;

	if (fd >= 0)
		(void)close(fd);
	if (type != IPC_GATE)
		return;
	verdict = mem_new(sizeof(*verdict));
	if (ipc_take_gate(payload, verdict))
		run->ops->on_verdict(run->owner, verdict);
	mem_free(verdict);
}

static void
on_closed(void *arg)
{
	end_run(arg, "the process that looks it up has ended");
}

/* What it has said is in the channel, and that ends by itself. */
static void
on_gone(void *arg, int64_t status, int signum)
{
	struct gate_run *run = arg;

	(void)status;
	(void)signum;
	process_free(&run->process);
	if (run->owner == NULL)
		forget(run);
}

static void
on_timer(void *arg)
{
	struct gate_run *run = arg;

	if (run->owner != NULL)
		end_run(run, "it took too long to look it up");
	else if (run->process != NULL)
		process_kill(run->process, SIGKILL);
}

static const struct channel_ops channel_ops = {on_message, on_closed};
static const struct process_ops process_ops = {on_gone};

static int
spawn_with(
    struct gate_run *run, struct supervisor *sup, int fds[3], struct err *err)
{
	const struct account *account = &sup->current->account;
	const char *argv[] = {"danelawd", "--role", role_kind_name(ROLE_GATE),
	    "0", "0", sup->syslog ? "syslog" : NULL, NULL};
	struct process_setup setup = {
	    .file = "/proc/self/exe",
	    .argv = argv,
	    .fds = fds,
	    .nfds = 3,
	    .uid = account->uid,
	    .gid = account->gid,
	};

	return process_start(
	    sup->loop, &setup, &process_ops, run, &run->process, err);
}

/* What it counts is of no matter: the page is its own. */
static int
spawn(struct gate_run *run, struct supervisor *sup, int channel_fd,
    const struct bundle *bundle, struct err *err)
{
	struct metrics_page *page = NULL;
	int fds[3] = {channel_fd, bundle_write(bundle, BUNDLE_NO_SECRETS, err)};
	int rc = -1;

	if (fds[1] < 0)
		return -1;
	if (metrics_page_new(&page, &fds[2], err) == 0) {
		rc = spawn_with(run, sup, fds, err);
		(void)close(fds[2]);
		metrics_page_free(&page);
	}
	(void)close(fds[1]);
	return rc;
}

int
gate_start(struct supervisor *sup, const struct config *config,
    const struct bundle *bundle, const struct gate_ops *ops, void *owner,
    struct gate_run **ret, struct err *err)
{
	struct gate_run *run;
	int fds[2], rc;

	if (channel_pair(fds) < 0)
		return err_set(
		    err, ERR_TEMP, "4.3.0", "no descriptors are left");
	run = mem_new(sizeof(*run));
	run->ops = ops;
	run->owner = owner;
	rc = spawn(run, sup, fds[1], bundle, err);
	(void)close(fds[1]);
	if (rc < 0) {
		(void)close(fds[0]);
		mem_free(run);
		return -1;
	}
	run->channel = channel_new(sup->loop, fds[0], &channel_ops, run);
	run->timer = timer_new(sup->loop, on_timer, run);
	timer_start(
	    run->timer, (uint64_t)config->renewal.timeout_ms + GRACE_MS);
	*ret = run;
	return 0;
}

void
gate_free(struct gate_run **runp)
{
	struct gate_run *run = *runp;

	*runp = NULL;
	if (run == NULL)
		return;
	/* Without its channel it ends by itself, as every role does. */
	run->owner = NULL;
	channel_close(&run->channel);
	if (run->process == NULL)
		forget(run);
	else
		timer_start(run->timer, GRACE_MS);
}
