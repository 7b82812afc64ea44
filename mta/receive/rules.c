#include "base/text.h"
#include "mta/locals.h"
#include "mta/receive/private.h"

int
rules_sender(const struct receive *receive, uint64_t size, struct err *err)
{
	return queue_space(&receive->spool, size, err);
}

int
rules_recipient(const struct receive *receive, struct inquiry *inquiry,
    const char *client, const char *address, struct err *err)
{
	bool bare = address_domain(address)[0] == '\0';
	char shown[200];

	if (locals_has_domain(receive->locals, address) ||
	    (bare && locals_is_postmaster(address)))
		return locals_settle(
		    locals_known(receive->locals, inquiry, address, err), err);
	if (config_may_relay(receive->config, client))
		return 0;
	text_escape(span_of(address), shown, sizeof(shown));
	return err_set(err, ERR_PERM, "5.7.1", "<%s>: relaying denied", shown);
}
