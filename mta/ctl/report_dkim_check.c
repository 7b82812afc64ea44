/*
 * danelaw report dkim-check: is what is published for the keys that sign
 * reports what a verifier needs?  Who may read the keys asks; the answers are
 * read as the daemon's account.
 */
#include <jansson.h>

#include "base/text.h"
#include "mta/bundle.h"
#include "mta/config.h"
#include "mta/ctl/lookup.h"
#include "mta/ctl/report.h"
#include "mta/ctl/setup.h"
#include "mta/ctl/table.h"
#include "mta/load.h"
#include "reporting/dkim_check.h"
#include "reporting/dkim_sign.h"

/* Of the record, as people and programs see it. */
#define SHOWN_SIZE      2048
#define SHOWN_NAME_SIZE ((size_t)2 * DNS_NAME_SIZE)

/* All at once: one whose servers are silent keeps no other waiting. */
struct checks {
	size_t pending;
	bool done;
};

struct checked {
	struct checks *all;
	const struct config_dkim *dkim;
	const struct dkim_key *key;
	struct dkim_check check;
	struct buf text;
};

static void
on_record(const struct dns_answer *answer, void *arg)
{
	struct checked *checked = arg;

	dkim_check(checked->key, answer, &checked->check, &checked->text);
	checked->all->done = --checked->all->pending == 0;
}

static void
print_people(const struct checked *checked)
{
	const struct dkim_check *check = &checked->check;
	bool answered = check->published >= DKIM_SEVERAL;
	char why[REPORT_SHOWN_SIZE];

	(void)printf("%s._domainkey.%s: %s", checked->dkim->selector,
	    checked->dkim->domain, dkim_published_name(check->published));
	if (check->why[0] != '\0')
		(void)printf(": %s", report_shown(check->why, why));
	if (check->tlsrpt_only)
		(void)printf("; s= is for reports alone, and verifiers who "
			     "know mail alone may refuse it");
	if (answered && !check->secure)
		(void)printf("; without DNSSEC");
	(void)putchar('\n');
}

static void
print_json(const struct checked *checked)
{
	const struct dkim_check *check = &checked->check;
	const struct config_dkim *dkim = checked->dkim;
	char text[SHOWN_SIZE], why[REPORT_SHOWN_SIZE];

	text_escape(buf_span(&checked->text), text, sizeof(text));
	table_json(stdout,
	    json_pack("{s:s,s:s,s:s++,s:s,s:b,s:s,s:b,s:b,s:i,s:s}", "selector",
		dkim->selector, "domain", dkim->domain, "name", dkim->selector,
		"._domainkey.", dkim->domain, "published",
		dkim_published_name(check->published), "ok",
		check->published == DKIM_IN_ORDER ? 1 : 0, "why",
		report_shown(check->why, why), "dnssec", check->secure ? 1 : 0,
		"tlsrpt_only", check->tlsrpt_only ? 1 : 0, "records",
		(int)check->records, "text", text));
}

static void
name_of(const struct checked *checked, char to[SHOWN_NAME_SIZE])
{
	(void)snprintf(to, SHOWN_NAME_SIZE, "%s._domainkey.%s",
	    checked->dkim->selector, checked->dkim->domain);
}

static void
begin_one(struct checked *checked, struct dns *dns)
{
	char name[SHOWN_NAME_SIZE];

	name_of(checked, name);
	buf_init(&checked->text, DKIM_CHECK_TEXT);
	checked->all->pending++;
	(void)dns_lookup(dns, name, RR_TXT, on_record, checked);
}

static int
end_one(struct checked *checked, bool json)
{
	if (json)
		print_json(checked);
	else
		print_people(checked);
	buf_free(&checked->text);
	return checked->check.published == DKIM_IN_ORDER ? EXIT_FINE
	                                                 : EXIT_WANTED;
}

/* For people: the first, and how many there are beside it. */
static void
wait_for(struct lookup *lookup, const struct checked *checked, size_t n)
{
	char name[SHOWN_NAME_SIZE], what[SHOWN_NAME_SIZE + 32];

	name_of(checked, name);
	(void)snprintf(
	    what, sizeof(what), n > 1 ? "%s and %zu more" : "%s", name, n - 1);
	lookup_wait(lookup, what, &checked->all->done);
}

/* With the rights of who asks; those that cannot be read are NULL. */
static int
read_keys(const struct config_reporting *reporting,
    struct dkim_key *keys[DKIM_SIGN_KEYS_MAX])
{
	int status = EXIT_FINE;

	for (size_t i = 0; i < reporting->ndkim; i++) {
		struct bundle *bundle = bundle_new();
		struct err err;

		if (load_dkim_key(&reporting->dkim[i], bundle, &keys[i], &err) <
		    0)
			status = command_complain(
			    reporting->dkim[i].selector, err.text);
		bundle_free(&bundle);
	}
	return status;
}

static int
check_all(const struct report_work *work,
    struct dkim_key *const keys[DKIM_SIGN_KEYS_MAX])
{
	const struct config_reporting *reporting = &work->config->reporting;
	struct checked checked[DKIM_SIGN_KEYS_MAX];
	struct checks all = {.pending = 0};
	struct lookup lookup;
	int status = EXIT_FINE;
	size_t n = 0;

	if (setup_become(work->config) < 0 ||
	    lookup_start(work->config, work->wait_s, &lookup) < 0)
		return EXIT_WANTED;
	for (size_t i = 0; i < reporting->ndkim; i++) {
		if (keys[i] == NULL)
			continue;
		checked[n] = (struct checked){
		    .all = &all, .dkim = &reporting->dkim[i], .key = keys[i]};
		begin_one(&checked[n++], lookup.dns);
	}
	if (n > 0)
		wait_for(&lookup, checked, n);
	for (size_t i = 0; i < n; i++)
		if (end_one(&checked[i], work->options->json) != EXIT_FINE)
			status = EXIT_WANTED;
	lookup_close(&lookup);
	return status;
}

int
report_do_dkim_check(struct report_work *work)
{
	const struct config_reporting *reporting = &work->config->reporting;
	struct dkim_key *keys[DKIM_SIGN_KEYS_MAX] = {NULL};
	int read, status;

	if (reporting->ndkim == 0)
		return command_complain("report dkim-check",
		    "the configuration has no dkim block in reporting");
	if (reporting->ndkim > DKIM_SIGN_KEYS_MAX)
		return command_complain("report dkim-check", "too many keys");
	read = read_keys(reporting, keys);
	status = check_all(work, keys);
	for (size_t i = 0; i < DKIM_SIGN_KEYS_MAX; i++)
		dkim_key_free(&keys[i]);
	return read == EXIT_FINE ? status : read;
}
