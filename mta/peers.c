/* See peers.h. */
#include "mta/peers.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

/* Is there at least where it will be? */
static bool
has_folder(const char *path)
{
	char folder[PATH_MAX];
	struct stat st;
	char *slash;

	if (!text_copy(folder, sizeof(folder), path))
		return true;
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return true;
	*slash = '\0';
	return stat(folder, &st) == 0;
}

/* Why nobody can be reached there, or NULL. */
static const char *
look(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISSOCK(st.st_mode) ? NULL : "it is no socket";
	if (errno == EACCES)
		return NULL;
	if (errno != ENOENT)
		return strerrordesc_np(errno);
	return has_folder(path) ? "there is no such socket"
	                        : "its folder is not there";
}

static void
check(
    const char *kind, const char *name, const char *path, struct buf *problems)
{
	const char *why = look(path);

	/* A full buffer has said enough. */
	if (why != NULL)
		(void)!buf_printf(problems,
		    "warning: %s \"%s\": nobody can listen at %s: %s\n", kind,
		    name, path, why);
}

/* Many domains have one server, and one line is enough. */
static bool
was_told(const struct config *config, size_t i)
{
	const struct target *target = &config->domains[i].deliver;

	for (size_t k = 0; k < i; k++)
		if (config->domains[k].deliver.kind == TARGET_LMTP_UNIX &&
		    strcmp(config->domains[k].deliver.path, target->path) == 0)
			return true;
	return false;
}

static void
check_domains(const struct config *config, struct buf *problems)
{
	for (size_t i = 0; i < config->ndomains; i++) {
		const struct config_domain *domain = &config->domains[i];

		if (domain->deliver.kind == TARGET_LMTP_UNIX &&
		    !was_told(config, i))
			check("domain", domain->name, domain->deliver.path,
			    problems);
	}
}

void
peers_check(const struct config *config, struct buf *problems)
{
	/* verify = lmtp asks the server that it delivers to. */
	check_domains(config, problems);
	for (size_t i = 0; i < config->nroutes; i++) {
		const struct config_route *route = &config->routes[i];

		if (route->via.kind == TARGET_LMTP_UNIX)
			check(
			    "route", route->pattern, route->via.path, problems);
	}
	for (size_t i = 0; i < config->nlookups; i++) {
		const struct config_lookup *lookup = &config->lookups[i];

		if (lookup->kind == LOOKUP_SOCKETMAP && lookup->path != NULL)
			check("lookup", lookup->name, lookup->path, problems);
	}
	for (size_t i = 0; i < config->nmilters; i++) {
		const struct config_milter *milter = &config->milters[i];

		if (milter->path != NULL)
			check("milter", milter->name, milter->path, problems);
	}
}
