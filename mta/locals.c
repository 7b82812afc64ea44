/* Making the set of our own, and who is known; see locals.h. */
#include "mta/locals.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/ipc.h"
#include "mta/locals_private.h"
#include "mta/route.h"

#define DAY_S           INT64_C(86400)
#define EXPANSION_ARENA (4u << 20)
#define EXPANSIONS_MAX  50 /* of one message, at its RCPTs */

static void
load_secrets(struct locals *locals, const struct bundle *bundle)
{
	const struct config_reporting *reporting = &locals->config->reporting;

	for (size_t i = 0; i < reporting->ndkim; i++)
		reverse_path_add(
		    &locals->secrets, bundle_find(bundle, "reverse-path",
					  reporting->dkim[i].selector));
}

static bool
is_file(const struct config_source *source, const char *file)
{
	return source->file != NULL && strcmp(source->file, file) == 0;
}

/* Did a source that is read before this one lead to the same file? */
static bool
was_read(const struct config *config, const struct config_domain *domain,
    const struct config_source *source)
{
	for (const struct config_domain *d = config->domains; d < domain; d++)
		if (d->keep_case == domain->keep_case &&
		    (is_file(&d->recipients, source->file) ||
			is_file(&d->aliases, source->file)))
			return true;
	return source == &domain->aliases &&
	       is_file(&domain->recipients, source->file);
}

static int
load_file(const struct config *config, const struct config_domain *domain,
    const struct config_source *source, struct span text,
    struct recipients **ret, struct buf *problems)
{
	size_t before = problems->n;

	if (source->file == NULL ||
	    recipients_parse(text, source->file,
		domain->keep_case ? RECIPIENTS_KEEP : RECIPIENTS_FOLD, ret,
		problems) == 0)
		return 0;
	if (was_read(config, domain, source))
		problems->n = before; /* all of it stands there */
	return -1;
}

static int
load_domain(const struct config *config, const struct config_domain *domain,
    const struct bundle *bundle, struct locals_domain *to, struct buf *problems)
{
	int rc = load_file(config, domain, &domain->recipients,
	    bundle_find(bundle, "recipients", domain->name), &to->recipients,
	    problems);

	rc |= load_file(config, domain, &domain->aliases,
	    bundle_find(bundle, "aliases", domain->name), &to->aliases,
	    problems);
	to->catch_all[0] = domain->catch_all;
	return rc;
}

int
locals_load(const struct config *config, const struct bundle *bundle,
    struct locals **ret, struct buf *problems)
{
	struct locals *locals = mem_new(sizeof(*locals));
	int rc = 0;

	locals->config = config;
	load_secrets(locals, bundle);
	locals->domains = mem_array(
	    config->ndomains, sizeof(locals->domains[0]));
	for (size_t i = 0; i < config->ndomains; i++)
		rc |= load_domain(config, &config->domains[i], bundle,
		    &locals->domains[i], problems);
	*ret = locals;
	if (rc != 0)
		locals_free(ret);
	return rc;
}

int
locals_new(const struct config *config, const struct bundle *bundle,
    struct locals **ret, struct err *err)
{
	struct buf problems;
	int rc;

	buf_init(&problems, 4096);
	rc = locals_load(config, bundle, ret, &problems);
	buf_free(&problems);
	if (rc == 0)
		return 0;
	return err_set(err, ERR_PERM, "4.3.5", "a recipients file is damaged");
}

void
locals_free(struct locals **localsp)
{
	struct locals *locals = *localsp;

	*localsp = NULL;
	if (locals == NULL)
		return;
	for (size_t i = 0; i < locals->config->ndomains; i++) {
		recipients_free(&locals->domains[i].recipients);
		recipients_free(&locals->domains[i].aliases);
	}
	mem_free(locals->domains);
	mem_wipe_free(locals, sizeof(*locals));
}

bool
locals_has_domain(const struct locals *locals, const char *address)
{
	char domain[DOMAIN_MAX];

	route_domain(address, domain);
	return config_domain(locals->config, domain) != NULL;
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

/* That of somebody else's domain is theirs. */
const char *
locals_find(const struct locals *locals, const struct answers *answers,
    const char *address, struct place *ret)
{
	const char *ours = locals->config->postmaster;

	locals_place(locals, answers, address, ret);
	if (!locals_is_postmaster(address) || ours == NULL)
		return address;
	if (ret->kind != PLACE_UNKNOWN && address_domain(address)[0] != '\0')
		return address;
	locals_place(locals, answers, ours, ret);
	return ours;
}

bool
locals_unsettled(const struct place *place, struct inquiry *inquiry,
    struct err *err, enum locals_verdict *ret)
{
	*ret = LOCALS_REFUSED;
	if (place->kind == PLACE_TROUBLE) {
		*err = *place->err;
		return true;
	}
	if (place->kind != PLACE_ASK)
		return false;
	if (inquiry->answers == NULL) {
		(void)err_set(
		    err, ERR_TEMP, "4.3.0", "nobody can be asked who exists");
		return true;
	}
	*ret = LOCALS_ASK;
	inquiry->question.by = place->by;
	(void)text_copy(
	    inquiry->question.key, sizeof(inquiry->question.key), place->asked);
	return true;
}

int
locals_settle(enum locals_verdict verdict, struct err *err)
{
	if (verdict == LOCALS_ASK)
		return err_set(err, ERR_TEMP, "4.3.0",
		    "too much has to be asked about this recipient");
	return verdict == LOCALS_FINE ? 0 : -1;
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
const char *
locals_reader(const struct locals *locals, const char *address)
{
	return read_sender(locals, address) == REVERSE_PATH_GOOD
	           ? locals->config->reporting.contact
	           : address;
}

/* Aliases are followed, though nothing comes of it yet. */
static enum locals_verdict
try_to_expand(const struct locals *locals, struct inquiry *inquiry,
    const char *address, struct err *err)
{
	struct envelope_rcpt rcpt = {.address = address, .orcpt = ""};
	struct envelope out, in = {.sender = "", .rcpts = &rcpt, .nrcpts = 1};
	struct arena *arena = arena_new(EXPANSION_ARENA);
	enum locals_verdict verdict = locals_expand(
	    locals, inquiry, &in, arena, &out, err);

	arena_free(&arena);
	return verdict;
}

static enum locals_verdict
nobody(const char *address, const char *why, struct err *err)
{
	char shown[200];

	text_escape(span_of(address), shown, sizeof(shown));
	(void)err_set(err, ERR_PERM, "5.1.1", "<%s>: %s", shown, why);
	return LOCALS_REFUSED;
}

enum locals_verdict
locals_known(const struct locals *locals, struct inquiry *inquiry,
    const char *address, struct err *err)
{
	const char *whose = locals_reader(locals, address);
	enum locals_verdict verdict;
	struct place place;

	/* Also where everybody is known: a stranger would be heard. */
	if (read_sender(locals, address) == REVERSE_PATH_BAD)
		return nobody(address,
		    "no report has this return address, or not any more", err);
	(void)locals_find(locals, inquiry->answers, whose, &place);
	if (locals_unsettled(&place, inquiry, err, &verdict))
		return verdict;
	if (place.kind == PLACE_ALIAS)
		return try_to_expand(locals, inquiry, whose, err);
	inquiry->weight = 1;
	/* RFC 5321 4.5.1: even where the site's has no mailbox. */
	if (place.kind != PLACE_UNKNOWN || locals_is_postmaster(whose))
		return LOCALS_FINE;
	return nobody(address, "no such recipient here", err);
}

/* All of it expanded, as at its end. */
static enum locals_verdict
try_with(const struct locals *locals, struct inquiry *inquiry,
    const struct envelope *envelope, const struct envelope_rcpt *rcpt,
    struct err *err)
{
	size_t n = envelope->nrcpts;
	struct envelope_rcpt *rcpts = mem_array(n + 1, sizeof(rcpts[0]));
	struct envelope out, all = *envelope;
	struct arena *arena = arena_new(EXPANSION_ARENA);
	enum locals_verdict verdict;

	for (size_t i = 0; i < n; i++)
		rcpts[i] = envelope->rcpts[i];
	rcpts[n] = *rcpt;
	all.rcpts = rcpts;
	all.nrcpts = n + 1;
	verdict = locals_expand(locals, inquiry, &all, arena, &out, err);
	arena_free(&arena);
	mem_free(rcpts);
	return verdict;
}

/* Each time it is work for all of them; whoever comes then is refused. */
static bool
is_room(const struct locals *locals, struct inquiry *inquiry,
    const struct envelope *envelope, const struct envelope_rcpt *rcpt,
    struct locals_room *room, struct err *err)
{
	size_t more = inquiry->weight == 0 ? 1 : inquiry->weight;

	if (room->weight + more <= IPC_RCPTS_MAX) {
		room->weight += more;
		return true;
	}
	if (room->tries >= EXPANSIONS_MAX)
		return false;
	room->tries++;
	if (try_with(locals, inquiry, envelope, rcpt, err) != LOCALS_FINE)
		return false;
	room->weight = inquiry->weight;
	return true;
}

enum locals_verdict
locals_fit(const struct locals *locals, struct inquiry *inquiry,
    const struct envelope *envelope, const struct envelope_rcpt *rcpt,
    struct locals_room *room, struct err *err)
{
	if (is_room(locals, inquiry, envelope, rcpt, room, err))
		return LOCALS_FINE;
	/* RFC 5321 4.5.3.1.10: the client sends the others once more. */
	(void)err_set(err, ERR_TEMP, "4.5.3",
	    "too many recipients for one message, with those of aliases");
	return LOCALS_REFUSED;
}

enum locals_verdict
locals_resolve(const struct locals *locals, struct inquiry *inquiry,
    const struct envelope *envelope, struct arena *arena, struct envelope *ret,
    struct err *err)
{
	for (size_t i = 0; i < envelope->nrcpts; i++) {
		enum locals_verdict verdict = locals_known(
		    locals, inquiry, envelope->rcpts[i].address, err);

		if (verdict != LOCALS_FINE)
			return verdict;
	}
	return locals_expand(locals, inquiry, envelope, arena, ret, err);
}
