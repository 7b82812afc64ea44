/* Making the set of our own, and who is known; see locals.h. */
#include "mta/locals.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/locals_private.h"
#include "mta/route.h"

#define DAY_S INT64_C(86400)

static void
load_secrets(struct locals *locals, const struct bundle *bundle)
{
	const struct config_reporting *reporting = &locals->config->reporting;

	for (size_t i = 0; i < reporting->ndkim; i++)
		reverse_path_add(
		    &locals->secrets, bundle_find(bundle, "reverse-path",
					  reporting->dkim[i].selector));
}

static int
load_file(const struct config_domain *domain, const char *file,
    struct span text, struct recipients **ret, struct buf *problems)
{
	if (file == NULL)
		return 0;
	return recipients_parse(text, file,
	    domain->keep_case ? RECIPIENTS_KEEP : RECIPIENTS_FOLD, ret,
	    problems);
}

static int
load_domain(const struct config_domain *domain, const struct bundle *bundle,
    struct locals_domain *to, struct buf *problems)
{
	int rc = load_file(domain, domain->recipients.file,
	    bundle_find(bundle, "recipients", domain->name), &to->recipients,
	    problems);

	rc |= load_file(domain, domain->aliases.file,
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
		rc |= load_domain(
		    &config->domains[i], bundle, &locals->domains[i], problems);
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
locals_postmaster(const struct locals *locals, const char *address)
{
	struct place place;

	if (!locals_is_postmaster(address) ||
	    locals->config->postmaster == NULL)
		return address;
	if (address_domain(address)[0] == '\0')
		return locals->config->postmaster;
	locals_place(locals, address, &place);
	return place.kind == PLACE_UNKNOWN ? locals->config->postmaster
	                                   : address;
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

int
locals_known(const struct locals *locals, const char *address, struct err *err)
{
	const char *whose = locals_reader(locals, address);
	struct place place;
	char shown[200];

	text_escape(span_of(address), shown, sizeof(shown));
	/* Also where everybody is known: a stranger would be heard. */
	if (read_sender(locals, address) == REVERSE_PATH_BAD)
		return err_set(err, ERR_PERM, "5.1.1",
		    "<%s>: no report has this return address, or not any more",
		    shown);
	if (locals_is_postmaster(whose))
		return 0;
	locals_place(locals, whose, &place);
	if (place.kind != PLACE_UNKNOWN)
		return 0;
	return err_set(
	    err, ERR_PERM, "5.1.1", "<%s>: no such recipient here", shown);
}
