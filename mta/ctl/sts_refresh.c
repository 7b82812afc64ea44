/*
 * danelaw sts refresh: fetches as a deliver process would, without one, and
 * keeps what was fetched where they look for it.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dnssec/dnssec.h"
#include "mta/config.h"
#include "mta/ctl/sts.h"
#include "mta/net/loop.h"
#include "mta/resolver.h"
#include "mta/sts/finder.h"

struct refresh {
	struct loop *loop;
	struct dns *dns;
	struct watch *watch;
	struct sts_finder *finder;
	bool applies;       /* there is a policy to go by, new or not */
	int64_t fetched_at; /* of that */
	char why[400];      /* nothing was fetched, or "" */
};

static void
on_dns(void *arg)
{
	struct refresh *refresh = arg;

	dns_process(refresh->dns);
}

static void
on_found(const struct sts_found *found, void *arg)
{
	struct refresh *refresh = arg;
	enum sts_step step = found->answer.step;

	refresh->applies = sts_step_applies(step);
	refresh->fetched_at = refresh->applies ? found->known->entry.fetched_at
	                                       : 0;
	if (found->trouble[0] != '\0')
		(void)text_copy(
		    refresh->why, sizeof(refresh->why), found->trouble);
	else if (!refresh->applies)
		(void)text_copy(
		    refresh->why, sizeof(refresh->why), found->answer.why);
	loop_stop(refresh->loop);
}

/* The finder has put it there; could it? */
static bool
is_kept(struct sts_work *work, const char *domain, int64_t fetched_at)
{
	struct arena *arena = arena_new(STS_POLICY_ARENA);
	struct sts_entry entry;
	struct err err;
	bool kept = false;

	if (sts_store_get(work->store, domain, arena, &entry, &err) < 0)
		(void)command_complain(domain, err.text);
	else if (entry.fetched_at < fetched_at)
		(void)command_complain(domain, "it was fetched, but not kept");
	else
		kept = true;
	arena_free(&arena);
	return kept;
}

static int
refresh_one(struct sts_work *work, const char *domain)
{
	struct refresh *refresh = work->arg;
	int told;

	refresh->why[0] = '\0';
	/* It comes from the loop, and the loop ends with it. */
	(void)sts_find(refresh->finder, domain, true, on_found, refresh);
	loop_run(refresh->loop);
	told = sts_tell_daemon(work, domain);
	if (refresh->why[0] != '\0') {
		(void)command_complain(domain, refresh->why);
		if (refresh->applies)
			(void)command_complain(
			    domain, "the policy that is kept applies on");
		return EXIT_WANTED;
	}
	if (!is_kept(work, domain, refresh->fetched_at))
		return EXIT_WANTED;
	return sts_show_one(work, domain) == EXIT_FINE ? told : EXIT_WANTED;
}

int
sts_refresh(struct sts_work *work)
{
	struct refresh refresh = {.loop = NULL};
	struct sts_finder_setup setup = {
	    .config = work->config, .ask_anew = true};
	struct err err;
	int status;

	refresh.dns = resolver_open(work->config, &err);
	if (refresh.dns == NULL)
		return command_complain("sts", err.text);
	refresh.loop = loop_new();
	refresh.watch = watch_new(
	    refresh.loop, dns_fd(refresh.dns), on_dns, &refresh);
	setup.loop = refresh.loop;
	setup.dns = refresh.dns;
	refresh.finder = sts_finder_new(&setup);
	work->arg = &refresh;
	status = sts_each_name(work, refresh_one);
	sts_finder_free(&refresh.finder);
	watch_free(&refresh.watch);
	dns_free(&refresh.dns);
	loop_free(&refresh.loop);
	return status;
}
