/* The filters of a session, as its transaction sees them; see chain.h. */
#include <stdio.h>

#include "mta/net/conn.h"
#include "mta/receive/chain.h"
#include "mta/receive/filter.h"

static const struct envelope *
envelope(void *arg)
{
	const struct inbound *in = arg;

	return session_envelope(in->session);
}

static const char *
rcpt(void *arg)
{
	const struct inbound *in = arg;

	return session_rcpt(in->session)->address;
}

static void
tell_mail(void *arg, struct milter_mail *ret, char *params)
{
	const struct inbound *in = arg;
	const struct envelope *said = session_envelope(in->session);
	char size[40] = "";

	if (session_size(in->session) > 0)
		(void)snprintf(size, sizeof(size), "SIZE=%llu",
		    (unsigned long long)session_size(in->session));
	(void)snprintf(params, CHAIN_PARAMS, "%s%s%s", size,
	    said->body == BODY_8BITMIME ? " BODY=8BITMIME" : "",
	    said->smtputf8 ? " SMTPUTF8" : "");
	*ret = (struct milter_mail){
	    .helo = said->helo,
	    .sender = said->sender,
	    .params = params,
	    .tls_version = in->tls.up ? in->tls.version : NULL,
	    .tls_cipher = in->tls.up ? in->tls.cipher : NULL,
	};
}

static void
log_it(
    void *arg, struct log_line *line, enum log_level level, const char *event)
{
	inbound_log(arg, line, level, event);
}

/* The session ends, or is told to, while a filter is asked. */
static void
on_cancel(void *arg)
{
	chain_cancel(arg);
}

static void
wait_for(void *arg, struct chain *chain)
{
	inbound_later(arg, on_cancel, chain);
}

static void
answer(void *arg, const struct err *err, unsigned code, bool later)
{
	struct inbound *in = arg;
	const struct err *why = err->kind == ERR_NONE ? NULL : err;

	if (why != NULL && code != 0)
		session_refuse_as(in->session, code);
	if (later)
		inbound_answer(in, why);
	else
		session_answer(in->session, why);
}

static void
store(void *arg, const struct envelope *changed, bool later)
{
	struct inbound *in = arg;

	if (later)
		in->state = INBOUND_OPEN;
	inbound_store(in, changed);
	if (later && in->state == INBOUND_OPEN)
		inbound_synced(in);
}

static void
discard(void *arg, const char *id, bool later)
{
	struct inbound *in = arg;

	if (later)
		in->state = INBOUND_OPEN;
	session_accepted(in->session, id);
	if (later)
		inbound_synced(in);
}

static const struct chain_ops ops = {
    .envelope = envelope,
    .rcpt = rcpt,
    .tell_mail = tell_mail,
    .log = log_it,
    .wait = wait_for,
    .answer = answer,
    .store = store,
    .discard = discard,
};

static bool
is_there(const struct inbound *in)
{
	return in->chain != NULL && in->chain->n > 0;
}

bool
chain_mail(struct inbound *in)
{
	const struct chain_owner owner = {
	    .ops = &ops,
	    .arg = in,
	    .receive = in->receive,
	    .client = in->client,
	    .port = conn_peer(in->conn)->port,
	    .message = &in->message,
	    .answers = &in->answers,
	    .trouble = &in->trouble,
	};

	if (in->receive->filters == NULL)
		return false;
	if (in->chain == NULL)
		in->chain = chain_new(&owner);
	if (is_there(in))
		chain_open(in->chain);
	return is_there(in);
}

bool
chain_rcpt(struct inbound *in)
{
	if (!is_there(in))
		return false;
	chain_begin(in->chain, ASK_RCPT);
	return true;
}

bool
chain_refused(struct inbound *in, const struct err *why)
{
	if (!is_there(in))
		return false;
	in->chain->refused = *why;
	chain_begin(in->chain, ASK_REFUSED);
	return true;
}

bool
chain_data(struct inbound *in)
{
	if (!is_there(in))
		return false;
	chain_begin(in->chain, ASK_DATA);
	return true;
}

bool
chain_keep(struct inbound *in, struct span trace)
{
	if (!is_there(in))
		return false;
	chain_take_trace(in->chain, trace);
	return true;
}

bool
chain_body(struct inbound *in, struct span bytes)
{
	if (in->chain == NULL || !in->chain->keeping)
		return false;
	chain_take_body(in->chain, bytes);
	return true;
}

bool
chain_message(struct inbound *in)
{
	return in->chain != NULL && in->chain->keeping && chain_show(in->chain);
}

void
chain_abort(struct inbound *in)
{
	intake_abort(&in->message);
	if (in->chain != NULL)
		chain_clear(in->chain);
}

void
chain_free(struct inbound *in)
{
	chain_end(&in->chain);
}
