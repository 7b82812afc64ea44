/*
 * From blocks to struct config: defaults, then values, then what is missing.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mta/config_lookup.h"
#include "mta/config_private.h"
#include "mta/domain.h"
#include "reporting/dkim_signature.h"

struct build {
	const struct config_tree *tree;
	struct config_report *report;
	struct config *config;
	struct config_memory *memory;
};

/* The name of a block with one: its place in the struct, or a complaint. */
typedef void *begin_block(
    struct build *build, const struct config_block *block);

static void
report_title(
    struct build *build, const struct config_block *block, const char *expected)
{
	char shown[80];

	text_escape(span_of(block->title), shown, sizeof(shown));
	config_problem(build->report, block->line, "%s \"%s\": expected %s",
	    config_block_type(block->kind)->name, shown, expected);
}

static void *
begin_listen(struct build *build, const struct config_block *block)
{
	struct config *config = build->config;

	config->listens = config_append(build->memory, config->listens,
	    config->nlistens, sizeof(config->listens[0]));
	config->listens[config->nlistens].name = config_string(
	    build->memory, span_of(block->title));
	return &config->listens[config->nlistens++];
}

static void *
begin_certificate(struct build *build, const struct config_block *block)
{
	struct config *config = build->config;

	config->certificates = config_append(build->memory,
	    config->certificates, config->ncertificates,
	    sizeof(config->certificates[0]));
	config->certificates[config->ncertificates].name = config_string(
	    build->memory, span_of(block->title));
	return &config->certificates[config->ncertificates++];
}

static void *
begin_milter(struct build *build, const struct config_block *block)
{
	struct config *config = build->config;

	config->milters = config_append(build->memory, config->milters,
	    config->nmilters, sizeof(config->milters[0]));
	config->milters[config->nmilters].name = config_string(
	    build->memory, span_of(block->title));
	return &config->milters[config->nmilters++];
}

static void *
begin_domain(struct build *build, const struct config_block *block)
{
	struct config *config = build->config;
	char folded[DOMAIN_MAX] = "";

	if (!domain_fold(span_of(block->title), folded))
		report_title(build, block,
		    "a domain as \"example.org\", internationalised ones as "
		    "A-labels (xn--...)");
	config->domains = config_append(build->memory, config->domains,
	    config->ndomains, sizeof(config->domains[0]));
	config->domains[config->ndomains].name = config_string(
	    build->memory, span_of(folded));
	return &config->domains[config->ndomains++];
}

static void *
begin_lookup(struct build *build, const struct config_block *block)
{
	struct config *config = build->config;

	config->lookups = config_append(build->memory, config->lookups,
	    config->nlookups, sizeof(config->lookups[0]));
	config->lookups[config->nlookups].name = config_string(
	    build->memory, span_of(block->title));
	return &config->lookups[config->nlookups++];
}

/* "*", "example.org" or ".example.org". */
static bool
fold_pattern(struct span pattern, char to[DOMAIN_MAX + 1])
{
	size_t dot = pattern.n > 0 && pattern.p[0] == '.' ? 1 : 0;

	to[0] = dot == 1 ? '.' : '*';
	to[1] = '\0';
	return span_eq(pattern, SPAN("*")) ||
	       domain_fold(span_from(pattern, dot), to + dot);
}

static const char *
take_pattern(struct build *build, const struct config_block *block)
{
	char folded[DOMAIN_MAX + 1];

	if (!fold_pattern(span_of(block->title), folded))
		report_title(build, block,
		    "\"example.org\", \".example.org\" (what is below it) or "
		    "\"*\" (the rest)");
	return config_string(build->memory, span_of(folded));
}

static void *
begin_route(struct build *build, const struct config_block *block)
{
	struct config *config = build->config;

	config->routes = config_append(build->memory, config->routes,
	    config->nroutes, sizeof(config->routes[0]));
	config->routes[config->nroutes].pattern = take_pattern(build, block);
	return &config->routes[config->nroutes++];
}

static void *
begin_tls(struct build *build, const struct config_block *block)
{
	struct config *config = build->config;

	config->tls = config_append(
	    build->memory, config->tls, config->ntls, sizeof(config->tls[0]));
	config->tls[config->ntls].pattern = take_pattern(build, block);
	config->tls[config->ntls].level = OPERATOR_NO_RULE;
	return &config->tls[config->ntls++];
}

static void *
begin_dkim(struct build *build, const struct config_block *block)
{
	struct config_reporting *reporting = &build->config->reporting;
	char selector[DKIM_NAME_SIZE] = "";

	if (!dkim_name_read(span_of(block->title), selector))
		report_title(build, block,
		    "a selector: letters, digits, \"-\", \"_\", and dots "
		    "between labels");
	reporting->dkim = config_append(build->memory, reporting->dkim,
	    reporting->ndkim, sizeof(reporting->dkim[0]));
	reporting->dkim[reporting->ndkim].selector = config_string(
	    build->memory, span_of(selector));
	return &reporting->dkim[reporting->ndkim++];
}

static struct config_zone *
begin_zone(struct build *build, const struct config_block *block,
    struct config_zone **zones, size_t *nzones)
{
	char folded[DOMAIN_MAX] = ".";

	if (strcmp(block->title, ".") != 0 &&
	    !domain_fold(span_of(block->title), folded))
		report_title(
		    build, block, "a zone as \"example.org\", or \".\"");
	*zones = config_append(
	    build->memory, *zones, *nzones, sizeof((*zones)[0]));
	(*zones)[*nzones].name = config_string(build->memory, span_of(folded));
	return &(*zones)[(*nzones)++];
}

static void *
begin_stub(struct build *build, const struct config_block *block)
{
	struct config_resolver *resolver = &build->config->resolver;

	return begin_zone(build, block, &resolver->stubs, &resolver->nstubs);
}

static void *
begin_forward(struct build *build, const struct config_block *block)
{
	struct config_resolver *resolver = &build->config->resolver;

	return begin_zone(
	    build, block, &resolver->forwards, &resolver->nforwards);
}

static void *
begin_dnsbl(struct build *build, const struct config_block *block)
{
	struct config_defence *defence = &build->config->defence;
	char folded[DOMAIN_MAX] = "";

	if (!domain_fold(span_of(block->title), folded))
		report_title(build, block, "a zone as \"zen.example.org\"");
	defence->dnsbls = config_append(build->memory, defence->dnsbls,
	    defence->ndnsbls, sizeof(defence->dnsbls[0]));
	defence->dnsbls[defence->ndnsbls].name = config_string(
	    build->memory, span_of(folded));
	return &defence->dnsbls[defence->ndnsbls++];
}

static begin_block *const begins[BLOCK_KINDS] = {
    [BLOCK_LISTEN] = begin_listen,
    [BLOCK_CERTIFICATE] = begin_certificate,
    [BLOCK_DOMAIN] = begin_domain,
    [BLOCK_LOOKUP] = begin_lookup,
    [BLOCK_MILTER] = begin_milter,
    [BLOCK_ROUTE] = begin_route,
    [BLOCK_TLS] = begin_tls,
    [BLOCK_DKIM] = begin_dkim,
    [BLOCK_STUB] = begin_stub,
    [BLOCK_FORWARD] = begin_forward,
    [BLOCK_DNSBL] = begin_dnsbl,
};

/* Where a block without a name has its keys. */
static void *
fixed_place(struct config *config, enum config_block_kind kind)
{
	return (char *)config + config_block_type(kind)->offset;
}

static void
set_defaults(struct build *build, enum config_block_kind kind, void *place)
{
	size_t n;
	const struct config_key *keys = config_keys(&n);
	struct err err;

	for (size_t i = 0; i < n; i++)
		if (keys[i].block == kind && keys[i].initial != NULL &&
		    config_value(
			&(struct config_entry){&keys[i], keys[i].initial, 0},
			place, build->memory, &err) < 0)
			config_problem(build->report, 0, "default of %s: %s",
			    keys[i].name, err.text);
}

static bool
is_set(const struct config_block *block, const struct config_key *key)
{
	for (size_t i = 0; i < block->nentries; i++)
		if (block->entries[i].key == key)
			return true;
	return false;
}

static void
find_missing(struct build *build, const struct config_block *block)
{
	size_t n;
	const struct config_key *keys = config_keys(&n);
	char where[160];

	config_block_say(block, where, sizeof(where));
	for (size_t i = 0; i < n; i++)
		if (keys[i].block == block->kind && keys[i].required &&
		    !is_set(block, &keys[i]))
			config_problem(build->report, block->line,
			    "%s%s is missing", where, keys[i].name);
}

static void
build_block(struct build *build, const struct config_block *block)
{
	void *place = fixed_place(build->config, block->kind);
	char where[160];
	struct err err;

	if (begins[block->kind] != NULL) {
		place = begins[block->kind](build, block);
		set_defaults(build, block->kind, place);
	}
	config_block_say(block, where, sizeof(where));
	for (size_t i = 0; i < block->nentries; i++) {
		const struct config_entry *entry = &block->entries[i];

		if (config_value(entry, place, build->memory, &err) < 0)
			config_problem(build->report, entry->line, "%s%s: %s",
			    where, entry->key->name, err.text);
	}
	find_missing(build, block);
}

/* The cores we may run on; asks the kernel and opens no file. */
static uint32_t
count_cores(void)
{
	cpu_set_t set;
	int cores = 1;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cores = CPU_COUNT(&set);
	return cores < 1 ? 1 : (uint32_t)cores;
}

static void
derive_reporting(struct build *build)
{
	struct config_reporting *reporting = &build->config->reporting;
	char domain[DOMAIN_MAX];

	/* docs/tlsrpt.schema.json: one that says nothing is none. */
	if (reporting->organization == NULL ||
	    reporting->organization[0] == '\0')
		reporting->organization = build->config->hostname;
	if (reporting->contact == NULL)
		reporting->contact = build->config->postmaster;
	if (!config_contact_domain(build->config, domain))
		return;
	for (size_t i = 0; i < reporting->ndkim; i++)
		if (reporting->dkim[i].domain == NULL)
			reporting->dkim[i].domain = config_string(
			    build->memory, span_of(domain));
}

/* What follows from other keys, and from the machine. */
static void
derive(struct build *build)
{
	struct config *config = build->config;
	char text[1200];

	/* Who delivers wants the other half; docs/decisions-queue.md. */
	if (config->receive_processes == 0)
		config->receive_processes = (count_cores() + 1) / 2;
	if (config->deliver_processes == 0)
		config->deliver_processes = count_cores();
	if (config->control == NULL && config->spool != NULL) {
		(void)snprintf(text, sizeof(text), "%s/control", config->spool);
		config->control = config_string(build->memory, span_of(text));
	}
	if (config->drop == NULL && config->spool != NULL) {
		(void)snprintf(text, sizeof(text), "%s/drop", config->spool);
		config->drop = config_string(build->memory, span_of(text));
	}
	if (config->state == NULL && config->spool != NULL) {
		(void)snprintf(text, sizeof(text), "%s/state", config->spool);
		config->state = config_string(build->memory, span_of(text));
	}
	if (config->postmaster == NULL && config->hostname != NULL) {
		(void)snprintf(
		    text, sizeof(text), "postmaster@%s", config->hostname);
		config->postmaster = config_string(
		    build->memory, span_of(text));
	}
	derive_reporting(build);
}

/* Of elements whose first member is their name or pattern. */
static int
by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void
sort(void *array, size_t n, size_t size)
{
	if (n > 0)
		qsort(array, n, size, by_name);
}

/* config_domain(), config_target() and config_tls() search by halves. */
static void
sort_names(struct config *config)
{
	sort(config->domains, config->ndomains, sizeof(config->domains[0]));
	sort(config->routes, config->nroutes, sizeof(config->routes[0]));
	sort(config->tls, config->ntls, sizeof(config->tls[0]));
}

void
config_build(const struct config_tree *tree, struct config_report *report,
    struct config *config, struct config_memory *memory)
{
	struct build build = {tree, report, config, memory};

	for (unsigned k = BLOCK_ROOT; k < BLOCK_KINDS; k++)
		if (begins[k] == NULL)
			set_defaults(&build, (enum config_block_kind)k,
			    fixed_place(config, (enum config_block_kind)k));
	for (size_t i = 0; i < tree->nblocks; i++)
		build_block(&build, &tree->blocks[i]);
	derive(&build);
	sort_names(config);
	config_resolve_lookups(config);
}
