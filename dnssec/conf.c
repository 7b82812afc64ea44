/* struct dns_setup, checked and written down for libunbound. */
#include "dnssec/conf.h"

#include <arpa/inet.h>

#include "base/text.h"
#include "dnssec/name.h"

/*
 * What every context gets.  We are a busy resolver with one thread: caches
 * of some ten MB, sockets for some hundred questions under way.
 *
 * RFC 6761 6.2: "test" is not in the real tree, so asking for it costs
 * nothing, and a laboratory's zones are often below it.
 */
static const char basics[] = "server:\n"
			     "\tverbosity: 0\n"
			     "\tuse-syslog: no\n"
			     "\tmodule-config: \"validator iterator\"\n"
			     "\tmsg-cache-size: 16m\n"
			     "\trrset-cache-size: 32m\n"
			     "\tkey-cache-size: 8m\n"
			     "\tneg-cache-size: 4m\n"
			     "\tinfra-cache-numhosts: 20000\n"
			     "\toutgoing-range: 512\n"
			     "\toutgoing-num-tcp: 32\n"
			     "\tedns-buffer-size: 1232\n"
			     "\tqname-minimisation: yes\n"
			     "\taggressive-nsec: yes\n"
			     "\tharden-glue: yes\n"
			     "\tharden-dnssec-stripped: yes\n"
			     "\tharden-below-nxdomain: yes\n"
			     "\tharden-short-bufsize: yes\n"
			     "\tharden-large-queries: yes\n"
			     "\tunwanted-reply-threshold: 10000000\n"
			     "\tval-permissive-mode: no\n"
			     "\tignore-cd-flag: yes\n"
			     "\tserve-expired: no\n"
			     "\tcache-max-negative-ttl: 900\n"
			     "\tlocal-zone: \"test.\" nodefault\n"
			     "\tlocal-zone: \"home.arpa.\" nodefault\n";

static int
too_long(struct err *err)
{
	return err_set(
	    err, ERR_PERM, "5.3.5", "the resolver's settings are too long");
}

/* "192.0.2.1", "2001:db8::1", either with "@port". */
static int
check_server(const char *server, bool *ret_loopback, struct err *err)
{
	char host[INET6_ADDRSTRLEN];
	size_t n = strcspn(server, "@");
	struct span port = span_from(span_of(server), n + 1);
	uint8_t address[16];
	uint32_t number;

	if (n < sizeof(host)) {
		memcpy(host, server, n);
		host[n] = '\0';
	}
	if (server[n] == '@' &&
	    (!text_parse_u32(port, &number) || number == 0 || number > 65535))
		return err_set(err, ERR_PERM, "5.3.5",
		    "name server \"%s\": expected a port from 1 to 65535 "
		    "behind the \"@\"",
		    server);
	if (n < sizeof(host) && inet_pton(AF_INET, host, address) == 1) {
		*ret_loopback = address[0] == 127;
		return 0;
	}
	if (n < sizeof(host) && inet_pton(AF_INET6, host, address) == 1) {
		*ret_loopback = memcmp(address, &in6addr_loopback, 16) == 0;
		return 0;
	}
	return err_set(err, ERR_PERM, "5.3.5",
	    "name server \"%s\": expected ADDRESS or ADDRESS@PORT", server);
}

static int
write_zone(const char *kind, const struct dns_zone *zone, struct buf *conf,
    struct err *err)
{
	char name[DNS_NAME_SIZE];
	bool loopback = false;

	if (!dns_name_normal(zone->name, name))
		return err_set(err, ERR_PERM, "5.3.5",
		    "%s zone \"%s\": not a domain name", kind, zone->name);
	if (zone->insecure &&
	    buf_printf(conf, "server:\n\tdomain-insecure: \"%s\"\n", name) < 0)
		return too_long(err);
	if (zone->servers == NULL || zone->servers[0] == NULL)
		return zone->insecure
		           ? 0
		           : err_set(err, ERR_PERM, "5.3.5",
				 "%s zone \"%s\": no server", kind, zone->name);
	if (buf_printf(conf, "%s-zone:\n\tname: \"%s\"\n", kind, name) < 0)
		return too_long(err);
	for (const char *const *server = zone->servers; *server != NULL;
	     server++) {
		bool here = false;

		if (check_server(*server, &here, err) < 0)
			return -1;
		loopback |= here;
		if (buf_printf(conf, "\t%s-addr: %s\n", kind, *server) < 0)
			return too_long(err);
	}
	/*
	 * Strangers' zones must not make us talk to ourselves where nobody
	 * here is asked; libunbound knows no exception for one zone.
	 */
	if (loopback &&
	    buf_add_str(conf, "server:\n\tdo-not-query-localhost: no\n") < 0)
		return too_long(err);
	return 0;
}

/* RFC 5011 2.4.1: a new key waits; less than 30 days is for laboratories. */
static int
write_state(const struct dns_setup *setup, struct buf *conf, struct err *err)
{
	uint32_t wait = setup->anchor_holddown != 0 ? setup->anchor_holddown
	                                            : ANCHOR_HOLDDOWN_DEFAULT;

	if (dns_check_anchor(setup->anchor_state, err) < 0)
		return -1;
	if (buf_printf(conf,
		"\tauto-trust-anchor-file: \"%s\"\n\tadd-holddown: %u\n"
		"\tpermit-small-holddown: %s\n",
		setup->anchor_state, wait,
		wait < ANCHOR_HOLDDOWN_DEFAULT ? "yes" : "no") < 0)
		return too_long(err);
	return 0;
}

static int
write_files(const struct dns_setup *setup, struct buf *conf, struct err *err)
{
	if (setup->anchor_state != NULL) {
		if (write_state(setup, conf, err) < 0)
			return -1;
	} else if (setup->trust_anchor != NULL) {
		if (dns_check_anchor(setup->trust_anchor, err) < 0)
			return -1;
		if (buf_printf(conf, "\ttrust-anchor-file: \"%s\"\n",
			setup->trust_anchor) < 0)
			return too_long(err);
	}
	if (setup->root_hints != NULL) {
		if (dns_check_hints(setup->root_hints, err) < 0)
			return -1;
		if (buf_printf(
			conf, "\troot-hints: \"%s\"\n", setup->root_hints) < 0)
			return too_long(err);
	}
	return 0;
}

int
dns_conf_write(const struct dns_setup *setup, struct buf *conf, struct err *err)
{
	uint32_t most = setup->lookups_max != 0 ? setup->lookups_max
	                                        : DNS_LOOKUPS_MAX_DEFAULT;
	uint32_t ttl = setup->ttl_max != 0 ? setup->ttl_max
	                                   : DNS_TTL_MAX_DEFAULT;

	if (buf_add_str(conf, basics) < 0 ||
	    buf_printf(conf, "\tnum-queries-per-thread: %u\n", most) < 0 ||
	    buf_printf(conf, "\tcache-max-ttl: %u\n", ttl) < 0 ||
	    buf_add_str(conf, "\tdo-not-query-localhost: yes\n") < 0)
		return too_long(err);
	if (write_files(setup, conf, err) < 0)
		return -1;
	for (size_t i = 0; i < setup->nstubs; i++)
		if (write_zone("stub", &setup->stubs[i], conf, err) < 0)
			return -1;
	for (size_t i = 0; i < setup->nforwards; i++)
		if (write_zone("forward", &setup->forwards[i], conf, err) < 0)
			return -1;
	return 0;
}
