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

/* One address on its way through the sources of its domain. */
struct search {
	const struct locals_domain *files;
	const struct answers *answers;
	struct place *place;
};

static bool
take(struct search *search, enum recipient_answer answer)
{
	if (answer == RECIPIENT_UNKNOWN)
		return false;
	search->place->kind = answer == RECIPIENT_ALIAS ? PLACE_ALIAS
	                                                : PLACE_MAILBOX;
	return true;
}

static bool
take_trouble(struct search *search, const struct err *err)
{
	search->place->kind = PLACE_TROUBLE;
	search->place->err = err;
	return true;
}

static bool
take_question(
    struct search *search, const struct config_lookup *by, const char *key)
{
	struct place *place = search->place;

	place->kind = PLACE_ASK;
	place->by = by;
	(void)text_copy(place->asked, sizeof(place->asked), key);
	return true;
}

/* Any answer that is not "no" ends the search. */
static bool
take_answer(struct search *search, const struct finding *answer, bool aliases)
{
	static const struct err no_list = {ERR_TEMP, "4.3.5",
	    "a lookup has an answer that is no list of addresses"};

	if (answer->kind == ANSWER_FAILED)
		return take_trouble(search, &answer->err);
	if (answer->kind == ANSWER_MISSING)
		return false;
	if (!aliases)
		return take(search, RECIPIENT_KNOWN);
	if (answer->targets == NULL)
		return take_trouble(search, &no_list);
	search->place->targets = answer->targets;
	return take(search, RECIPIENT_ALIAS);
}

static bool
find_own(struct search *search, const struct recipients *file,
    const struct config_source *source, const char *key)
{
	struct place *place = search->place;
	const struct finding *answer;

	if (file != NULL)
		return take(
		    search, recipients_find_own(file, key, &place->targets));
	if (source->by == NULL)
		return false;
	answer = answers_find(search->answers, source->by, key);
	if (answer == NULL)
		return take_question(search, source->by, key);
	return take_answer(search, answer, source == &place->domain->aliases);
}

static bool
find_alias(struct search *search, const char *key)
{
	return find_own(search, search->files->aliases,
	    &search->place->domain->aliases, key);
}

static bool
find_key(struct search *search, const char *key)
{
	return find_alias(search, key) ||
	       find_own(search, search->files->recipients,
		   &search->place->domain->recipients, key);
}

/*
 * RFC 5233 1: "user+detail" is for "user" when nobody has that name.  A server
 * that is asked by LMTP has its own delimiter, and has judged the whole.
 */
static bool
find_base(struct search *search)
{
	struct place *place = search->place;
	char base[RECIPIENTS_KEY];

	if (!recipients_base(place->key, place->domain->delimiter, base) ||
	    !(place->domain->verifies ? find_alias(search, base)
				      : find_key(search, base)))
		return false;
	(void)text_copy(place->key, sizeof(place->key), base);
	place->stripped = true;
	return true;
}

static bool
find_rest(struct search *search, const struct recipients *file)
{
	return file != NULL &&
	       take(search, recipients_find_rest(file, search->place->key,
				&search->place->targets));
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
locals_place(const struct locals *locals, const struct answers *answers,
    const char *address, struct place *ret)
{
	const struct config *config = locals->config;
	struct search search = {.answers = answers, .place = ret};
	char name[DOMAIN_MAX];

	*ret = (struct place){.kind = PLACE_FOREIGN};
	route_domain(address, name);
	ret->domain = config_domain(config, name);
	if (ret->domain == NULL)
		return;
	ret->kind = PLACE_UNKNOWN;
	search.files = &locals->domains[ret->domain - config->domains];
	if (!make_key(address, name, case_of(ret->domain), ret->key))
		return;
	if (find_key(&search, ret->key) || find_base(&search) ||
	    find_rest(&search, search.files->aliases) ||
	    find_rest(&search, search.files->recipients))
		return;
	if (search.files->catch_all[0] != NULL) {
		ret->kind = PLACE_ALIAS;
		ret->targets = search.files->catch_all;
	} else if (search.files->recipients == NULL &&
		   ret->domain->recipients.by == NULL) {
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
