/*
 * What an address of ours is.  The most special entry answers: the address
 * among the aliases, then among the recipients; the same without its
 * extension; then everybody in the domain; then its catch_all.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/locals_private.h"
#include "mta/route.h"
#include "queue/envelope.h"

typedef enum recipient_answer find_fn(const struct recipients *recipients,
    const char *key, const char *const **ret_targets);

/* With its domain as A-labels, as the files write it. */
static bool
make_key(const char *address, const char *domain, enum recipients_case how,
    char to[RECIPIENTS_KEY])
{
	const char *at = strrchr(address, '@');
	char plain[2 * ENVELOPE_ADDRESS_MAX + DOMAIN_MAX];
	int n;

	if (at == NULL)
		return false;
	n = snprintf(plain, sizeof(plain), "%.*s@%s", (int)(at - address),
	    address, domain);
	return n > 0 && (size_t)n < sizeof(plain) &&
	       recipients_key(plain, how, to);
}

static enum recipients_case
case_of(const struct config_domain *domain)
{
	return domain->keep_case ? RECIPIENTS_KEEP : RECIPIENTS_FOLD;
}

static bool
take(const struct recipients *file, find_fn *find, const char *key,
    struct place *place)
{
	enum recipient_answer answer = RECIPIENT_UNKNOWN;

	if (file != NULL)
		answer = find(file, key, &place->targets);
	if (answer == RECIPIENT_UNKNOWN)
		return false;
	place->kind = answer == RECIPIENT_ALIAS ? PLACE_ALIAS : PLACE_MAILBOX;
	return true;
}

static bool
find_in(const struct locals_domain *domain, find_fn *find, const char *key,
    struct place *place)
{
	return take(domain->aliases, find, key, place) ||
	       take(domain->recipients, find, key, place);
}

/* RFC 5233 1: "user+detail" is for "user" when nobody has that name. */
static bool
find_base(const struct locals_domain *domain, struct place *place)
{
	char base[RECIPIENTS_KEY];

	if (!recipients_base(place->key, place->domain->delimiter, base) ||
	    !find_in(domain, recipients_find_own, base, place))
		return false;
	(void)text_copy(place->key, sizeof(place->key), base);
	place->stripped = true;
	return true;
}

/* Where nobody is listed everybody is there. */
static void
take_anybody(struct place *place)
{
	char base[RECIPIENTS_KEY];

	place->kind = PLACE_MAILBOX;
	if (!recipients_base(place->key, place->domain->delimiter, base))
		return;
	(void)text_copy(place->key, sizeof(place->key), base);
	place->stripped = true;
}

void
locals_place(
    const struct locals *locals, const char *address, struct place *ret)
{
	const struct config *config = locals->config;
	const struct locals_domain *domain;
	char name[DOMAIN_MAX];

	*ret = (struct place){.kind = PLACE_FOREIGN};
	route_domain(address, name);
	ret->domain = config_domain(config, name);
	if (ret->domain == NULL)
		return;
	ret->kind = PLACE_UNKNOWN;
	domain = &locals->domains[ret->domain - config->domains];
	if (!make_key(address, name, case_of(ret->domain), ret->key))
		return;
	if (find_in(domain, recipients_find_own, ret->key, ret) ||
	    find_base(domain, ret) ||
	    find_in(domain, recipients_find_rest, ret->key, ret))
		return;
	if (domain->catch_all[0] != NULL) {
		ret->kind = PLACE_ALIAS;
		ret->targets = domain->catch_all;
	} else if (domain->recipients == NULL) {
		take_anybody(ret);
	}
}

bool
locals_complete(const char *target, const char *domain, char *to, size_t size)
{
	int n = snprintf(to, size, strchr(target, '@') == NULL ? "%s@%s" : "%s",
	    target, domain);

	return n > 0 && (size_t)n < size;
}
