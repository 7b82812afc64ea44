/*
 * One mail is read by a process that may fail; see reader.h.  What it wants to
 * know is looked up here, and it begins anew; others are read meanwhile.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dnssec/rdata.h"
#include "mta/net/process.h"
#include "mta/report/inbox_private.h"
#include "mta/report/reader.h"
#include "mta/report/reader_wire.h"
#include "mta/resolver.h"
#include "reporting/dkim_verify.h"

#define READ_MS  60000 /* its own time is bounded by itself */
#define ASK_MS   10000 /* for all the keys of a mail */
#define PROGRAM  "/proc/self/exe"
#define NOW_SIZE 24

/* --- keys ----------------------------------------------------------------- */

static void
on_dns(void *arg)
{
	struct inbox *inbox = arg;

	dns_process(inbox->dns);
}

static int
open_dns(struct inbox *inbox, struct err *err)
{
	if (inbox->dns != NULL)
		return 0;
	inbox->dns = resolver_open(inbox->setup.config, err);
	if (inbox->dns == NULL)
		return -1;
	inbox->dns_watch = watch_new(
	    inbox->setup.loop, dns_fd(inbox->dns), on_dns, inbox);
	return 0;
}

static void
on_key(const struct dns_answer *answer, void *arg)
{
	struct inbox_item *item = arg;
	static const struct dns_answer failed = {.trust = DNS_FAILED};
	struct err err;

	item->query = NULL;
	timer_stop(item->limit);
	if (reader_put_answer(&item->answers, answer) == 0 ||
	    reader_put_answer(&item->answers, &failed) == 0) {
		inbox_ready(item);
		return;
	}
	(void)err_set(&err, ERR_PERM, "5.3.4", "its keys are too large");
	inbox_refuse(item, &err, "");
}

void
inbox_hurry(struct inbox_item *item)
{
	static const struct dns_answer failed = {.trust = DNS_FAILED};

	dns_cancel(&item->query);
	on_key(&failed, item);
}

static void
on_key_limit(void *arg)
{
	inbox_hurry(arg);
}

/* Who signs with many keys of a name server that is silent gains no time. */
static void
look_up(struct inbox_item *item, const char *name)
{
	struct inbox *inbox = item->inbox;
	uint64_t now = loop_now(inbox->setup.loop);

	if (item->asked == 1)
		item->asked_at = now;
	if (item->limit == NULL)
		item->limit = timer_new(inbox->setup.loop, on_key_limit, item);
	timer_start(item->limit,
	    item->asked_at + ASK_MS > now ? item->asked_at + ASK_MS - now : 0);
	item->step = INBOX_ASKING;
	item->query = dns_lookup(inbox->dns, name, RR_TXT, on_key, item);
}

static void
ask(struct inbox_item *item, const char *name)
{
	struct err err;

	if (item->asked++ >= DKIM_SIGNATURES_MAX) {
		(void)err_set(&err, ERR_PERM, "5.6.0", "it asks for too much");
		inbox_refuse(item, &err, "");
	} else if (open_dns(item->inbox, &err) < 0) {
		inbox_pause(item, &err);
	} else {
		look_up(item, name);
		inbox_look(item->inbox);
	}
}

/* --- the reader ----------------------------------------------------------- */

static bool
load_result(int fd, struct buf *to)
{
	ssize_t n = 1;

	while (n > 0) {
		char *room = buf_reserve(to, 1u << 16);

		if (room == NULL)
			return false;
		n = pread(fd, room, 1u << 16, (off_t)to->n);
		if (n > 0)
			to->n += (size_t)n;
	}
	return n == 0;
}

static void
close_result(struct inbox *inbox)
{
	if (inbox->result >= 0)
		(void)close(inbox->result);
	inbox->result = -1;
}

/* What it says is no more to be believed than what it has read. */
static void
take_result(struct inbox *inbox, struct inbox_item *item)
{
	struct arena *arena = arena_new(READER_ARENA);
	struct reader_result result;
	struct buf bytes;
	struct err err;

	buf_init(&bytes, READER_RESULT_MAX + (1u << 16));
	if (!load_result(inbox->result, &bytes) ||
	    !reader_take_result(buf_span(&bytes), arena, &result))
		result.kind = READER_NOTHING;
	close_result(inbox);
	switch (result.kind) {
	case READER_ASKS:
		ask(item, result.name);
		break;
	case READER_READ:
		inbox_take(item, &result);
		break;
	case READER_FAILED:
		inbox_refuse(item, &result.err, result.from);
		break;
	case READER_NOTHING:
		(void)err_set(
		    &err, ERR_PERM, "5.6.0", "who read it came to no result");
		inbox_refuse(item, &err, "");
		break;
	}
	buf_free(&bytes);
	arena_free(&arena);
}

/*
 * Killed by somebody else it may do better next time; one that ends by itself
 * will not.
 */
static void
judge_end(
    const struct inbox *inbox, int64_t status, int signum, struct err *err)
{
	if (inbox->timed_out)
		(void)err_set(err, ERR_TEMP, "4.3.0",
		    "reading it took more than %d s", READ_MS / 1000);
	else if (signum == SIGKILL)
		(void)err_set(err, ERR_TEMP, "4.3.0", "who read it was killed");
	else if (signum == SIGXCPU)
		(void)err_set(
		    err, ERR_PERM, "5.6.0", "reading it took too long");
	else if (signum == SIGSYS)
		(void)err_set(err, ERR_PERM, "5.6.0",
		    "who read it wanted what it may not");
	else if (signum != 0)
		(void)err_set(err, ERR_PERM, "5.6.0",
		    "who read it ended by signal %d", signum);
	else if (status == READER_UNCONFINED)
		(void)err_set(err, ERR_TEMP, "4.3.0",
		    "who was to read it could not be confined: "
		    "the kernel lacks seccomp");
	else
		(void)err_set(err, ERR_PERM, "5.6.0",
		    "who read it ended with status %" PRId64, status);
}

static void
on_exit(void *owner, int64_t status, int signum)
{
	struct inbox *inbox = owner;
	struct inbox_item *item = inbox->reading;
	struct err err;

	timer_stop(inbox->limit);
	process_free(&inbox->process);
	inbox->reading = NULL;
	if (status == 0 && signum == 0) {
		take_result(inbox, item);
		return;
	}
	close_result(inbox);
	judge_end(inbox, status, signum, &err);
	/* It alone waits: what has read a mail may say so, too. */
	if (status == READER_UNCONFINED)
		inbox_trouble(inbox, &err);
	inbox_refuse(item, &err, "");
}

static const struct process_ops reader_ops = {on_exit};

/* A file of what has been answered, to be read by nobody else. */
static int
share(struct span bytes)
{
	int fd = memfd_create("answers", MFD_CLOEXEC);

	if (fd < 0 || bytes.n == 0 ||
	    write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n)
		return fd;
	(void)close(fd);
	return -1;
}

static int
start(struct inbox *inbox, int mail, int answers, struct err *err)
{
	const int fds[] = {mail, answers, inbox->result};
	const char *program = inbox->setup.program;
	char now[NOW_SIZE];
	const char *const argv[] = {"danelawd", "--read-report", now, NULL};
	const struct process_setup setup = {
	    .file = program == NULL ? PROGRAM : program,
	    .argv = argv,
	    .fds = fds,
	    .nfds = sizeof(fds) / sizeof(fds[0])};

	(void)snprintf(now, sizeof(now), "%" PRId64, clock_wall());
	return process_start(inbox->setup.loop, &setup, &reader_ops, inbox,
	    &inbox->process, err);
}

static void
on_limit(void *arg)
{
	struct inbox *inbox = arg;

	inbox->timed_out = true;
	process_kill(inbox->process, SIGKILL);
}

static void
begun(struct inbox *inbox, struct inbox_item *item)
{
	item->step = INBOX_READING;
	inbox->reading = item;
	inbox->timed_out = false;
	if (inbox->limit == NULL)
		inbox->limit = timer_new(inbox->setup.loop, on_limit, inbox);
	timer_start(inbox->limit, READ_MS);
}

/* One that cannot be opened, as it is another's, is in nobody's way. */
static void
cannot_open(struct inbox_item *item, int number)
{
	struct err err;

	(void)err_set(&err, ERR_TEMP, "4.3.0", "%s: %s", item->mail.name,
	    strerrordesc_np(number));
	if (number == ENOENT)
		inbox_done(item); /* the process before this one has it */
	else if (number == EMFILE || number == ENFILE || number == ENOMEM)
		inbox_pause(item, &err);
	else
		inbox_refuse(item, &err, "");
}

void
inbox_read(struct inbox_item *item)
{
	struct inbox *inbox = item->inbox;
	int mail = report_mail_open(
	    inbox->setup.config->state, item->mail.name);
	struct err err = {.kind = ERR_NONE};
	int answers, rc = -1;

	if (mail < 0) {
		cannot_open(item, errno);
		return;
	}
	close_result(inbox);
	answers = share(buf_span(&item->answers));
	if (answers >= 0)
		inbox->result = memfd_create("result", MFD_CLOEXEC);
	if (inbox->result < 0)
		(void)err_set(&err, ERR_TEMP, "4.3.0", "%s: %s",
		    item->mail.name, strerrordesc_np(errno));
	else
		rc = start(inbox, mail, answers, &err);
	(void)close(mail);
	if (answers >= 0)
		(void)close(answers);
	if (rc < 0)
		inbox_pause(item, &err);
	else
		begun(inbox, item);
}

void
inbox_read_end(struct inbox *inbox)
{
	if (inbox->process != NULL)
		process_kill(inbox->process, SIGKILL);
	process_free(&inbox->process);
	for (size_t i = 0; i < INBOX_WORK_MAX; i++) {
		dns_cancel(&inbox->items[i].query);
		timer_free(&inbox->items[i].limit);
		buf_free(&inbox->items[i].answers);
	}
	watch_free(&inbox->dns_watch);
	dns_free(&inbox->dns);
	timer_free(&inbox->limit);
	close_result(inbox);
}
