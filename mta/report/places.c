#include "mta/report/places.h"

#define PORT  443
#define ALLOW "reporting { private_places = yes } would allow it"

bool
place_is_post(const char *rua)
{
	return span_starts_nocase(span_of(rua), SPAN("https:"));
}

int
place_read(const struct config *config, const char *rua, struct https_uri *ret,
    struct err *err)
{
	if (https_uri_has_address(span_of(rua)))
		return err_set(err, ERR_PERM, "5.7.1",
		    "refused: an address stands in the place of a host's name");
	if (!https_uri_read(span_of(rua), ret))
		return err_set(err, ERR_PERM, "5.7.1",
		    "refused: it is no URI that reports can be sent to");
	if (ret->port != PORT && !config->reporting.places.private)
		return err_set(err, ERR_PERM, "5.7.1",
		    "refused: its port is %u and not 443; " ALLOW, ret->port);
	return 0;
}

int
place_addresses(const struct config *config, const struct https_uri *uri,
    const struct host_dns *host, struct net_address to[PLACE_ADDRESSES_MAX],
    size_t *ret_n, struct err *err)
{
	char text[NET_ADDRESS_TEXT];
	size_t n = 0;

	if (host->trust <= DNS_BOGUS || host->naddresses == 0)
		return err_set(err, ERR_TEMP, "4.4.3", "%s: %s", uri->host,
		    host->trust <= DNS_BOGUS ? host->why : "it has no address");
	for (size_t i = 0; i < host->naddresses; i++) {
		const char *scope;

		net_address_of(&host->addresses[i], uri->port, &to[n]);
		scope = config->reporting.places.private
		            ? NULL
		            : net_address_scope(&to[n]);
		if (scope == NULL) {
			n++;
			continue;
		}
		net_address_host(&to[n], text);
		(void)err_set(err, ERR_PERM, "5.7.1",
		    "refused: %s has the %s address %s; " ALLOW, uri->host,
		    scope, text);
	}
	*ret_n = n;
	return n == 0 ? -1 : 0;
}
