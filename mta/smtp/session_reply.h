/* Every reply the server gives, in one table (session_reply.c). */
#pragma once
#include "mta/smtp/session.h"

enum session_reply {
	REPLY_NONE = 0,
	REPLY_BYE,
	REPLY_OK,
	REPLY_RESET,
	REPLY_MAIL_OK,
	REPLY_RCPT_OK,
	REPLY_CHUNK_OK,
	REPLY_TLS_READY,
	REPLY_VRFY,
	REPLY_DATA_GO,
	REPLY_TOO_MANY_ERRORS,
	REPLY_TOO_MANY_UNKNOWN,
	REPLY_TOO_MANY_COMMANDS,
	REPLY_TOO_MUCH_INPUT,
	REPLY_TOO_MANY_RCPTS,
	REPLY_LINE_TOO_LONG,
	REPLY_BAD_LINE_END,
	REPLY_BAD_OCTET,
	REPLY_UNKNOWN,
	REPLY_BAD_HELLO,
	REPLY_BAD_ARGUMENT,
	REPLY_NO_ARGUMENT,
	REPLY_BAD_PARAM,
	REPLY_BAD_CHUNK,
	REPLY_TLS_PIPELINED,
	REPLY_NOT_OFFERED,
	REPLY_HTTP,
	REPLY_NEED_HELLO,
	REPLY_NEED_MAIL,
	REPLY_NEED_RCPT,
	REPLY_NESTED_MAIL,
	REPLY_IN_CHUNKS,
	REPLY_TLS_ACTIVE,
	REPLY_REFUSED,
	REPLY_TLS_FIRST,
	REPLY_NEED_TLS,
	REPLY_TOO_BIG,
	REPLY_NEED_UTF8_FROM,
	REPLY_NEED_UTF8,
	REPLY_UNKNOWN_PARAM,
	REPLY_HOPS,
	REPLY_TEXT_LINE,
	REPLY_BARE_LF,
	REPLY_BARE_CR,
	REPLIES, /* how many */
};

void session_reply(struct session *session, enum session_reply reply);

/* The client broke the protocol: reply and count, or say 421 and close. */
void session_complain(struct session *session, enum session_reply reply);
/* The same for what the grammar found: 501 with its code and text. */
void session_complain_err(struct session *session, const struct err *err);

/* The owner said no to `event`: a 4yz or 5yz that fits both. */
void session_refuse(
    struct session *session, enum session_event event, const struct err *err);

/* The same for RCPT; an unknown recipient counts. */
void session_refuse_rcpt(struct session *session, const struct err *err);
/* 421, as this limit has it; the session closes.  True, as a step says it. */
bool session_end_at(struct session *session, enum session_limit limit);

void session_reply_greeting(struct session *session);
void session_reply_hello(struct session *session, bool extended);
/* RFC 5321 7.5: what we are, for whoever asks. */
void session_reply_help(struct session *session);
void session_reply_queued(struct session *session, const char *queue_id);
void session_reply_line(struct session *session, unsigned code,
    const char *enhanced, const char *text);
