/* What the sender of a drop is told about recipients that do not exist. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wire.h"
#include "mta/message/dsn.h"
#include "mta/receive/pickup_file.h"

#define HEADER_MAX   (64u << 10)
#define BOUNDARY_LEN 24
/* What dsn_build() says is always enough. */
#define OUT_MAX(nrcpts) (2 * (size_t)DSN_WHOLE_MAX + (1 + (nrcpts)) * 32768)

static void
log_bounce(const struct pickup_file *file, const char *event, uint64_t id,
    const char *reason)
{
	struct log_line line;
	char text[QUEUE_ID_SIZE];

	log_begin(&line, LOG_LEVEL_INFO, event);
	log_str(&line, "session", file->session);
	log_str(&line, "action", dsn_action_name(DSN_FAILED));
	if (id != 0) {
		queue_id_text(id, text);
		log_str(&line, "notification", text);
	}
	log_str(&line, "to", file->said.sender);
	log_u64(&line, "rcpts", file->nrefused);
	log_str(&line, "reason", reason);
	log_end(&line);
}

static bool
is_owed(const struct pickup_file *file, const struct pickup_refused *no)
{
	return dsn_allowed(&file->said) &&
	       dsn_wanted(no->rcpt->notify, DSN_FAILED);
}

static size_t
name_rcpts(const struct pickup_file *file, struct dsn_rcpt *to)
{
	size_t n = 0;

	for (size_t i = 0; i < file->nrefused; i++) {
		const struct pickup_refused *no = &file->refused[i];

		if (!is_owed(file, no))
			continue;
		to[n++] = (struct dsn_rcpt){
		    .rcpt = no->rcpt,
		    .action = DSN_FAILED,
		    .status = no->err.enhanced,
		    .remote_mta = "",
		    .diagnostic = span_of(no->err.text),
		    .last_attempt = clock_wall(),
		};
	}
	return n;
}

static void
make_boundary(char to[BOUNDARY_LEN + 1])
{
	uint8_t random[BOUNDARY_LEN / 2] = {0};

	if (getrandom(random, sizeof(random), 0) < 0)
		wire_store_u64(random, (uint64_t)clock_wall_us());
	text_hex(random, sizeof(random), to);
}

static int
build(struct pickup_file *file, const struct dsn_rcpt *rcpts, size_t nrcpts,
    struct buf *out, struct err *err)
{
	char id[QUEUE_ID_SIZE], boundary[BOUNDARY_LEN + 1];
	char *front = mem_new(HEADER_MAX);
	ssize_t n = pread(file->fd, front, HEADER_MAX, DROP_HEADER);
	size_t have = n < 0 ? 0 : (size_t)n;
	struct dsn_needs needs = {0};
	struct dsn dsn = {
	    .envelope = &file->said,
	    .hostname = pickup_receive(file->pickup)->config->hostname,
	    .id = id,
	    .queue_id = "",
	    .boundary = boundary,
	    .now = clock_wall(),
	    .rcpts = rcpts,
	    .nrcpts = nrcpts,
	};
	int rc;

	if (have > file->header.message)
		have = (size_t)file->header.message;
	dsn.original = dsn_header((struct span){front, have}, HEADER_MAX);
	queue_id_text(intake_id(file->message), id);
	make_boundary(boundary);
	rc = dsn_build(&dsn, out, &needs, err);
	mem_free(front);
	file->bounce = (struct envelope){
	    .sender = "",
	    .envid = "",
	    .helo = dsn.hostname,
	    .client = "",
	    .session = file->session,
	    .body = needs.eight_bit ? BODY_8BITMIME : BODY_DEFAULT,
	    .smtputf8 = needs.smtputf8,
	    .internal = true,
	    .arrived = dsn.now,
	    .rcpts = file->bounce.rcpts,
	    .nrcpts = file->bounce.nrcpts,
	};
	return rc;
}

static int
store(struct pickup_file *file, const struct dsn_rcpt *rcpts, size_t nrcpts,
    intake_done *done, struct err *err)
{
	const struct receive *receive = pickup_receive(file->pickup);
	struct buf out;
	int rc = intake_begin(receive->intake, &file->message, err);

	buf_init(&out, OUT_MAX(nrcpts));
	if (rc == 0)
		rc = build(file, rcpts, nrcpts, &out, err);
	if (rc == 0)
		rc = intake_add(file->message, buf_span(&out), err);
	buf_free(&out);
	if (rc < 0) {
		intake_abort(&file->message);
		return -1;
	}
	log_bounce(file, "bounce", intake_id(file->message), "queued");
	intake_commit(&file->message, &file->bounce, done, file);
	return 0;
}

/* To whom: judged like the recipients of any mail, and once. */
static int
address_bounce(struct pickup_file *file, struct err *err)
{
	const struct locals *locals = pickup_receive(file->pickup)->locals;
	struct inquiry inquiry = {.answers = file->answers};
	struct envelope envelope = {
	    .sender = "", .rcpts = &file->bounce_to, .nrcpts = 1};
	struct envelope to;

	if (file->bounce.nrcpts > 0)
		return 0;
	file->bounce_to = (struct envelope_rcpt){
	    .address = file->said.sender,
	    .orcpt = "",
	    .notify = NOTIFY_NEVER,
	};
	if (locals_settle(locals_resolve(locals, &inquiry, &envelope,
			      file->arena, &to, err),
		err) < 0)
		return -1;
	file->bounce = to;
	return 0;
}

bool
pickup_bounce_waits(struct pickup_file *file, struct err *err)
{
	bool owed = false;

	for (size_t i = 0; i < file->nrefused; i++)
		owed |= is_owed(file, &file->refused[i]);
	/* With nobody to ask, or for so long, waiting changes nothing. */
	return owed && file->answers != NULL && !pickup_is_too_old(file) &&
	       address_bounce(file, err) < 0 && err->kind == ERR_TEMP;
}

/* Nobody hears of those refused: somebody has to look. */
static enum pickup_state
set_aside(struct pickup_file *file, const struct err *err)
{
	char why[sizeof(err->text) + 64];

	(void)snprintf(why, sizeof(why), "its sender cannot be told of %zu: %s",
	    file->nrefused, err->text);
	pickup_reject(file->pickup, file->name, why);
	return pickup_is_there(file) ? PICKUP_LATER : PICKUP_GONE;
}

enum pickup_state
pickup_not_bounced(struct pickup_file *file, const struct err *err)
{
	if (err->kind == ERR_TEMP)
		return pickup_later(file, err);
	log_bounce(file, "bounce-failed", 0, err->text);
	return set_aside(file, err);
}

static enum pickup_state
not_addressed(struct pickup_file *file, const struct err *err)
{
	log_bounce(file, "no-bounce", 0, err->text);
	return err->kind == ERR_PERM ? PICKUP_GONE : set_aside(file, err);
}

enum pickup_state
pickup_bounce(struct pickup_file *file, intake_done *done)
{
	struct dsn_rcpt *rcpts = mem_array(file->nrefused, sizeof(rcpts[0]));
	size_t n = name_rcpts(file, rcpts);
	enum pickup_state state = PICKUP_GONE;
	struct err err;

	if (n == 0)
		log_bounce(file, "no-bounce", 0, "none is owed to the sender");
	else if (address_bounce(file, &err) < 0)
		state = not_addressed(file, &err);
	else if (store(file, rcpts, n, done, &err) < 0)
		state = pickup_not_bounced(file, &err);
	else
		state = PICKUP_STORING;
	mem_free(rcpts);
	return state;
}
