/*
 * Aliases through several files and domains: where they lead, before anybody
 * sends mail to them.  A key is walked once; what is behind it is its height.
 */
#include <search.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/locals_private.h"
#include "mta/recipients_private.h"

#define TOLD_MAX     100  /* lines */
#define LOCALS_STEPS "16" /* LOCALS_DEPTH */

enum {
	OPEN = -1,
	BAD = -2
}; /* instead of a height */

struct node {
	char *key;  /* first: of by_key() */
	int height; /* aliases one behind the other from here on */
};

struct walk {
	const struct locals *locals;
	struct recipients_report *report;
	const struct recipient *entry; /* that we began with */
	void *nodes;
	size_t told;
	size_t before; /* what stood in the report when we began */
};

static int
by_key(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void
free_node(void *arg)
{
	struct node *node = arg;

	mem_free(node->key);
	mem_free(node);
}

/* The node of this key; a fresh one has height 0. */
static struct node *
node_of(struct walk *walk, const char *key, bool *ret_fresh)
{
	struct node *fresh = mem_new(sizeof(*fresh));
	struct node **found;

	fresh->key = mem_strdup(key);
	found = tsearch(fresh, &walk->nodes, by_key);
	*ret_fresh = *found == fresh;
	if (!*ret_fresh)
		free_node(fresh);
	return *found;
}

static bool
stands_in(struct span text, struct span line)
{
	while (text.n > 0 && text.n >= line.n) {
		const char *end = memchr(text.p, '\n', text.n);

		if (memcmp(text.p, line.p, line.n) == 0)
			return true;
		text = span_from(
		    text, end == NULL ? text.n : (size_t)(end - text.p) + 1);
	}
	return false;
}

/*
 * The last line of the report, from `at` on, if there is one, goes again if it
 * stands there already: a file may be that of several domains.
 */
static void
settle_line(struct walk *walk, size_t at)
{
	struct buf *lines = walk->report->problems;
	struct span all = buf_span(lines),
		    ours = span_from(span_first(all, at), walk->before);

	if (all.n == at)
		return;
	if (stands_in(ours, span_from(all, at)))
		lines->n = at;
	else
		walk->told++;
}

static void
tell(struct walk *walk, const char *what, const char *key, const char *end)
{
	size_t at = walk->report->problems->n;

	if (walk->told >= TOLD_MAX)
		return;
	recipients_problem(
	    walk->report, walk->entry->line, "%s%s%s", what, key, end);
	settle_line(walk, at);
}

static int measure(struct walk *walk, const char *address, unsigned depth);

static int
measure_targets(struct walk *walk, const struct place *place, unsigned depth)
{
	int height = 0;

	for (const char *const *t = place->targets; *t != NULL; t++) {
		char next[2 * RECIPIENTS_KEY];
		struct place to;
		int behind;

		if (!locals_complete(
			*t, place->domain->name, next, sizeof(next)))
			return BAD;
		locals_place(walk->locals, NULL, next, &to);
		/* The mailbox behind the alias. */
		if (to.kind != PLACE_ALIAS || strcmp(to.key, place->key) == 0)
			continue;
		behind = measure(walk, next, depth + 1);
		if (behind < 0)
			return BAD;
		if (behind > height)
			height = behind;
	}
	return height + 1;
}

/* How many aliases are one behind the other from this address on. */
static int
measure(struct walk *walk, const char *address, unsigned depth)
{
	struct node *node;
	struct place place;
	bool fresh;

	locals_place(walk->locals, NULL, address, &place);
	if (place.kind != PLACE_ALIAS)
		return 0;
	if (depth >= LOCALS_DEPTH) {
		tell(walk, "aliases lead further than ", LOCALS_STEPS,
		    " steps from here");
		return BAD;
	}
	node = node_of(walk, place.key, &fresh);
	if (node->height == OPEN) {
		tell(walk, "this alias leads to ", place.key,
		    ", which leads back to itself");
		return BAD;
	}
	if (!fresh && (node->height < 0 ||
			  (unsigned)node->height + depth <= LOCALS_DEPTH))
		return node->height;
	node->height = OPEN;
	node->height = measure_targets(walk, &place, depth);
	return node->height;
}

/* Who is named, and is nobody. */
static void
look_for_target(struct walk *walk, const char *domain, const char *target)
{
	char full[2 * RECIPIENTS_KEY], shown[160];
	size_t at = walk->report->problems->n;
	struct place place;

	if (!locals_complete(target, domain, full, sizeof(full)))
		return;
	locals_place(walk->locals, NULL, full, &place);
	if (place.kind != PLACE_UNKNOWN || locals_is_postmaster(full))
		return;
	text_escape(span_of(full), shown, sizeof(shown));
	if (walk->told >= TOLD_MAX)
		return;
	(void)!buf_printf(walk->report->problems,
	    "warning: %s:%u: \"%s\": there is no such recipient\n",
	    walk->report->file, walk->entry->line, shown);
	settle_line(walk, at);
}

static bool
uses_file(const struct config_domain *domain, const char *file)
{
	const char *aliases = domain->aliases.file;
	const char *recipients = domain->recipients.file;

	return (aliases != NULL && strcmp(aliases, file) == 0) ||
	       (recipients != NULL && strcmp(recipients, file) == 0);
}

/* An entry that answers for nobody, or for others than its author thinks. */
static void
check_key(struct walk *walk)
{
	const struct config *config = walk->locals->config;
	const char *at = strrchr(walk->entry->key, '@');
	struct span local = {walk->entry->key, (size_t)(at - walk->entry->key)};
	size_t begun = walk->report->problems->n;
	const struct config_domain *domain;
	char name[DOMAIN_MAX];

	if (walk->told >= TOLD_MAX)
		return;
	if (at[1] != '\0') {
		domain = config_domain(config, at + 1);
		if (domain != NULL && uses_file(domain, walk->report->file))
			return;
		(void)!buf_printf(walk->report->problems,
		    "warning: %s:%u: no domain \"%s\" uses this file\n",
		    walk->report->file, walk->entry->line, at + 1);
	} else if (domain_is_qualified(local) && domain_fold(local, name) &&
		   config_domain(config, name) != NULL) {
		recipients_problem(walk->report, walk->entry->line,
		    "\"%s\" is a domain: expected @%s for everybody in it, "
		    "or user@%s",
		    name, name, name);
	}
	settle_line(walk, begun);
}

static void
check_entry(struct walk *walk, const char *domain)
{
	const struct recipient *entry = walk->entry;
	const char *at = strrchr(entry->key, '@');
	char address[2 * RECIPIENTS_KEY];

	check_key(walk);
	/* That of another domain, in a file of several. */
	if (entry->targets == NULL ||
	    (at[1] != '\0' && strcmp(at + 1, domain) != 0))
		return;
	if (at != entry->key) {
		(void)snprintf(address, sizeof(address), "%.*s@%s",
		    (int)(at - entry->key), entry->key, domain);
		(void)measure(walk, address, 0);
	}
	for (const char *const *t = entry->targets; *t != NULL; t++) {
		look_for_target(walk, domain, *t);
		if (at == entry->key &&
		    locals_complete(*t, domain, address, sizeof(address)))
			(void)measure(walk, address, 1);
	}
}

static void
check_file(struct walk *walk, const struct recipients *file, const char *name,
    const char *domain)
{
	const struct recipient *entries;
	size_t n;

	if (file == NULL)
		return;
	walk->report->file = name;
	entries = recipients_entries(file, &n);
	for (size_t i = 0; i < n; i++) {
		walk->entry = &entries[i];
		check_entry(walk, domain);
	}
}

/* What an alias stands for is what mail is delivered to. */
static void
check_reports(const struct locals *locals, const struct config_domain *domain,
    struct recipients_report *report)
{
	report->file = locals->config->file;
	for (size_t i = 0; i < domain->ntls_reports; i++) {
		const struct config_local *local = &domain->tls_reports[i];
		char address[RECIPIENTS_KEY];
		const char *why = "there is no such recipient";
		struct place place;

		(void)snprintf(address, sizeof(address), "%s@%s", local->part,
		    domain->name);
		locals_place(locals, NULL, address, &place);
		/* Who has to be asked for is not known now. */
		if (place.kind == PLACE_MAILBOX || place.kind == PLACE_ASK)
			continue;
		if (place.kind == PLACE_ALIAS)
			why = "it is an alias; name the mailbox it stands for";
		recipients_problem(report, local->line,
		    "domain \"%s\": tls_reports: \"%s\": %s", domain->name,
		    local->part, why);
	}
}

int
locals_check(const struct locals *locals, struct buf *problems)
{
	struct recipients_report report = {.problems = problems};
	struct walk walk = {
	    .locals = locals, .report = &report, .before = problems->n};

	for (size_t i = 0; i < locals->config->ndomains; i++) {
		const struct config_domain *domain = &locals->config
		                                          ->domains[i];

		check_file(&walk, locals->domains[i].aliases,
		    domain->aliases.file, domain->name);
		check_file(&walk, locals->domains[i].recipients,
		    domain->recipients.file, domain->name);
		check_reports(locals, domain, &report);
	}
	tdestroy(walk.nodes, free_node);
	return report.count == 0 ? 0 : -1;
}
