/* Aliases replaced by what they stand for; see locals.h. */
#include <stdio.h>
#include <string.h>

#include "mta/ipc.h"
#include "mta/locals.h"
#include "mta/locals_private.h"

#define EXPANSION_MAX IPC_RCPTS_MAX

struct expansion {
	const struct locals *locals;
	struct arena *arena;
	struct envelope *out;
	struct err *err;
	const char *path[LOCALS_DEPTH]; /* keys of the aliases we are in */
	const char **done;              /* keys of those that we left */
	size_t ndone;
};

static int
too_many(struct expansion *x)
{
	return err_set(x->err, ERR_TEMP, "4.3.0",
	    "an alias stands for too many recipients");
}

static bool
seen(const struct envelope *envelope, const char *address)
{
	for (size_t i = 0; i < envelope->nrcpts; i++)
		if (strcmp(envelope->rcpts[i].address, address) == 0)
			return true;
	return false;
}

static int
add_rcpt(
    struct expansion *x, const struct envelope_rcpt *from, const char *address)
{
	struct envelope_rcpt *to;

	if (seen(x->out, address))
		return 0;
	if (x->out->nrcpts >= EXPANSION_MAX)
		return too_many(x);
	to = &x->out->rcpts[x->out->nrcpts];
	*to = *from;
	to->address = arena_strndup(x->arena, address, strlen(address));
	if (to->address == NULL)
		return too_many(x);
	x->out->nrcpts++;
	return 0;
}

/*
 * A Maildir is that of the user, whatever the extension; who is asked by LMTP
 * or SMTP gets the address as it came, and knows what to do with it.
 */
static bool
wants_base(const struct place *place, const char *address)
{
	return place->stripped && address[0] != '"' &&
	       place->domain->deliver.kind == TARGET_MAILDIR;
}

static int
add_mailbox(struct expansion *x, const struct envelope_rcpt *rcpt,
    const struct place *place, const char *address)
{
	char base[RECIPIENTS_KEY];

	if (place->domain == NULL || !wants_base(place, address) ||
	    !recipients_base(address, place->domain->delimiter, base))
		return add_rcpt(x, rcpt, address);
	return add_rcpt(x, rcpt, base);
}

static bool
was_done(const struct expansion *x, const char *key)
{
	for (size_t i = 0; i < x->ndone; i++)
		if (strcmp(x->done[i], key) == 0)
			return true;
	return false;
}

/* How many aliases further up it stands; 0: nowhere. */
static unsigned
steps_back(const struct expansion *x, unsigned depth, const char *key)
{
	for (unsigned i = 0; i < depth; i++)
		if (strcmp(x->path[depth - 1 - i], key) == 0)
			return i + 1;
	return 0;
}

static int expand_one(struct expansion *x, const struct envelope_rcpt *rcpt,
    const char *address, unsigned depth);

static int
enter_alias(struct expansion *x, const struct envelope_rcpt *rcpt,
    const struct place *place, unsigned depth)
{
	const char *const *targets = place->targets;
	char *key = arena_strndup(x->arena, place->key, strlen(place->key));

	if (depth == LOCALS_DEPTH)
		return err_set(x->err, ERR_TEMP, "4.4.6",
		    "aliases lead further than %d steps", LOCALS_DEPTH);
	if (key == NULL || x->ndone >= EXPANSION_MAX)
		return too_many(x);
	x->path[depth] = key;
	for (; *targets != NULL; targets++) {
		char next[2 * ENVELOPE_ADDRESS_MAX];

		if (!locals_complete(
			*targets, place->domain->name, next, sizeof(next)))
			return too_many(x);
		if (expand_one(x, rcpt, next, depth + 1) < 0)
			return -1;
	}
	x->done[x->ndone++] = key;
	return 0;
}

static int
expand_one(struct expansion *x, const struct envelope_rcpt *rcpt,
    const char *address, unsigned depth)
{
	const char *whose = locals_reader(x->locals, address);
	struct place place;
	unsigned back;

	/* RFC 3464 2: a notification has a null reverse-path.  It is read. */
	if (whose != address && x->out->sender[0] == '\0' &&
	    add_rcpt(x, rcpt, address) < 0)
		return -1;
	address = locals_postmaster(x->locals, whose);
	locals_place(x->locals, address, &place);
	if (place.kind != PLACE_ALIAS)
		return add_mailbox(x, rcpt, &place, address);
	back = steps_back(x, depth, place.key);
	if (back == 1) /* the mailbox behind the alias */
		return add_rcpt(x, rcpt, address);
	if (back > 1)
		return err_set(
		    x->err, ERR_TEMP, "4.4.6", "an alias leads back to itself");
	return was_done(x, place.key) ? 0 : enter_alias(x, rcpt, &place, depth);
}

/* Most mail names people, not aliases: then nothing needs to be copied. */
static bool
is_plain(const struct expansion *x, const struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->nrcpts; i++) {
		const char *address = envelope->rcpts[i].address;
		struct place place;

		locals_place(x->locals, address, &place);
		if (locals_is_postmaster(address) ||
		    locals_reader(x->locals, address) != address ||
		    place.kind == PLACE_ALIAS || wants_base(&place, address))
			return false;
	}
	return true;
}

int
locals_expand(const struct locals *locals, const struct envelope *envelope,
    struct arena *arena, struct envelope *ret, struct err *err)
{
	struct expansion x = {locals, arena, ret, err, .ndone = 0};

	*ret = *envelope;
	if (is_plain(&x, envelope))
		return 0;
	ret->nrcpts = 0;
	ret->rcpts = arena_alloc(arena, EXPANSION_MAX * sizeof(ret->rcpts[0]));
	x.done = arena_alloc(arena, EXPANSION_MAX * sizeof(x.done[0]));
	if (ret->rcpts == NULL || x.done == NULL)
		return too_many(&x);
	for (size_t i = 0; i < envelope->nrcpts; i++)
		if (expand_one(&x, &envelope->rcpts[i],
			envelope->rcpts[i].address, 0) < 0)
			return -1;
	return 0;
}
