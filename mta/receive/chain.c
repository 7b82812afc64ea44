/* A session's filters in their order; see filter.h. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mta/metrics.h"
#include "mta/net/conn.h"
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
	return !state->config->skip_relay ||
	       !config_may_relay(receive->config, client);
}

static struct chain *
chain_new(struct inbound *in)
{
	struct filters *filters = in->receive->filters;
	struct chain *chain = mem_new(sizeof(*chain));

	chain->in = in;
	chain->list = mem_array(filters->n, sizeof(chain->list[0]));
	for (size_t i = 0; i < filters->n; i++) {
		struct filter_state *state = &filters->list[i];

		if (applies(in->receive, state, in->client))
			chain->list[chain->n++] = (struct filter){
			    .chain = chain, .state = state};
	}
	chain->arena = arena_new(CHANGES_MAX);
	buf_init(&chain->trace, TRACE_MAX);
	buf_init(&chain->head, CHAIN_HEAD_MAX);
	keep_init(&chain->body, in->receive);
	keep_init(&chain->fresh, in->receive);
	return chain;
}

void
chain_free(struct inbound *in)
{
	struct chain *chain = in->chain;

	in->chain = NULL;
	if (chain == NULL)
		return;
	for (size_t i = 0; i < chain->n; i++)
		filter_close(&chain->list[i]);
	chain_clear(chain);
	arena_free(&chain->arena);
	mem_free(chain->list);
	mem_free(chain);
}

/* The session ends, or is told to, while a filter is asked. */
static void
on_cancel(void *arg)
{
	struct chain *chain = arg;

	for (size_t i = 0; i < chain->n; i++)
		filter_close(&chain->list[i]);
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

static void
log_outcome(const struct chain *chain, const char *name)
{
	const struct milter_answer *answer = &chain->outcome;
	const struct envelope *envelope = session_envelope(chain->in->session);
	struct log_line line;

	inbound_log(chain->in, &line, LOG_LEVEL_INFO, "filtered");
	log_str(&line, "filter", name);
	log_str(&line, "at", question_name(chain->question));
	log_str(&line, "action",
	    answer->verdict == MILTER_DISCARD ? "discard"
	    : answer->err.kind == ERR_PERM    ? "reject"
					      : "tempfail");
	log_str(&line, "from", envelope->sender);
	if (chain->question == ASK_RCPT)
		log_str(&line, "to", session_rcpt(chain->in->session)->address);
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

	inbound_log(chain->in, &line, LOG_LEVEL_WARN, "filter-failed");
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

/* The engine gets its answer, now or through inbound_answer(). */
static void
answer(struct chain *chain)
{
	struct inbound *in = chain->in;
	struct err err = chain->question == ASK_REFUSED ? chain->refused
	                                                : chain->outcome.err;
	unsigned code = chain->outcome.code;
	bool later = chain->later;

	chain->later = false;
	if (chain->question == ASK_DATA && err.kind != ERR_NONE) {
		intake_abort(&in->message);
		chain_clear(chain);
	}
	if (chain->question == ASK_MESSAGE) {
		intake_abort(&in->message);
		chain_clear(chain);
	}
	chain->question = ASK_NOTHING;
	if (err.kind != ERR_NONE && code != 0)
		session_refuse_as(in->session, code);
	if (later)
		inbound_answer(in, err.kind == ERR_NONE ? NULL : &err);
	else
		session_answer(in->session, err.kind == ERR_NONE ? NULL : &err);
}

static void
finish(struct chain *chain)
{
	if (chain->question == ASK_MESSAGE &&
	    chain->outcome.err.kind == ERR_NONE)
		chain_store(chain);
	else
		answer(chain);
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

bool
chain_begin(struct chain *chain, enum filter_question question)
{
	chain->question = question;
	chain->now = 0;
	chain->outcome = (struct milter_answer){0};
	if (go_on(chain) == TURN_OVER) {
		finish(chain);
		return true;
	}
	chain->later = true;
	inbound_later(chain->in, on_cancel, chain);
	return true;
}

bool
chain_mail(struct inbound *in)
{
	struct chain *chain = in->chain;

	if (in->receive->filters == NULL)
		return false;
	if (chain == NULL)
		chain = in->chain = chain_new(in);
	if (chain->n == 0)
		return false;
	chain_clear(chain);
	chain->discarded = NULL;
	for (size_t i = 0; i < chain->n; i++)
		chain->list[i].done = false;
	return chain_begin(chain, ASK_MAIL);
}

bool
chain_rcpt(struct inbound *in)
{
	return in->chain != NULL && in->chain->n > 0 &&
	       chain_begin(in->chain, ASK_RCPT);
}

bool
chain_refused(struct inbound *in, const struct err *why)
{
	if (in->chain == NULL || in->chain->n == 0)
		return false;
	in->chain->refused = *why;
	return chain_begin(in->chain, ASK_REFUSED);
}

bool
chain_data(struct inbound *in)
{
	return in->chain != NULL && in->chain->n > 0 &&
	       chain_begin(in->chain, ASK_DATA);
}

void
chain_ask_mail(struct filter *filter)
{
	const struct inbound *in = filter->chain->in;
	const struct envelope *envelope = session_envelope(in->session);
	char size[40] = "", params[80];
	struct milter_mail mail = {
	    .helo = envelope->helo,
	    .sender = envelope->sender,
	    .params = params,
	    .tls_version = in->tls.up ? in->tls.version : NULL,
	    .tls_cipher = in->tls.up ? in->tls.cipher : NULL,
	};

	if (session_size(in->session) > 0)
		(void)snprintf(size, sizeof(size), "SIZE=%llu",
		    (unsigned long long)session_size(in->session));
	(void)snprintf(params, sizeof(params), "%s%s%s", size,
	    envelope->body == BODY_8BITMIME ? " BODY=8BITMIME" : "",
	    envelope->smtputf8 ? " SMTPUTF8" : "");
	milter_ask_mail(filter->milter, &mail);
}
