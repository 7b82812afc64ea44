#include "mta/supervisor/generation.h"

#include <unistd.h>

#include "base/mem.h"
#include "mta/supervisor/private.h"

static void
close_bundle(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void
generation_free(struct generation **generationp)
{
	struct generation *generation = *generationp;

	*generationp = NULL;
	if (generation == NULL)
		return;
	close_bundle(generation->fd_public);
	close_bundle(generation->fd_tls);
	close_bundle(generation->fd_dkim);
	config_free(&generation->config);
	bundle_free(&generation->bundle);
	mem_free(generation);
}

int
generation_bundle(const struct generation *generation, enum role_kind kind)
{
	if (kind == ROLE_RECEIVE)
		return generation->fd_tls;
	if (kind == ROLE_REPORT)
		return generation->fd_dkim;
	return generation->fd_public;
}

bool
generation_has_report(const struct config *config)
{
	return config->reporting.collect || config_takes_reports(config);
}

static int
write_bundles(struct generation *generation, struct err *err)
{
	const struct bundle *bundle = generation->bundle;

	generation->fd_public = bundle_write(bundle, BUNDLE_NO_SECRETS, err);
	if (generation->fd_public < 0)
		return -1;
	generation->fd_tls = bundle_write(bundle, BUNDLE_TLS_KEYS, err);
	if (generation->fd_tls < 0)
		return -1;
	if (!generation_has_report(generation->config))
		return 0;
	generation->fd_dkim = bundle_write(bundle, BUNDLE_DKIM_KEYS, err);
	return generation->fd_dkim < 0 ? -1 : 0;
}

struct generation *
generation_new(struct supervisor *sup, struct config *config,
    struct bundle *bundle, struct err *err)
{
	struct generation *g = mem_new(sizeof(*g));

	g->config = config;
	g->bundle = bundle;
	g->fd_public = g->fd_tls = g->fd_dkim = -1;
	if (write_bundles(g, err) < 0 ||
	    account_find(config->user, &g->account, err) < 0 ||
	    spool_make(g, err) < 0 || sockets_open(sup, config, err) < 0) {
		generation_free(&g);
		return NULL;
	}
	g->number = ++sup->generations;
	return g;
}
