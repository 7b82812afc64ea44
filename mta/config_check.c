/* Rules between keys: what comes twice, what does not fit together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/text.h"
#include "mta/config_lookup.h"
#include "mta/config_private.h"

struct check {
	const struct config_tree *tree;
	struct config_report *report;
	const struct config *config;
};

typedef void check_rule(struct check *check);

struct named { /* something that must not come twice */
	const char *name;
	unsigned line;
};

static int
by_name_and_line(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcasecmp(x->name, y->name);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void
report_twice(
    struct check *check, const char *what, struct named *names, size_t n)
{
	if (n > 1)
		qsort(names, n, sizeof(names[0]), by_name_and_line);
	for (size_t i = 1; i < n; i++)
		if (strcasecmp(names[i].name, names[i - 1].name) == 0)
			config_problem(check->report, names[i].line,
			    "%s \"%s\" comes twice, first in line %u", what,
			    names[i].name, names[i - 1].line);
}

static void
check_titles(
    struct check *check, enum config_block_kind kind, struct named *names)
{
	size_t n = 0;

	for (size_t i = 0; i < check->tree->nblocks; i++) {
		const struct config_block *block = &check->tree->blocks[i];

		if (block->kind == kind)
			names[n++] = (struct named){block->title, block->line};
	}
	report_twice(check, config_block_type(kind)->name, names, n);
}

static void
by_titles(struct check *check)
{
	struct config_memory memory = {0};
	struct named *names = config_new(
	    &memory, (check->tree->nblocks + 1) * sizeof(names[0]));

	for (unsigned k = 0; k < BLOCK_KINDS; k++)
		if (config_block_type((enum config_block_kind)k)->title != NULL)
			check_titles(check, (enum config_block_kind)k, names);
	config_memory_free(&memory);
}

/* In its canonical text, or NULL when the value is wrong (and reported). */
static const char *
canonical_listener(
    const struct config_entry *entry, struct config_memory *memory)
{
	struct config_listen listen = {0};
	struct err err;

	if (config_value(entry, &listen, memory, &err) < 0)
		return NULL;
	return listen.addresses[0].text;
}

static void
by_listeners(struct check *check)
{
	struct config_memory memory = {0};
	struct named *names = NULL;
	size_t n = 0;

	for (size_t i = 0; i < check->tree->nblocks; i++) {
		const struct config_block *block = &check->tree->blocks[i];

		if (block->kind != BLOCK_LISTEN && block->kind != BLOCK_WEB)
			continue;
		for (size_t j = 0; j < block->nentries; j++) {
			if (block->entries[j].key->kind != VALUE_LISTENERS)
				continue;
			names = config_append(
			    &memory, names, n, sizeof(names[0]));
			names[n].line = block->entries[j].line;
			names[n].name = canonical_listener(
			    &block->entries[j], &memory);
			n += names[n].name == NULL ? 0 : 1;
		}
	}
	report_twice(check, "listen address", names, n);
	config_memory_free(&memory);
}

static void
by_no_listen(struct check *check)
{
	if (check->config->nlistens == 0)
		config_problem(check->report, 1,
		    "no listen block; expected "
		    "listen \"NAME\" { address = {\"0.0.0.0:25\"} }");
}

static const struct config_entry *
find_entry(const struct config_block *block, const char *name)
{
	for (size_t i = 0; i < block->nentries; i++)
		if (strcmp(block->entries[i].key->name, name) == 0)
			return &block->entries[i];
	return NULL;
}

static bool
is_set(const struct check *check, enum config_block_kind kind, const char *name)
{
	for (size_t i = 0; i < check->tree->nblocks; i++)
		if (check->tree->blocks[i].kind == kind &&
		    find_entry(&check->tree->blocks[i], name) != NULL)
			return true;
	return false;
}

unsigned
config_line_of(const struct config_tree *tree, enum config_block_kind kind,
    const char *name)
{
	unsigned line = 1;

	for (size_t i = 0; i < tree->nblocks; i++) {
		const struct config_block *block = &tree->blocks[i];
		const struct config_entry *entry = find_entry(block, name);

		if (block->kind != kind)
			continue;
		if (entry != NULL)
			return entry->line;
		line = block->line;
	}
	return line;
}

static void
by_control(struct check *check)
{
	const char *control = check->config->control;

	if (control == NULL ||
	    strlen(control) < sizeof((struct sockaddr_un){0}.sun_path))
		return;
	config_problem(check->report,
	    config_line_of(check->tree, BLOCK_ROOT, "spool"),
	    "control: the socket SPOOL/control would have a path of more than "
	    "107 octets; set control");
}

static void
by_retry(struct check *check)
{
	const struct config_retry *retry = &check->config->retry;

	if (retry->longest < retry->first)
		config_problem(check->report,
		    config_line_of(check->tree, BLOCK_RETRY, "longest"),
		    "retry: longest: expected no less than first");
	if (retry->lifetime < retry->first)
		config_problem(check->report,
		    config_line_of(check->tree, BLOCK_RETRY, "lifetime"),
		    "retry: lifetime: expected no less than first");
	if (retry->warn >= retry->lifetime &&
	    is_set(check, BLOCK_RETRY, "warn"))
		config_problem(check->report,
		    config_line_of(check->tree, BLOCK_RETRY, "warn"),
		    "retry: warn: expected less than lifetime");
}

static void
by_limits(struct check *check)
{
	const struct config_limits *limits = &check->config->limits;

	if (limits->segment < 2 * limits->inline_message)
		config_problem(check->report,
		    config_line_of(check->tree, BLOCK_LIMITS, "segment"),
		    "limits: segment: expected at least twice "
		    "inline_message");
	if (limits->memory < limits->inline_message)
		config_problem(check->report,
		    config_line_of(check->tree, BLOCK_LIMITS, "memory"),
		    "limits: memory: expected at least inline_message");
}

static void
by_greylist(struct check *check)
{
	const struct config_greylist *greylist = &check->config->defence
	                                              .greylist;

	if (greylist->window <= greylist->delay)
		config_problem(check->report,
		    config_line_of(check->tree, BLOCK_GREYLIST, "window"),
		    "greylist: window: expected more than delay");
}

static void
check_tls(struct check *check, const struct config_block *block)
{
	const struct config_entry *level = find_entry(block, "level");
	const struct config_entry *match = find_entry(block, "match");
	bool names = level != NULL && (strcmp(level->text, "verify") == 0 ||
					  strcmp(level->text, "secure") == 0);
	char where[160];

	config_block_say(block, where, sizeof(where));
	if (level == NULL && find_entry(block, "enforcement") == NULL &&
	    find_entry(block, "requiretls") == NULL)
		config_problem(check->report, block->line,
		    "%sexpected level, enforcement or requiretls", where);
	if (match != NULL && !names)
		config_problem(check->report, match->line,
		    "%smatch: expected level = verify or secure beside it",
		    where);
}

/* What a rule without effect says is not what its author meant. */
static void
by_tls(struct check *check)
{
	for (size_t i = 0; i < check->tree->nblocks; i++)
		if (check->tree->blocks[i].kind == BLOCK_TLS)
			check_tls(check, &check->tree->blocks[i]);
}

/* Nobody could do what is asked for. */
static void
by_required(struct check *check)
{
	if (check->config->tls_server.require.n > 0 &&
	    check->config->ncertificates == 0)
		config_problem(check->report,
		    config_line_of(check->tree, BLOCK_TLS_SERVER, "require"),
		    "tls_server: require: expected a certificate block");
}

static void
by_certificates(struct check *check)
{
	config_check_certificates(check->tree, check->report, check->config);
}

static void
by_reporting(struct check *check)
{
	config_check_reporting(check->tree, check->report, check->config);
}

/* Where mail is not ours to keep there is no copy of it to read. */
static void
check_domain(struct check *check, const struct config_block *block)
{
	const struct config_entry *reports = find_entry(block, "tls_reports");
	const struct config_entry *deliver = find_entry(block, "deliver");
	struct target target;
	char where[160];
	struct err err;

	if (reports == NULL || deliver == NULL ||
	    target_parse(span_of(deliver->text), &target, &err) < 0 ||
	    target_is_mailbox(&target))
		return;
	config_block_say(block, where, sizeof(where));
	config_problem(check->report, reports->line,
	    "%stls_reports: expected deliver = maildir:... or lmtp:... beside "
	    "it",
	    where);
}

static void
by_domains(struct check *check)
{
	for (size_t i = 0; i < check->tree->nblocks; i++)
		if (check->tree->blocks[i].kind == BLOCK_DOMAIN)
			check_domain(check, &check->tree->blocks[i]);
}

static void
by_lookups(struct check *check)
{
	config_check_lookups(check->tree, check->report, check->config);
}

static check_rule *const rules[] = {by_titles, by_listeners, by_no_listen,
    by_control, by_retry, by_limits, by_greylist, by_tls, by_required,
    by_certificates, by_reporting, by_domains, by_lookups};

void
config_check(const struct config_tree *tree, struct config_report *report,
    const struct config *config)
{
	struct check check = {tree, report, config};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		rules[i](&check);
}
