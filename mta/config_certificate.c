/* What we show of ourselves: certificate "..." { } of danelaw.conf(5). */
#include "mta/config_private.h"

/* One of `names`. */
bool
read_host(const struct value *value)
{
	struct config_certificate *certificate = value->to;
	char folded[DOMAIN_MAX];

	if (!domain_is_qualified(value->text) ||
	    !domain_fold(value->text, folded))
		return false;
	certificate->names = config_append(value->memory, certificate->names,
	    certificate->nnames, sizeof(certificate->names[0]));
	certificate->names[certificate->nnames++] = config_string(
	    value->memory, span_of(folded));
	return true;
}

/* Blocks and config->certificates have one order. */
void
config_check_certificates(const struct config_tree *tree,
    struct config_report *report, const struct config *config)
{
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < tree->nblocks; i++) {
		const struct config_block *block = &tree->blocks[i];

		if (block->kind != BLOCK_CERTIFICATE ||
		    !config->certificates[n++].is_default)
			continue;
		if (first != NULL)
			config_problem(report, block->line,
			    "certificate \"%s\": default: \"%s\" is the "
			    "default already",
			    block->title, first);
		first = block->title;
	}
}

size_t
config_default_certificate(const struct config *config)
{
	for (size_t i = 0; i < config->ncertificates; i++)
		if (config->certificates[i].is_default)
			return i;
	return 0;
}
