/* See report_ours.h. */
#include "mta/report_ours.h"

#include <string.h>

bool
report_is_ours(const struct config *config, const char *domain)
{
	return domain[0] != '\0' && (config_domain(config, domain) != NULL ||
					strcmp(domain, config->hostname) == 0);
}

const char *
report_about(const struct config *config, const char *mail_domain,
    const struct report *report)
{
	if (report_is_ours(config, mail_domain))
		return mail_domain;
	for (size_t i = 0; i < report->npolicies; i++)
		if (report_is_ours(config, report->policies[i].domain))
			return report->policies[i].domain;
	return NULL;
}
