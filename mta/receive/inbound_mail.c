/* The events of a transaction: who sends what to whom, and the message. */
#include "base/buf.h"
#include "base/clock.h"
#include "mta/metrics.h"
#include "mta/net/conn.h"
#include "mta/receive/chain.h"
#include "mta/receive/inbound_guard.h"

void
inbound_on_mail(struct inbound *in)
{
	struct err err;

	inbound_forget_answers(in);
	if (inbound_may_mail(in, &err) < 0) {
		session_answer(in->session, &err);
	} else if (rules_sender(in->receive, session_size(in->session), &err) <
		   0) {
		inbound_no_room(in, &err);
		session_answer(in->session, &err);
	} else if (!chain_mail(in)) {
		session_answer(in->session, NULL);
	}
}

void
inbound_on_data(struct inbound *in)
{
	char id[QUEUE_ID_SIZE];
	struct buf trace;
	struct err err = {0};
	int rc = intake_begin(in->receive->intake, &in->message, &err);

	in->trouble = (struct err){0};
	if (rc == 0) {
		queue_id_text(intake_id(in->message), id);
		buf_init(&trace, 65536);
		if (session_trace(in->session, id, clock_wall(), &trace) < 0)
			rc = err_set(&err, ERR_BUG, "4.3.0",
			    "the trace field grew too large");
		else if (inbound_tag(in, &trace) < 0)
			rc = err_set(
			    &err, ERR_BUG, "4.3.0", "a field grew too large");
		else if (!chain_keep(in, buf_span(&trace)))
			rc = intake_add(in->message, buf_span(&trace), &err);
		buf_free(&trace);
	}
	if (rc < 0)
		intake_abort(&in->message);
	if (rc < 0 || !chain_data(in))
		session_answer(in->session, rc < 0 ? &err : NULL);
}

/* Trouble with the disk is told at the end of the message. */
void
inbound_on_body(struct inbound *in)
{
	if (!chain_body(in, session_body(in->session)) && in->message != NULL &&
	    intake_add(in->message, session_body(in->session), &in->trouble) <
		0)
		intake_abort(&in->message);
}

/* It is accepted under this id, or not for *err; "": it had no id yet. */
static void
log_message(const struct inbound *in, const char *id,
    const struct envelope *envelope, const struct err *err)
{
	struct log_line line;

	inbound_log(in, &line, err == NULL ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
	    err == NULL ? "accepted" : "not-accepted");
	if (id[0] != '\0')
		log_str(&line, "id", id);
	log_str(&line, "from", envelope->sender);
	log_str(&line, "to",
	    envelope->nrcpts == 1 ? envelope->rcpts[0].address : "(several)");
	log_u64(&line, "rcpts", envelope->nrcpts);
	log_u64(&line, "size", in->size);
	log_str(&line, "tls", in->tls.up ? in->tls.version : "none");
	if (err != NULL)
		inbound_log_err(&line, err);
	log_end(&line);
}

static void
on_stored(void *arg, uint64_t id, const struct err *err)
{
	struct inbound *in = arg;
	char text[QUEUE_ID_SIZE];

	queue_id_text(id, text);
	log_message(in, text, &in->expanded, err);
	arena_reset(in->arena);
	if (err == NULL) {
		in->seen.messages++;
		in->receive->accepted++;
		metrics_add(METRIC_MESSAGES_ACCEPTED, 1);
		metrics_add(METRIC_OCTETS, in->size);
		session_accepted(in->session, text);
	} else {
		metrics_add(METRIC_MESSAGES_NOT, 1);
		session_answer(in->session, err);
	}
	inbound_synced(in);
}

void
inbound_on_message(struct inbound *in)
{
	if (!chain_message(in))
		inbound_store(in, session_envelope(in->session));
}

void
inbound_store(struct inbound *in, const struct envelope *envelope)
{
	struct inquiry inquiry = {.answers = in->answers};
	struct err err = in->trouble;

	if (in->message == NULL) {
		if (err.kind == ERR_NONE)
			(void)err_set(&err, ERR_BUG, "4.3.0", "no message");
	} else if (locals_settle(locals_expand(in->receive->locals, &inquiry,
				     envelope, in->arena, &in->expanded, &err),
		       &err) == 0) {
		in->expanded.arrived = clock_wall();
		in->expanded.tls = in->tls.up;
		in->size = intake_size(in->message);
		in->state = INBOUND_SYNCING;
		conn_deadline(in->conn, 0);
		intake_commit(&in->message, &in->expanded, on_stored, in);
		return;
	}
	metrics_add(METRIC_MESSAGES_NOT, 1);
	log_message(in, "", envelope, &err);
	intake_abort(&in->message);
	arena_reset(in->arena);
	session_answer(in->session, &err);
}
