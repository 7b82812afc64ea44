/*
 * danelaw certs: which certificate is presented for which name.  It reads the
 * files as they are now; the daemon has them as they were when it loaded them.
 */
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mta/bundle.h"
#include "mta/config.h"
#include "mta/ctl/command.h"
#include "mta/ctl/renewals.h"
#include "mta/ctl/setup.h"
#include "mta/ctl/table.h"
#include "mta/net/tls_cert.h"
#include "mta/net/tls_check.h"
#include "mta/secrets.h"

#define DAY          INT64_C(86400)
#define PROBLEMS_MAX (64u << 10)
#define TEXT_SIZE    4096

struct certs {
	const struct config *config;
	struct table *table; /* NULL: JSON */
	int64_t now;
	int status;
	json_t *renewals; /* as the daemon says, or NULL */
};

/* The key is for the daemon alone: who asks may not be able to read it. */
static int
load(const struct config_certificate *cert, struct bundle *bundle,
    struct err *err)
{
	struct err unread;

	if (bundle_add_file(bundle, "chain", cert->name, cert->chain, err) < 0)
		return -1;
	if (access(cert->key, R_OK) == 0)
		(void)bundle_add_file(
		    bundle, "key", cert->name, cert->key, &unread);
	return cert->root == NULL ? 0
	                          : bundle_add_file(bundle, "root", cert->name,
					cert->root, err);
}

static json_t *
names_of(const struct tls_cert *facts)
{
	json_t *names = json_array();
	struct span rest = span_of(facts->names);

	while (rest.n > 0) {
		const char *end = memchr(rest.p, ' ', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		(void)json_array_append_new(names, json_stringn(rest.p, n));
		rest = span_from(rest, n + 1);
	}
	return names;
}

/* Line by line what is wrong or worth a warning. */
static json_t *
problems_of(const struct certs *certs, const struct config_certificate *cert,
    const struct bundle *bundle, bool *ret_bad)
{
	const struct tls_check_setup setup = {
	    .chain = bundle_find(bundle, "chain", cert->name),
	    .key = bundle_find(bundle, "key", cert->name),
	    .root = bundle_find(bundle, "root", cert->name),
	    .names = cert->names,
	    .nnames = cert->nnames,
	    .ca_file = certs->config->ca_file};
	json_t *list = json_array();
	struct buf problems;
	struct span rest;

	buf_init(&problems, PROBLEMS_MAX);
	*ret_bad = tls_check_pair(&setup, &problems) < 0;
	secrets_warn(cert->key, &problems);
	rest = buf_span(&problems);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		(void)json_array_append_new(list, json_stringn(rest.p, n));
		rest = span_from(rest, n + 1);
	}
	buf_free(&problems);
	return list;
}

/* The names as people read them: "a.example, b.example". */
static void
join_names(json_t *item)
{
	char text[TEXT_SIZE] = "";
	const json_t *one;
	size_t i, at = 0;

	if (json_object_get(item, "names") == NULL)
		return;
	json_array_foreach(json_object_get(item, "names"), i, one)
	{
		int n = snprintf(text + at, sizeof(text) - at, "%s%s",
		    i == 0 ? "" : ", ", json_string_value(one));

		if (n < 0 || (size_t)n >= sizeof(text) - at)
			break;
		at += (size_t)n;
	}
	text[at] = '\0';
	(void)json_object_set_new(item, "names", json_string(text));
}

/* The daemon may have kept the one before in use. */
static void
add_renewal(struct certs *certs, json_t *item)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	json_t *one = renewals_find(certs->renewals, name);
	const char *state = json_string_value(json_object_get(one, "state"));
	const char *reason = json_string_value(json_object_get(one, "reason"));
	const char *remedy = json_string_value(json_object_get(one, "remedy"));

	if (state == NULL || reason == NULL || remedy == NULL)
		return;
	if (strcmp(state, "waits") != 0)
		certs->status = EXIT_WANTED;
	if (certs->table == NULL)
		(void)json_object_set(item, "renewal", one);
	else
		(void)json_object_set_new(item, "renewal",
		    json_sprintf("%s: %s; %s", state, reason, remedy));
}

static void
show(struct certs *certs, json_t *item, bool bad)
{
	if (bad)
		certs->status = EXIT_WANTED;
	add_renewal(certs, item);
	if (certs->table == NULL) {
		table_json(stdout, item);
		return;
	}
	join_names(item);
	(void)json_object_del(item, "days_left"); /* in other words: expires */
	table_add(certs->table, item);
	json_decref(item);
}

static void
show_one(struct certs *certs, size_t i)
{
	const struct config *config = certs->config;
	const struct config_certificate *cert = &config->certificates[i];
	struct bundle *bundle = bundle_new();
	struct tls_cert chain[TLS_CHAIN_MAX];
	struct err err;
	json_t *problems;
	size_t n = 0;
	bool bad;

	if (load(cert, bundle, &err) < 0 ||
	    tls_cert_read(bundle_find(bundle, "chain", cert->name), chain,
		TLS_CHAIN_MAX, &n, &err) < 0) {
		show(certs,
		    json_pack("{s:s, s:[s]}", "name", cert->name, "problems",
			err.text),
		    true);
		bundle_free(&bundle);
		return;
	}
	problems = problems_of(certs, cert, bundle, &bad);
	show(certs,
	    json_pack("{s:s, s:o, s:b, s:s, s:s, s:I, s:I, s:I, s:o}", "name",
		cert->name, "names", names_of(chain), "default",
		i == config_default_certificate(config), "key", chain[0].key,
		"issuer", chain[0].issuer, "expires",
		(json_int_t)chain[0].not_after, "days_left",
		(json_int_t)((chain[0].not_after - certs->now) / DAY), "sent",
		(json_int_t)n, "problems", problems),
	    bad);
	bundle_free(&bundle);
}

int
certs_run(const struct options *options)
{
	static const char *const below[] = {"problems", "renewal", NULL};
	struct certs certs = {.now = clock_wall(), .status = EXIT_FINE};
	struct config *config;

	if (options->argc > 0)
		return command_misused("certs takes no arguments");
	if (setup_config(options->file, &config) < 0)
		return EXIT_WANTED;
	certs.config = config;
	certs.renewals = renewals_ask(options);
	if (!options->json) {
		certs.table = table_new(stdout, certs.now);
		table_below(certs.table, below);
	}
	for (size_t i = 0; i < config->ncertificates; i++)
		show_one(&certs, i);
	if (config->ncertificates == 0 && !options->json)
		(void)puts("no certificate is configured: STARTTLS is not "
			   "offered");
	if (certs.table != NULL)
		table_page(certs.table);
	table_free(&certs.table);
	json_decref(certs.renewals);
	config_free(&config);
	return certs.status;
}
