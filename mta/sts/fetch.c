#include "mta/sts/fetch.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dnssec/host.h"
#include "mta/net/https.h"

/* RFC 8461 3.3: the host and the path. */
#define HOST_PREFIX "mta-sts."
#define PATH        "/.well-known/mta-sts.txt"
#define FETCH_ERROR "sts-policy-fetch-error"

struct sts_fetch_run {
	struct https *https;
	uint16_t port;
	char host[sizeof(HOST_PREFIX) + DNS_NAME_SIZE];
	struct host_find *find;
	struct https_fetch *get;
	sts_fetch_done *done;
	void *arg;
};

static host_done on_addresses;
static https_done on_file;

struct sts_fetch_run *
sts_fetch_begin(struct dns *dns, struct https *https, uint16_t port,
    const char *domain, sts_fetch_done *done, void *arg)
{
	struct sts_fetch_run *run = mem_new(sizeof(*run));

	run->https = https;
	run->port = port;
	run->done = done;
	run->arg = arg;
	(void)snprintf(run->host, sizeof(run->host), HOST_PREFIX "%s", domain);
	/* A name that is too long for DNS is answered as one that fails. */
	run->find = host_find(dns, run->host, on_addresses, run);
	return run;
}

void
sts_fetch_cancel(struct sts_fetch_run **runp)
{
	struct sts_fetch_run *run = *runp;

	*runp = NULL;
	if (run == NULL)
		return;
	host_find_cancel(&run->find);
	https_cancel(&run->get);
	mem_free(run);
}

static void
end_run(struct sts_fetch_run *run, const struct sts_fetch_end *end)
{
	sts_fetch_done *done = run->done;
	void *arg = run->arg;

	sts_fetch_cancel(&run);
	done(end, arg);
}

/* Nothing was learnt of the host: it is not its failure. */
static void
end_not_tried(struct sts_fetch_end *end)
{
	end->fetched = STS_FETCHED_NOT_TRIED;
	end->result_type = "";
}

static const char *
why_no_address(const struct host_dns *host)
{
	return host->trust <= DNS_BOGUS ? host->why
	       : host->nxdomain         ? "it does not exist"
	                                : "it has no address";
}

static void
on_addresses(const struct host_dns *host, void *arg)
{
	struct sts_fetch_run *run = arg;
	struct sts_fetch_end end = {
	    .fetched = STS_FETCHED_NOTHING, .result_type = FETCH_ERROR};
	struct net_address addresses[2 * HOST_ADDRESSES_MAX];
	struct https_request request = {.host = run->host,
	    .path = PATH,
	    .addresses = addresses,
	    .naddresses = host->naddresses};

	run->find = NULL;
	if (host->trust <= DNS_BOGUS || host->naddresses == 0) {
		(void)snprintf(end.why, sizeof(end.why), "%.180s: %.200s",
		    run->host, why_no_address(host));
		if (host->not_asked)
			end_not_tried(&end);
		end_run(run, &end);
		return;
	}
	for (size_t i = 0; i < host->naddresses; i++)
		net_address_of(&host->addresses[i], run->port, &addresses[i]);
	run->get = https_get(run->https, &request, on_file, run);
}

/* RFC 8460 4.3.2.2 */
static const char *
result_type_of(enum https_kind kind)
{
	switch (kind) {
	case HTTPS_EXPIRED:
	case HTTPS_WRONG_NAME:
	case HTTPS_NOT_TRUSTED:
		return "sts-webpki-invalid";
	case HTTPS_NO_CONNECTION:
	case HTTPS_BUSY:
	case HTTPS_OURS:
	case HTTPS_TLS_FAILED:
	case HTTPS_BROKEN:
	case HTTPS_REDIRECT:
	case HTTPS_STATUS:
	case HTTPS_WRONG_TYPE:
	case HTTPS_TOO_LARGE:
	case HTTPS_TOO_SLOW:
	case HTTPS_FINE:
		break;
	}
	return FETCH_ERROR;
}

static void
read_file(const struct https_result *result, struct sts_fetch_end *end)
{
	struct err err;

	end->arena = arena_new(STS_POLICY_ARENA);
	if (sts_policy_read(result->body, end->arena, &end->policy, &err) ==
	    0) {
		end->fetched = STS_FETCHED_POLICY;
		return;
	}
	arena_free(&end->arena);
	end->fetched = STS_FETCHED_INVALID;
	end->result_type = "sts-policy-invalid";
	(void)text_copy(end->why, sizeof(end->why), err.text);
}

static void
on_file(void *arg, const struct https_result *result)
{
	struct sts_fetch_run *run = arg;
	struct sts_fetch_end end = {.fetched = STS_FETCHED_NOTHING};

	run->get = NULL;
	end.result_type = result_type_of(result->kind);
	if (result->kind == HTTPS_FINE)
		read_file(result, &end);
	else
		(void)text_copy(end.why, sizeof(end.why), result->text);
	if (https_is_ours(result->kind))
		end_not_tried(&end);
	end.busy = result->kind == HTTPS_BUSY;
	end_run(run, &end);
}
