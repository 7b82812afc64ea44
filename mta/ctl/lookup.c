#include "mta/ctl/lookup.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "mta/ctl/command.h"
#include "mta/ctl/setup.h"
#include "mta/resolver.h"

#define SILENT_MS 2000

struct dns *
lookup_open(const struct options *options)
{
	struct config *config = NULL;
	struct dns *dns;
	struct err err;

	if (setup_config(options->file, &config) < 0)
		return NULL;
	dns = resolver_open(config, &err);
	config_free(&config);
	if (dns == NULL)
		(void)fprintf(stderr, "danelaw: %s\n", err.text);
	return dns;
}

/* Who sits in front of it is told what it waits for. */
static void
wait_for(struct dns *dns, const char *name, const bool *done)
{
	struct pollfd fd = {.fd = dns_fd(dns), .events = POLLIN};
	uint64_t begun = clock_mono_ms();
	bool told = isatty(STDERR_FILENO) == 0; /* nobody looks */

	while (!*done) {
		(void)poll(&fd, 1, told ? -1 : SILENT_MS);
		dns_process(dns);
		if (told || *done || clock_mono_ms() - begun < SILENT_MS)
			continue;
		(void)fprintf(
		    stderr, "danelaw: waiting for what DNS says of %s\n", name);
		told = true;
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
lookup_host(struct dns *dns, const char *name, struct host_dns *ret)
{
	struct host_wait wait = {.ret = ret};

	(void)host_find(dns, name, on_host, &wait);
	wait_for(dns, name, &wait.done);
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
lookup_records(
    struct dns *dns, const char *name, uint16_t type, dns_done *done, void *arg)
{
	struct records_wait wait = {.fn = done, .arg = arg};

	(void)dns_lookup(dns, name, type, on_records, &wait);
	wait_for(dns, name, &wait.done);
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
lookup_tlsa(struct dns *dns, const struct host_dns *host, uint16_t port,
    struct arena *arena, struct tlsa_found *ret)
{
	struct tlsa_wait wait = {.ret = ret};

	(void)tlsa_find(dns, host, port, arena, on_tlsa, &wait);
	wait_for(dns, host->name, &wait.done);
}
