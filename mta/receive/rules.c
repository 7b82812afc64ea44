#include <string.h>

#include "base/text.h"
#include "mta/locals.h"
#include "mta/receive/private.h"

/* One network must not take all the places; those we relay for may. */
static bool
too_many_from(const struct receive *receive, const char *client)
{
	uint32_t n = 0;

	if (config_may_relay(receive->config, client))
		return false;
	for (const struct inbound *in = receive->sessions; in != NULL;
	     in = inbound_next(in))
		n += strcmp(inbound_client(in), client) == 0;
	return n > receive->config->limits.sessions_client;
}

int
rules_session(
    const struct receive *receive, const char *client, struct err *err)
{
	if (receive->nsessions > receive->sessions_max)
		return err_set(err, ERR_TEMP, "4.3.2", "too many sessions");
	if (too_many_from(receive, client))
		return err_set(err, ERR_TEMP, "4.7.0",
		    "too many sessions from your address");
	return 0;
}

int
rules_sender(const struct receive *receive, uint64_t size, struct err *err)
{
	return queue_space(&receive->spool, size, err);
}

int
rules_recipient(const struct receive *receive, const char *client,
    const char *address, struct err *err)
{
	bool bare = address_domain(address)[0] == '\0';
	char shown[200];

	if (locals_has_domain(receive->locals, address))
		return locals_known(receive->locals, address, err);
	if ((bare && locals_is_postmaster(address)) ||
	    config_may_relay(receive->config, client))
		return 0;
	text_escape(span_of(address), shown, sizeof(shown));
	return err_set(err, ERR_PERM, "5.7.1", "<%s>: relaying denied", shown);
}
