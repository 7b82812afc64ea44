#include "mta/report/keys.h"

static int
load_key(const struct config_dkim *dkim, const struct bundle *bundle,
    struct report_keys *to, struct err *err)
{
	struct dkim_key **key = &to->owned[to->n];

	if (dkim_key_read(
		bundle_find(bundle, "dkim", dkim->selector), key, err) < 0)
		return err_wrap(err, dkim->selector);
	to->list[to->n++] = (struct dkim_sign_key){*key, dkim->selector};
	to->domain = dkim->domain;
	return 0;
}

int
report_keys_load(const struct config *config, const struct bundle *bundle,
    struct report_keys *ret, struct err *err)
{
	const struct config_reporting *reporting = &config->reporting;

	*ret = (struct report_keys){0};
	if (reporting->ndkim > DKIM_SIGN_KEYS_MAX)
		return err_set(err, ERR_BUG, "4.3.0", "too many keys");
	for (size_t i = 0; i < reporting->ndkim; i++) {
		if (load_key(&reporting->dkim[i], bundle, ret, err) == 0)
			continue;
		report_keys_free(ret);
		return -1;
	}
	return 0;
}

void
report_keys_free(struct report_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		dkim_key_free(&keys->owned[i]);
	*keys = (struct report_keys){0};
}
