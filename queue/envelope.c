#include "queue/envelope.h"

#include <string.h>

#include "base/wire.h"

#define VERSION 1
/* A string longer than this was not written by us. */
#define STRING_MAX 4096

enum {
	FLAG_SMTPUTF8 = 1,
	FLAG_REQUIRETLS = 2,
	FLAG_TLS = 4,
	FLAG_INTERNAL = 8,
	FLAG_WAIVED = 16,
	FLAG_REPORT = 32,
	FLAG_HELD = 64,
	FLAGS = 127,
	FLAGS_WISH = FLAG_REQUIRETLS | FLAG_WAIVED | FLAG_REPORT,
};

enum {
	FIXED = 4 + 8 + 4,
	RCPT_FIXED = 4 + 4 + 1
};

static struct span
text(const char *s)
{
	return span_of(s == NULL ? "" : s);
}

static unsigned
flag_of(enum tls_wish wish)
{
	switch (wish) {
	case TLS_WISH_REQUIRED:
		return FLAG_REQUIRETLS;
	case TLS_WISH_WAIVED:
		return FLAG_WAIVED;
	case TLS_WISH_REPORT:
		return FLAG_REPORT;
	case TLS_WISH_NONE:
		break;
	}
	return 0;
}

static unsigned
flags_of(const struct envelope *e)
{
	return (e->smtputf8 ? FLAG_SMTPUTF8 : 0u) | flag_of(e->tls_wish) |
	       (e->tls ? FLAG_TLS : 0u) | (e->internal ? FLAG_INTERNAL : 0u) |
	       (e->held ? FLAG_HELD : 0u);
}

size_t
envelope_size(const struct envelope *e)
{
	size_t n = FIXED + 5 * sizeof(uint32_t) + text(e->sender).n +
	           text(e->envid).n + text(e->helo).n + text(e->client).n +
	           text(e->session).n;

	for (size_t i = 0; i < e->nrcpts; i++)
		n += RCPT_FIXED + text(e->rcpts[i].address).n +
		     text(e->rcpts[i].orcpt).n;
	return n;
}

static int
put_rcpt(const struct envelope_rcpt *rcpt, struct buf *out)
{
	if (put_blob(out, text(rcpt->address)) < 0 ||
	    put_blob(out, text(rcpt->orcpt)) < 0)
		return -1;
	return put_u8(out, rcpt->notify);
}

int
envelope_encode(const struct envelope *e, struct buf *out)
{
	const struct span strings[] = {text(e->sender), text(e->envid),
	    text(e->helo), text(e->client), text(e->session)};

	if (e->nrcpts > ENVELOPE_RCPTS_MAX || put_u8(out, VERSION) < 0 ||
	    put_u8(out, (uint8_t)flags_of(e)) < 0 ||
	    put_u8(out, (uint8_t)e->ret) < 0 ||
	    put_u8(out, (uint8_t)e->body) < 0 || put_i64(out, e->arrived) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (put_blob(out, strings[i]) < 0)
			return -1;
	if (put_u32(out, (uint32_t)e->nrcpts) < 0)
		return -1;
	for (size_t i = 0; i < e->nrcpts; i++)
		if (put_rcpt(&e->rcpts[i], out) < 0)
			return -1;
	return 0;
}

/* A string of ours: short enough, without NUL. */
static bool
take_string(struct cursor *in, struct arena *arena, const char **ret)
{
	struct span s;

	if (!take_chars(in, STRING_MAX, &s))
		return false;
	*ret = arena_strndup(arena, s.p, s.n);
	return *ret != NULL;
}

/* RFC 8689 4.1: it cannot be two of them. */
static bool
take_wish(unsigned flags, enum tls_wish *ret)
{
	for (int wish = TLS_WISH_NONE; wish <= TLS_WISH_REPORT; wish++)
		if ((flags & FLAGS_WISH) == flag_of((enum tls_wish)wish)) {
			*ret = (enum tls_wish)wish;
			return true;
		}
	return false;
}

static bool
take_fixed(struct cursor *in, struct envelope *e)
{
	uint8_t version, flags, ret, body;

	if (!take_u8(in, &version) || !take_u8(in, &flags) ||
	    !take_u8(in, &ret) || !take_u8(in, &body) ||
	    !take_i64(in, &e->arrived))
		return false;
	if (version != VERSION || (flags & ~(unsigned)FLAGS) != 0 ||
	    ret > RET_HDRS || body > BODY_8BITMIME ||
	    !take_wish(flags, &e->tls_wish))
		return false;
	e->ret = (enum ret)ret;
	e->body = (enum body_type)body;
	e->smtputf8 = (flags & FLAG_SMTPUTF8) != 0;
	e->tls = (flags & FLAG_TLS) != 0;
	e->internal = (flags & FLAG_INTERNAL) != 0;
	e->held = (flags & FLAG_HELD) != 0;
	return true;
}

static bool
take_rcpt(
    struct cursor *in, struct arena *arena, struct envelope_rcpt *ret_rcpt)
{
	return take_string(in, arena, &ret_rcpt->address) &&
	       take_string(in, arena, &ret_rcpt->orcpt) &&
	       take_u8(in, &ret_rcpt->notify) && ret_rcpt->notify <= NOTIFY_ALL;
}

static bool
take_rcpts(struct cursor *in, struct arena *arena, struct envelope *e)
{
	uint32_t n;

	/* The count must be covered by bytes before memory is asked for it. */
	if (!take_u32(in, &n) || n == 0 || n > ENVELOPE_RCPTS_MAX ||
	    n > in->rest.n / RCPT_FIXED)
		return false;
	e->rcpts = arena_alloc(arena, n * sizeof(e->rcpts[0]));
	if (e->rcpts == NULL)
		return false;
	for (; e->nrcpts < n; e->nrcpts++)
		if (!take_rcpt(in, arena, &e->rcpts[e->nrcpts]))
			return false;
	return true;
}

int
envelope_decode(struct span bytes, struct arena *arena,
    struct envelope *ret_envelope, struct err *err)
{
	struct cursor in = cursor_of(bytes);
	struct envelope e = {0};

	if (!take_fixed(&in, &e) || !take_string(&in, arena, &e.sender) ||
	    !take_string(&in, arena, &e.envid) ||
	    !take_string(&in, arena, &e.helo) ||
	    !take_string(&in, arena, &e.client) ||
	    !take_string(&in, arena, &e.session) ||
	    !take_rcpts(&in, arena, &e) || !cursor_done(&in))
		return err_set(err, ERR_BUG, "4.3.0",
		    "the spool holds an envelope that cannot be read");
	*ret_envelope = e;
	return 0;
}

const char *
address_domain(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? "" : at + 1;
}
