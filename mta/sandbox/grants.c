/* See grants.h. */
#include "mta/sandbox/grants.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/net/tls_web.h"
#include "mta/sandbox/program.h"

#define DNS_PORT 53

/* --- the list ------------------------------------------------------------- */

static void
add(struct grants *grants, enum grant_use use, const char *path)
{
	if (grants->n == GRANTS_MAX)
		return; /* what is left out is refused */
	for (size_t i = 0; i < grants->n; i++)
		if (grants->list[i].use == use &&
		    strcmp(grants->list[i].path, path) == 0)
			return;
	grants->list[grants->n++] = (struct grant){mem_strdup(path), use};
}

static void
add_there(struct grants *grants, enum grant_use use, const char *path)
{
	if (access(path, F_OK) == 0)
		add(grants, use, path);
}

static void
add_below(struct grants *grants, enum grant_use use, const char *folder,
    const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (n > 0 && (size_t)n < sizeof(path))
		add(grants, use, path);
}

/* The folder above; "/" for what stands there.  Cuts off the path itself. */
static void
cut_to_parent(char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 1 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	path[n] = '\0';
}

/* Too much is in them that is not ours to read. */
static bool
is_crowded(const char *folder)
{
	return strcmp(folder, "/") == 0 || strcmp(folder, "/etc") == 0;
}

/*
 * A file of the system's, that is read again and again: it may be replaced by
 * another of its name, so its folder is what counts; where a link leads, too.
 */
static void
add_file(struct grants *grants, const char *path)
{
	char folder[PATH_MAX], real[PATH_MAX];

	if (path == NULL || !text_copy(folder, sizeof(folder), path))
		return;
	add_there(grants, GRANT_READ, path);
	cut_to_parent(folder);
	if (!is_crowded(folder))
		add_there(grants, GRANT_READ, folder);
	if (realpath(path, real) == NULL)
		return;
	cut_to_parent(real);
	if (!is_crowded(real))
		add_there(grants, GRANT_READ, real);
}

/* --- what is where -------------------------------------------------------- */

/* The C library: the zone of syslog(3), how memory is given back.  libuv: a
 * descriptor in reserve, for when there are no more. */
static void
add_common(struct grants *grants)
{
	add_there(grants, GRANT_READ, "/etc/localtime");
	add_there(grants, GRANT_READ, "/usr/share/zoneinfo");
	add_there(grants, GRANT_READ, "/dev/null");
	add_there(grants, GRANT_READ, "/dev/urandom");
	add_there(grants, GRANT_READ, "/proc/sys/vm/overcommit_memory");
	/* The sanitizers of a build for tests tell where they are. */
	if (program_is_sanitized()) {
		add_there(grants, GRANT_READ, "/proc");
		add_there(grants, GRANT_READ, "/usr");
		add_there(grants, GRANT_READ, "/lib");
		add_there(grants, GRANT_READ, "/proc/self/exe");
	}
}

/* Mail on its way in, from a process that makes segments. */
static void
add_intake(struct grants *grants, const struct config *config)
{
	add_below(grants, GRANT_WRITE, config->spool, "segment");
	add_below(grants, GRANT_WRITE, config->spool, "large");
}

static void
add_drop(struct grants *grants, const struct config *config)
{
	char bad[PATH_MAX];
	int n = snprintf(bad, sizeof(bad), "%s-bad", config->drop);

	add(grants, GRANT_TAKE, config->drop);
	if (n > 0 && (size_t)n < sizeof(bad))
		add(grants, GRANT_TAKE, bad);
}

static void
add_queue(struct grants *grants, const struct config *config)
{
	add_intake(grants, config);
	add_below(grants, GRANT_WRITE, config->spool, "journal");
	add_below(grants, GRANT_WRITE, config->spool, "history");
	add_below(grants, GRANT_LOCK, config->spool, "queue.lock");
}

static void
add_resolver(struct grants *grants, const struct config_resolver *resolver)
{
	add_file(grants, resolver->trust_anchor);
	add_file(grants, resolver->root_hints);
}

static void
add_authorities(struct grants *grants, const struct config *config)
{
	add_file(grants,
	    config->ca_file == NULL ? TLS_WEB_CA_FILE : config->ca_file);
}

bool
grants_maildir(const char *template, char *to, size_t size)
{
	size_t n = 0;
	bool whole = true;

	for (const char *c = template; whole && *c != '\0'; c++) {
		whole = *c != '%' || c[1] == '%';
		if (n + 1 >= size)
			return false;
		if (whole)
			to[n++] = *c;
		if (*c == '%' && whole)
			c++;
	}
	to[n] = '\0';
	if (!whole)
		while (n > 1 && to[n - 1] != '/')
			to[--n] = '\0';
	return n > 0;
}

/*
 * What is not there yet is made later, by somebody else or by us: then it is
 * the first folder above it that is.
 */
static void
add_maildir(struct grants *grants, const struct target *target)
{
	char path[PATH_MAX];

	if (target->kind != TARGET_MAILDIR ||
	    !grants_maildir(target->path, path, sizeof(path)))
		return;
	while (path[1] != '\0' && access(path, F_OK) < 0)
		cut_to_parent(path);
	if (path[1] != '\0')
		add(grants, GRANT_GROW, path);
}

/* --- ports ---------------------------------------------------------------- */

static void
add_port(struct grants *grants, uint16_t port)
{
	if (port == 0 || grants->nports == PORTS_MAX)
		return;
	for (size_t i = 0; i < grants->nports; i++)
		if (grants->ports[i] == port)
			return;
	grants->ports[grants->nports++] = port;
}

static void
add_target_port(struct grants *grants, const struct target *target)
{
	if (target->kind == TARGET_SMTP || target->kind == TARGET_LMTP_TCP)
		add_port(grants, target->port);
}

/* "ADDRESS@PORT" */
static void
add_zone_ports(struct grants *grants, const struct config_zone *zones, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (const char **s = zones[i].servers; *s != NULL; s++) {
			const char *at = strchr(*s, '@');
			uint32_t port;

			if (at != NULL &&
			    text_parse_u32(span_of(at + 1), &port) &&
			    port <= UINT16_MAX)
				add_port(grants, (uint16_t)port);
		}
}

static void
add_dns_ports(struct grants *grants, const struct config_resolver *resolver)
{
	add_port(grants, DNS_PORT);
	add_zone_ports(grants, resolver->stubs, resolver->nstubs);
	add_zone_ports(grants, resolver->forwards, resolver->nforwards);
}

static void
add_ports(struct grants *grants, const struct config *config)
{
	add_port(grants, config->mx_port);
	add_dns_ports(grants, &config->resolver);
	if (config->mta_sts.enabled)
		add_port(grants, config->mta_sts.port);
	for (size_t i = 0; i < config->ndomains; i++)
		add_target_port(grants, &config->domains[i].deliver);
	for (size_t i = 0; i < config->nroutes; i++)
		add_target_port(grants, &config->routes[i].via);
}

/* --- roles ---------------------------------------------------------------- */

/* SQLite makes files beside a database, though it only reads. */
static void
add_database(struct grants *grants, const char *path)
{
	char folder[PATH_MAX];

	if (!text_copy(folder, sizeof(folder), path))
		return;
	add_there(grants, GRANT_READ, path);
	cut_to_parent(folder);
	if (!is_crowded(folder))
		add_there(grants, GRANT_WRITE, folder);
}

/* Who is asked which recipients exist. */
static void
add_lookups(struct grants *grants, const struct config *config)
{
	for (size_t i = 0; i < config->nlookups; i++) {
		const struct config_lookup *lookup = &config->lookups[i];

		if (lookup->kind == LOOKUP_SQLITE && lookup->path != NULL)
			add_database(grants, lookup->path);
		else
			add_port(grants, lookup->port);
	}
	for (size_t i = 0; i < config->ndomains; i++)
		add_port(grants, config->domains[i].verify.port);
}

static void
add_receive(struct grants *grants, const struct config *config)
{
	add_intake(grants, config);
	add_drop(grants, config);
	add_lookups(grants, config);
	for (size_t i = 0; i < config->nmilters; i++)
		if (config->milters[i].path == NULL)
			add_port(grants, config->milters[i].inet.port);
	if (config->defence.greylist.enabled)
		add(grants, GRANT_WRITE, config->state);
	if (config->defence.ndnsbls == 0)
		return;
	add_resolver(grants, &config->resolver);
	add_dns_ports(grants, &config->resolver);
}

static void
add_deliver(struct grants *grants, const struct config *config)
{
	add_below(grants, GRANT_READ, config->spool, "segment");
	add_below(grants, GRANT_READ, config->spool, "large");
	add(grants, GRANT_GROW, config->state);
	add_resolver(grants, &config->resolver);
	add_authorities(grants, config);
	for (size_t i = 0; i < config->ndomains; i++)
		add_maildir(grants, &config->domains[i].deliver);
	for (size_t i = 0; i < config->nroutes; i++)
		add_maildir(grants, &config->routes[i].via);
	add_ports(grants, config);
}

static void
add_found(void *arg, const char *path, bool runs)
{
	add_there(arg, runs ? GRANT_RUN : GRANT_READ, path);
}

/* Reports go to whatever port their receiver names. */
static void
add_report(struct grants *grants, const struct config *config)
{
	add_intake(grants, config);
	add(grants, GRANT_GROW, config->state);
	add_resolver(grants, &config->resolver);
	add_authorities(grants, config);
	grants->any_port = true;
	/* This program again, as the process that reads mails; that one looks
	 * how much memory it has. */
	program_files(add_found, grants);
	add_there(grants, GRANT_READ, "/etc/ld.so.cache");
	add_there(grants, GRANT_READ, "/etc/ld.so.preload");
	add_there(grants, GRANT_READ, "/proc");
}

/* What is published about us, and the anchors that others have learnt. */
static void
add_gate(struct grants *grants, const struct config *config)
{
	add(grants, GRANT_GROW, config->state);
	add_resolver(grants, &config->resolver);
	add_authorities(grants, config);
	add_file(grants, TLS_WEB_CA_FILE);
	add_dns_ports(grants, &config->resolver);
	add_port(grants, config->mta_sts.port);
}

struct grants *
grants_new(enum role_kind kind, const struct config *config)
{
	struct grants *grants = mem_new(sizeof(*grants));

	grants->list = mem_array(GRANTS_MAX, sizeof(grants->list[0]));
	grants->ports = mem_array(PORTS_MAX, sizeof(grants->ports[0]));
	add_common(grants);
	switch (kind) {
	case ROLE_RECEIVE:
		add_receive(grants, config);
		break;
	case ROLE_QUEUE:
		add_queue(grants, config);
		add_lookups(grants, config);
		break;
	case ROLE_DELIVER:
		add_deliver(grants, config);
		break;
	case ROLE_REPORT:
		add_report(grants, config);
		break;
	case ROLE_GATE:
		add_gate(grants, config);
		break;
	case ROLE_WEB:
	case ROLE_NONE:
	case ROLE_SUPERVISOR:
		break;
	}
	return grants;
}

void
grants_free(struct grants **grantsp)
{
	struct grants *grants = *grantsp;

	*grantsp = NULL;
	if (grants == NULL)
		return;
	for (size_t i = 0; i < grants->n; i++)
		mem_free(grants->list[i].path);
	mem_free(grants->list);
	mem_free(grants->ports);
	mem_free(grants);
}
