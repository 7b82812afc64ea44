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
#include "mta/resolver.h"
#include "reporting/dkim_check.h"
#include "reporting/dkim_sign.h"

/* Of the record, as people and programs see it. */
#define SHOWN_SIZE 2048

struct checked {
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

static int
check_one(const struct config_dkim *dkim, const struct dkim_key *key,
    struct dns *dns, bool json)
{
	struct checked checked = {.dkim = dkim, .key = key};
	char name[2 * DNS_NAME_SIZE];
	bool fine;

	(void)snprintf(name, sizeof(name), "%s._domainkey.%s", dkim->selector,
	    dkim->domain);
	buf_init(&checked.text, DKIM_CHECK_TEXT);
	lookup_records(dns, name, RR_TXT, on_record, &checked);
	if (json)
		print_json(&checked);
	else
		print_people(&checked);
	fine = checked.check.published == DKIM_IN_ORDER;
	buf_free(&checked.text);
	return fine ? EXIT_FINE : EXIT_WANTED;
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
	int status = EXIT_FINE;
	struct dns *dns;
	struct err err;

	if (setup_become(work->config) < 0)
		return EXIT_WANTED;
	dns = resolver_open(work->config, &err);
	if (dns == NULL)
		return command_complain("resolver", err.text);
	for (size_t i = 0; i < reporting->ndkim; i++)
		if (keys[i] != NULL &&
		    check_one(&reporting->dkim[i], keys[i], dns,
			work->options->json) != EXIT_FINE)
			status = EXIT_WANTED;
	dns_free(&dns);
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
