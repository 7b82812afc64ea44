/*
 * The milter protocol, version 6, as octets: what we say to a filter and
 * what it answers.  No RFC has it; docs/FILTERS.md says what we know it from.
 *
 * A packet is a length (32 bits, network order), a command and its data;
 * texts in it end with NUL.  What a filter sends is bounded and checked here,
 * so that behind this file a reply is sound: nobody else looks at its octets.
 */
#pragma once
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define MILTER_VERSION 6u
/* Older ones lack what opendkim and rspamd have used for twenty years. */
#define MILTER_VERSION_LEAST 2u
#define MILTER_CHUNK_MAX     65535u /* octets of body in a packet */
#define MILTER_PACKET_MAX    (256u << 10)

enum milter_command {
	MILTER_OPTNEG = 'O',
	MILTER_MACRO = 'D',
	MILTER_CONNECT = 'C',
	MILTER_HELO = 'H',
	MILTER_MAIL = 'M',
	MILTER_RCPT = 'R',
	MILTER_DATA = 'T',
	MILTER_HEADER = 'L',
	MILTER_EOH = 'N',
	MILTER_BODY = 'B',
	MILTER_END = 'E',
	MILTER_ABORT = 'A',
	MILTER_QUIT = 'Q',
};

/* SMFIF_*: what a filter may do to a message. */
enum milter_action {
	MILTER_ADD_HEADERS = 0x1,
	MILTER_CHANGE_BODY = 0x2,
	MILTER_ADD_RCPT = 0x4,
	MILTER_DELETE_RCPT = 0x8,
	MILTER_CHANGE_HEADERS = 0x10,
	MILTER_QUARANTINE = 0x20,
	MILTER_CHANGE_FROM = 0x40,
	MILTER_ADD_RCPT_ARGS = 0x80,
	MILTER_ACTIONS = 0xff, /* all that we offer */
};

/* SMFIP_*: what a filter need not be told, and what it need not answer. */
enum milter_flag {
	MILTER_NO_CONNECT = 0x1,
	MILTER_NO_HELO = 0x2,
	MILTER_NO_MAIL = 0x4,
	MILTER_NO_RCPT = 0x8,
	MILTER_NO_BODY = 0x10,
	MILTER_NO_HEADER = 0x20,
	MILTER_NO_EOH = 0x40,
	MILTER_NR_HEADER = 0x80,
	MILTER_NO_UNKNOWN = 0x100,
	MILTER_NO_DATA = 0x200,
	MILTER_SKIP = 0x400,     /* we understand that reply */
	MILTER_RCPT_REJ = 0x800, /* tell of refused recipients, too */
	MILTER_NR_CONNECT = 0x1000,
	MILTER_NR_HELO = 0x2000,
	MILTER_NR_MAIL = 0x4000,
	MILTER_NR_RCPT = 0x8000,
	MILTER_NR_DATA = 0x10000,
	MILTER_NR_UNKNOWN = 0x20000,
	MILTER_NR_EOH = 0x40000,
	MILTER_NR_BODY = 0x80000,
	MILTER_LEADING_SPACE = 0x100000, /* of header values, both ways */
	MILTER_FLAGS = 0x1fffff,
};

enum milter_reply_kind {
	REPLY_IS_BAD = 0,
	REPLY_IS_OPTIONS,
	REPLY_IS_CONTINUE,
	REPLY_IS_ACCEPT,
	REPLY_IS_REJECT,
	REPLY_IS_TEMPFAIL,
	REPLY_IS_DISCARD,
	REPLY_IS_SKIP,
	REPLY_IS_CODE,
	REPLY_IS_SHUTDOWN, /* 421 to the client, and so is CONN_FAIL */
	REPLY_IS_PROGRESS,
	REPLY_IS_ADD_HEADER,
	REPLY_IS_INSERT_HEADER,
	REPLY_IS_CHANGE_HEADER,
	REPLY_IS_BODY,
	REPLY_IS_ADD_RCPT,
	REPLY_IS_DELETE_RCPT,
	REPLY_IS_FROM,
	REPLY_IS_QUARANTINE,
};

struct milter_options {
	uint32_t version, actions, flags;
};

/* Spans are borrowed from the bytes it was read from. */
struct milter_reply {
	enum milter_reply_kind kind;
	struct milter_options options; /* OPTIONS */
	uint32_t index;                /* INSERT_HEADER, CHANGE_HEADER */
	struct span name;  /* of a header; an address; why in QUARANTINE */
	struct span value; /* of a header; ESMTP arguments; a piece of body */
	unsigned code;     /* CODE: 400 to 599 */
	struct err err;    /* CODE: kind, status and text that fit it */
};

/*
 * The first reply in `in`: 1 with its octets in *ret_used, 0 when it is not
 * whole yet, -1 when it is none.
 */
int milter_take(struct span in, struct milter_reply *ret_reply,
    size_t *ret_used, struct err *err);

/* Appending a packet; -1 when it would be over a limit. */
int milter_put(struct buf *out, enum milter_command command, struct span data);
int milter_put_options(struct buf *out, const struct milter_options *options);
/* A text with its NUL; what is NUL in it becomes a blank. */
int milter_put_text(struct buf *data, struct span text);
int milter_put_u16(struct buf *data, uint16_t value);

const char *milter_reply_name(enum milter_reply_kind kind);
const char *milter_command_name(enum milter_command command);
