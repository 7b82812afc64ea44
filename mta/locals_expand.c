/* Aliases replaced by what they stand for; see locals.h. */
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mta/ipc.h"
#include "mta/locals.h"
#include "mta/locals_private.h"

#define EXPANSION_MAX IPC_RCPTS_MAX /* who get it; and as many aliases */

struct expansion {
	const struct locals *locals;
	struct arena *arena;
	struct envelope *out;
	size_t ntold; /* of those in it: aliases, see share() */
	void *exact;  /* the others' addresses, as a tree of search.h */
	void *folded; /* the same, in no case */
	struct inquiry *inquiry;
	struct err *err;
	const char *path[LOCALS_DEPTH]; /* keys of the aliases we are in */
	const char **done;              /* keys of those that we left */
	size_t ndone;
};

static enum locals_verdict
refuse(struct expansion *x, const char *enhanced, const char *why)
{
	(void)err_set(x->err, ERR_TEMP, enhanced, "%s", why);
	return LOCALS_REFUSED;
}

static enum locals_verdict
too_many(struct expansion *x)
{
	return refuse(x, "4.3.0", "an alias stands for too many recipients");
}

static int
by_letters(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
in_no_case(const void *a, const void *b)
{
	return strcasecmp(a, b);
}

/* One mailbox gets it once, though it is written in two ways. */
static bool
seen(const struct expansion *x, const char *address, bool fold)
{
	return (fold ? tfind(address, &x->folded, in_no_case)
		     : tfind(address, &x->exact, by_letters)) != NULL;
}

/* False: there is no memory for it. */
static bool
remember(struct expansion *x, const char *address)
{
	return tsearch(address, &x->exact, by_letters) != NULL &&
	       tsearch(address, &x->folded, in_no_case) != NULL;
}

/* The addresses themselves are the arena's. */
static void
forget(void *address)
{
	(void)address;
}

static enum locals_verdict
put_rcpt(
    struct expansion *x, const struct envelope_rcpt *from, const char *address)
{
	bool told = (from->notify & NOTIFY_EXPANDED) != 0;
	size_t n = told ? x->ntold : x->out->nrcpts - x->ntold;
	struct envelope_rcpt *to;

	/* A job has room for as many, and theirs is another than that of who
	 * gets it: to be told must not make it too many (RFC 3461 5.1). */
	if (n >= EXPANSION_MAX)
		return too_many(x);
	to = &x->out->rcpts[x->out->nrcpts];
	*to = *from;
	to->address = arena_strndup(x->arena, address, strlen(address));
	if (to->address == NULL || (!told && !remember(x, to->address)))
		return too_many(x);
	x->out->nrcpts++;
	x->ntold += told;
	return LOCALS_FINE;
}

static enum locals_verdict
add_rcpt(struct expansion *x, const struct envelope_rcpt *from,
    const struct place *place, const char *address)
{
	bool fold = place->domain != NULL && !place->domain->keep_case;

	return seen(x, address, fold) ? LOCALS_FINE
	                              : put_rcpt(x, from, address);
}

/*
 * RFC 3461 5.2.7.3 (c): of several none says that it arrived.  Who asked for
 * that hears that the alias was expanded, from an entry of its own.
 */
static enum locals_verdict
share(struct expansion *x, struct envelope_rcpt *rcpt, const char *address)
{
	struct envelope_rcpt alias = *rcpt;

	if ((rcpt->notify & NOTIFY_SUCCESS) == 0)
		return LOCALS_FINE;
	rcpt->notify &= (uint8_t)~NOTIFY_SUCCESS;
	if (rcpt->notify == NOTIFY_DEFAULT)
		rcpt->notify = NOTIFY_NEVER;
	alias.notify = NOTIFY_SUCCESS | NOTIFY_EXPANDED;
	return put_rcpt(x, &alias, address);
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

static enum locals_verdict
add_mailbox(struct expansion *x, const struct envelope_rcpt *rcpt,
    const struct place *place, const char *address)
{
	char base[RECIPIENTS_KEY];

	if (place->domain == NULL || !wants_base(place, address) ||
	    !recipients_base(address, place->domain->delimiter, base))
		return add_rcpt(x, rcpt, place, address);
	return add_rcpt(x, rcpt, place, base);
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

static enum locals_verdict expand_one(struct expansion *x,
    const struct envelope_rcpt *rcpt, const char *address, unsigned depth);

static enum locals_verdict
enter_alias(struct expansion *x, struct envelope_rcpt rcpt,
    const struct place *place, const char *address, unsigned depth)
{
	const char *const *targets = place->targets;
	char *key = arena_strndup(x->arena, place->key, strlen(place->key));

	if (depth == LOCALS_DEPTH)
		return refuse(x, "4.4.6", "aliases lead too far");
	if (key == NULL || x->ndone >= EXPANSION_MAX)
		return too_many(x);
	if (targets[0] != NULL && targets[1] != NULL &&
	    share(x, &rcpt, address) != LOCALS_FINE)
		return LOCALS_REFUSED;
	x->path[depth] = key;
	for (; *targets != NULL; targets++) {
		char next[2 * ENVELOPE_ADDRESS_MAX];
		enum locals_verdict verdict;

		if (!locals_complete(
			*targets, place->domain->name, next, sizeof(next)))
			return too_many(x);
		verdict = expand_one(x, &rcpt, next, depth + 1);
		if (verdict != LOCALS_FINE)
			return verdict;
	}
	x->done[x->ndone++] = key;
	return LOCALS_FINE;
}

static enum locals_verdict
expand_alias(struct expansion *x, const struct envelope_rcpt *rcpt,
    const struct place *place, const char *address, unsigned depth)
{
	unsigned back = steps_back(x, depth, place->key);

	if (back == 1) /* the mailbox behind the alias */
		return add_rcpt(x, rcpt, place, address);
	/* RFC 5321 6.3: mail must not go round in circles. */
	if (back > 1)
		return refuse(x, "4.4.6", "an alias leads back to itself");
	if (was_done(x, place->key))
		return LOCALS_FINE;
	return enter_alias(x, *rcpt, place, address, depth);
}

static enum locals_verdict
expand_one(struct expansion *x, const struct envelope_rcpt *rcpt,
    const char *address, unsigned depth)
{
	const char *whose = locals_reader(x->locals, address);
	enum locals_verdict verdict;
	struct place place = {0};

	/* RFC 3464 2: a notification has a null reverse-path.  It is read. */
	if (whose != address && x->out->sender[0] == '\0' &&
	    add_rcpt(x, rcpt, &place, address) != LOCALS_FINE)
		return LOCALS_REFUSED;
	address = locals_find(x->locals, x->inquiry->answers, whose, &place);
	if (locals_unsettled(&place, x->inquiry, x->err, &verdict))
		return verdict;
	if (place.kind != PLACE_ALIAS)
		return add_mailbox(x, rcpt, &place, address);
	return expand_alias(x, rcpt, &place, address, depth);
}

/* Most mail names people, not aliases: then nothing needs to be copied. */
static bool
is_plain(const struct expansion *x, const char *address)
{
	struct place place;

	if (locals_is_postmaster(address) ||
	    locals_reader(x->locals, address) != address)
		return false;
	locals_place(x->locals, x->inquiry->answers, address, &place);
	switch (place.kind) {
	case PLACE_FOREIGN:
	case PLACE_UNKNOWN:
	case PLACE_MAILBOX:
		return !wants_base(&place, address);
	case PLACE_TROUBLE:
	case PLACE_ASK:
	case PLACE_ALIAS:
		return false;
	}
	return false;
}

/* It may be one that differs in case alone, or that no memory tells apart. */
static bool
is_repeated(const char *address, void **others)
{
	return tfind(address, others, in_no_case) != NULL ||
	       tsearch(address, others, in_no_case) == NULL;
}

static bool
anybody_twice(const struct envelope *envelope)
{
	void *others = NULL;
	bool twice = false;

	if (envelope->nrcpts < 2)
		return false;
	for (size_t i = 0; i < envelope->nrcpts && !twice; i++)
		twice = is_repeated(envelope->rcpts[i].address, &others);
	tdestroy(others, forget);
	return twice;
}

static bool
are_plain(const struct expansion *x, const struct envelope *envelope)
{
	if (anybody_twice(envelope))
		return false;
	for (size_t i = 0; i < envelope->nrcpts; i++)
		if (!is_plain(x, envelope->rcpts[i].address))
			return false;
	return true;
}

static enum locals_verdict
expand_all(struct expansion *x, const struct envelope *envelope)
{
	x->out->nrcpts = 0;
	x->out->rcpts = arena_alloc(
	    x->arena, (size_t)2 * EXPANSION_MAX * sizeof(x->out->rcpts[0]));
	x->done = arena_alloc(x->arena, EXPANSION_MAX * sizeof(x->done[0]));
	if (x->out->rcpts == NULL || x->done == NULL)
		return too_many(x);
	for (size_t i = 0; i < envelope->nrcpts; i++) {
		enum locals_verdict verdict = expand_one(
		    x, &envelope->rcpts[i], envelope->rcpts[i].address, 0);

		if (verdict != LOCALS_FINE)
			return verdict;
	}
	x->inquiry->weight = x->out->nrcpts + x->ndone;
	return LOCALS_FINE;
}

enum locals_verdict
locals_expand(const struct locals *locals, struct inquiry *inquiry,
    const struct envelope *envelope, struct arena *arena, struct envelope *ret,
    struct err *err)
{
	struct expansion x = {.locals = locals,
	    .arena = arena,
	    .out = ret,
	    .inquiry = inquiry,
	    .err = err};
	enum locals_verdict verdict;

	*ret = *envelope;
	inquiry->weight = envelope->nrcpts;
	if (are_plain(&x, envelope))
		return LOCALS_FINE;
	verdict = expand_all(&x, envelope);
	tdestroy(x.exact, forget);
	tdestroy(x.folded, forget);
	return verdict;
}
