#include "mta/resolver.h"

#include "base/mem.h"
#include "dnssec/dnssec.h"

static struct dns_zone *
dns_zones(const struct config_zone *zones, size_t n)
{
	struct dns_zone *out = mem_array(n, sizeof(*out));

	for (size_t i = 0; i < n; i++) {
		out[i].name = zones[i].name;
		out[i].servers = (const char *const *)zones[i].servers;
		out[i].insecure = zones[i].insecure;
	}
	return out;
}

struct dns *
resolver_open(const struct config *config, struct err *err)
{
	const struct config_resolver *r = &config->resolver;
	struct dns *dns;
	struct dns_zone *stubs = dns_zones(r->stubs, r->nstubs);
	struct dns_zone *forwards = dns_zones(r->forwards, r->nforwards);
	struct dns_setup setup = {
	    .trust_anchor = r->trust_anchor,
	    .root_hints = r->root_hints,
	    .stubs = stubs,
	    .nstubs = r->nstubs,
	    .forwards = forwards,
	    .nforwards = r->nforwards,
	    .timeout_ms = r->timeout_ms,
	};

	dns = dns_new(&setup, err);
	mem_free(stubs);
	mem_free(forwards);
	return dns;
}
