/*
 * DSNs: made here, put into the spool like any other message.
 *
 *   bounce_send > read the original > build > intake > durable > queue_bounced
 *
 * Only then does the journal call the recipients failed.  When the disk does
 * not take the bounce it is tried again: until then they stay as they are.
 */
#include "mta/queue/bounce.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wire.h"
#include "mta/message/dsn.h"
#include "queue/listing.h"

#define RETRY_MS      5000
#define UNREADABLE_MS 60000
#define ARENA_MAX     (8u << 20)
#define HEADER_MAX    (256u << 10)
#define BOUNDARY_LEN  24
/* What dsn_build() says is always enough. */
#define OUT_MAX(nrcpts) \
	(2 * ((size_t)DSN_WHOLE_MAX + 65536) + (1 + (nrcpts)) * 32768)

static void bounce_give_back(struct bounce *b);

void
bounce_free(struct bounce *b)
{
	struct bounce **at = &b->q->bounces;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	timer_free(&b->retry);
	asking_cancel(&b->asking);
	answers_free(&b->answers);
	arena_free(&b->arena);
	mem_free(b->ordinals);
	mem_free(b->rcpts);
	buf_free(&b->result);
	mem_free(b);
}

void
bounce_log(const struct bounce *b, enum log_level level, const char *event,
    uint64_t id, const char *reason)
{
	char original[QUEUE_ID_SIZE], own[QUEUE_ID_SIZE];
	struct log_line line;

	queue_id_text(b->message, original);
	log_begin(&line, level, event);
	log_str(&line, "id", original);
	log_str(&line, "action", dsn_action_name(b->action));
	if (id != 0) {
		queue_id_text(id, own);
		log_str(&line, "notification", own);
	}
	log_str(&line, "to", b->original == NULL ? NULL : b->original->sender);
	log_u64(&line, "rcpts", b->nordinals);
	log_str(&line, "reason", reason);
	log_end(&line);
}

/* What it was about is done with: journal it. */
void
bounce_end(struct bounce *b)
{
	struct queue_role *q = b->q;

	if (b->result.n > 0)
		bounce_settle_success(b);
	else if (b->action == DSN_FAILED)
		queue_bounced(q->queue, b->message, b->ordinals, b->nordinals,
		    clock_wall());
	else
		queue_warned(q->queue, b->message, b->ordinals, b->nordinals);
	bounce_free(b);
	journal_pump(q);
	queue_role_idle(q);
}

static void
on_durable(void *arg, uint64_t id, const struct err *err)
{
	struct bounce *b = arg;

	if (err != NULL) {
		bounce_log(b, LOG_LEVEL_ERROR, "bounce-failed", 0, err->text);
		timer_start(b->retry, RETRY_MS);
		return;
	}
	metrics_add(METRIC_BOUNCES, 1);
	bounce_log(b, LOG_LEVEL_INFO, "bounce", id, "queued");
	bounce_end(b);
}

static void
on_found(void *arg, const struct queue_entry *entry)
{
	struct bounce *b = arg;

	b->at = entry->job.at;
}

/* As much of the original as is returned.  It may have moved. */
static int
read_original(
    struct bounce *b, struct buf *ret, bool *ret_whole, struct err *err)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct message_in *in = NULL;
	size_t n = 1, most;
	int rc;

	(void)queue_show(b->q->queue, b->message, on_found, b);
	rc = message_open(b->q->reader, b->message, b->at, arena, &in, err);
	if (rc == 0)
		*ret_whole = dsn_returns_whole(
		    b->original, b->action == DSN_FAILED, message_size(in));
	most = *ret_whole ? DSN_WHOLE_MAX + 1 : HEADER_MAX;
	while (rc == 0 && n > 0 && ret->n < most) {
		char chunk[8192];

		rc = message_read(in, chunk, sizeof(chunk), &n, err);
		if (rc == 0)
			rc = buf_add(ret, (struct span){chunk, n});
	}
	/* What is damaged stays so: its header, and never again a try. */
	if (rc < 0 && in != NULL && err->kind == ERR_BUG) {
		*ret_whole = false;
		rc = 0;
	}
	message_close(&in);
	arena_free(&arena);
	return rc;
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
build(struct bounce *b, uint64_t id, struct buf *out, struct err *err)
{
	char own[QUEUE_ID_SIZE], queue_id[QUEUE_ID_SIZE];
	char boundary[BOUNDARY_LEN + 1];
	struct dsn_needs needs = {0};
	struct dsn dsn = {
	    .envelope = b->original,
	    .hostname = b->q->config->hostname,
	    .id = own,
	    .queue_id = queue_id,
	    .boundary = boundary,
	    .now = clock_wall(),
	    .rcpts = b->rcpts,
	    .nrcpts = b->nrcpts,
	};
	struct buf original;
	int rc;

	queue_id_text(id, own);
	queue_id_text(b->message, queue_id);
	make_boundary(boundary);
	buf_init(&original, DSN_WHOLE_MAX + 65536);
	rc = read_original(b, &original, &dsn.whole, err);
	dsn.original = dsn.whole ? buf_span(&original)
	                         : dsn_header(buf_span(&original), HEADER_MAX);
	if (rc == 0)
		rc = dsn_build(&dsn, out, &needs, err);
	buf_free(&original);
	b->envelope.body = needs.eight_bit ? BODY_8BITMIME : BODY_DEFAULT;
	b->envelope.smtputf8 = needs.smtputf8;
	return rc;
}

static void
bounce_none(struct bounce *b)
{
	bounce_log(
	    b, LOG_LEVEL_INFO, "no-bounce", 0, "none is owed to the sender");
	bounce_end(b);
}

/* Also the end of a wait: everything is made anew. */
void
bounce_try(void *arg)
{
	struct bounce *b = arg;
	struct intake_message *message = NULL;
	struct buf out;
	struct err err = {0};
	int rc;

	if (b->q->stopped)
		return;
	if (b->original == NULL) {
		bounce_give_back(b);
		return;
	}
	bounce_forget_settled(b);
	if (b->nrcpts == 0) {
		bounce_none(b);
		return;
	}
	if (!b->addressed) {
		bounce_ask(b);
		return;
	}
	buf_init(&out, OUT_MAX(b->nrcpts));
	rc = intake_begin(b->q->intake, &message, &err);
	if (rc == 0)
		rc = build(b, intake_id(message), &out, &err);
	if (rc == 0)
		rc = intake_add(message, buf_span(&out), &err);
	buf_free(&out);
	if (rc == 0) {
		b->envelope.arrived = clock_wall();
		intake_commit(&message, &b->envelope, on_durable, b);
		return;
	}
	intake_abort(&message);
	bounce_log(b, LOG_LEVEL_ERROR, "bounce-failed", 0, err.text);
	timer_start(b->retry, RETRY_MS);
}

/* The envelope of the original, kept for as long as the bounce is made. */
static int
open_original(struct bounce *b, struct err *err)
{
	struct message_in *in = NULL;

	b->arena = arena_new(ARENA_MAX);
	if (!queue_show(b->q->queue, b->message, on_found, b))
		return err_set(err, ERR_BUG, "4.3.0", "no such message");
	if (message_open(b->q->reader, b->message, b->at, b->arena, &in, err) <
	    0)
		return -1;
	b->original = arena_alloc(b->arena, sizeof(*b->original));
	if (b->original != NULL)
		*b->original = *message_envelope(in);
	message_close(&in);
	return b->original != NULL ? 0
	                           : err_set(err, ERR_BUG, "4.3.0",
					 "the envelope is too large");
}

static const char *
keep_text(struct bounce *b, struct span text)
{
	const char *copy = arena_strndup(b->arena, text.p, text.n);

	return copy == NULL ? "" : copy;
}

/* RFC 3464 2.3.5: a name in the DNS.  Who is behind a socket is on this host,
 * and where it lies is for the log. */
static struct span
name_remote(const struct bounce *b, struct span remote)
{
	return remote.n > 0 && remote.p[0] == '/'
	           ? span_of(b->q->config->hostname)
	           : remote;
}

/* The same of words of ours: "/run/lmtp: Connection refused". */
static struct span
hide_path(struct span words)
{
	const char *end = words.n > 0 && words.p[0] == '/'
	                      ? memmem(words.p, words.n, ": ", 2)
	                      : NULL;

	return end == NULL ? words
	                   : span_from(words, (size_t)(end - words.p) + 2);
}

static void
name_rcpt(
    struct bounce *b, const struct bounce_rcpt *from, enum dsn_action action)
{
	const struct envelope_rcpt *rcpt;
	struct span remote = name_remote(b, from->remote);
	struct span words = hide_path(span_of(from->err.text));

	if (from->ordinal >= b->original->nrcpts)
		return;
	b->ordinals[b->nordinals++] = from->ordinal;
	rcpt = &b->original->rcpts[from->ordinal];
	if (!dsn_wanted(rcpt->notify, action))
		return;
	if (from->reply.n > 0 && remote.n > 0)
		words = from->reply;
	b->rcpts[b->nrcpts++] = (struct dsn_rcpt){
	    .rcpt = rcpt,
	    .action = action,
	    .status = keep_text(b, span_of(from->err.enhanced)),
	    .remote_mta = keep_text(
		b, from->reply.n > 0 ? remote : (struct span){NULL, 0}),
	    .diagnostic = arena_span(b->arena, words),
	    .last_attempt = clock_wall(),
	    .retry_until = from->until,
	};
}

/*
 * An expired recipient's last error was temporary; what the sender is told
 * is that there will be no more tries (RFC 3463 X.4.7).
 */
static struct bounce_rcpt
final_words(const struct bounce_rcpt *from)
{
	struct bounce_rcpt r = *from;

	if (r.fate == FATE_EXPIRED && r.err.enhanced[0] == '4')
		(void)text_copy(
		    r.err.enhanced, sizeof(r.err.enhanced), "4.4.7");
	return r;
}

/* NULL: the original cannot be read; what it is about stays as it is. */
static struct bounce *
bounce_new(
    struct queue_role *q, uint64_t message, size_t n, enum dsn_action action)
{
	struct bounce *b = mem_new(sizeof(*b));
	struct err err;

	b->q = q;
	b->message = message;
	b->action = action;
	b->ordinals = mem_array(n, sizeof(b->ordinals[0]));
	b->rcpts = mem_array(n, sizeof(b->rcpts[0]));
	b->retry = timer_new(q->role->loop, bounce_try, b);
	buf_init(&b->result, 4u << 20);
	b->next = q->bounces;
	q->bounces = b;
	if (open_original(b, &err) == 0)
		return b;
	bounce_log(b, LOG_LEVEL_ERROR, "bounce-failed", 0, err.text);
	b->original = NULL;
	b->damaged = err.kind == ERR_BUG;
	return b;
}

/*
 * The original cannot be read: another attempt, another try, but not now.
 * What is damaged stays so: the operator must look at it.
 */
static void
bounce_wait(struct bounce *b, const struct bounce_rcpt *rcpts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		b->ordinals[b->nordinals++] = rcpts[i].ordinal;
	if (b->damaged)
		(void)queue_hold(b->q->queue, b->message, true);
	timer_start(b->retry, b->damaged ? 0 : UNREADABLE_MS);
}

static void
bounce_give_back(struct bounce *b)
{
	struct queue_role *q = b->q;

	/* What a delay is told of is with nobody, or being tried again. */
	if (b->action == DSN_FAILED)
		queue_return(
		    q->queue, b->message, b->ordinals, b->nordinals, 0);
	bounce_free(b);
	dispatch(q);
}

static void
bounce_go(struct bounce *b)
{
	if (b->nrcpts == 0 || !dsn_allowed(b->original)) {
		bounce_none(b);
		return;
	}
	bounce_ask(b);
}

static void
send_one(struct queue_role *q, uint64_t message,
    const struct bounce_rcpt *rcpts, size_t n, enum dsn_action action)
{
	struct bounce *b = bounce_new(q, message, n, action);

	if (b->original == NULL) {
		bounce_wait(b, rcpts, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct bounce_rcpt final = final_words(&rcpts[i]);

		if ((final.fate == FATE_LATE) == (action == DSN_DELAYED))
			name_rcpt(b, &final, action);
	}
	bounce_go(b);
}

void
bounce_send(struct queue_role *q, uint64_t message,
    const struct bounce_rcpt *rcpts, size_t n)
{
	bool failed = false, late = false;

	for (size_t i = 0; i < n; i++) {
		failed |= rcpts[i].fate != FATE_LATE;
		late |= rcpts[i].fate == FATE_LATE;
	}
	if (failed)
		send_one(q, message, rcpts, n, DSN_FAILED);
	if (late)
		send_one(q, message, rcpts, n, DSN_DELAYED);
}

static bool
is_expanded(const struct bounce *b, uint16_t ordinal)
{
	const struct envelope *original = b->original;

	return ordinal < original->nrcpts &&
	       (original->rcpts[ordinal].notify & NOTIFY_EXPANDED) != 0;
}

static void
name_success(struct bounce *b, const struct ipc_result *result, size_t i)
{
	const struct ipc_rcpt_result *r = &result->rcpts[i];
	struct bounce_rcpt rcpt = {
	    .ordinal = r->ordinal,
	    .reply = r->reply,
	    .remote = result->remote,
	};

	(void)text_copy(rcpt.err.enhanced, sizeof(rcpt.err.enhanced), "2.0.0");
	if (r->outcome == OUTCOME_RELAYED)
		name_rcpt(b, &rcpt, DSN_RELAYED);
	else if (r->outcome == OUTCOME_STORED)
		name_rcpt(b, &rcpt,
		    is_expanded(b, r->ordinal) ? DSN_EXPANDED : DSN_DELIVERED);
}

void
success_send(
    struct queue_role *q, uint32_t owner, const struct ipc_result *result)
{
	struct bounce *b = bounce_new(
	    q, result->message, result->nrcpts, DSN_DELIVERED);
	uint16_t rcpts[IPC_RCPTS_MAX];

	if (b->original == NULL) {
		/* No word is better than the mail twice. */
		bounce_free(b);
		ack_later(q, owner, result);
		settle_now(q, result);
		return;
	}
	/* The deliver process may go: it is with us now, all that was one job
	 * when it began. */
	result_rcpts(result, rcpts);
	(void)queue_lease(q->queue, result->message, rcpts, result->nrcpts, 0);
	b->owner = owner;
	ipc_put_result(&b->result, result);
	for (size_t i = 0; i < result->nrcpts; i++)
		name_success(b, result, i);
	bounce_go(b);
}

void
bounces_free(struct queue_role *q)
{
	while (q->bounces != NULL)
		bounce_free(q->bounces);
}
