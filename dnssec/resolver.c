/*
 * dnssec.h on libunbound.
 *
 * libunbound resolves and validates on a thread of its own.  dns_fd() is an
 * epoll descriptor over two others: libunbound's pipe, and a timer for the
 * lookups that take too long and for the answers that are there at once but
 * may not come from inside dns_lookup().
 *
 * A query hangs in one ring: `asked`, oldest first; `lost`, when libunbound
 * works on it but nobody waits any more; or `refused`, when libunbound was
 * never asked and the timer will say so.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unbound.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/conf.h"
#include "dnssec/dnssec.h"
#include "dnssec/name.h"
#include "dnssec/ring.h"

#define CONF_MAX (1u << 20)
#define CLASS_IN 1
/* RFC 1035 4.1.1 */
#define RCODE_NOERROR  0
#define RCODE_NXDOMAIN 3

struct dns_query {
	struct ring ring; /* first: a pointer to it is one to the query */
	struct dns *dns;
	dns_done *done; /* NULL: cancelled or given up */
	void *arg;
	const char *refusal; /* why libunbound was not asked, or NULL */
	bool ours;           /* the name is not to blame for that */
	uint64_t deadline;   /* of the monotonic clock, ms */
	char name[DNS_NAME_SIZE];
};

struct dns {
	struct ub_ctx *ub;
	int epoll;
	int timer;
	uint64_t alarm; /* when the timer is set to go off; 0: it is not */
	struct ring asked;
	struct ring lost;
	struct ring refused;
	uint32_t under_way; /* in `asked` and `lost` */
	uint32_t lookups_max;
	uint32_t timeout_ms;
	uint32_t total_ms;
	uint64_t until; /* when that is over, or 0 */
	bool processing;
};

/* libunbound's ub_callback_type names the pointer, not the function. */
static void on_result(void *arg, int code, struct ub_result *result);

static struct dns_query *
first_query(struct ring *ring)
{
	return ring_is_empty(ring) ? NULL : (struct dns_query *)ring->next;
}

/* --- start ---------------------------------------------------------------- */

static int
cannot_start(const char *what, int code, struct err *err)
{
	return err_set(err, ERR_PERM, "5.3.5", "resolver: %s: %s", what,
	    ub_strerror(code));
}

/* libunbound takes forward zones only from a file; ours is never on disk. */
static int
read_conf(struct ub_ctx *ub, struct span conf, struct err *err)
{
	char path[64];
	int fd = memfd_create("unbound.conf", MFD_CLOEXEC);
	ssize_t written = fd < 0 ? -1 : write(fd, conf.p, conf.n);
	int code;

	if (written < 0 || (size_t)written != conf.n) {
		(void)err_set(err, ERR_TEMP, "4.3.0",
		    "resolver: cannot write the settings: %s",
		    strerrordesc_np(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	code = ub_ctx_config(ub, path);
	(void)close(fd);
	return code == 0 ? 0 : cannot_start("settings", code, err);
}

static int
start_unbound(struct dns *dns, const struct dns_setup *setup, struct err *err)
{
	struct buf conf;
	int result;
	int code;

	dns->ub = ub_ctx_create();
	if (dns->ub == NULL)
		return cannot_start("libunbound", UB_NOMEM, err);
	/* It would write to stderr; what matters is in the answers. */
	(void)ub_ctx_debugout(dns->ub, NULL);
	buf_init(&conf, CONF_MAX);
	result = dns_conf_write(setup, &conf, err);
	if (result == 0)
		result = read_conf(dns->ub, buf_span(&conf), err);
	buf_free(&conf);
	if (result < 0)
		return -1;
	code = ub_ctx_async(dns->ub, 1);
	/*
	 * Anchors and hints are read when the context is used first, and
	 * that should be now.  There is no such zone to remove.
	 */
	if (code == 0)
		code = ub_ctx_zone_remove(dns->ub, "nothing.invalid.");
	return code == 0 ? 0 : cannot_start("start", code, err);
}

static int
watch(const struct dns *dns, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(dns->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int
start_waiting(struct dns *dns, struct err *err)
{
	dns->epoll = epoll_create1(EPOLL_CLOEXEC);
	dns->timer = timerfd_create(
	    CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (dns->epoll < 0 || dns->timer < 0 || watch(dns, dns->timer) < 0 ||
	    watch(dns, ub_fd(dns->ub)) < 0)
		return err_set(err, ERR_TEMP, "4.3.0", "resolver: %s",
		    strerrordesc_np(errno));
	return 0;
}

struct dns *
dns_new(const struct dns_setup *setup, struct err *err)
{
	struct dns *dns = mem_new(sizeof(*dns));

	dns->epoll = -1;
	dns->timer = -1;
	ring_init(&dns->asked);
	ring_init(&dns->lost);
	ring_init(&dns->refused);
	dns->timeout_ms = setup->timeout_ms != 0 ? setup->timeout_ms
	                                         : DNS_TIMEOUT_MS_DEFAULT;
	dns->total_ms = setup->total_ms;
	dns->until = setup->total_ms == 0 ? 0
	                                  : clock_mono_ms() + setup->total_ms;
	dns->lookups_max = setup->lookups_max != 0 ? setup->lookups_max
	                                           : DNS_LOOKUPS_MAX_DEFAULT;
	if (start_unbound(dns, setup, err) < 0 || start_waiting(dns, err) < 0)
		dns_free(&dns);
	return dns;
}

int
dns_fd(const struct dns *dns)
{
	return dns->epoll;
}

/* --- asking --------------------------------------------------------------- */

/*
 * The timer goes off at the next deadline, or at once for a refusal.  One
 * that is set too early is left alone: it will be set again when it has gone
 * off, and so most lookups cost no system call here.
 */
static void
set_timer(struct dns *dns)
{
	struct itimerspec spec = {0};
	uint64_t when = 0;

	if (!ring_is_empty(&dns->refused))
		when = 1;
	else if (!ring_is_empty(&dns->asked))
		when = first_query(&dns->asked)->deadline;
	if (when == 0 || (dns->alarm != 0 && dns->alarm <= when))
		return;
	dns->alarm = when;
	spec.it_value.tv_sec = (time_t)(when / 1000);
	spec.it_value.tv_nsec = (long)(when % 1000) * 1000000;
	(void)timerfd_settime(dns->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void
refuse(struct dns_query *query, const char *why, bool ours)
{
	query->refusal = why;
	query->ours = ours;
	ring_append(&query->dns->refused, &query->ring);
}

static void
ask(struct dns_query *query, uint16_t type)
{
	struct dns *dns = query->dns;
	int code = ub_resolve_async(
	    dns->ub, query->name, type, CLASS_IN, query, on_result, NULL);

	if (code != 0) {
		refuse(query, ub_strerror(code), code != UB_SYNTAX);
		return;
	}
	dns->under_way++;
	query->deadline = clock_mono_ms() + dns->timeout_ms;
	if (dns->until != 0 && query->deadline > dns->until)
		query->deadline = dns->until;
	ring_append(&dns->asked, &query->ring);
}

struct dns_query *
dns_lookup(
    struct dns *dns, const char *name, uint16_t type, dns_done *done, void *arg)
{
	struct dns_query *query = mem_new(sizeof(*query));

	query->dns = dns;
	query->done = done;
	query->arg = arg;
	if (!dns_name_normal(name, query->name))
		refuse(query, "not a domain name", false);
	else if (dns->under_way >= dns->lookups_max)
		refuse(query, "too many lookups under way", true);
	else
		ask(query, type);
	set_timer(dns);
	return query;
}

/* --- answering ------------------------------------------------------------ */

/* Taken out before it runs: the callback may cancel or look up anything. */
static void
answer_query(struct dns_query *query, const struct dns_answer *answer)
{
	dns_done *done = query->done;

	query->done = NULL;
	if (done != NULL)
		done(answer, query->arg);
}

static void
fail_query(struct dns_query *query, const char *why, bool ours)
{
	struct dns_answer answer = {.trust = DNS_FAILED,
	    .not_asked = ours,
	    .canonical = query->name,
	    .why = why};

	answer_query(query, &answer);
}

static const char *
rcode_name(int rcode)
{
	static const char *const names[] = {
	    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};

	if (rcode < 0 || (size_t)rcode >= sizeof(names) / sizeof(names[0]))
		return "an unexpected response code";
	return names[rcode];
}

/* RFC 4035 4.3: the four states; what is not proven is not insecure. */
static enum dns_trust
result_trust(const struct ub_result *result)
{
	if (result->bogus)
		return DNS_BOGUS;
	if (result->rcode != RCODE_NOERROR && result->rcode != RCODE_NXDOMAIN)
		return DNS_FAILED;
	return result->secure ? DNS_SECURE : DNS_INSECURE;
}

static const char *
result_why(const struct ub_result *result, char *to, size_t size)
{
	if (!result->bogus)
		return rcode_name(result->rcode);
	if (result->why_bogus == NULL)
		return "validation failed";
	text_escape(span_of(result->why_bogus), to, size);
	return to;
}

static struct span *
result_rdata(const struct ub_result *result, size_t *ret_n)
{
	struct span *rdata;
	size_t n = 0;

	while (result->data != NULL && result->data[n] != NULL)
		n++;
	*ret_n = n;
	if (n == 0)
		return NULL;
	rdata = mem_array(n, sizeof(*rdata));
	for (size_t i = 0; i < n; i++)
		rdata[i] = (struct span){
		    result->data[i], (size_t)result->len[i]};
	return rdata;
}

static void
answer_result(struct dns_query *query, const struct ub_result *result)
{
	char canonical[DNS_NAME_SIZE];
	char why[256];
	struct dns_answer answer = {
	    .trust = result_trust(result), .canonical = query->name};
	struct span *rdata = NULL;

	if (result->canonname != NULL) {
		answer.canonical = canonical;
		/* libunbound puts these for what it does not spell out. */
		if (strpbrk(result->canonname, "?#&") != NULL ||
		    !dns_name_normal(result->canonname, canonical)) {
			fail_query(query, "an alias to what is no name", false);
			return;
		}
	}
	if (answer.trust > DNS_BOGUS) {
		rdata = result_rdata(result, &answer.nrdata);
		answer.rdata = rdata;
		answer.exists = answer.nrdata > 0;
		answer.nxdomain = result->nxdomain != 0;
		answer.ttl = result->ttl > 0 ? (uint32_t)result->ttl : 0;
	} else {
		answer.why = result_why(result, why, sizeof(why));
		if (answer.trust == DNS_BOGUS)
			answer.ede = dns_ede_of(result->why_bogus);
	}
	answer_query(query, &answer);
	mem_free(rdata);
}

static void
on_result(void *arg, int code, struct ub_result *result)
{
	struct dns_query *query = arg;

	ring_remove(&query->ring);
	query->dns->under_way--;
	if (code != 0)
		fail_query(query, ub_strerror(code), code != UB_SYNTAX);
	else if (query->done != NULL)
		answer_result(query, result);
	ub_resolve_free(result);
	mem_free(query);
}

/* Those that were refused up to now; callbacks may bring new ones. */
static void
answer_refused(struct dns *dns)
{
	struct ring due;
	struct dns_query *query;

	if (ring_is_empty(&dns->refused))
		return;
	due = dns->refused;
	due.next->previous = &due;
	due.previous->next = &due;
	ring_init(&dns->refused);
	while ((query = first_query(&due)) != NULL) {
		ring_remove(&query->ring);
		fail_query(query, query->refusal, query->ours);
		mem_free(query);
	}
}

/* libunbound goes on working on these, so they still count. */
static void
give_up_overdue(struct dns *dns)
{
	uint64_t now = clock_mono_ms();
	struct dns_query *query;
	char why[64];

	while ((query = first_query(&dns->asked)) != NULL &&
	       query->deadline <= now) {
		ring_remove(&query->ring);
		ring_append(&dns->lost, &query->ring);
		(void)snprintf(why, sizeof(why), "no answer within %u ms",
		    query->deadline == dns->until ? dns->total_ms
						  : dns->timeout_ms);
		fail_query(query, why, false);
	}
}

void
dns_process(struct dns *dns)
{
	uint64_t expirations;

	dns->processing = true;
	(void)ub_process(dns->ub);
	if (read(dns->timer, &expirations, sizeof(expirations)) > 0)
		dns->alarm = 0;
	answer_refused(dns);
	give_up_overdue(dns);
	set_timer(dns);
	dns->processing = false;
}

void
dns_cancel(struct dns_query **query)
{
	struct dns_query *gone = *query;

	*query = NULL;
	/* In no ring: its callback is running, and it ends there. */
	if (gone == NULL || ring_is_empty(&gone->ring))
		return;
	ring_remove(&gone->ring);
	gone->done = NULL;
	/*
	 * ub_cancel() may come too late, and would save no work on a thread:
	 * the answer finds nobody.
	 */
	if (gone->refusal == NULL)
		ring_append(&gone->dns->lost, &gone->ring);
	else
		mem_free(gone);
}

/* --- end ------------------------------------------------------------------ */

static void
free_queries(struct ring *ring)
{
	struct dns_query *query;

	while ((query = first_query(ring)) != NULL) {
		ring_remove(&query->ring);
		mem_free(query);
	}
}

void
dns_free(struct dns **dns)
{
	struct dns *gone = *dns;

	*dns = NULL;
	if (gone == NULL)
		return;
	assert(!gone->processing);
	if (gone->epoll >= 0)
		(void)close(gone->epoll);
	if (gone->timer >= 0)
		(void)close(gone->timer);
	/* Ends the thread; no callback runs any more. */
	if (gone->ub != NULL)
		ub_ctx_delete(gone->ub);
	free_queries(&gone->asked);
	free_queries(&gone->lost);
	free_queries(&gone->refused);
	mem_free(gone);
}

const char *
dns_trust_name(enum dns_trust trust)
{
	switch (trust) {
	case DNS_FAILED:
		return "failed";
	case DNS_BOGUS:
		return "bogus";
	case DNS_INSECURE:
		return "insecure";
	case DNS_SECURE:
		return "secure";
	}
	return "?";
}
