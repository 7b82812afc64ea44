/* Reports to others: reporting { } of danelaw.conf(5). */
#include <stdio.h>
#include <string.h>

#include "mta/config_private.h"
#include "reporting/dkim_sign.h"

/* One of `exclude`. */
bool
read_excluded(const struct value *value)
{
	struct config_reporting *reporting = value->to;
	char folded[DOMAIN_MAX];

	if (!domain_fold(value->text, folded))
		return false;
	reporting->exclude = config_append(value->memory, reporting->exclude,
	    reporting->nexclude, sizeof(reporting->exclude[0]));
	reporting->exclude[reporting->nexclude++] = config_string(
	    value->memory, span_of(folded));
	return true;
}

/* One of `copies`. */
bool
read_copy(const struct value *value)
{
	struct config_reporting *reporting = value->to;
	const char *address = NULL;
	struct value one = *value;

	one.to = &address;
	if (!read_mailbox(&one))
		return false;
	reporting->copies = config_append(value->memory, reporting->copies,
	    reporting->ncopies, sizeof(reporting->copies[0]));
	reporting->copies[reporting->ncopies++] = address;
	return true;
}

bool
config_contact_domain(const struct config *config, char to[DOMAIN_MAX])
{
	const char *contact = config->reporting.contact;
	const char *at = contact == NULL ? NULL : strrchr(contact, '@');

	return at != NULL && domain_fold(span_of(at + 1), to);
}

bool
config_excludes(const struct config *config, const char *domain)
{
	const struct config_reporting *reporting = &config->reporting;

	for (size_t i = 0; i < reporting->nexclude; i++)
		if (strcmp(reporting->exclude[i], domain) == 0)
			return true;
	return false;
}

/* --- what fits together --------------------------------------------------- */

struct judging {
	const struct config_tree *tree;
	struct config_report *report;
	const struct config_reporting *reporting;
	char domain[DOMAIN_MAX]; /* of the contact, or "" */
};

static void
check_send(const struct judging *judging)
{
	unsigned line = config_line_of(judging->tree, BLOCK_REPORTING, "send");

	if (!judging->reporting->send)
		return;
	if (!judging->reporting->collect)
		config_problem(judging->report, line,
		    "reporting: send: expected collect = yes beside it");
	/* RFC 8460 3: a report by mail without a signature is ignored. */
	if (judging->reporting->ndkim == 0)
		config_problem(judging->report, line,
		    "reporting: send: expected dkim \"SELECTOR\" { key = "
		    "\"/path\" } beside it");
}

static void
check_copies(const struct judging *judging)
{
	if (judging->reporting->ncopies <= CONFIG_COPIES_MAX)
		return;
	config_problem(judging->report,
	    config_line_of(judging->tree, BLOCK_REPORTING, "copies"),
	    "reporting: copies: expected at most %d addresses",
	    CONFIG_COPIES_MAX);
}

/* RFC 6376 3.5: what signs has a dot. */
static void
check_contact(const struct judging *judging)
{
	if (judging->domain[0] == '\0' ||
	    domain_is_qualified(span_of(judging->domain)))
		return;
	if (!judging->reporting->send && judging->reporting->ndkim == 0)
		return;
	config_problem(judging->report,
	    config_line_of(judging->tree, BLOCK_REPORTING, "contact"),
	    "reporting: contact: \"%s\": expected an address of a fully "
	    "qualified domain, which signs reports",
	    judging->reporting->contact);
}

static void
check_dkim(const struct judging *judging, const struct config_block *block,
    const struct config_dkim *dkim)
{
	char where[160];

	config_block_say(block, where, sizeof(where));
	/* RFC 8460 3: "a valid [DKIM] signature by the reporting domain" */
	if (dkim->domain != NULL && judging->domain[0] != '\0' &&
	    strcmp(dkim->domain, judging->domain) != 0)
		config_problem(judging->report, block->line,
		    "%sdomain: \"%s\": expected \"%s\", the domain of contact",
		    where, dkim->domain, judging->domain);
	else if (dkim->domain != NULL && strlen(dkim->selector) +
						 strlen("._domainkey.") +
						 strlen(dkim->domain) >=
					     DKIM_NAME_SIZE)
		config_problem(judging->report, block->line,
		    "%sSELECTOR._domainkey.DOMAIN is longer than %d octets",
		    where, DKIM_NAME_SIZE - 1);
}

/* Blocks and reporting.dkim have one order. */
static void
check_keys(const struct judging *judging)
{
	size_t n = 0;

	for (size_t i = 0; i < judging->tree->nblocks; i++) {
		const struct config_block *block = &judging->tree->blocks[i];

		if (block->kind != BLOCK_DKIM)
			continue;
		check_dkim(judging, block, &judging->reporting->dkim[n]);
		if (n++ == DKIM_SIGN_KEYS_MAX)
			config_problem(judging->report, block->line,
			    "reporting: expected at most %d dkim blocks",
			    DKIM_SIGN_KEYS_MAX);
	}
}

void
config_check_reporting(const struct config_tree *tree,
    struct config_report *report, const struct config *config)
{
	struct judging judging = {tree, report, &config->reporting, ""};

	(void)config_contact_domain(config, judging.domain);
	check_send(&judging);
	check_copies(&judging);
	check_contact(&judging);
	check_keys(&judging);
}
