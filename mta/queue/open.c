/* The queue of this spool: locked, recovered, ready to be read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mta/queue/private.h"
#include "mta/route.h"

#define LOCK_TRIES   600
#define LOCK_WAIT_NS 100000000

static void
route(void *arg, const struct envelope *envelope,
    const struct envelope_rcpt *rcpt, char key[QUEUE_KEY_MAX])
{
	const struct queue_role *q = arg;
	char text[TARGET_TEXT_MAX];

	(void)envelope;
	route_rcpt(q->config, rcpt, text);
	(void)text_copy(key, QUEUE_KEY_MAX, text);
}

/* One queue role a spool: the one before us may still be finishing. */
static int
lock_spool(struct queue_role *q, struct err *err)
{
	static const struct timespec pause = {.tv_nsec = LOCK_WAIT_NS};
	char path[SPOOL_FILE_MAX];

	(void)snprintf(path, sizeof(path), "%s/queue.lock", q->spool.path);
	q->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; q->lock >= 0 && i < LOCK_TRIES; i++) {
		if (flock(q->lock, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		(void)nanosleep(&pause, NULL);
	}
	return err_set(
	    err, ERR_TEMP, "4.3.0", "%s: %s", path, strerrordesc_np(errno));
}

static void
log_found(const struct queue_found *found, uint64_t ms)
{
	struct log_line line;
	bool bad = found->damaged > 0 || found->journal_damaged;

	log_begin(&line, bad ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "recovered");
	log_u64(&line, "messages", found->messages);
	log_u64(&line, "segments", found->segments);
	log_u64(&line, "torn", found->torn);
	log_u64(&line, "damaged", found->damaged);
	log_u64(&line, "orphans", found->orphans);
	log_str(&line, "journal", found->journal_damaged ? "damaged" : "good");
	log_u64(&line, "ms", ms);
	log_end(&line);
}

/* FNV-1a: another configuration may name other destinations. */
static uint64_t
version_of(struct span text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ (unsigned char)text.p[i]) *
		       UINT64_C(0x100000001b3);
	return hash;
}

int
queue_role_open(struct queue_role *q, struct err *err)
{
	const struct config *config = q->config;
	uint64_t began = clock_mono_ms();
	struct queue_found found = {0};
	struct queue_setup setup = {
	    .spool = &q->spool,
	    .route = route,
	    .route_arg = q,
	    .route_version = version_of(
		bundle_find(q->role->bundle, "config", "")),
	    .schedule = {config->retry.first, config->retry.longest,
		config->retry.lifetime,
		config->retry.warn == 0 ? -1 : (int64_t)config->retry.warn},
	    .destination_max = config->limits.connections,
	};

	role_spool(q->role, &q->spool);
	if (lock_spool(q, err) < 0 ||
	    queue_open(&setup, clock_wall(), &q->queue, &found, err) < 0)
		return -1;
	log_found(&found, clock_mono_ms() - began);
	q->reader = reader_new(&q->spool);
	return 0;
}
