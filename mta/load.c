#include "mta/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mta/account.h"
#include "mta/locals.h"
#include "mta/lookup/sqlite.h"
#include "mta/net/tls_check.h"
#include "mta/net/tls_web.h"
#include "mta/problems.h"
#include "mta/secrets.h"
#include "reporting/dkim_crypto.h"
#include "reporting/reverse_path.h"

#define PROBLEMS_MAX (64u << 10)

/* The end of the block that begins here, with its line; or of all there is. */
static size_t
block_end(struct span block)
{
	static const char end[] = "\n-----END ";
	const char *at = memmem(block.p, block.n, end, sizeof(end) - 1);
	const char *line;

	if (at == NULL)
		return block.n;
	at += sizeof(end) - 1;
	line = memchr(at, '\n', block.n - (size_t)(at - block.p));
	return line == NULL ? block.n : (size_t)(line - block.p) + 1;
}

static bool
is_private(struct span block)
{
	static const char key[] = "PRIVATE KEY-----";
	const char *line = memchr(block.p, '\n', block.n);
	size_t n = line == NULL ? block.n : (size_t)(line - block.p);

	return memmem(block.p, n, key, sizeof(key) - 1) != NULL;
}

/*
 * A chain in one file with its key is common.  Chains go to every role, and
 * keys do not: they are left out.
 */
static void
leave_keys_out(struct bundle *bundle, const char *name)
{
	static const char begin[] = "-----BEGIN ";
	struct span rest = bundle_find(bundle, "chain", name);
	struct buf kept;
	const char *at;
	bool has_key = false;

	buf_init(&kept, BUNDLE_FILE_MAX);
	while ((at = rest.n == 0 ? NULL
	                         : memmem(rest.p, rest.n, begin,
				       sizeof(begin) - 1)) != NULL) {
		size_t n;

		rest = span_from(rest, (size_t)(at - rest.p));
		n = block_end(rest);
		if (is_private(rest))
			has_key = true;
		else if (buf_add(&kept, span_first(rest, n)) < 0)
			break;
		rest = span_from(rest, n);
	}
	if (has_key)
		bundle_replace(bundle, "chain", name, buf_span(&kept));
	buf_free(&kept);
}

static int
add_certificate(const struct config_certificate *cert, struct bundle *bundle,
    struct err *err)
{
	if (bundle_add_file(bundle, "chain", cert->name, cert->chain, err) < 0)
		return -1;
	leave_keys_out(bundle, cert->name);
	if (cert->root != NULL &&
	    bundle_add_file(bundle, "root", cert->name, cert->root, err) < 0)
		return -1;
	return bundle_add_file(bundle, "key", cert->name, cert->key, err);
}

int
load_certificate(const struct config *config,
    const struct config_certificate *cert, struct bundle *bundle,
    struct buf *problems)
{
	struct tls_check_setup setup = {.names = cert->names,
	    .nnames = cert->nnames,
	    .ca_file = config->ca_file};
	struct err err;
	struct buf found;
	int rc;

	if (add_certificate(cert, bundle, &err) < 0) {
		problems_tell(problems, "certificate", cert->name, err.text);
		return -1;
	}
	setup.chain = bundle_find(bundle, "chain", cert->name);
	setup.key = bundle_find(bundle, "key", cert->name);
	setup.root = bundle_find(bundle, "root", cert->name);
	buf_init(&found, PROBLEMS_MAX);
	rc = tls_check_pair(&setup, &found);
	problems_tell_lines(problems, "certificate", cert->name, &found);
	buf_free(&found);
	return rc;
}

/* RFC 7672 3.2.2, RFC 8461 4.1: it is the name that is looked for. */
static void
check_hostname(const struct config *config, const struct bundle *bundle,
    struct buf *problems)
{
	for (size_t i = 0; i < config->ncertificates; i++)
		if (tls_check_covers(bundle_find(bundle, "chain",
					 config->certificates[i].name),
			config->hostname))
			return;
	if (config->ncertificates > 0)
		problems_tell(problems, "warning: hostname", config->hostname,
		    "no certificate covers it");
}

static void
check_tls(const struct config *config, struct buf *problems)
{
	if (config->ncertificates == 0 && config->nlistens > 0)
		problems_tell(problems, "warning: listen",
		    config->listens[0].name,
		    "there is no certificate { }, so no client can use TLS");
}

/* Without one that bounces come to, the role does as if there was none. */
static void
add_reverse_path(const struct config_dkim *dkim, struct bundle *bundle)
{
	unsigned char secret[REVERSE_PATH_SECRET];

	if (reverse_path_secret(
		bundle_find(bundle, "dkim", dkim->selector), secret))
		bundle_add(bundle, "reverse-path", dkim->selector,
		    (struct span){(char *)secret, sizeof(secret)});
	explicit_bzero(secret, sizeof(secret));
}

int
load_dkim_key(const struct config_dkim *dkim, struct bundle *bundle,
    struct dkim_key **ret, struct err *err)
{
	if (bundle_add_file(bundle, "dkim", dkim->selector, dkim->key, err) < 0)
		return -1;
	if (dkim_key_read(
		bundle_find(bundle, "dkim", dkim->selector), ret, err) < 0)
		return err_wrap(err, dkim->key);
	add_reverse_path(dkim, bundle);
	return 0;
}

static int
check_dkim(
    const struct config_dkim *dkim, struct bundle *bundle, struct buf *problems)
{
	struct dkim_key *key = NULL;
	struct err err;
	int rc = load_dkim_key(dkim, bundle, &key, &err);

	if (rc < 0)
		problems_tell(problems, "dkim", dkim->selector, err.text);
	dkim_key_free(&key);
	return rc;
}

static int
add_source(const struct config_domain *domain, const char *kind,
    const struct config_source *source, struct bundle *bundle,
    struct buf *problems)
{
	struct err err;

	if (source->file == NULL || bundle_add_file(bundle, kind, domain->name,
					source->file, &err) == 0)
		return 0;
	problems_tell(problems, "domain", domain->name, err.text);
	return -1;
}

/* By the account that the roles run as; who it is, is checked elsewhere. */
static int
check_readable(
    const char *user, const char *path, const char *key, struct buf *problems)
{
	struct account account = {0};
	struct err err;

	if (path == NULL)
		return 0;
	(void)account_find(user, &account, &err);
	if (account_may_read(&account, path) == 0)
		return 0;
	problems_tell(problems, key, path, strerrordesc_np(errno));
	return -1;
}

/* A socket's other end may come later; a database has to be there. */
static int
check_lookups(const struct config *config, struct buf *problems)
{
	struct err err;
	int rc = 0;

	for (size_t i = 0; i < config->nlookups; i++) {
		const struct config_lookup *lookup = &config->lookups[i];

		if (lookup->kind != LOOKUP_SQLITE)
			continue;
		if (check_readable(config->user, lookup->path, "lookup: source",
			problems) < 0) {
			rc = -1;
		} else if (sqlite_lookup_check(lookup, &err) < 0) {
			problems_tell(
			    problems, "lookup", lookup->name, err.text);
			rc = -1;
		}
	}
	return rc;
}

int
load_locals(const struct config *config, struct bundle *bundle,
    struct locals **ret, struct buf *problems)
{
	int rc = 0;

	for (size_t i = 0; i < config->ndomains; i++) {
		const struct config_domain *domain = &config->domains[i];

		rc |= add_source(domain, "recipients", &domain->recipients,
		    bundle, problems);
		rc |= add_source(
		    domain, "aliases", &domain->aliases, bundle, problems);
	}
	if (rc != 0 || locals_load(config, bundle, ret, problems) < 0)
		return -1;
	/* Where aliases lead. */
	rc = locals_check(*ret, problems);
	if (rc < 0)
		locals_free(ret);
	return rc;
}

/* Without authorities of its own a machine delivers by all but WebPKI. */
static int
check_authorities(const char *ca_file, struct buf *problems)
{
	const char *file = ca_file == NULL ? TLS_WEB_CA_FILE : ca_file;
	int rc = ca_file == NULL ? 0 : -1;
	struct err err;

	if (tls_web_check_file(file, &err) == 0)
		return 0;
	/* A full buffer has said enough. */
	if (buf_printf(problems, "%sca_file: %s\n", rc == 0 ? "warning: " : "",
		err.text) < 0)
		return rc;
	return rc;
}

static int
check_account(const char *user, struct buf *problems)
{
	struct account account;
	struct err err;

	if (account_find(user, &account, &err) == 0)
		return 0;
	problems_tell(problems, "user", user == NULL ? "" : user, err.text);
	return -1;
}

static int
check_spool(const char *path, struct buf *problems)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISDIR(st.st_mode))
		return 0;
	problems_tell(problems, "spool", path, "it is no folder");
	return -1;
}

/* Who writes a level alone has the rest from a wider rule. */
static void
check_weakened(const struct config *config, const struct config_tls *rule,
    const struct config_tls *all, struct buf *problems)
{
	enum requiretls_grade grade = config_requiretls(config, all);
	char text[128];

	if (rule->level < OPERATOR_ENCRYPT)
		return;
	if (rule->enforcement == ENFORCEMENT_INHERIT &&
	    config_enforcement(config, all) > config->enforcement)
		problems_tell(problems, "warning: tls", rule->pattern,
		    "a wider rule has enforcement = audit, so its level is not "
		    "enforced");
	if (rule->requiretls != REQUIRETLS_UNSAID ||
	    grade <= config->requiretls)
		return;
	(void)snprintf(text, sizeof(text),
	    "a wider rule has requiretls = %s, so what senders demand counts "
	    "for less",
	    requiretls_grade_name(grade));
	problems_tell(problems, "warning: tls", rule->pattern, text);
}

/* Rules that do not do what their author may think. */
static void
check_rules(const struct config *config, int64_t now, struct buf *problems)
{
	bool anchor = config->resolver.trust_anchor != NULL;

	for (size_t i = 0; i < config->ntls; i++) {
		const struct config_tls *rule = &config->tls[i];
		struct config_tls all = config_tls(config, rule->pattern, now);

		if (!config_tls_counts(rule, now)) {
			problems_tell(problems, "warning: tls", rule->pattern,
			    "until is over, and the rule counts no more");
			continue;
		}
		check_weakened(config, rule, &all, problems);
		if (rule->level == OPERATOR_DANE && !anchor &&
		    config_enforcement(config, &all) == ENFORCEMENT_ENFORCE)
			problems_tell(problems, "warning: tls", rule->pattern,
			    "level = dane without a trust anchor: mail waits");
	}
}

static bool
listens_on(const struct config *config, uint16_t port)
{
	for (size_t i = 0; i < config->nlistens; i++)
		for (size_t k = 0; k < config->listens[i].naddresses; k++)
			if (config->listens[i].addresses[k].port == port)
				return true;
	return false;
}

/*
 * RFC 3207 4: "A publicly-referenced SMTP server MUST NOT require use of the
 * STARTTLS extension in order to deliver mail locally."
 */
static void
check_required(const struct config *config, struct buf *problems)
{
	const struct config_networks *networks = &config->tls_server.require;
	char text[CIDR_TEXT];

	for (size_t i = 0; listens_on(config, 25) && i < networks->n; i++) {
		if (!cidr_is_public(&networks->prefixes[i]))
			continue;
		cidr_text(&networks->prefixes[i], text);
		problems_tell(problems, "warning: tls_server: require", text,
		    "on port 25 mail of hosts without TLS is lost (RFC 3207 "
		    "4)");
	}
}

/* What the roles would stumble over, found before they start. */
static int
check_surroundings(const struct config *config, struct buf *problems)
{
	const char *user = config->user;
	int rc = 0;

	rc |= check_readable(user, config->resolver.trust_anchor,
	    "resolver: trust_anchor", problems);
	rc |= check_readable(user, config->resolver.root_hints,
	    "resolver: root_hints", problems);
	/* RFC 4035 4.3: nothing is secure then, so there is no DANE. */
	if (config->resolver.trust_anchor == NULL)
		problems_tell(problems, "warning: resolver: trust_anchor", "",
		    "no answer is secure, and DANE is not possible");
	if (check_authorities(config->ca_file, problems) < 0)
		rc = -1;
	else
		rc |= check_readable(
		    user, config->ca_file, "ca_file", problems);
	check_rules(config, clock_wall(), problems);
	check_required(config, problems);
	rc |= check_account(config->user, problems);
	rc |= check_spool(config->spool, problems);
	return rc;
}

static int
load_files(
    const struct config *config, struct bundle *bundle, struct buf *problems)
{
	struct locals *locals = NULL;
	int rc = check_surroundings(config, problems);

	for (size_t i = 0; i < config->ncertificates; i++)
		rc |= load_certificate(
		    config, &config->certificates[i], bundle, problems);
	check_hostname(config, bundle, problems);
	rc |= load_locals(config, bundle, &locals, problems);
	locals_free(&locals);
	rc |= check_lookups(config, problems);
	for (size_t i = 0; i < config->reporting.ndkim; i++)
		rc |= check_dkim(&config->reporting.dkim[i], bundle, problems);
	secrets_check(config, problems);
	/* It is not why a configuration is refused. */
	if (rc == 0)
		check_tls(config, problems);
	return rc;
}

void
load_warn(bool syslog, struct buf *problems)
{
	/* A full buffer has said enough. */
	if (syslog && !log_syslog_listens())
		(void)!buf_printf(problems,
		    "warning: log: nobody listens at /dev/log: %s; the log "
		    "goes to standard error, and without \"danelawd -f\" it "
		    "is lost\n",
		    strerrordesc_np(errno));
}

/* What is checked is handed on: nobody here needs keys any more. */
static int
seal(struct bundle *bundle, struct buf *problems)
{
	struct err err;
	int rc = bundle_seal(bundle, &err);

	if (rc < 0)
		problems_tell(
		    problems, "configuration", "private keys", err.text);
	return rc;
}

int
load_bundled(const struct bundle *bundle, struct config **ret_config,
    struct buf *problems)
{
	struct span name = bundle_find(bundle, "config-file", "");
	char *file = name.n == 0 ? mem_strdup("danelaw.conf")
	                         : mem_strndup(name.p, name.n);
	int rc = config_parse(
	    bundle_find(bundle, "config", ""), file, ret_config, problems);

	mem_free(file);
	return rc;
}

int
load_configuration(const char *path, struct config **ret_config,
    struct bundle **ret_bundle, struct buf *problems)
{
	struct bundle *bundle = bundle_new();
	struct config *config = NULL;
	struct err err;

	bundle_add(bundle, "config-file", "", span_of(path));
	if (bundle_add_file(bundle, "config", "", path, &err) < 0)
		problems_tell(problems, "configuration", path, err.text);
	else if (load_bundled(bundle, &config, problems) == 0 &&
		 load_files(config, bundle, problems) == 0 &&
		 seal(bundle, problems) == 0) {
		*ret_config = config;
		*ret_bundle = bundle;
		return 0;
	}
	config_free(&config);
	bundle_free(&bundle);
	return -1;
}
