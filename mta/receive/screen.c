/* See screen.h. */
#include "mta/receive/screen.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/dnssec.h"
#include "dnssec/rdata.h"
#include "mta/net/address.h"
#include "mta/receive/dnsbl.h"
#include "mta/receive/private.h"
#include "mta/resolver.h"

struct screen {
	struct receive *receive;
	struct dns *dns;
	struct watch *watch;
};

struct asked { /* one zone */
	struct screening *screening;
	const struct config_dnsbl *zone;
	struct dns_query *query; /* NULL: answered */
	bool listed;
};

struct screening {
	struct screen *screen;
	struct timer *timer; /* the whole of it */
	screen_done *done;
	void *arg;
	struct screen_verdict verdict;
	char client[NET_ADDRESS_TEXT];
	size_t waiting;
	size_t n;
	struct asked asked[];
};

static void
on_dns(void *arg)
{
	struct screen *screen = arg;

	dns_process(screen->dns);
}

struct screen *
screen_new(struct receive *receive, struct err *err)
{
	struct screen *screen;

	if (receive->config->defence.ndnsbls == 0)
		return NULL;
	screen = mem_new(sizeof(*screen));
	screen->receive = receive;
	screen->dns = resolver_open(receive->config, err);
	if (screen->dns == NULL) {
		mem_free(screen);
		return NULL;
	}
	screen->watch = watch_new(
	    receive->role->loop, dns_fd(screen->dns), on_dns, screen);
	return screen;
}

void
screen_free(struct screen **screenp)
{
	struct screen *screen = *screenp;

	*screenp = NULL;
	if (screen == NULL)
		return;
	watch_free(&screen->watch);
	dns_free(&screen->dns);
	mem_free(screen);
}

void
screen_cancel(struct screening **screeningp)
{
	struct screening *screening = *screeningp;

	*screeningp = NULL;
	if (screening == NULL)
		return;
	for (size_t i = 0; i < screening->n; i++)
		if (screening->asked[i].query != NULL)
			dns_cancel(&screening->asked[i].query);
	timer_free(&screening->timer);
	mem_free(screening);
}

static void
finish(struct screening *screening)
{
	struct screen_verdict verdict = screening->verdict;
	screen_done *done = screening->done;
	void *arg = screening->arg;

	screen_cancel(&screening);
	done(arg, &verdict);
}

static void
log_trouble(const struct asked *asked, const char *why)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARN, "dnsbl-failed");
	log_str(&line, "client", asked->screening->client);
	log_str(&line, "zone", asked->zone->name);
	log_str(&line, "reason", why);
	log_end(&line);
}

static void
answered(struct asked *asked)
{
	asked->query = NULL;
	if (--asked->screening->waiting == 0)
		finish(asked->screening);
}

/* RFC 5782 2.1: why, in words */
static void
on_txt(const struct dns_answer *answer, void *arg)
{
	struct asked *asked = arg;
	struct screen_verdict *verdict = &asked->screening->verdict;

	if (answer->trust >= DNS_INSECURE && answer->nrdata > 0 &&
	    strcmp(verdict->zone, asked->zone->name) == 0)
		dnsbl_reason(
		    answer->rdata[0], verdict->reason, sizeof(verdict->reason));
	answered(asked);
}

static void
add_listing(struct asked *asked, struct span rdata)
{
	struct screen_verdict *verdict = &asked->screening->verdict;
	const char *zone = asked->zone->name;
	size_t n = strlen(verdict->zones);
	char address[INET_ADDRSTRLEN];

	asked->listed = true;
	verdict->score += asked->zone->weight;
	if (inet_ntop(AF_INET, rdata.p, address, sizeof(address)) == NULL)
		return;
	(void)snprintf(verdict->zones + n, sizeof(verdict->zones) - n,
	    "%s%s=%s", n == 0 ? "" : ", ", zone, address);
	if (verdict->zone[0] == '\0')
		(void)text_copy(verdict->zone, sizeof(verdict->zone), zone);
}

static void
look_at(struct asked *asked, const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->nrdata && !asked->listed; i++) {
		if (dnsbl_lists(answer->rdata[i]))
			add_listing(asked, answer->rdata[i]);
		else if (dnsbl_denies(answer->rdata[i]))
			log_trouble(asked, "the zone does not serve us");
	}
}

static void
on_address(const struct dns_answer *answer, void *arg)
{
	struct asked *asked = arg;
	struct screening *screening = asked->screening;
	char name[DNSBL_NAME];

	asked->query = NULL;
	if (answer->trust < DNS_INSECURE)
		log_trouble(
		    asked, answer->why == NULL ? "no answer" : answer->why);
	else if (answer->exists)
		look_at(asked, answer);
	if (asked->listed &&
	    dnsbl_name(screening->client, asked->zone->name, name))
		asked->query = dns_lookup(
		    screening->screen->dns, name, RR_TXT, on_txt, asked);
	else
		answered(asked);
}

static void
on_deadline(void *arg)
{
	struct screening *screening = arg;

	for (size_t i = 0; i < screening->n; i++)
		if (screening->asked[i].query != NULL &&
		    !screening->asked[i].listed)
			log_trouble(&screening->asked[i], "it took too long");
	finish(screening);
}

struct screening *
screen_begin(
    struct screen *screen, const char *client, screen_done *done, void *arg)
{
	const struct config_defence *defence = &screen->receive->config
	                                            ->defence;
	struct screening *screening = mem_new(
	    sizeof(*screening) +
	    defence->ndnsbls * sizeof(screening->asked[0]));
	char name[DNSBL_NAME];

	screening->screen = screen;
	screening->done = done;
	screening->arg = arg;
	screening->n = defence->ndnsbls;
	(void)text_copy(screening->client, sizeof(screening->client), client);
	screening->timer = timer_new(
	    screen->receive->role->loop, on_deadline, screening);
	for (size_t i = 0; i < screening->n; i++) {
		struct asked *asked = &screening->asked[i];

		asked->screening = screening;
		asked->zone = &defence->dnsbls[i];
		if (!dnsbl_name(client, asked->zone->name, name))
			continue;
		asked->query = dns_lookup(
		    screen->dns, name, RR_A, on_address, asked);
		screening->waiting++;
	}
	/* Nobody is asked of a UNIX socket. */
	timer_start(
	    screening->timer, screening->waiting == 0 ? 0 : defence->dnsbl_ms);
	return screening;
}
