/* The message that filters judge: kept, shown, changed. */
#include <string.h>

#include "base/text.h"
#include "mta/receive/filter.h"
#include "mta/smtp/grammar.h"

/* What cannot go to the disk. */
static int
reserve(struct chain *chain, uint64_t octets, struct err *err)
{
	if (keep_reserve(chain->owner.receive, octets, err) < 0)
		return -1;
	chain->counted += octets;
	return 0;
}

void
chain_drop_header(struct chain *chain)
{
	chain->owner.receive->kept -= chain->counted;
	chain->counted = 0;
	buf_free(&chain->head);
	milter_header_free(&chain->header);
}

void
chain_clear(struct chain *chain)
{
	chain->keeping = false;
	buf_free(&chain->trace);
	chain_drop_header(chain);
	keep_clear(&chain->body);
	keep_clear(&chain->fresh);
	arena_reset(chain->arena);
	chain->envelope = (struct envelope){0};
}

void
chain_take_trace(struct chain *chain, struct span trace)
{
	chain_clear(chain);
	chain->keeping = true;
	if (buf_add(&chain->trace, trace) < 0)
		(void)err_set(chain->owner.trouble, ERR_BUG, "4.3.0",
		    "the trace field grew too large");
}

/* Does the header section end in what is new, or is there none? */
static bool
head_ends(struct span head, struct span fresh)
{
	return (head.n >= 2 && memcmp(head.p, "\r\n", 2) == 0) ||
	       (fresh.n > 0 && memmem(fresh.p, fresh.n, "\r\n\r\n", 4) != NULL);
}

static int
take_head(struct chain *chain, struct span bytes, struct err *err)
{
	size_t before = chain->head.n < 3 ? 0 : chain->head.n - 3;
	struct span head;

	if (chain->header.separated)
		return 0;
	if (reserve(chain, bytes.n, err) < 0)
		return -1;
	if (buf_add(&chain->head, bytes) < 0)
		return err_set(err, ERR_PERM, "5.3.4",
		    "the header section is too large to be filtered");
	head = buf_span(&chain->head);
	chain->header.separated = head_ends(head, span_from(head, before));
	return 0;
}

void
chain_take_body(struct chain *chain, struct span bytes)
{
	struct err *trouble = chain->owner.trouble;

	if (*chain->owner.message == NULL || trouble->kind != ERR_NONE ||
	    (take_head(chain, bytes, trouble) == 0 &&
		keep_add(&chain->body, bytes, trouble) == 0))
		return;
	intake_abort(chain->owner.message);
	chain_clear(chain);
	chain->keeping = true;
}

static bool
copy_envelope(struct chain *chain, const struct envelope *from)
{
	struct envelope *to = &chain->envelope;

	*to = *from;
	to->rcpts = arena_alloc(
	    chain->arena, IPC_RCPTS_MAX * sizeof(to->rcpts[0]));
	if (to->rcpts == NULL || from->nrcpts > IPC_RCPTS_MAX)
		return false;
	for (size_t i = 0; i < from->nrcpts; i++)
		to->rcpts[i] = from->rcpts[i];
	return true;
}

static int
show_message(struct chain *chain, struct err *err)
{
	const struct chain_owner *owner = &chain->owner;
	const struct envelope *envelope = owner->ops->envelope(owner->arg);
	size_t from = 0;

	/* Trouble of ours; that with a filter has other ends. */
	if (keep_flush(&chain->body, err) < 0)
		return -1;
	if (milter_header_read(&chain->header, chain->arena,
		buf_span(&chain->trace), buf_span(&chain->head), &from) < 0)
		return err_set(err, ERR_PERM, "5.3.4",
		    "the header section has too many fields");
	if (reserve(chain, chain->header.size * sizeof(chain->header.list[0]),
		err) < 0)
		return -1;
	if (!copy_envelope(chain, envelope))
		return err_set(err, ERR_TEMP, "4.5.3",
		    "too many recipients to be filtered");
	chain->from = from;
	return 0;
}

bool
chain_show(struct chain *chain)
{
	struct err *trouble = chain->owner.trouble;

	if (*chain->owner.message != NULL && trouble->kind == ERR_NONE &&
	    show_message(chain, trouble) == 0) {
		chain_begin(chain, ASK_MESSAGE);
		return true;
	}
	/* The intake has nothing of it. */
	intake_abort(chain->owner.message);
	chain_clear(chain);
	return false;
}

static bool
read_address(struct span text, enum path_kind kind, struct address *ret)
{
	struct err err;

	if (text.n >= 2 && text.p[0] == '<' && text.p[text.n - 1] == '>')
		text = (struct span){text.p + 1, text.n - 2};
	*ret = (struct address){.text = ""};
	return (kind == PATH_REVERSE && text.n == 0) ||
	       grammar_mailbox(text, kind, ret, &err) == 0;
}

size_t
chain_find_rcpt(const struct envelope *envelope, const char *address)
{
	size_t i = 0;

	while (i < envelope->nrcpts &&
	       !span_eq_nocase(
		   span_of(envelope->rcpts[i].address), span_of(address)))
		i++;
	return i;
}

/* RFC 3461 4.1 and 4.2; what else a filter writes there means nothing. */
static void
take_args(struct chain *chain, struct span args, struct envelope_rcpt *rcpt)
{
	struct param param;

	while (grammar_param(&args, &param) == PARAM_TAKEN) {
		if (span_eq_nocase(param.name, SPAN("NOTIFY")))
			(void)grammar_notify(param.value, &rcpt->notify);
		if (span_eq_nocase(param.name, SPAN("ORCPT")) &&
		    grammar_is_orcpt(param.value)) {
			const char *orcpt = arena_strndup(
			    chain->arena, param.value.p, param.value.n);

			rcpt->orcpt = orcpt == NULL ? "" : orcpt;
		}
	}
}

static bool
add_rcpt(struct chain *chain, const struct milter_change *change)
{
	struct envelope *to = &chain->envelope;
	struct envelope_rcpt rcpt = {.orcpt = ""};
	struct address address;

	if (!read_address(change->name, PATH_FORWARD, &address))
		return false;
	if (chain_find_rcpt(to, address.text) < to->nrcpts)
		return true;
	rcpt.address = arena_strndup(
	    chain->arena, address.text, strlen(address.text));
	take_args(chain, change->value, &rcpt);
	if (rcpt.address == NULL || to->nrcpts >= IPC_RCPTS_MAX)
		return false;
	to->rcpts[to->nrcpts++] = rcpt;
	return true;
}

/* One that is not there is deleted already. */
static bool
delete_rcpt(struct chain *chain, const struct milter_change *change)
{
	struct envelope *to = &chain->envelope;
	struct address address;
	size_t i;

	if (!read_address(change->name, PATH_FORWARD, &address))
		return false;
	i = chain_find_rcpt(to, address.text);
	if (i == to->nrcpts)
		return true;
	for (to->nrcpts--; i < to->nrcpts; i++)
		to->rcpts[i] = to->rcpts[i + 1];
	return true;
}

static bool
change_from(struct chain *chain, const struct milter_change *change)
{
	struct address address;
	const char *sender;

	if (!read_address(change->name, PATH_REVERSE, &address))
		return false;
	sender = arena_strndup(
	    chain->arena, address.text, strlen(address.text));
	if (sender != NULL)
		chain->envelope.sender = sender;
	return sender != NULL;
}

static bool
change_envelope(struct chain *chain, const struct milter_change *change)
{
	if (change->kind == REPLY_IS_ADD_RCPT)
		return add_rcpt(chain, change);
	if (change->kind == REPLY_IS_DELETE_RCPT)
		return delete_rcpt(chain, change);
	if (change->kind == REPLY_IS_FROM)
		return change_from(chain, change);
	if (change->kind == REPLY_IS_QUARANTINE)
		chain->envelope.held = true;
	return true;
}

/* Some day the operator asks why it is held. */
static void
log_changes(const struct filter *filter)
{
	const struct chain_owner *owner = &filter->chain->owner;
	const struct milter_changes *changes = &filter->changes;
	char id[QUEUE_ID_SIZE], why[200] = "";
	struct log_line line;

	if (changes->n == 0 && !changes->body)
		return;
	for (size_t i = 0; i < changes->n; i++)
		if (changes->list[i].kind == REPLY_IS_QUARANTINE)
			text_escape(changes->list[i].name, why, sizeof(why));
	queue_id_text(intake_id(*owner->message), id);
	owner->ops->log(owner->arg, &line, LOG_LEVEL_INFO, "filter-changed");
	log_str(&line, "filter", filter->state->config->name);
	log_str(&line, "id", id);
	log_u64(&line, "changes", changes->n);
	log_str(&line, "body", changes->body ? "replaced" : "kept");
	if (filter->chain->envelope.held)
		log_str(&line, "held", why);
	log_end(&line);
}

/* All of them, or -1. */
static int
change_all(struct chain *chain, const struct milter_changes *changes,
    struct milter_header *header, struct err *err)
{
	if (milter_changes_apply(changes, header) < 0)
		return err_set(
		    err, ERR_TEMP, "4.3.0", "the filter adds too much");
	for (size_t i = 0; i < changes->n; i++)
		if (!change_envelope(chain, &changes->list[i]))
			return err_set(err, ERR_TEMP, "4.3.0",
			    "the filter gives no sound address, or too many");
	return changes->body ? keep_end_lines(&chain->fresh, err) : 0;
}

int
chain_change(struct filter *filter, struct err *err)
{
	struct chain *chain = filter->chain;
	struct milter_changes *changes = &filter->changes;
	struct envelope before = chain->envelope;
	struct milter_header header;

	milter_header_copy(&chain->header, &header);
	if (!copy_envelope(chain, &before)) {
		milter_header_free(&header);
		return err_set(
		    err, ERR_TEMP, "4.3.0", "the filters add too much");
	}
	if (change_all(chain, changes, &header, err) < 0) {
		chain->envelope = before;
		milter_header_free(&header);
		return -1;
	}
	milter_header_free(&chain->header);
	chain->header = header;
	log_changes(filter);
	if (!changes->body)
		return 0;
	keep_clear(&chain->body);
	chain->body = chain->fresh;
	keep_init(&chain->fresh, chain->owner.receive);
	chain->from = 0;
	chain->header.changed = true;
	return 0;
}
