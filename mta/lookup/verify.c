/*
 * Would an LMTP server (RFC 2033) take mail for this recipient?  MAIL FROM:<>,
 * RCPT TO, RSET; no message is ever begun.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/lookup/engine.h"
#include "mta/smtp/reply.h"

enum state {
	WAIT_GREETING = 0,
	WAIT_HELLO,
	RESTING, /* no question, no reply owed */
	WAIT_MAIL,
	WAIT_RCPT,
	WAIT_RSET,
};

struct verify {
	const char *hostname;
	enum state state;
	bool asked;    /* `key` is to be asked for */
	bool smtputf8; /* it was offered */
	char key[RECIPIENTS_KEY];
	struct reply reply;
	struct buf in;
	struct said said; /* of RCPT, told behind RSET */
};

static void *
verify_open(const struct config_lookup *by, const char *hostname)
{
	struct verify *verify = mem_new(sizeof(*verify));

	(void)by;
	verify->hostname = hostname;
	reply_init(&verify->reply);
	buf_init(&verify->in, REPLY_MAX + REPLY_LINE_MAX);
	return verify;
}

static void
verify_close(void *engine)
{
	struct verify *verify = engine;

	reply_free(&verify->reply);
	buf_free(&verify->in);
	mem_free(verify);
}

/* RFC 6531 3.4: with its parameter, or not at all. */
static void
send_mail(struct verify *verify, struct buf *out)
{
	bool utf8 = !text_is_ascii(span_of(verify->key)) && verify->smtputf8;

	verify->asked = false;
	verify->state = WAIT_MAIL;
	(void)!buf_printf(out, "MAIL FROM:<>%s\r\n", utf8 ? " SMTPUTF8" : "");
}

static void
verify_ask(void *engine, const char *key, struct buf *out)
{
	struct verify *verify = engine;

	(void)text_copy(verify->key, sizeof(verify->key), key);
	verify->asked = true;
	if (verify->state == RESTING)
		send_mail(verify, out);
}

/* It has no such recipient, as far as that can be told from other refusals. */
static bool
is_nobody(const struct reply *reply, const struct err *err)
{
	if (err->kind != ERR_PERM)
		return false;
	return strncmp(err->enhanced, "5.1.", 4) == 0 ||
	       (strcmp(err->enhanced, "5.0.0") == 0 &&
		   (reply->code == 550 || reply->code == 551 ||
		       reply->code == 553));
}

static void
judge_rcpt(struct verify *verify)
{
	struct err err = reply_to_err(&verify->reply, "RCPT");

	verify->said = (struct said){.kind = ANSWER_FAILED, .err = err};
	if (err.kind == ERR_NONE)
		verify->said.kind = ANSWER_FOUND;
	else if (is_nobody(&verify->reply, &err))
		verify->said.kind = ANSWER_MISSING;
}

static enum engine_step
broken(struct verify *verify, struct said *ret)
{
	char words[REPLY_WORDS_MAX];

	reply_words(&verify->reply, words);
	said_fail(ret, "4.3.0", "the LMTP server says %s", words);
	return ENGINE_BROKEN;
}

static enum engine_step
send_rset(struct verify *verify, struct buf *out)
{
	verify->state = WAIT_RSET;
	(void)!buf_add_str(out, "RSET\r\n");
	return ENGINE_MORE;
}

static enum engine_step
on_hello(struct verify *verify, struct buf *out)
{
	struct span text = buf_span(&verify->reply.text);

	verify->smtputf8 = text.n > 0 &&
	                   memmem(text.p, text.n, "\nSMTPUTF8", 9) != NULL;
	verify->state = RESTING;
	if (verify->asked)
		send_mail(verify, out);
	return ENGINE_MORE;
}

static enum engine_step
on_mail(struct verify *verify, struct buf *out)
{
	char address[RECIPIENTS_ADDRESS];

	if (!verify->smtputf8 && !text_is_ascii(span_of(verify->key))) {
		verify->said = (struct said){.kind = ANSWER_FAILED};
		(void)err_set(&verify->said.err, ERR_PERM, "5.6.7",
		    "its mailbox is where no such address is taken");
		return send_rset(verify, out);
	}
	recipients_address(verify->key, address);
	verify->state = WAIT_RCPT;
	(void)!buf_printf(out, "RCPT TO:<%s>\r\n", address);
	return ENGINE_MORE;
}

static enum engine_step
on_reply(struct verify *verify, struct buf *out, struct said *ret)
{
	bool fine = verify->reply.code / 100 == 2;

	switch (verify->state) {
	case WAIT_GREETING:
		if (!fine)
			return broken(verify, ret);
		verify->state = WAIT_HELLO;
		(void)!buf_printf(out, "LHLO %s\r\n", verify->hostname);
		return ENGINE_MORE;
	case WAIT_HELLO:
		return fine ? on_hello(verify, out) : broken(verify, ret);
	case WAIT_MAIL:
		return fine ? on_mail(verify, out) : broken(verify, ret);
	case WAIT_RCPT:
		judge_rcpt(verify);
		return send_rset(verify, out);
	case WAIT_RSET:
		verify->state = RESTING;
		*ret = verify->said;
		return fine ? ENGINE_ANSWERED : ENGINE_LAST;
	case RESTING: /* nothing was asked */
		break;
	}
	return broken(verify, ret);
}

static enum engine_step
verify_feed(void *engine, struct span bytes, struct buf *out, struct said *ret)
{
	struct verify *verify = engine;
	enum engine_step step = ENGINE_MORE;
	struct err err;

	if (buf_add(&verify->in, bytes) < 0) {
		said_fail(ret, "4.3.0", "the LMTP server says too much");
		return ENGINE_BROKEN;
	}
	while (step == ENGINE_MORE) {
		struct span in = buf_span(&verify->in);
		enum reply_take taken = reply_take(&verify->reply, &in, &err);

		buf_shift(&verify->in, verify->in.n - in.n);
		if (taken == REPLY_WAIT)
			return ENGINE_MORE;
		if (taken == REPLY_BROKEN) {
			said_fail(
			    ret, "4.3.0", "the LMTP server: %s", err.text);
			return ENGINE_BROKEN;
		}
		step = on_reply(verify, out, ret);
	}
	/* Nobody has asked for more. */
	return step == ENGINE_ANSWERED && verify->in.n > 0 ? ENGINE_LAST : step;
}

const struct engine_ops verify_engine = {
    verify_open, verify_close, verify_ask, verify_feed};
