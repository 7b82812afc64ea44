/* See resolver.h. */
#include "mta/resolver.h"

#include "base/mem.h"

/*
 * A and AAAA of each delivery, and as many for what nobody waits for any more,
 * for policies that are refreshed, for the defence and for commands.
 */
#define LOOKUPS_EACH   2
#define LOOKUPS_BESIDE 2000u

static struct dns_zone *
make_zones(const struct config_zone *zones, size_t n)
{
	struct dns_zone *out = mem_array(n, sizeof(*out));

	for (size_t i = 0; i < n; i++) {
		out[i].name = zones[i].name;
		out[i].servers = (const char *const *)zones[i].servers;
		out[i].insecure = zones[i].insecure;
	}
	return out;
}

void
resolver_setup_make(const struct config *config, struct resolver_setup *ret)
{
	const struct config_resolver *from = &config->resolver;

	ret->stubs = make_zones(from->stubs, from->nstubs);
	ret->forwards = make_zones(from->forwards, from->nforwards);
	ret->dns = (struct dns_setup){
	    .trust_anchor = from->trust_anchor,
	    .root_hints = from->root_hints,
	    .stubs = ret->stubs,
	    .nstubs = from->nstubs,
	    .forwards = ret->forwards,
	    .nforwards = from->nforwards,
	    .timeout_ms = from->timeout_ms,
	    .lookups_max = LOOKUPS_EACH * config->limits.deliveries +
	                   LOOKUPS_BESIDE,
	};
}

void
resolver_setup_free(struct resolver_setup *setup)
{
	mem_free(setup->stubs);
	mem_free(setup->forwards);
	*setup = (struct resolver_setup){0};
}

static struct dns *
open_and_free(struct resolver_setup *setup, struct err *err)
{
	struct dns *dns = dns_new(&setup->dns, err);

	resolver_setup_free(setup);
	return dns;
}

struct dns *
resolver_open(const struct config *config, struct err *err)
{
	struct resolver_setup setup;

	resolver_setup_make(config, &setup);
	return open_and_free(&setup, err);
}

struct dns *
resolver_open_for(
    const struct config *config, uint32_t total_ms, struct err *err)
{
	struct resolver_setup setup;

	resolver_setup_make(config, &setup);
	/* "--wait" may ask for more patience than mail has. */
	if (setup.dns.timeout_ms < total_ms)
		setup.dns.timeout_ms = total_ms;
	setup.dns.total_ms = total_ms;
	setup.dns.ttl_max = DNS_TTL_MAX;
	return open_and_free(&setup, err);
}
