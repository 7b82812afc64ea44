/*
 * The end of a message that its filters let through: whom they added is looked
 * up like any recipient, then the message is written, in pieces between which
 * the loop turns, and stored.
 */
#include <string.h>

#include "mta/lookup/inquiry.h"
#include "mta/net/loop.h"
#include "mta/receive/filter.h"

#define PIECE 65536u
/* Of a message on the disk, in one turn of the loop. */
#define TURN_OCTETS (512u << 10)

static void check_rcpts(struct chain *chain);

static void
discard(struct chain *chain)
{
	const struct chain_owner owner = chain->owner;
	const struct envelope *said = owner.ops->envelope(owner.arg);
	bool later = chain->later;
	char id[QUEUE_ID_SIZE];
	struct log_line line;

	queue_id_text(intake_id(*owner.message), id);
	owner.ops->log(owner.arg, &line, LOG_LEVEL_INFO, "discarded");
	log_str(&line, "id", id);
	log_str(&line, "from", said->sender);
	log_u64(&line, "rcpts", said->nrcpts);
	log_str(&line, "filter",
	    chain->discarded == NULL ? "all recipients deleted"
				     : chain->discarded);
	log_end(&line);
	intake_abort(owner.message);
	chain_clear(chain);
	chain->later = false;
	chain->question = ASK_NOTHING;
	owner.ops->discard(owner.arg, id, later);
}

/* --- written ----------------------------------------------------------- */

static void
store(struct chain *chain, int rc)
{
	const struct chain_owner owner = chain->owner;
	bool later = chain->later;

	if (rc < 0)
		intake_abort(owner.message);
	chain->later = false;
	chain->question = ASK_NOTHING;
	keep_clear(&chain->body);
	chain_drop_header(chain);
	owner.ops->store(owner.arg, &chain->envelope, later);
}

static int
write_head(struct chain *chain)
{
	const struct chain_owner *owner = &chain->owner;
	struct buf head;
	int rc;

	buf_init(&head, (size_t)2 * CHAIN_HEAD_MAX);
	rc = milter_header_write(
	    &chain->header, chain->body.size > chain->from, &head);
	rc = rc < 0
	         ? err_set(owner->trouble, ERR_PERM, "5.3.4",
		       "the header section grew too large")
	         : intake_add(*owner->message, buf_span(&head), owner->trouble);
	buf_free(&head);
	return rc;
}

static int
write_piece(struct chain *chain)
{
	const struct chain_owner *owner = &chain->owner;
	char room[PIECE];
	struct span piece;

	if (keep_read(&chain->body, chain->written, room, sizeof(room), &piece,
		owner->trouble) < 0)
		return -1;
	if (piece.n == 0)
		return err_set(owner->trouble, ERR_BUG, "4.3.0",
		    "a message that was kept has shrunk");
	chain->written += piece.n;
	return intake_add(*owner->message, piece, owner->trouble);
}

static void
write_on(void *arg)
{
	struct chain *chain = arg;
	uint64_t most = chain->written + TURN_OCTETS;
	int rc = 0;

	while (rc == 0 && chain->written < chain->body.size &&
	       chain->written < most)
		rc = write_piece(chain);
	if (rc < 0 || chain->written >= chain->body.size) {
		store(chain, rc);
		return;
	}
	chain_wait(chain);
	if (chain->turn == NULL)
		chain->turn = timer_new(
		    chain->owner.receive->role->loop, write_on, chain);
	timer_start(chain->turn, 0);
}

/* --- who was added ----------------------------------------------------- */

static void
on_asked(void *arg)
{
	struct chain *chain = arg;

	chain->asking = NULL;
	check_rcpts(chain);
}

/* Whether who knows of it has to be waited for. */
static bool
ask(struct chain *chain, const char *address)
{
	const struct receive *receive = chain->owner.receive;
	struct answers **answers = chain->owner.answers;

	if (receive->askers == NULL)
		return false;
	if (*answers == NULL)
		*answers = answers_new();
	chain->asking = asking_start(receive->askers, receive->locals, *answers,
	    address, on_asked, chain);
	return chain->asking != NULL;
}

static void
log_unknown(
    const struct chain *chain, const char *address, const struct err *why)
{
	const struct chain_owner *owner = &chain->owner;
	struct log_line line;
	char id[QUEUE_ID_SIZE];

	queue_id_text(intake_id(*owner->message), id);
	owner->ops->log(owner->arg, &line, LOG_LEVEL_WARN, "filter-recipient");
	log_str(&line, "id", id);
	log_str(&line, "to", address);
	inbound_log_err(&line, why);
	log_end(&line);
}

/* The one at `checked` is taken, left out, or nobody can say: -1. */
static int
judge(struct chain *chain, const char *address, struct err *err)
{
	struct inquiry inquiry = {.answers = *chain->owner.answers};
	struct envelope *to = &chain->envelope;

	if (locals_settle(locals_known(chain->owner.receive->locals, &inquiry,
			      address, err),
		err) == 0) {
		chain->checked++;
		return 0;
	}
	if (err->kind != ERR_PERM)
		return -1;
	log_unknown(chain, address, err);
	to->nrcpts--;
	for (size_t i = chain->checked; i < to->nrcpts; i++)
		to->rcpts[i] = to->rcpts[i + 1];
	return 0;
}

static void
refuse(struct chain *chain, const struct err *err)
{
	chain->outcome = (struct milter_answer){
	    .verdict = MILTER_REFUSE, .err = *err};
	chain_answer(chain);
}

static void
check_rcpts(struct chain *chain)
{
	const struct chain_owner *owner = &chain->owner;
	const struct envelope *said = owner->ops->envelope(owner->arg);
	struct err err = {0};

	while (chain->checked < chain->envelope.nrcpts) {
		const char *address = chain->envelope.rcpts[chain->checked]
		                          .address;

		if (chain_find_rcpt(said, address) < said->nrcpts) {
			chain->checked++;
		} else if (ask(chain, address)) {
			chain_wait(chain);
			return;
		} else if (judge(chain, address, &err) < 0) {
			refuse(chain, &err);
			return;
		}
	}
	/* It goes to somebody, or its sender hears of it. */
	if (chain->envelope.nrcpts == 0)
		refuse(chain, &err);
	else if (write_head(chain) < 0)
		store(chain, -1);
	else
		write_on(chain);
}

void
chain_store(struct chain *chain)
{
	chain->checked = 0;
	chain->written = chain->from;
	if (chain->discarded != NULL || chain->envelope.nrcpts == 0)
		discard(chain);
	else
		check_rcpts(chain);
}
