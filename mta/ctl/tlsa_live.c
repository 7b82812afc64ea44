/* danelaw tlsa: what a live server shows. */
#include <string.h>

#include "mta/ctl/lookup.h"
#include "mta/ctl/tlsa.h"
#include "mta/explain/reach.h"

#define REACH_MS 30000

/* "host", "host:port", "192.0.2.1", "[2001:db8::1]:25" */
bool
tlsa_split_connect(const char *text, char *host, size_t size, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t n = strlen(text);

	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (end == NULL)
			return false;
		colon = end[1] == ':' ? end + 1 : NULL;
		n = (size_t)(end - text) - 1;
		text++;
		if (colon == NULL && end[1] != '\0')
			return false;
	} else if (colon != NULL && strchr(text, ':') == colon) {
		n = (size_t)(colon - text);
	} else {
		colon = NULL;
	}
	if (n == 0 || n >= size)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	return colon == NULL || tlsa_read_port(colon + 1, port);
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
		if (reach(&to, client, demand, REACH_MS, reached, err) == 0)
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
	struct dns *dns = lookup_open(options->common);
	struct host_dns host;
	struct err err;
	int rc;

	if (dns == NULL)
		return -1;
	lookup_host(dns, name, &host);
	rc = reach_any(&host, port, demand, client, reached, &err);
	if (rc < 0)
		(void)tlsa_sorry(err.text);
	dns_free(&dns);
	return rc;
}

static int
reach_it(const struct tlsa_options *options, const struct tls_demand *demand,
    struct tls_client *client, struct reached *reached)
{
	const char *where = options->connect == NULL ? options->host
	                                             : options->connect;
	uint16_t port = options->port;
	char host[256];
	struct net_address to;
	struct err err;
	int rc;

	if (!tlsa_split_connect(where, host, sizeof(host), &port)) {
		(void)tlsa_sorry("--connect wants HOST or HOST:PORT");
		return -1;
	}
	if (!net_address_ip(host, port, &to))
		return reach_name(options, host, port, demand, client, reached);
	rc = reach(&to, client, demand, REACH_MS, reached, &err);
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
