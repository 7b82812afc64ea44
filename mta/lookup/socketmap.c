/*
 * Socketmap: a netstring "MAP KEY" is answered by one that begins with OK,
 * NOTFOUND, TEMP, TIMEOUT or PERM.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/lookup/engine.h"

#define DIGITS_MAX 6 /* of a length */

struct socketmap {
	const char *map;
	struct buf in;
};

static void *
socketmap_open(const struct config_lookup *by, const char *hostname)
{
	struct socketmap *socketmap = mem_new(sizeof(*socketmap));

	(void)hostname;
	socketmap->map = by->map;
	buf_init(&socketmap->in, ANSWER_VALUE_MAX + 64);
	return socketmap;
}

static void
socketmap_close(void *engine)
{
	struct socketmap *socketmap = engine;

	buf_free(&socketmap->in);
	mem_free(socketmap);
}

static void
socketmap_ask(void *engine, const char *key, struct buf *out)
{
	struct socketmap *socketmap = engine;
	size_t n = strlen(socketmap->map) + 1 + strlen(key);

	buf_clear(&socketmap->in);
	(void)!buf_printf(out, "%zu:%s %s,", n, socketmap->map, key);
}

static enum engine_step
broken(struct said *ret, const char *why)
{
	said_fail(ret, "4.3.0", "the socketmap server %s", why);
	return ENGINE_BROKEN;
}

/* "OK value": true with what stands behind the word. */
static bool
has_word(struct span payload, struct span word, struct span *rest)
{
	if (payload.n < word.n || !span_eq(span_first(payload, word.n), word))
		return false;
	if (payload.n > word.n && payload.p[word.n] != ' ')
		return false;
	*rest = span_from(payload, word.n + 1);
	return true;
}

static enum engine_step
judge(struct span payload, struct said *ret)
{
	struct span rest;
	char shown[120];

	if (has_word(payload, SPAN("OK"), &rest)) {
		*ret = (struct said){.kind = ANSWER_FOUND, .value = rest};
		return ENGINE_ANSWERED;
	}
	if (has_word(payload, SPAN("NOTFOUND"), &rest)) {
		*ret = (struct said){.kind = ANSWER_MISSING};
		return ENGINE_ANSWERED;
	}
	/* PERM is about the question, not about the recipient. */
	if (!has_word(payload, SPAN("TEMP"), &rest) &&
	    !has_word(payload, SPAN("TIMEOUT"), &rest) &&
	    !has_word(payload, SPAN("PERM"), &rest))
		return broken(ret, "says no word of its protocol");
	text_escape(payload, shown, sizeof(shown));
	said_fail(ret, "4.3.0", "the socketmap server says %s", shown);
	return ENGINE_ANSWERED;
}

/* How many digits stand before the colon; 0: not all there, -1: it is none. */
static int
count_digits(struct span in)
{
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == ':' && i > 0)
			return (int)i;
		if (!text_is_digit(in.p[i]) || i == DIGITS_MAX)
			return -1;
	}
	return 0;
}

static enum engine_step
socketmap_feed(
    void *engine, struct span bytes, struct buf *out, struct said *ret)
{
	struct socketmap *socketmap = engine;
	struct span in;
	uint32_t n;
	int digits;

	(void)out;
	if (buf_add(&socketmap->in, bytes) < 0)
		return broken(ret, "says too much");
	in = buf_span(&socketmap->in);
	digits = count_digits(in);
	if (digits == 0)
		return ENGINE_MORE;
	if (digits < 0 || !text_parse_u32(span_first(in, (size_t)digits), &n) ||
	    n > ANSWER_VALUE_MAX)
		return broken(ret, "says no netstring");
	in = span_from(in, (size_t)digits + 1);
	if (in.n < (size_t)n + 1)
		return ENGINE_MORE;
	if (in.p[n] != ',' || in.n > (size_t)n + 1)
		return broken(ret, "says no netstring, or more than one");
	return judge(span_first(in, n), ret);
}

const struct engine_ops socketmap_engine = {
    socketmap_open, socketmap_close, socketmap_ask, socketmap_feed};
