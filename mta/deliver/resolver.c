/*
 * The resolver of this process, its tests of itself, and the DANE switch.
 *
 *   start or timer > test begins > its answer > health; the next one later
 *
 * A test that fails is repeated sooner than one that does not, so that mail
 * does not wait for an hour when the forwarder has come back.
 */
#include "mta/resolver.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/anchor.h"
#include "dnssec/rdata.h"
#include "mta/deliver/private.h"
#include "mta/deliver/resolver.h"

#define RETEST_MS 60000u

struct resolver {
	struct deliver *deliver;
	struct resolver_setup setup;
	char anchor[1024];       /* RFC 5011: files of the two resolvers, */
	char test_anchor[1024];  /* or "" */
	struct dns_query *query; /* the test of the resolver in use */
	struct watch *watch;
	struct dns_test *test; /* NULL: none runs */
	struct watch *test_watch;
	struct timer *timer;
	struct dns_health health;
	struct clock_end dane_off_until; /* 0 and 0: DANE is on */
};

static void begin_test(void *arg);

/* --- what came of it ------------------------------------------------------ */

static void
tell_health(const struct resolver *resolver)
{
	const struct dns_health *health = &resolver->health;
	const char *word = dns_ability_name(health->ability);
	bool fine = health->ability == DNS_ABLE;
	struct ipc_dnssec say = {health->ability, span_of(health->why)};
	struct log_line line;

	log_begin(&line,
	    fine                                  ? LOG_LEVEL_INFO
	    : dns_ability_alarms(health->ability) ? LOG_LEVEL_ERROR
						  : LOG_LEVEL_WARN,
	    "dnssec");
	log_str(&line, "resolver", word);
	if (!fine)
		log_str(&line, "reason", health->why);
	log_end(&line);
	role_tell_dnssec(resolver->deliver->role, &say);
}

/* Each process at its own time: a tenth more or less. */
static uint64_t
pause_of(const struct resolver *resolver)
{
	uint64_t ms = resolver->deliver->config->resolver.self_test_ms;
	uint16_t lot = 0;

	if (resolver->health.ability != DNS_ABLE && ms > RETEST_MS)
		ms = RETEST_MS;
	if (getrandom(&lot, sizeof(lot), GRND_NONBLOCK) != sizeof(lot))
		lot = UINT16_MAX / 2;
	return ms - ms / 10 + ms / 5 * lot / UINT16_MAX;
}

/* Tells when something is new, and every time that it is not fine. */
static void
take_health(struct resolver *resolver, const struct dns_health *health)
{
	bool same = health->ability == resolver->health.ability;

	resolver->health = *health;
	if (!same || health->ability != DNS_ABLE)
		tell_health(resolver);
	timer_start(resolver->timer, pause_of(resolver));
}

/* --- testing -------------------------------------------------------------- */

static void
end_test(struct resolver *resolver)
{
	watch_free(&resolver->test_watch);
	dns_test_free(&resolver->test);
}

static void
on_tested(const struct dns_health *health, void *arg)
{
	take_health(arg, health);
}

static void
on_test(void *arg)
{
	struct resolver *resolver = arg;

	dns_test_process(resolver->test);
	/* The timer runs as soon as the callback was there. */
	if (timer_running(resolver->timer))
		end_test(resolver);
}

static void
test_anew(struct resolver *resolver)
{
	struct deliver *deliver = resolver->deliver;
	struct dns_setup setup = resolver->setup.dns;
	struct dns_health health = {.ability = DNS_UNREACHED};
	struct err err = {0};

	if (setup.anchor_state != NULL)
		setup.anchor_state = resolver->test_anchor;
	resolver->test = dns_test_new(&setup,
	    deliver->config->resolver.self_test, on_tested, resolver, &err);
	if (resolver->test != NULL) {
		resolver->test_watch = watch_new(deliver->role->loop,
		    dns_test_fd(resolver->test), on_test, resolver);
		return;
	}
	(void)text_copy(health.why, sizeof(health.why), err.text);
	take_health(resolver, &health);
}

/* RFC 5011 5: all of its keys may have been revoked meanwhile. */
static void
on_used(const struct dns_answer *answer, void *arg)
{
	struct resolver *resolver = arg;
	const char *name = resolver->deliver->config->resolver.self_test;
	struct dns_health health = dns_health_of(answer, name);

	resolver->query = NULL;
	if (dns_health_denies(&health))
		take_health(resolver, &health);
	else
		test_anew(resolver);
}

/*
 * First the resolver in use, from its cache most of the time: so it looks at
 * the keys of the root now and then, however little mail there is.
 */
static void
begin_test(void *arg)
{
	struct resolver *resolver = arg;

	resolver->query = dns_lookup(resolver->deliver->dns,
	    resolver->deliver->config->resolver.self_test, RR_SOA, on_used,
	    resolver);
}

/* RFC 4035 4.3: without an anchor nothing is secure, and nothing to test. */
static void
start_tests(struct resolver *resolver)
{
	const struct config_resolver *config = &resolver->deliver->config
	                                            ->resolver;

	if (config->trust_anchor == NULL) {
		resolver->health.ability = DNS_NO_ANCHOR;
		(void)text_copy(resolver->health.why,
		    sizeof(resolver->health.why),
		    "DANE is not possible: resolver: trust_anchor is empty");
		tell_health(resolver);
	} else if (config->self_test != NULL) {
		timer_start(resolver->timer, 0);
	}
}

/* --- the DANE switch ------------------------------------------------------ */

void
deliver_switch_dane(struct deliver *deliver, const struct ipc_dane *dane)
{
	deliver->resolver->dane_off_until = dane->until;
}

int64_t
deliver_dane_off_until(const struct deliver *deliver, int64_t now)
{
	return clock_end_of(
	    &deliver->resolver->dane_off_until, now, clock_mono_ms());
}

/* --- life ----------------------------------------------------------------- */

const struct dns_health *
deliver_dns_health(const struct deliver *deliver)
{
	return &deliver->resolver->health;
}

static void
on_dns(void *arg)
{
	struct resolver *resolver = arg;

	dns_process(resolver->deliver->dns);
}

#define NAME_SIZE 32

static void
anchor_name(unsigned index, const char *kind, char to[NAME_SIZE])
{
	(void)snprintf(to, NAME_SIZE, "%u%s", index, kind);
}

static enum anchor_file
open_anchor(const struct resolver *resolver, const char *kind, char to[1024],
    struct err *err)
{
	const struct config *config = resolver->deliver->config;
	char name[NAME_SIZE];

	anchor_name((unsigned)resolver->deliver->role->index, kind, name);
	return dns_anchor_open(
	    config->resolver.trust_anchor, config->state, name, to, 1024, err);
}

static bool
has_learnt(const struct config *config, unsigned index, const char *kind,
    char to[1024])
{
	char name[NAME_SIZE];

	anchor_name(index, kind, name);
	return dns_anchor_find(
	    config->resolver.trust_anchor, config->state, name, to, 1024);
}

/*
 * Whose keys of the root to begin with: what is in the static file may be no
 * key any more.  The tests look at the keys most often, so theirs knows most;
 * who has learnt nothing goes by the others.
 */
static bool
find_learnt(const struct resolver *resolver, char to[1024])
{
	const struct config *config = resolver->deliver->config;
	unsigned index = (unsigned)resolver->deliver->role->index;

	if (has_learnt(config, index, "-test", to) ||
	    has_learnt(config, index, "", to))
		return true;
	for (unsigned i = 0; i < config->deliver_processes; i++)
		if (has_learnt(config, i, "-test", to))
			return true;
	return false;
}

static bool
share_anchor(const char *from, const char *to, struct err *err)
{
	return strcmp(from, to) == 0 || dns_anchor_copy(from, to, err) == 0;
}

/* Both files as they are to be; false: there are none, or not both. */
static bool
make_anchors(struct resolver *resolver, enum anchor_file *ret_used,
    enum anchor_file *ret_tested, struct err *err)
{
	char learnt[1024];
	bool found = find_learnt(resolver, learnt);

	*ret_used = open_anchor(resolver, "", resolver->anchor, err);
	*ret_tested = open_anchor(
	    resolver, "-test", resolver->test_anchor, err);
	if (*ret_used == ANCHOR_NONE || *ret_tested == ANCHOR_NONE)
		return false;
	return !found || (share_anchor(learnt, resolver->anchor, err) &&
			     share_anchor(learnt, resolver->test_anchor, err));
}

/* Without the files the static anchor serves, as long as its key does. */
static void
track_anchor(struct resolver *resolver)
{
	const struct config_resolver *config = &resolver->deliver->config
	                                            ->resolver;
	enum anchor_file used, tested, shown;
	struct err err = {0};
	struct log_line line;

	if (config->trust_anchor == NULL || !config->track_anchor)
		return;
	if (make_anchors(resolver, &used, &tested, &err)) {
		resolver->setup.dns.anchor_state = resolver->anchor;
		resolver->setup.dns.anchor_holddown = config->anchor_holddown;
	}
	if (used == ANCHOR_KEPT && tested == ANCHOR_KEPT)
		return;
	shown = used == ANCHOR_NONE || tested > used ? tested : used;
	log_begin(&line,
	    err.text[0] != '\0' || shown == ANCHOR_REPLACED ? LOG_LEVEL_WARN
							    : LOG_LEVEL_INFO,
	    "anchor");
	log_str(&line, "file", anchor_file_name(shown));
	if (err.text[0] != '\0')
		log_str(&line, "reason", err.text);
	log_end(&line);
}

int
deliver_resolver_open(struct deliver *deliver, struct err *err)
{
	struct resolver *resolver = mem_new(sizeof(*resolver));

	deliver->resolver = resolver;
	resolver->deliver = deliver;
	resolver_setup_make(deliver->config, &resolver->setup);
	track_anchor(resolver);
	deliver->dns = dns_new(&resolver->setup.dns, err);
	if (deliver->dns == NULL)
		return -1;
	resolver->watch = watch_new(
	    deliver->role->loop, dns_fd(deliver->dns), on_dns, resolver);
	resolver->timer = timer_new(deliver->role->loop, begin_test, resolver);
	return 0;
}

void
deliver_resolver_start(struct deliver *deliver)
{
	start_tests(deliver->resolver);
}

void
deliver_resolver_close(struct deliver *deliver)
{
	struct resolver *resolver = deliver->resolver;

	deliver->resolver = NULL;
	if (resolver == NULL)
		return;
	watch_free(&resolver->watch);
	timer_free(&resolver->timer);
	dns_cancel(&resolver->query);
	end_test(resolver);
	dns_free(&deliver->dns);
	resolver_setup_free(&resolver->setup);
	mem_free(resolver);
}
