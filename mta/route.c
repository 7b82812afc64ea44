#include "mta/route.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dnssec/name.h"
#include "mta/deliver/maildir.h"
#include "reporting/reverse_path.h"

void
route_domain(const char *address, char to[DOMAIN_MAX])
{
	const char *domain = address_domain(address);
	char name[DNS_NAME_SIZE];
	struct err err;

	to[0] = '\0';
	if (text_is_ascii(span_of(domain)))
		(void)text_copy(to, DOMAIN_MAX, domain);
	else if (dns_name_from_domain(domain, name, &err) == 0)
		(void)text_copy(to, DOMAIN_MAX, name);
	text_fold(to);
}

static struct span
local_part(const char *address)
{
	const char *at = strrchr(address, '@');

	if (at == NULL)
		return span_of(address);
	return (struct span){address, (size_t)(at - address)};
}

/* The key is a template again, where "%" stands for itself as "%%". */
static bool
quote_percent(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from != '\0'; from++) {
		if (n + 3 > size)
			return false;
		to[n++] = *from;
		if (*from == '%')
			to[n++] = '%';
	}
	to[n] = '\0';
	return true;
}

/* %u and %d of a Maildir's path are this recipient's. */
static void
fill_maildir(struct target *target, const char *address, const char *domain)
{
	char path[sizeof(target->path)];
	struct err err;

	if (maildir_path(target->path, local_part(address), span_of(domain),
		path, sizeof(path), &err) < 0 ||
	    !quote_percent(path, target->path, sizeof(target->path)))
		target->kind = TARGET_NONE;
}

bool
route_is_bounce(const struct config *config, const char *address)
{
	char domain[DOMAIN_MAX], word[REVERSE_PATH_WORD + 1];

	route_domain(address, domain);
	return config->reporting.send &&
	       config_domain(config, domain) != NULL &&
	       reverse_path_find(config->reporting.contact, address, word);
}

void
route_key(
    const struct config *config, const char *address, char to[TARGET_TEXT_MAX])
{
	struct target target = {.kind = TARGET_NONE};
	char domain[DOMAIN_MAX];
	char ascii[DOMAIN_MAX + 2];

	/* RFC 5321 4.5.1: the address "postmaster" alone is the site's. */
	if (strchr(address, '@') == NULL && config->postmaster != NULL)
		address = config->postmaster;
	route_domain(address, domain);
	(void)snprintf(ascii, sizeof(ascii), "x@%s", domain);
	config_target(config, ascii, &target);
	if (route_is_bounce(config, address))
		target.kind = TARGET_REPORT_BOUNCES;
	if (target.kind == TARGET_MAILDIR)
		fill_maildir(&target, address, domain);
	target_text(&target, to);
}

void
route_rcpt(const struct config *config, const struct envelope_rcpt *rcpt,
    char to[TARGET_TEXT_MAX])
{
	static const struct target expanded = {.kind = TARGET_EXPANDED};

	if ((rcpt->notify & NOTIFY_EXPANDED) != 0)
		target_text(&expanded, to);
	else
		route_key(config, rcpt->address, to);
}

bool
route_is_for_reports(const struct config *config, const char *address)
{
	struct span local = local_part(address);
	const struct config_domain *ours;
	char domain[DOMAIN_MAX];

	route_domain(address, domain);
	ours = config_domain(config, domain);
	/* RFC 5321 2.4: the host may compare without case, and we do. */
	for (size_t i = 0; ours != NULL && i < ours->ntls_reports; i++)
		if (span_eq_nocase(local, span_of(ours->tls_reports[i].part)))
			return true;
	return false;
}
