#include "mta/ipc.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "mta/target.h"

static const char *const role_names[] = {"none", "supervisor", "receive",
    "queue", "deliver", "report", "web", "gate"};

const char *
role_kind_name(enum role_kind kind)
{
	return (size_t)kind < sizeof(role_names) / sizeof(role_names[0])
	           ? role_names[kind]
	           : "unknown";
}

enum role_kind
role_kind_find(const char *name)
{
	for (size_t i = 1; i < sizeof(role_names) / sizeof(role_names[0]); i++)
		if (strcmp(role_names[i], name) == 0)
			return (enum role_kind)i;
	return ROLE_NONE;
}

const char *
ipc_outcome_name(enum ipc_outcome outcome)
{
	switch (outcome) {
	case OUTCOME_RETRY:
		return "deferred";
	case OUTCOME_DELIVERED:
		return "delivered";
	case OUTCOME_RELAYED:
		return "relayed";
	case OUTCOME_STORED:
		return "stored";
	case OUTCOME_FAILED:
		return "failed";
	case OUTCOME_UNTRIED:
		return "untried";
	}
	return "unknown";
}

/* Our own payloads always fit: their buffers are as large as a frame. */
static void
must(int rc)
{
	assert(rc == 0);
	(void)rc;
}

void
ipc_put_peer(struct buf *out, const struct ipc_peer *peer)
{
	must(put_u8(out, (uint8_t)peer->kind));
	must(put_u32(out, peer->index));
	must(put_u32(out, peer->pid));
}

bool
ipc_take_peer(struct span bytes, struct ipc_peer *ret)
{
	struct cursor in = cursor_of(bytes);
	struct ipc_peer p = {0};
	uint8_t kind = 0;

	if (!take_u8(&in, &kind) || !take_u32(&in, &p.index) ||
	    !take_u32(&in, &p.pid) || !cursor_done(&in) || kind > ROLE_WEB)
		return false;
	p.kind = (enum role_kind)kind;
	*ret = p;
	return true;
}

void
ipc_put_drain(struct buf *out, uint32_t ms)
{
	must(put_u32(out, ms));
}

bool
ipc_take_drain(struct span bytes, uint32_t *ret_ms)
{
	struct cursor in = cursor_of(bytes);

	return take_u32(&in, ret_ms) && cursor_done(&in);
}

void
ipc_put_ask(struct buf *out, const struct ipc_ask *ask)
{
	must(put_u64(out, ask->id));
	must(put_u8(out, ask->last));
	must(put_blob(out, ask->text));
}

bool
ipc_take_ask(struct span bytes, struct ipc_ask *ret)
{
	struct cursor in = cursor_of(bytes);
	struct ipc_ask a = {0};
	uint8_t last = 0;

	if (!take_u64(&in, &a.id) || !take_u8(&in, &last) ||
	    !take_blob(&in, bytes.n, &a.text) || !cursor_done(&in))
		return false;
	a.last = last != 0;
	*ret = a;
	return true;
}

void
ipc_put_dane(struct buf *out, const struct ipc_dane *dane)
{
	must(put_i64(out, dane->until.wall));
	must(put_u64(out, dane->until.mono_ms));
}

bool
ipc_take_dane(struct span bytes, struct ipc_dane *ret)
{
	struct cursor in = cursor_of(bytes);
	struct ipc_dane dane = {0};

	if (!take_i64(&in, &dane.until.wall) ||
	    !take_u64(&in, &dane.until.mono_ms) || !cursor_done(&in) ||
	    dane.until.wall < 0)
		return false;
	*ret = dane;
	return true;
}

void
ipc_put_dnssec(struct buf *out, const struct ipc_dnssec *dnssec)
{
	must(put_u8(out, (uint8_t)dnssec->ability));
	must(put_blob(out, dnssec->why));
}

bool
ipc_take_dnssec(struct span bytes, struct ipc_dnssec *ret)
{
	struct cursor in = cursor_of(bytes);
	struct ipc_dnssec dnssec = {0};
	uint8_t ability = 0;

	if (!take_u8(&in, &ability) ||
	    !take_chars(&in, IPC_TEXT_MAX, &dnssec.why) || !cursor_done(&in) ||
	    ability > DNS_ABLE)
		return false;
	dnssec.ability = (enum dns_ability)ability;
	*ret = dnssec;
	return true;
}

void
ipc_put_segment(struct buf *out, const struct ipc_segment *segment)
{
	must(put_u64(out, segment->number));
	must(put_u64(out, segment->end));
}

bool
ipc_take_segment(struct span bytes, struct ipc_segment *ret)
{
	struct cursor in = cursor_of(bytes);

	return take_u64(&in, &ret->number) && take_u64(&in, &ret->end) &&
	       cursor_done(&in);
}

static void
put_ordinals(struct buf *out, const uint16_t *rcpts, size_t n)
{
	must(put_u16(out, (uint16_t)n));
	for (size_t i = 0; i < n; i++)
		must(put_u16(out, rcpts[i]));
}

static bool
take_ordinals(struct cursor *in, uint16_t rcpts[IPC_RCPTS_MAX], size_t *ret_n)
{
	uint16_t n = 0;

	if (!take_u16(in, &n) || n > IPC_RCPTS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!take_u16(in, &rcpts[i]))
			return false;
	*ret_n = n;
	return true;
}

void
ipc_put_held(struct buf *out, const struct ipc_held *held)
{
	must(put_u8(out, held->last));
	must(put_u64(out, held->message));
	put_ordinals(out, held->rcpts, held->nrcpts);
}

bool
ipc_take_held(struct span bytes, struct ipc_held *ret)
{
	struct cursor in = cursor_of(bytes);
	uint8_t last = 0;

	if (!take_u8(&in, &last) || !take_u64(&in, &ret->message) ||
	    !take_ordinals(&in, ret->rcpts, &ret->nrcpts) || !cursor_done(&in))
		return false;
	ret->last = last != 0;
	return true;
}

void
ipc_put_job(struct buf *out, const struct ipc_job *job)
{
	must(put_u64(out, job->message));
	must(put_u64(out, job->segment));
	must(put_u32(out, job->offset));
	must(put_u32(out, job->attempts));
	must(put_blob(out, job->target));
	put_ordinals(out, job->rcpts, job->nrcpts);
}

bool
ipc_take_job(struct span bytes, struct ipc_job *ret)
{
	struct cursor in = cursor_of(bytes);

	return take_u64(&in, &ret->message) && take_u64(&in, &ret->segment) &&
	       take_u32(&in, &ret->offset) && take_u32(&in, &ret->attempts) &&
	       take_chars(&in, TARGET_TEXT_MAX, &ret->target) &&
	       take_ordinals(&in, ret->rcpts, &ret->nrcpts) &&
	       ret->nrcpts > 0 && cursor_done(&in);
}

static void
put_rcpt(struct buf *out, const struct ipc_rcpt_result *r)
{
	must(put_u16(out, r->ordinal));
	must(put_u8(out, (uint8_t)r->outcome));
	must(put_u8(out, (uint8_t)r->err.kind));
	must(put_blob(out, span_of(r->err.enhanced)));
	must(put_blob(out, span_of(r->err.text)));
	must(put_blob(out, r->reply));
}

static bool
take_rcpt(struct cursor *in, struct ipc_rcpt_result *ret)
{
	struct ipc_rcpt_result r = {0};
	struct span enhanced, text;
	uint8_t outcome = 0, kind = 0;

	if (!take_u16(in, &r.ordinal) || !take_u8(in, &outcome) ||
	    !take_u8(in, &kind) ||
	    !take_chars(in, sizeof(r.err.enhanced) - 1, &enhanced) ||
	    !take_chars(in, sizeof(r.err.text) - 1, &text) ||
	    !take_chars(in, IPC_TEXT_MAX, &r.reply) ||
	    outcome > OUTCOME_UNTRIED || kind > ERR_BUG)
		return false;
	r.outcome = (enum ipc_outcome)outcome;
	r.err.kind = (enum err_kind)kind;
	(void)text_copy_span(r.err.enhanced, sizeof(r.err.enhanced), enhanced);
	(void)text_copy_span(r.err.text, sizeof(r.err.text), text);
	*ret = r;
	return true;
}

void
ipc_put_result(struct buf *out, const struct ipc_result *result)
{
	must(put_u64(out, result->message));
	must(put_u8(out, (uint8_t)result->health));
	must(put_blob(out, result->remote));
	must(put_blob(out, span_first(result->tls, IPC_TLS_MAX)));
	must(put_u16(out, (uint16_t)result->nrcpts));
	for (size_t i = 0; i < result->nrcpts; i++)
		put_rcpt(out, &result->rcpts[i]);
}

bool
ipc_take_result(struct span bytes, struct ipc_result *ret)
{
	struct cursor in = cursor_of(bytes);
	uint16_t n = 0;
	uint8_t health = 0;

	if (!take_u64(&in, &ret->message) || !take_u8(&in, &health) ||
	    health > IPC_HEALTH_DEAD ||
	    !take_chars(&in, IPC_TEXT_MAX, &ret->remote) ||
	    !take_chars(&in, IPC_TLS_MAX, &ret->tls) || !take_u16(&in, &n) ||
	    n == 0 || n > IPC_RCPTS_MAX)
		return false;
	ret->health = (enum ipc_health)health;
	ret->nrcpts = n;
	for (size_t i = 0; i < n; i++)
		if (!take_rcpt(&in, &ret->rcpts[i]))
			return false;
	return cursor_done(&in);
}

void
ipc_put_settled(struct buf *out, uint64_t message, uint16_t first)
{
	must(put_u64(out, message));
	must(put_u16(out, first));
}

bool
ipc_take_settled(struct span bytes, uint64_t *ret_message, uint16_t *ret_first)
{
	struct cursor in = cursor_of(bytes);

	return take_u64(&in, ret_message) && take_u16(&in, ret_first) &&
	       cursor_done(&in);
}
