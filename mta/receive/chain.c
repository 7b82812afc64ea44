/* The filters of a session, or of a message, in their order; see filter.h. */
#include <string.h>

#include "base/mem.h"
#include "mta/lookup/inquiry.h"
#include "mta/metrics.h"
#include "mta/net/loop.h"
#include "mta/receive/filter.h"

#define CHANGES_MAX (4u << 20)
#define TRACE_MAX   65536u

static const char *
question_name(enum filter_question question)
{
	switch (question) {
	case ASK_MAIL:
		return "mail";
	case ASK_RCPT:
	case ASK_REFUSED:
		return "rcpt";
	case ASK_DATA:
		return "data";
	case ASK_MESSAGE:
		return "message";
	case ASK_NOTHING:
		break;
	}
	return "nothing";
}

/* Those that this client's mail has to pass. */
static bool
applies(const struct receive *receive, const struct filter_state *state,
    const char *client)
{
	if (client[0] == '\0')
		return !state->config->skip_programs;
	return !state->config->skip_relay ||
	       !config_may_relay(receive->config, client);
}

struct chain *
chain_new(const struct chain_owner *owner)
{
	struct receive *receive = owner->receive;
	struct filters *filters = receive->filters;
	struct chain *chain = mem_new(sizeof(*chain));

	chain->owner = *owner;
	chain->list = mem_array(filters->n, sizeof(chain->list[0]));
	for (size_t i = 0; i < filters->n; i++) {
		struct filter_state *state = &filters->list[i];

		if (applies(receive, state, owner->client))
			chain->list[chain->n++] = (struct filter){
			    .chain = chain, .state = state};
	}
	chain->arena = arena_new(CHANGES_MAX);
	buf_init(&chain->trace, TRACE_MAX);
	buf_init(&chain->head, CHAIN_HEAD_MAX);
	keep_init(&chain->body, receive);
	keep_init(&chain->fresh, receive);
	return chain;
}

void
chain_end(struct chain **chainp)
{
	struct chain *chain = *chainp;

	*chainp = NULL;
	if (chain == NULL)
		return;
	chain_cancel(chain);
	chain_clear(chain);
	timer_free(&chain->turn);
	arena_free(&chain->arena);
	mem_free(chain->list);
	mem_free(chain);
}

void
chain_cancel(struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++)
		filter_close(&chain->list[i]);
	asking_cancel(&chain->asking);
	if (chain->turn != NULL)
		timer_stop(chain->turn);
	chain->question = ASK_NOTHING;
	chain->later = false;
}

static enum metric
metric_of(const struct milter_answer *answer)
{
	if (answer->verdict == MILTER_DISCARD)
		return METRIC_FILTER_DISCARDS;
	return answer->err.kind == ERR_PERM ? METRIC_FILTER_REJECTS
	                                    : METRIC_FILTER_TEMPFAILS;
}

void
chain_wait(struct chain *chain)
{
	if (!chain->later)
		chain->owner.ops->wait(chain->owner.arg, chain);
	chain->later = true;
}

static void
log_outcome(const struct chain *chain, const char *name)
{
	const struct milter_answer *answer = &chain->outcome;
	const struct chain_owner *owner = &chain->owner;
	struct log_line line;

	owner->ops->log(owner->arg, &line, LOG_LEVEL_INFO, "filtered");
	log_str(&line, "filter", name);
	log_str(&line, "at", question_name(chain->question));
	log_str(&line, "action",
	    answer->verdict == MILTER_DISCARD ? "discard"
	    : answer->err.kind == ERR_PERM    ? "reject"
					      : "tempfail");
	log_str(&line, "from", owner->ops->envelope(owner->arg)->sender);
	if (chain->question == ASK_RCPT)
		log_str(&line, "to", owner->ops->rcpt(owner->arg));
	if (answer->verdict != MILTER_DISCARD)
		inbound_log_err(&line, &answer->err);
	log_end(&line);
}

enum filter_turn
chain_judge(struct filter *filter, const struct milter_answer *answer)
{
	struct chain *chain = filter->chain;
	struct err err;

	if (chain->question == ASK_MESSAGE &&
	    (answer->verdict == MILTER_CONTINUE ||
		answer->verdict == MILTER_ACCEPT) &&
	    chain_change(filter, &err) < 0)
		return chain_without(filter, &err);
	switch (answer->verdict) {
	case MILTER_CONTINUE:
		return TURN_NEXT;
	case MILTER_ACCEPT:
		filter->done = true;
		filter->gone = answer->session;
		return TURN_NEXT;
	case MILTER_DISCARD:
		chain->discarded = filter->state->config->name;
		break;
	case MILTER_NO_VERDICT:
	case MILTER_REFUSE:
	case MILTER_HANG_UP:
		break;
	}
	/* A recipient that is refused already stays so. */
	if (chain->question == ASK_REFUSED)
		return TURN_NEXT;
	chain->outcome = *answer;
	metrics_add(metric_of(answer), 1);
	log_outcome(chain, filter->state->config->name);
	return TURN_OVER;
}

enum filter_turn
chain_without(struct filter *filter, const struct err *why)
{
	struct chain *chain = filter->chain;
	const struct config_milter *config = filter->state->config;
	struct log_line line;

	chain->owner.ops->log(
	    chain->owner.arg, &line, LOG_LEVEL_WARN, "filter-failed");
	log_str(&line, "filter", config->name);
	log_str(&line, "at", question_name(chain->question));
	log_str(&line, "action", filter_failure_name(config->on_failure));
	log_str(&line, "reason", why->text);
	log_end(&line);
	keep_clear(&chain->fresh);
	/* Else each question that comes is answered so. */
	filter->done = config->on_failure == FAILURE_ACCEPT;
	if (config->on_failure == FAILURE_ACCEPT ||
	    chain->question == ASK_REFUSED)
		return TURN_NEXT;
	chain->outcome = (struct milter_answer){.verdict = MILTER_REFUSE};
	filter_failure(filter->state, &chain->outcome.err);
	return TURN_OVER;
}

void
chain_answer(struct chain *chain)
{
	const struct chain_owner owner = chain->owner;
	struct err err = chain->question == ASK_REFUSED ? chain->refused
	                                                : chain->outcome.err;
	unsigned code = chain->outcome.code;
	bool later = chain->later;

	chain->later = false;
	if (chain->question == ASK_MESSAGE ||
	    (chain->question == ASK_DATA && err.kind != ERR_NONE)) {
		intake_abort(owner.message);
		chain_clear(chain);
	}
	chain->question = ASK_NOTHING;
	owner.ops->answer(owner.arg, &err, code, later);
}

static void
finish(struct chain *chain)
{
	if (chain->question == ASK_MESSAGE &&
	    chain->outcome.err.kind == ERR_NONE)
		chain_store(chain);
	else
		chain_answer(chain);
}

/* One after the other, as long as none has to be waited for. */
static enum filter_turn
go_on(struct chain *chain)
{
	enum filter_turn turn = TURN_NEXT;

	while (turn == TURN_NEXT && chain->now < chain->n &&
	       chain->discarded == NULL) {
		turn = filter_ask(&chain->list[chain->now]);
		if (turn == TURN_NEXT)
			chain->now++;
	}
	return turn == TURN_NEXT ? TURN_OVER : turn;
}

void
chain_turn(struct chain *chain, enum filter_turn turn)
{
	if (turn == TURN_NEXT) {
		chain->now++;
		turn = go_on(chain);
	}
	if (turn == TURN_OVER)
		finish(chain);
}

void
chain_begin(struct chain *chain, enum filter_question question)
{
	chain->question = question;
	chain->now = 0;
	chain->outcome = (struct milter_answer){0};
	if (go_on(chain) == TURN_OVER)
		finish(chain);
	else
		chain_wait(chain);
}

void
chain_open(struct chain *chain)
{
	chain_clear(chain);
	chain->discarded = NULL;
	for (size_t i = 0; i < chain->n; i++)
		chain->list[i].done = false;
	chain_begin(chain, ASK_MAIL);
}

void
chain_ask_mail(struct filter *filter)
{
	const struct chain_owner *owner = &filter->chain->owner;
	struct milter_mail mail = {.helo = "", .sender = "", .params = ""};
	char params[CHAIN_PARAMS] = "";

	owner->ops->tell_mail(owner->arg, &mail, params);
	milter_ask_mail(filter->milter, &mail);
}
