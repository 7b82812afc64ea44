/* danelaw tlsa: what a live server shows. */
#include <stdio.h>

#include "mta/ctl/lookup.h"
#include "mta/ctl/tlsa.h"
#include "mta/explain/reach.h"

#define REACH_S 30

static void
tell_slow(const char *address)
{
	(void)fprintf(stderr,
	    "danelaw: waiting for %s, at most %d s for each step\n", address,
	    REACH_S);
}

/* Each address in turn, until one has shown its certificate. */
static int
reach_any(const struct host_dns *host, uint16_t port,
    const struct tls_demand *demand, struct tls_client *client,
    struct reached *reached, struct err *err)
{
	char text[INET6_ADDRSTRLEN];
	struct net_address to;

	(void)err_set(err, ERR_TEMP, "4.4.3", "%s: no addresses; %s",
	    host->name, host->why[0] == '\0' ? "none in DNS" : host->why);
	for (size_t i = 0; i < host->naddresses; i++) {
		host_address_text(&host->addresses[i], text);
		if (!net_address_ip(text, port, &to))
			continue;
		if (reach(&to, client, demand, REACH_S * 1000, tell_slow,
			reached, err) == 0)
			return 0;
		buf_free(&reached->chain);
	}
	return -1;
}

static int
reach_name(const struct tlsa_options *options, const char *name, uint16_t port,
    const struct tls_demand *demand, struct tls_client *client,
    struct reached *reached)
{
	struct lookup *lookup = tlsa_lookup(options);
	struct host_dns host;
	struct err err;
	int rc;

	if (lookup == NULL)
		return -1;
	lookup_host(lookup, name, &host);
	rc = reach_any(&host, port, demand, client, reached, &err);
	if (rc < 0)
		(void)tlsa_sorry(err.text);
	return rc;
}

static int
reach_it(const struct tlsa_options *options, const struct tls_demand *demand,
    struct tls_client *client, struct reached *reached)
{
	const struct target *connect = &options->connect;
	const char *host = connect->host[0] == '\0' ? options->host
	                                            : connect->host;
	uint16_t port = connect->port == 0 ? options->port : connect->port;
	struct net_address to;
	struct err err;
	int rc;

	if (!net_address_ip(host, port, &to))
		return reach_name(options, host, port, demand, client, reached);
	rc = reach(
	    &to, client, demand, REACH_S * 1000, tell_slow, reached, &err);
	if (rc < 0)
		(void)tlsa_sorry(err.text);
	return rc;
}

int
tlsa_live(const struct tlsa_options *options, const struct tlsa_set *set,
    struct tls_client *client, struct tls_facts *ret_facts, struct buf *chain)
{
	struct tls_demand demand = {
	    .sni = set == NULL ? options->host : set->base,
	    .set = set,
	    .names = options->names,
	    .nnames = options->nnames};
	struct reached reached = {0};

	if (reach_it(options, &demand, client, &reached) < 0) {
		buf_free(&reached.chain);
		return -1;
	}
	*ret_facts = reached.tls;
	*chain = reached.chain;
	return 0;
}
