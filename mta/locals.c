#include "mta/locals.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/ipc.h"
#include "mta/recipients.h"
#include "mta/route.h"
#include "reporting/reverse_path.h"

#define EXPANSION_MAX   IPC_RCPTS_MAX
#define EXPANSION_DEPTH 8
#define DAY_S           INT64_C(86400)

struct locals {
	const struct config *config;
	struct reverse_path_secrets secrets; /* of who may have them */
	struct recipients **recipients; /* of each domain; NULL: everybody */
};

static void
load_secrets(struct locals *locals, const struct bundle *bundle)
{
	const struct config_reporting *reporting = &locals->config->reporting;

	for (size_t i = 0; i < reporting->ndkim; i++)
		reverse_path_add(
		    &locals->secrets, bundle_find(bundle, "reverse-path",
					  reporting->dkim[i].selector));
}

int
locals_new(const struct config *config, const struct bundle *bundle,
    struct locals **ret, struct err *err)
{
	struct locals *locals = mem_new(sizeof(*locals));
	struct buf problems;
	int rc = 0;

	locals->config = config;
	load_secrets(locals, bundle);
	locals->recipients = mem_array(
	    config->ndomains, sizeof(struct recipients *));
	buf_init(&problems, 4096);
	for (size_t i = 0; rc == 0 && i < config->ndomains; i++) {
		const struct config_domain *d = &config->domains[i];

		if (d->recipients != NULL)
			rc = recipients_parse(
			    bundle_find(bundle, "recipients", d->name),
			    d->recipients, &locals->recipients[i], &problems);
	}
	buf_free(&problems);
	*ret = locals;
	if (rc == 0)
		return 0;
	locals_free(ret);
	return err_set(err, ERR_PERM, "4.3.5", "a recipients file is damaged");
}

void
locals_free(struct locals **localsp)
{
	struct locals *locals = *localsp;

	*localsp = NULL;
	if (locals == NULL)
		return;
	for (size_t i = 0; i < locals->config->ndomains; i++)
		recipients_free(&locals->recipients[i]);
	mem_free(locals->recipients);
	mem_wipe_free(locals, sizeof(*locals));
}

/* Who exists there; *ret_ours false: the domain is not ours. */
static const struct recipients *
find_recipients(
    const struct locals *locals, const char *address, bool *ret_ours)
{
	const struct config_domain *found;
	char domain[DOMAIN_MAX];

	route_domain(address, domain);
	found = config_domain(locals->config, domain);
	*ret_ours = found != NULL;
	return found == NULL
	           ? NULL
	           : locals->recipients[found - locals->config->domains];
}

bool
locals_has_domain(const struct locals *locals, const char *address)
{
	bool ours;

	(void)find_recipients(locals, address, &ours);
	return ours;
}

/* RFC 5321 4.5.1: postmaster exists in every domain, and without one. */
bool
locals_is_postmaster(const char *address)
{
	static const char name[] = "postmaster";
	size_t n = sizeof(name) - 1;

	return span_starts_nocase(span_of(address), SPAN("postmaster")) &&
	       (address[n] == '\0' || address[n] == '@');
}

/* Is it the envelope sender of a report of ours? */
static enum reverse_path
read_sender(const struct locals *locals, const char *address)
{
	const struct config_reporting *reporting = &locals->config->reporting;
	char word[REVERSE_PATH_WORD + 1];

	if (!reporting->send || !locals_has_domain(locals, address))
		return REVERSE_PATH_OTHER;
	return reverse_path_read(&locals->secrets, clock_wall() / DAY_S,
	    reporting->contact, address, word);
}

/*
 * What comes back of a report of ours is the contact's: his address with a tag
 * is nobody's in a list, and who asks before he takes a report would be told
 * that its sender does not exist.
 */
static const char *
resolve_sender(const struct locals *locals, const char *address)
{
	return read_sender(locals, address) == REVERSE_PATH_GOOD
	           ? locals->config->reporting.contact
	           : address;
}

int
locals_known(const struct locals *locals, const char *address, struct err *err)
{
	const char *whose = resolve_sender(locals, address);
	const char *const *targets;
	bool ours;
	const struct recipients *recipients = find_recipients(
	    locals, whose, &ours);
	char shown[200];

	text_escape(span_of(address), shown, sizeof(shown));
	/* Also where everybody is known: a stranger would be heard. */
	if (read_sender(locals, address) == REVERSE_PATH_BAD)
		return err_set(err, ERR_PERM, "5.1.1",
		    "<%s>: no report has this return address, or not any more",
		    shown);
	if (recipients == NULL || locals_is_postmaster(whose) ||
	    recipients_find(recipients, whose, &targets) != RECIPIENT_UNKNOWN)
		return 0;
	return err_set(
	    err, ERR_PERM, "5.1.1", "<%s>: no such recipient here", shown);
}

struct expansion {
	const struct locals *locals;
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
	const char *const *targets;
	bool ours;
	const struct recipients *recipients = find_recipients(
	    x->locals, address, &ours);

	if (!locals_is_postmaster(address) ||
	    x->locals->config->postmaster == NULL ||
	    (!ours && address_domain(address)[0] != '\0'))
		return address;
	if (ours && (recipients == NULL || recipients_find(recipients, address,
					       &targets) != RECIPIENT_UNKNOWN))
		return address;
	return x->locals->config->postmaster;
}

static const char *const *
alias_of(const struct expansion *x, const char *address)
{
	const char *const *targets = NULL;
	bool ours;
	const struct recipients *recipients = find_recipients(
	    x->locals, address, &ours);

	if (recipients == NULL ||
	    recipients_find(recipients, address, &targets) != RECIPIENT_ALIAS)
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
	const char *whose = resolve_sender(x->locals, address);

	/* RFC 3464 2: a notification has a null reverse-path.  It is read. */
	if (whose != address && x->out->sender[0] == '\0' &&
	    add_rcpt(x, rcpt, address) < 0)
		return -1;
	address = resolve_postmaster(x, whose);
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

		if (locals_is_postmaster(address) ||
		    resolve_sender(x->locals, address) != address ||
		    alias_of(x, address) != NULL)
			return false;
	}
	return true;
}

int
locals_expand(const struct locals *locals, const struct envelope *envelope,
    struct arena *arena, struct envelope *ret, struct err *err)
{
	size_t room = EXPANSION_MAX;
	struct expansion x = {locals, arena, ret, room};

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
