/* The public side of the configuration; see config.h. */
#include "mta/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/config_private.h"
#include "mta/domain.h"

struct holder { /* what config_free() frees: config is its first member */
	struct config config;
	struct config_memory memory;
};

static int
read_all(struct span text, struct config_report *report, struct holder *holder)
{
	struct config_tree tree = {0};
	unsigned *lines;
	char *clean;

	if (config_scan(text, report, &tree.memory, &clean, &lines) == 0 &&
	    config_read(clean, lines, report, &tree) == 0) {
		config_build(&tree, report, &holder->config, &holder->memory);
		config_check(&tree, report, &holder->config);
	}
	config_memory_free(&tree.memory);
	return report->count == 0 ? 0 : -1;
}

int
config_parse(struct span text, const char *file, struct config **ret,
    struct buf *problems)
{
	struct config_report report = {file, problems, 0};
	struct holder *holder = mem_new(sizeof(*holder));
	struct config *config = &holder->config;

	config->file = config_string(&holder->memory, span_of(file));
	if (read_all(text, &report, holder) < 0) {
		config_free(&config);
		return -1;
	}
	*ret = config;
	return 0;
}

void
config_free(struct config **config)
{
	struct holder *holder = (struct holder *)*config;

	if (holder == NULL)
		return;
	*config = NULL;
	config_memory_free(&holder->memory);
	mem_free(holder);
}

/* Of elements whose first member is their name. */
static int
name_order(const void *name, const void *element)
{
	const char *const *its = element;

	return strcmp(name, *its);
}

static const void *
find_name(const void *array, size_t n, size_t size, const char *name)
{
	return n == 0 ? NULL : bsearch(name, array, n, size, name_order);
}

const struct config_domain *
config_domain(const struct config *config, const char *domain)
{
	return find_name(config->domains, config->ndomains,
	    sizeof(config->domains[0]), domain);
}

static const void *
find_pattern(const struct config_patterns *in, const char *pattern)
{
	const void *found = find_name(in->array, in->n, in->size, pattern);

	if (found == NULL || in->accept == NULL || in->accept(found, in->arg))
		return found;
	return NULL;
}

const void *
config_match(const struct config_patterns *in, const char *name)
{
	const void *found = find_pattern(in, name);
	const char *dot = name;

	while (found == NULL && (dot = strchr(dot, '.')) != NULL)
		found = find_pattern(in, dot++);
	return found != NULL ? found : find_pattern(in, "*");
}

static const struct config_route *
find_route(const struct config *config, const char *domain)
{
	struct config_patterns routes = {config->routes, config->nroutes,
	    sizeof(config->routes[0]), NULL, NULL};

	return config_match(&routes, domain);
}

/* RFC 5321 4.1.3: an address literal is its own host; no MX is looked up. */
static bool
literal_target(
    const struct config *config, const char *domain, struct target *ret)
{
	struct span inner = span_of(domain);
	struct target target;
	char text[TARGET_TEXT_MAX];
	struct err err;

	if (domain[0] != '[')
		return false;
	if (span_starts_nocase(inner, SPAN("[IPv6:")))
		inner = span_from(inner, 6);
	else
		inner = span_from(inner, 1);
	(void)snprintf(text, sizeof(text), "smtp:[%.*s:%u", (int)inner.n,
	    inner.p, (unsigned)config->mx_port);
	if (target_parse(span_of(text), &target, &err) == 0)
		*ret = target;
	return true;
}

void
config_target(
    const struct config *config, const char *address, struct target *ret)
{
	const char *at = strrchr(address, '@');
	const struct config_domain *ours;
	const struct config_route *route;
	char domain[DOMAIN_MAX];

	*ret = (struct target){0};
	if (at == NULL || literal_target(config, at + 1, ret) ||
	    !domain_fold(span_of(at + 1), domain))
		return;
	ours = config_domain(config, domain);
	if (ours != NULL) {
		*ret = ours->deliver;
		return;
	}
	route = find_route(config, domain);
	if (route != NULL && route->via.kind != TARGET_NONE) {
		*ret = route->via;
		return;
	}
	ret->kind = TARGET_MX;
	(void)text_copy(ret->host, sizeof(ret->host), domain);
}

bool
config_in_networks(const struct config_networks *networks, const char *address)
{
	for (size_t i = 0; i < networks->n; i++)
		if (cidr_contains(&networks->prefixes[i], address))
			return true;
	return false;
}

bool
config_may_relay(const struct config *config, const char *client)
{
	return config_in_networks(&config->relay_from, client);
}

bool
config_requires_tls(const struct config *config, const char *client)
{
	return config_in_networks(&config->tls_server.require, client);
}

bool
config_takes_reports(const struct config *config)
{
	for (size_t i = 0; i < config->ndomains; i++)
		if (config->domains[i].ntls_reports > 0)
			return true;
	return false;
}

bool
config_counts_inbound(const struct config *config)
{
	return config->reporting.inbound_days > 0 &&
	       config_takes_reports(config);
}
