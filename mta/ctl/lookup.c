#include "mta/ctl/lookup.h"

#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "mta/ctl/command.h"
#include "mta/ctl/setup.h"
#include "mta/ctl/time.h"
#include "mta/resolver.h"

#define SILENT_MS 3000

bool
lookup_read_wait(const char *text, uint32_t *ret_s)
{
	*ret_s = LOOKUP_WAIT_S;
	return text == NULL ||
	       (time_read(text, ret_s) && *ret_s <= LOOKUP_WAIT_S_MAX);
}

int
lookup_start(const struct config *config, uint32_t wait_s, struct lookup *ret)
{
	struct err err;

	*ret = (struct lookup){.wait_s = wait_s, .each = wait_s == 0};
	if (ret->each)
		ret->wait_s = config->resolver.timeout_ms / 1000;
	ret->dns = resolver_open_for(config, wait_s * 1000, &err);
	if (ret->dns != NULL)
		return 0;
	(void)command_complain("resolver", err.text);
	return -1;
}

int
lookup_open(const struct options *options, uint32_t wait_s, struct lookup *ret)
{
	struct config *config = NULL;
	int rc;

	if (setup_config(options->file, &config) < 0)
		return -1;
	rc = lookup_start(config, wait_s, ret);
	config_free(&config);
	return rc;
}

void
lookup_close(struct lookup *lookup)
{
	dns_free(&lookup->dns);
}

static void
tell(struct lookup *lookup, const char *name)
{
	(void)fprintf(stderr,
	    "danelaw: waiting for what DNS says of %s, at most %u s%s\n", name,
	    (unsigned)lookup->wait_s, lookup->each ? " for each name" : "");
	lookup->told = true;
}

void
lookup_wait(struct lookup *lookup, const char *name, const bool *done)
{
	struct pollfd fd = {.fd = dns_fd(lookup->dns), .events = POLLIN};
	uint64_t begun = clock_mono_ms();

	while (!*done) {
		uint64_t passed = clock_mono_ms() - begun;

		if (passed >= SILENT_MS && !lookup->told)
			tell(lookup, name);
		(void)poll(
		    &fd, 1, lookup->told ? -1 : (int)(SILENT_MS - passed));
		dns_process(lookup->dns);
	}
}

struct host_wait {
	struct host_dns *ret;
	bool done;
};

static void
on_host(const struct host_dns *host, void *arg)
{
	struct host_wait *wait = arg;

	*wait->ret = *host;
	wait->done = true;
}

void
lookup_host(struct lookup *lookup, const char *name, struct host_dns *ret)
{
	struct host_wait wait = {.ret = ret};

	(void)host_find(lookup->dns, name, on_host, &wait);
	lookup_wait(lookup, name, &wait.done);
}

struct records_wait {
	dns_done *fn;
	void *arg;
	bool done;
};

static void
on_records(const struct dns_answer *answer, void *arg)
{
	struct records_wait *wait = arg;

	wait->fn(answer, wait->arg);
	wait->done = true;
}

void
lookup_records(struct lookup *lookup, const char *name, uint16_t type,
    dns_done *done, void *arg)
{
	struct records_wait wait = {.fn = done, .arg = arg};

	(void)dns_lookup(lookup->dns, name, type, on_records, &wait);
	lookup_wait(lookup, name, &wait.done);
}

struct tlsa_wait {
	struct tlsa_found *ret;
	bool done;
};

static void
on_tlsa(const struct tlsa_found *found, void *arg)
{
	struct tlsa_wait *wait = arg;

	*wait->ret = *found;
	wait->done = true;
}

void
lookup_tlsa(struct lookup *lookup, const struct host_dns *host, uint16_t port,
    struct arena *arena, struct tlsa_found *ret)
{
	struct tlsa_wait wait = {.ret = ret};

	(void)tlsa_find(lookup->dns, host, port, arena, on_tlsa, &wait);
	lookup_wait(lookup, host->name, &wait.done);
}
