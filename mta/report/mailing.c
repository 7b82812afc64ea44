#include "mta/report/mailing.h"

#include <unistd.h>

#include "base/mem.h"
#include "mta/net/channel.h"

struct mailing {
	struct role *role;
	struct spool spool;
	struct intake *intake;
	struct channel *queue; /* NULL: it is not there */
	mailing_word *word;
	void *arg;
};

/* --- the queue role ------------------------------------------------------- */

static void
on_synced(void *arg, uint64_t segment, uint64_t end)
{
	struct mailing *mailing = arg;
	struct ipc_segment say = {segment, end};
	struct buf out;

	if (mailing->queue == NULL)
		return; /* it will find the segment by itself */
	buf_init(&out, 64);
	ipc_put_segment(&out, &say);
	channel_send(mailing->queue, IPC_SEGMENT, buf_span(&out));
	buf_free(&out);
}

static void
on_message(void *owner, uint16_t type, struct span payload, int fd)
{
	struct mailing *mailing = owner;

	if (fd >= 0)
		(void)close(fd);
	if (type == IPC_REPORTED && mailing->word != NULL)
		mailing->word(mailing->arg, payload);
}

static void
on_closed(void *owner)
{
	struct mailing *mailing = owner;

	channel_close(&mailing->queue);
}

static const struct channel_ops queue_ops = {on_message, on_closed};

void
mailing_peer(struct mailing *mailing, int fd)
{
	channel_close(&mailing->queue);
	mailing->queue = channel_new(
	    mailing->role->loop, fd, &queue_ops, mailing);
	intake_announce(mailing->intake);
}

void
mailing_listen(struct mailing *mailing, mailing_word *word, void *arg)
{
	mailing->word = word;
	mailing->arg = arg;
}

/* --- mails ---------------------------------------------------------------- */

int
mailing_send(struct mailing *mailing, struct span message,
    const struct envelope *envelope, intake_done *done, void *arg,
    struct err *err)
{
	struct intake_message *into = NULL;

	if (intake_begin(mailing->intake, &into, err) < 0)
		return -1;
	if (intake_add(into, message, err) < 0) {
		intake_abort(&into);
		return -1;
	}
	intake_commit(&into, envelope, done, arg);
	return 0;
}

/* --- life ----------------------------------------------------------------- */

int
mailing_new(struct role *role, struct mailing **ret, struct err *err)
{
	struct mailing *mailing = mem_new(sizeof(*mailing));
	struct intake_setup setup = {
	    .loop = role->loop,
	    .spool = &mailing->spool,
	    .memory = role->config->limits.memory,
	    .message_max = role->config->limits.message,
	    .on_synced = on_synced,
	    .arg = mailing,
	};

	mailing->role = role;
	role_spool(role, &mailing->spool);
	if (intake_new(&setup, &mailing->intake, err) < 0) {
		mem_free(mailing);
		return -1;
	}
	*ret = mailing;
	return 0;
}

bool
mailing_busy(const struct mailing *mailing)
{
	return intake_busy(mailing->intake);
}

void
mailing_free(struct mailing **mailingp)
{
	struct mailing *mailing = *mailingp;

	*mailingp = NULL;
	if (mailing == NULL)
		return;
	channel_close(&mailing->queue);
	intake_free(&mailing->intake);
	mem_free(mailing);
}
