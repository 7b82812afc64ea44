/* Who is asked: lookup "..." { } and `verify` of danelaw.conf(5). */
#include "mta/config_lookup.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NAME_MAX_LOOKUP 64
#define MAP_MAX         200

/* Behind the last colon: what a server of several maps is to look in. */
static bool
take_map(const struct value *value, struct span *rest)
{
	struct config_lookup *lookup = value->to;
	const char *colon = rest->n == 0 ? NULL
	                                 : memrchr(rest->p, ':', rest->n);
	struct span map;

	if (colon == NULL)
		return false;
	map = span_from(*rest, (size_t)(colon - rest->p) + 1);
	if (map.n == 0 || map.n > MAP_MAX || memchr(map.p, ' ', map.n) != NULL)
		return false;
	lookup->map = config_string(value->memory, map);
	*rest = span_first(*rest, (size_t)(colon - rest->p));
	return true;
}

static bool
take_path(const struct value *value, struct span path, size_t most)
{
	struct config_lookup *lookup = value->to;

	if (path.n == 0 || path.n >= most || path.p[0] != '/')
		return false;
	lookup->path = config_string(value->memory, path);
	return true;
}

static bool
take_socketmap(const struct value *value, struct span rest)
{
	struct config_lookup *lookup = value->to;
	struct config_address address;

	lookup->kind = LOOKUP_SOCKETMAP;
	if (!take_map(value, &rest))
		return false;
	if (span_starts_nocase(rest, SPAN("unix:")))
		return take_path(value, span_from(rest, 5),
		    sizeof((struct sockaddr_un){0}.sun_path));
	if (!span_starts_nocase(rest, SPAN("inet:")) ||
	    !config_endpoint(span_from(rest, 5), 0, &address))
		return false;
	lookup->ip = config_string(value->memory, span_of(address.ip));
	lookup->port = address.port;
	return true;
}

bool
read_lookup(const struct value *value)
{
	struct config_lookup *lookup = value->to;

	if (span_starts_nocase(value->text, SPAN("socketmap:")))
		return take_socketmap(value, span_from(value->text, 10));
	if (!span_starts_nocase(value->text, SPAN("sqlite:")))
		return false;
	lookup->kind = LOOKUP_SQLITE;
	return take_path(value, span_from(value->text, 7), CONFIG_VALUE_MAX);
}

/* The database says more when it is asked: check-config does. */
bool
read_query(const struct value *value)
{
	if (value->text.n == 0 ||
	    memchr(value->text.p, '?', value->text.n) == NULL)
		return false;
	*(const char **)value->to = config_string(value->memory, value->text);
	return true;
}

static const struct config_lookup *
find_lookup(const struct config *config, const char *name)
{
	for (size_t i = 0; name != NULL && i < config->nlookups; i++)
		if (strcmp(config->lookups[i].name, name) == 0)
			return &config->lookups[i];
	return NULL;
}

/* It is asked where the mail goes. */
static void
resolve_verify(struct config_domain *domain)
{
	struct config_lookup *verify = &domain->verify;

	if (!domain->verifies)
		return;
	verify->kind = LOOKUP_LMTP;
	verify->name = domain->name;
	if (domain->deliver.kind == TARGET_LMTP_UNIX)
		verify->path = domain->deliver.path;
	else
		verify->ip = domain->deliver.host;
	verify->port = domain->deliver.port;
	domain->recipients.by = verify;
}

void
config_resolve_lookups(struct config *config)
{
	for (size_t i = 0; i < config->ndomains; i++) {
		struct config_domain *domain = &config->domains[i];

		domain->recipients.by = find_lookup(
		    config, domain->recipients.lookup);
		domain->aliases.by = find_lookup(
		    config, domain->aliases.lookup);
		resolve_verify(domain);
	}
}

bool
config_asks(const struct config *config)
{
	for (size_t i = 0; i < config->ndomains; i++)
		if (config->domains[i].recipients.by != NULL ||
		    config->domains[i].aliases.by != NULL)
			return true;
	return false;
}

/* --- What has to fit together ------------------------------------------ */

struct check {
	const struct config_tree *tree;
	struct config_report *report;
	const struct config *config;
};

static const struct config_entry *
entry_of(const struct config_block *block, const char *name)
{
	for (size_t i = 0; i < block->nentries; i++)
		if (strcmp(block->entries[i].key->name, name) == 0)
			return &block->entries[i];
	return NULL;
}

static void
tell(const struct check *check, const struct config_block *block,
    const char *key, const char *text)
{
	const struct config_entry *entry = entry_of(block, key);
	char where[160];

	config_block_say(block, where, sizeof(where));
	config_problem(check->report, entry == NULL ? block->line : entry->line,
	    "%s%s: %s", where, key, text);
}

static void
check_source(const struct check *check, const struct config_block *block,
    const char *key, const struct config_source *source)
{
	if (source->lookup != NULL &&
	    find_lookup(check->config, source->lookup) == NULL)
		tell(check, block, key,
		    "expected the name of a lookup block behind \"lookup:\"");
}

/* The receive role asks no name server. */
static bool
may_be_asked(const struct target *target)
{
	struct config_address address;

	if (target->kind == TARGET_LMTP_UNIX)
		return true;
	if (target->kind != TARGET_LMTP_TCP)
		return false;
	return config_ip(span_of(target->host), &address);
}

static void
check_domain(const struct check *check, const struct config_block *block)
{
	const struct config_domain *domain;
	char name[DOMAIN_MAX];

	if (!domain_fold(span_of(block->title), name))
		return;
	domain = config_domain(check->config, name);
	check_source(check, block, "recipients", &domain->recipients);
	check_source(check, block, "aliases", &domain->aliases);
	if (!domain->verifies)
		return;
	if (!may_be_asked(&domain->deliver))
		tell(check, block, "verify",
		    "expected deliver = lmtp:unix:/PATH or "
		    "lmtp:[ADDRESS]:PORT beside it");
	if (domain->recipients.file != NULL ||
	    domain->recipients.lookup != NULL)
		tell(check, block, "recipients",
		    "expected this or verify = lmtp, not both");
}

static void
check_lookup(const struct check *check, const struct config_block *block)
{
	const struct config_lookup *lookup = find_lookup(
	    check->config, block->title);

	if (block->title[0] == '\0' || strlen(block->title) > NAME_MAX_LOOKUP)
		tell(check, block, "source",
		    "expected a name of 1 to 64 "
		    "octets for the block");
	if (lookup == NULL || lookup->kind == LOOKUP_NONE)
		return;
	if (lookup->kind == LOOKUP_SQLITE && lookup->query == NULL)
		tell(check, block, "query", "expected with sqlite:");
	if (lookup->kind != LOOKUP_SQLITE && lookup->query != NULL)
		tell(check, block, "query", "expected with sqlite: only");
}

void
config_check_lookups(const struct config_tree *tree,
    struct config_report *report, const struct config *config)
{
	struct check check = {tree, report, config};

	for (size_t i = 0; i < tree->nblocks; i++) {
		const struct config_block *block = &tree->blocks[i];

		if (block->kind == BLOCK_DOMAIN)
			check_domain(&check, block);
		if (block->kind == BLOCK_LOOKUP)
			check_lookup(&check, block);
	}
}
