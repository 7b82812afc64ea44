/* A configuration: taken or refused with a reason, and usable when taken. */
#include "mta/config.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use(const struct config *config)
{
	static const char *const addresses[] = {
	    "user@example.org", "a@sub.example.org", "x@[192.0.2.1]", "y@"};
	char text[TARGET_TEXT_MAX];
	struct target target;

	assert(config->hostname != NULL && config->spool[0] == '/');
	assert(config->nlistens > 0 && config->receive_processes > 0);
	assert(config->limits.recipients >= 100);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		config_target(config, addresses[i], &target);
		target_text(&target, text);
	}
	for (size_t i = 0; i < config->ndomains; i++)
		assert(config_domain(config, config->domains[i].name) ==
		       &config->domains[i]);
	(void)config_may_relay(config, "127.0.0.1");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;
	struct buf problems;

	buf_init(&problems, 1 << 20);
	if (config_parse((struct span){(const char *)data, size}, "fuzz",
		&config, &problems) == 0) {
		assert(problems.n == 0);
		use(config);
	} else {
		assert(problems.n > 0 && config == NULL);
	}
	config_free(&config);
	buf_free(&problems);
	return 0;
}
