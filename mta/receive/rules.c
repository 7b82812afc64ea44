#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/receive/private.h"
#include "mta/route.h"

#define EXPANSION_MAX   IPC_RCPTS_MAX
#define EXPANSION_DEPTH 8

int
rules_sender(const struct receive *receive, uint64_t size, struct err *err)
{
	return queue_space(&receive->spool, size, err);
}

static const struct local_domain *
find_domain(const struct receive *receive, const char *address)
{
	const struct config_domain *found;
	char domain[DOMAIN_MAX];

	route_domain(address, domain);
	found = config_domain(receive->config, domain);
	if (found == NULL)
		return NULL;
	return &receive->domains[found - receive->config->domains];
}

/* RFC 5321 4.5.1: postmaster exists in every domain, and without one. */
static bool
is_postmaster(const char *address)
{
	static const char name[] = "postmaster";
	size_t n = sizeof(name) - 1;

	return span_starts_nocase(span_of(address), SPAN("postmaster")) &&
	       (address[n] == '\0' || address[n] == '@');
}

static bool
is_known(const struct local_domain *local, const char *address)
{
	const char *const *targets;

	return local->recipients == NULL || is_postmaster(address) ||
	       recipients_find(local->recipients, address, &targets) !=
	           RECIPIENT_UNKNOWN;
}

static int
refuse(
    const char *address, const char *enhanced, const char *why, struct err *err)
{
	char shown[200];

	text_escape(span_of(address), shown, sizeof(shown));
	return err_set(err, ERR_PERM, enhanced, "<%s>: %s", shown, why);
}

int
rules_known(const struct receive *receive, const char *address, struct err *err)
{
	const struct local_domain *local = find_domain(receive, address);

	if (local == NULL || is_known(local, address))
		return 0;
	return refuse(address, "5.1.1", "no such recipient here", err);
}

int
rules_recipient(const struct receive *receive, const char *client,
    const char *address, struct err *err)
{
	bool bare = address_domain(address)[0] == '\0';

	if (find_domain(receive, address) != NULL)
		return rules_known(receive, address, err);
	if ((bare && is_postmaster(address)) ||
	    config_may_relay(receive->config, client))
		return 0;
	return refuse(address, "5.7.1", "relaying denied", err);
}

struct expansion {
	const struct receive *receive;
	struct arena *arena;
	struct envelope *out;
	size_t room;
};

static bool
seen(const struct envelope *envelope, const char *address)
{
	for (size_t i = 0; i < envelope->nrcpts; i++)
		if (strcmp(envelope->rcpts[i].address, address) == 0)
			return true;
	return false;
}

/* The postmaster of a domain of ours that does not list one is the site's;
 * that of somebody else's domain is theirs. */
static const char *
resolve_postmaster(const struct expansion *x, const char *address)
{
	const struct local_domain *local = find_domain(x->receive, address);
	const char *const *targets;

	if (!is_postmaster(address) || x->receive->config->postmaster == NULL ||
	    (local == NULL && address_domain(address)[0] != '\0'))
		return address;
	if (local != NULL && (local->recipients == NULL ||
				 recipients_find(local->recipients, address,
				     &targets) != RECIPIENT_UNKNOWN))
		return address;
	return x->receive->config->postmaster;
}

static const char *const *
alias_of(const struct expansion *x, const char *address)
{
	const struct local_domain *local = find_domain(x->receive, address);
	const char *const *targets = NULL;

	if (local == NULL || local->recipients == NULL ||
	    recipients_find(local->recipients, address, &targets) !=
		RECIPIENT_ALIAS)
		return NULL;
	return targets;
}

static int
add_rcpt(
    struct expansion *x, const struct envelope_rcpt *from, const char *address)
{
	struct envelope_rcpt *to;

	if (seen(x->out, address))
		return 0;
	if (x->out->nrcpts >= x->room)
		return -1;
	to = &x->out->rcpts[x->out->nrcpts];
	*to = *from;
	to->address = arena_strndup(x->arena, address, strlen(address));
	if (to->address == NULL)
		return -1;
	x->out->nrcpts++;
	return 0;
}

/* An alias may name its neighbours without their domain. */
static const char *
complete(const struct expansion *x, const char *target, const char *address)
{
	char full[2 * ENVELOPE_ADDRESS_MAX];

	if (strchr(target, '@') != NULL)
		return target;
	(void)snprintf(
	    full, sizeof(full), "%s@%s", target, address_domain(address));
	return arena_strndup(x->arena, full, strlen(full));
}

/* Depth is bounded; loops were refused when the file was read. */
static int
expand_one(struct expansion *x, const struct envelope_rcpt *rcpt,
    const char *address, unsigned depth)
{
	const char *const *targets;

	address = resolve_postmaster(x, address);
	targets = depth < EXPANSION_DEPTH ? alias_of(x, address) : NULL;
	if (targets == NULL)
		return add_rcpt(x, rcpt, address);
	for (; *targets != NULL; targets++) {
		const char *next = complete(x, *targets, address);

		if (next == NULL || expand_one(x, rcpt, next, depth + 1) < 0)
			return -1;
	}
	return 0;
}

/* Most mail names people, not aliases: then nothing needs to be copied. */
static bool
is_plain(const struct expansion *x, const struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->nrcpts; i++) {
		const char *address = envelope->rcpts[i].address;

		if (is_postmaster(address) || alias_of(x, address) != NULL)
			return false;
	}
	return true;
}

int
rules_expand(const struct receive *receive, const struct envelope *envelope,
    struct arena *arena, struct envelope *ret, struct err *err)
{
	size_t room = EXPANSION_MAX;
	struct expansion x = {receive, arena, ret, room};

	*ret = *envelope;
	if (is_plain(&x, envelope))
		return 0;
	ret->nrcpts = 0;
	ret->rcpts = arena_alloc(arena, room * sizeof(ret->rcpts[0]));
	for (size_t i = 0; ret->rcpts != NULL && i < envelope->nrcpts; i++)
		if (expand_one(&x, &envelope->rcpts[i],
			envelope->rcpts[i].address, 0) < 0)
			ret->rcpts = NULL;
	if (ret->rcpts == NULL)
		return err_set(err, ERR_TEMP, "4.3.0",
		    "an alias stands for too many recipients");
	return 0;
}
