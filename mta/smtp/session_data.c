/* The message: DATA with its dots, BDAT with its counts. */
#include "mta/smtp/session_private.h"
#include "mta/smtp/session_reply.h"

static void
open_message(struct session *session)
{
	session->stage = STAGE_OPEN;
	session->scan = (struct scan){
	    .size_max = session->setup.message_max,
	    .line_max = session->setup.text_line_max,
	    .hops_max = session->setup.hops_max,
	};
}

void
session_open_data(struct session *session)
{
	open_message(session);
	session_reply(session, REPLY_DATA_GO);
	session->step = &step_data;
}

void
session_open_chunk(struct session *session)
{
	open_message(session);
	session->step = &step_chunk;
}

static enum session_reply
fault_reply(enum scan_fault fault)
{
	switch (fault) {
	case SCAN_CLEAN:
		return REPLY_NONE;
	case SCAN_HOPS:
		return REPLY_HOPS;
	case SCAN_LINE:
		return REPLY_TEXT_LINE;
	case SCAN_SIZE:
		return REPLY_TOO_BIG;
	case SCAN_BARE_LF:
		return REPLY_BARE_LF;
	case SCAN_BARE_CR:
		return REPLY_BARE_CR;
	}
	return REPLY_NONE;
}

/* Say why nothing was taken; behind a bad line end trust nothing more. */
static bool
refuse_message(struct session *session)
{
	session_end_transaction(session);
	session->step = &step_command;
	session_reply(session, fault_reply(session->scan.fault));
	if (session->scan.fault >= SCAN_BARE_LF)
		session_leave(session);
	return true;
}

static bool
ask_end(struct session *session)
{
	session->stage = STAGE_END;
	/* RFC 8689 4.1: the parameter goes before the header. */
	if (session->envelope.tls_wish == TLS_WISH_NONE &&
	    scan_waives_tls(&session->scan))
		session->envelope.tls_wish = TLS_WISH_WAIVED;
	return session_ask(session, SESSION_END);
}

/* Hand out these bytes, unless the message is lost already. */
static bool
hand_out(struct session *session, struct span bytes)
{
	if (session->scan.fault != SCAN_CLEAN) {
		session_end_transaction(session);
		return true;
	}
	session->body = bytes;
	return session_say(session, SESSION_BODY);
}

static bool
run_data(struct session *session)
{
	struct span in = session_unread(session);
	struct scan_piece piece = scan_data(&session->scan, in);

	session->at += piece.run;
	/* The end waits in the buffer until the run is handed out. */
	if (piece.found != SCAN_END || piece.run == 0)
		session->at += piece.skip;
	if (piece.run > 0)
		return hand_out(session, span_first(in, piece.run));
	switch (piece.found) {
	case SCAN_MORE:
		return session_say(session, SESSION_IDLE);
	case SCAN_DOT:
		return true;
	case SCAN_END:
		break;
	}
	if (session->scan.fault != SCAN_CLEAN)
		return refuse_message(session);
	return ask_end(session);
}

static bool
finish_chunk(struct session *session)
{
	struct scan *scan = &session->scan;

	if (session->chunk.last && scan->middle && !scan->cr &&
	    scan->fault == SCAN_CLEAN) {
		/* A message is made of lines: by DATA this one would have
		 * got its CRLF from the client. */
		scan_bytes(scan, SPAN("\r\n"));
		return hand_out(session, SPAN("\r\n"));
	}
	if (session->chunk.last)
		scan_finish(scan);
	if (scan->fault != SCAN_CLEAN)
		return refuse_message(session);
	if (session->chunk.last)
		return ask_end(session);
	session_reply(session, REPLY_CHUNK_OK);
	session->step = &step_command;
	return true;
}

/* The octets of the chunk that are here already. */
static struct span
take_chunk(struct session *session)
{
	struct span in = session_unread(session);

	if (in.n > session->chunk.left)
		in.n = (size_t)session->chunk.left;
	session->at += in.n;
	session->chunk.left -= in.n;
	return in;
}

/* RFC 3030 2: octets are counted, never looked at for a dot. */
static bool
run_chunk(struct session *session)
{
	struct span in = take_chunk(session);

	if (in.n > 0) {
		scan_bytes(&session->scan, in);
		return hand_out(session, in);
	}
	if (session->chunk.left > 0)
		return session_say(session, SESSION_IDLE);
	return finish_chunk(session);
}

/* RFC 3030 2: the octets of a refused chunk still have to be taken. */
static bool
run_drop(struct session *session)
{
	if (take_chunk(session).n == 0 && session->chunk.left > 0)
		return session_say(session, SESSION_IDLE);
	if (session->chunk.left == 0)
		session->step = &step_command;
	return true;
}

const struct step step_data = {"data", run_data};
const struct step step_chunk = {"bdat", run_chunk};
const struct step step_drop = {"bdat-refused", run_drop};
