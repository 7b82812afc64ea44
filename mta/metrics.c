/* See metrics.h: the tables, and the page. */
#include "mta/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static const struct metric_family_type families[METRIC_FAMILIES] = {
    [FAMILY_SESSIONS] = {"danelaw_smtp_sessions_total", METRIC_COUNTER,
	"Inbound SMTP sessions that ended, served or turned away."},
    [FAMILY_SESSIONS_OPEN] = {"danelaw_smtp_sessions", METRIC_GAUGE,
	"Inbound SMTP sessions that are open."},
    [FAMILY_HANDSHAKES] = {"danelaw_smtp_tls_handshakes_total", METRIC_COUNTER,
	"Inbound TLS handshakes by result."},
    [FAMILY_MESSAGES] = {"danelaw_smtp_messages_total", METRIC_COUNTER,
	"Inbound messages that came to their end, by what was answered."},
    [FAMILY_OCTETS] = {"danelaw_smtp_message_bytes_total", METRIC_COUNTER,
	"Octets of the inbound messages that were accepted."},
    [FAMILY_RCPTS_REFUSED] = {"danelaw_smtp_recipients_refused_total",
	METRIC_COUNTER, "Recipients refused by a rule, for now or for good."},
    [FAMILY_DELIVERIES] = {"danelaw_deliveries_total", METRIC_COUNTER,
	"Attempts to deliver by recipient and outcome."},
    [FAMILY_HOPS] = {"danelaw_delivered_by_security_total", METRIC_COUNTER,
	"Recipients delivered by how the next hop was secured."},
    [FAMILY_SETTLED] = {"danelaw_recipients_settled_total", METRIC_COUNTER,
	"What the queue made of attempts, by recipient."},
    [FAMILY_BOUNCES] = {"danelaw_notifications_total", METRIC_COUNTER,
	"Delivery status notifications made for senders."},
    [FAMILY_QUEUE_MESSAGES] = {"danelaw_queue_messages", METRIC_GAUGE,
	"Messages in the queue."},
    [FAMILY_QUEUE_JOBS] = {"danelaw_queue_jobs", METRIC_GAUGE,
	"Jobs, a message for one destination, by state."},
    [FAMILY_QUEUE_OCTETS] = {"danelaw_queue_bytes", METRIC_GAUGE,
	"Octets of the files of the queue."},
    [FAMILY_REPORTS] = {"danelaw_tlsrpt_sent_total", METRIC_COUNTER,
	"Reports about TLS of ours by what became of them at a destination."},
    [FAMILY_REPORT_MAILS] = {"danelaw_tlsrpt_received_total", METRIC_COUNTER,
	"Mails with reports of others by what became of them."},
    [FAMILY_FILTER_QUESTIONS] = {"danelaw_filter_questions_total",
	METRIC_COUNTER, "Questions to mail filters by what came of them."},
    [FAMILY_FILTER_WAIT] = {"danelaw_filter_wait_milliseconds_total",
	METRIC_COUNTER, "How long sessions have waited for mail filters."},
    [FAMILY_FILTER_REFUSALS] = {"danelaw_filter_refusals_total", METRIC_COUNTER,
	"What mail filters did not let pass, by what they wanted."},
    [FAMILY_FILTERS_DOWN] = {"danelaw_filters_down", METRIC_GAUGE,
	"Mail filters that are down, each process by itself."},
    [FAMILY_INFO] = {"danelaw_info", METRIC_GAUGE,
	"Always 1; the labels say which daemon this is."},
    [FAMILY_STARTED] = {"danelaw_start_time_seconds", METRIC_GAUGE,
	"When the daemon started, seconds since 1970."},
    [FAMILY_STATE] = {"danelaw_state", METRIC_GAUGE,
	"1 for the state the daemon is in."},
    [FAMILY_DNSSEC] = {"danelaw_dnssec", METRIC_GAUGE,
	"1 for what the resolver's test of itself found."},
    [FAMILY_DANE_OFF] = {"danelaw_dane_off_until_seconds", METRIC_GAUGE,
	"Until when DANE is turned off, seconds since 1970; 0: it is on."},
    [FAMILY_RELOAD_REFUSED] = {"danelaw_reload_refused", METRIC_GAUGE,
	"1 where the configuration in force is not the one on disk."},
    [FAMILY_PROCESSES] = {"danelaw_processes", METRIC_GAUGE,
	"Processes by role."},
    [FAMILY_RESTARTS] = {"danelaw_process_restarts_total", METRIC_COUNTER,
	"Processes that ended and were started again, by role."},
    [FAMILY_REFUSALS] = {"danelaw_refusals_total", METRIC_COUNTER,
	"What port 25 refused for its own defence, by reason."},
    [FAMILY_RENEWALS] = {"danelaw_renewals_total", METRIC_COUNTER,
	"Certificates written anew by what became of them."},
    [FAMILY_CERTIFICATE] = {"danelaw_certificate_expiry_seconds", METRIC_GAUGE,
	"When a certificate of ours ends, seconds since 1970."},
    [FAMILY_CERTIFICATE_REFUSED] = {"danelaw_certificate_refused", METRIC_GAUGE,
	"1 where a renewed certificate is refused, or one contradicts."},
};

static const struct {
	enum metric_family family;
	const char *labels;
} metrics[METRICS] = {
    [METRIC_SESSIONS] = {FAMILY_SESSIONS, "result=\"served\""},
    [METRIC_SESSIONS_TURNED_AWAY] = {FAMILY_SESSIONS, "result=\"turned_away\""},
    [METRIC_SESSIONS_OPEN] = {FAMILY_SESSIONS_OPEN, ""},
    [METRIC_HANDSHAKES_GOOD] = {FAMILY_HANDSHAKES, "result=\"good\""},
    [METRIC_HANDSHAKES_BROKEN] = {FAMILY_HANDSHAKES, "result=\"broken\""},
    [METRIC_MESSAGES_ACCEPTED] = {FAMILY_MESSAGES, "result=\"accepted\""},
    [METRIC_MESSAGES_NOT] = {FAMILY_MESSAGES, "result=\"refused\""},
    [METRIC_OCTETS] = {FAMILY_OCTETS, ""},
    [METRIC_RCPTS_REFUSED_TEMP] = {FAMILY_RCPTS_REFUSED, "reply=\"4yz\""},
    [METRIC_RCPTS_REFUSED_PERM] = {FAMILY_RCPTS_REFUSED, "reply=\"5yz\""},
    [METRIC_DELIVERED] = {FAMILY_DELIVERIES, "outcome=\"delivered\""},
    [METRIC_DEFERRED] = {FAMILY_DELIVERIES, "outcome=\"deferred\""},
    [METRIC_FAILED] = {FAMILY_DELIVERIES, "outcome=\"failed\""},
    [METRIC_HOPS_DANE] = {FAMILY_HOPS, "security=\"dane\""},
    [METRIC_HOPS_PKIX] = {FAMILY_HOPS, "security=\"pkix\""},
    [METRIC_HOPS_ENCRYPTED] = {FAMILY_HOPS, "security=\"encrypted\""},
    [METRIC_HOPS_PLAIN] = {FAMILY_HOPS, "security=\"none\""},
    [METRIC_HOPS_LOCAL] = {FAMILY_HOPS, "security=\"local\""},
    [METRIC_SETTLED_DELIVERED] = {FAMILY_SETTLED, "fate=\"delivered\""},
    [METRIC_SETTLED_DEFERRED] = {FAMILY_SETTLED, "fate=\"deferred\""},
    [METRIC_SETTLED_FAILED] = {FAMILY_SETTLED, "fate=\"failed\""},
    [METRIC_BOUNCES] = {FAMILY_BOUNCES, ""},
    [METRIC_QUEUE_MESSAGES] = {FAMILY_QUEUE_MESSAGES, ""},
    [METRIC_QUEUE_WAITING] = {FAMILY_QUEUE_JOBS, "state=\"waiting\""},
    [METRIC_QUEUE_READY] = {FAMILY_QUEUE_JOBS, "state=\"ready\""},
    [METRIC_QUEUE_LEASED] = {FAMILY_QUEUE_JOBS, "state=\"under_way\""},
    [METRIC_QUEUE_HELD] = {FAMILY_QUEUE_JOBS, "state=\"held\""},
    [METRIC_QUEUE_SEGMENT_OCTETS] = {FAMILY_QUEUE_OCTETS, "file=\"segment\""},
    [METRIC_QUEUE_JOURNAL_OCTETS] = {FAMILY_QUEUE_OCTETS, "file=\"journal\""},
    [METRIC_REPORTS_ACCEPTED] = {FAMILY_REPORTS, "result=\"accepted\""},
    [METRIC_REPORTS_GIVEN_UP] = {FAMILY_REPORTS, "result=\"given_up\""},
    [METRIC_REPORTS_RETURNED] = {FAMILY_REPORTS, "result=\"returned\""},
    [METRIC_REPORT_MAILS_COUNTED] = {FAMILY_REPORT_MAILS, "result=\"counted\""},
    [METRIC_REPORT_MAILS_ASIDE] = {FAMILY_REPORT_MAILS, "result=\"set_aside\""},
    [METRIC_FILTER_ANSWERED] = {FAMILY_FILTER_QUESTIONS, "result=\"answered\""},
    [METRIC_FILTER_FAILED] = {FAMILY_FILTER_QUESTIONS, "result=\"failed\""},
    [METRIC_FILTER_NOT_ASKED] = {FAMILY_FILTER_QUESTIONS,
	"result=\"not_asked\""},
    [METRIC_FILTER_WAIT_MS] = {FAMILY_FILTER_WAIT, ""},
    [METRIC_FILTER_REJECTS] = {FAMILY_FILTER_REFUSALS, "action=\"reject\""},
    [METRIC_FILTER_TEMPFAILS] = {FAMILY_FILTER_REFUSALS, "action=\"tempfail\""},
    [METRIC_FILTER_DISCARDS] = {FAMILY_FILTER_REFUSALS, "action=\"discard\""},
    [METRIC_FILTERS_DOWN] = {FAMILY_FILTERS_DOWN, ""},
};

struct metrics_page {
	_Atomic uint64_t values[METRICS];
};

static struct metrics_page nobody_looks;
static struct metrics_page *mine = &nobody_looks;

const struct metric_family_type *
metric_family(enum metric_family family)
{
	return &families[family];
}

enum metric_family
metric_family_of(enum metric metric)
{
	return metrics[metric].family;
}

const char *
metric_labels(enum metric metric)
{
	return metrics[metric].labels;
}

/* --- counting ------------------------------------------------------------- */

/* The only writer: no need to read and write at once. */
void
metrics_add(enum metric metric, uint64_t n)
{
	_Atomic uint64_t *value = &mine->values[metric];

	atomic_store_explicit(value,
	    atomic_load_explicit(value, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

void
metrics_set(enum metric metric, uint64_t level)
{
	atomic_store_explicit(
	    &mine->values[metric], level, memory_order_relaxed);
}

static struct metrics_page *
map(int fd)
{
	void *page = mmap(NULL, sizeof(struct metrics_page),
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

bool
metrics_use(int fd)
{
	struct metrics_page *page = NULL;
	struct stat st;

	/* A page that is too short would end us by a signal. */
	if (fstat(fd, &st) == 0 && st.st_size == sizeof(*page))
		page = map(fd);
	(void)close(fd);
	if (page != NULL)
		mine = page;
	return page != NULL;
}

/* --- pages ---------------------------------------------------------------- */

int
metrics_page_new(struct metrics_page **ret, int *ret_fd, struct err *err)
{
	int fd = memfd_create("metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	/* A role must not take the page from under us. */
	if (fd < 0 || ftruncate(fd, sizeof(**ret)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
		0 ||
	    (*ret = map(fd)) == NULL) {
		(void)err_set(err, ERR_TEMP, "4.3.0", "no page to count on: %s",
		    strerrordesc_np(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

void
metrics_page_free(struct metrics_page **page)
{
	if (*page != NULL)
		(void)munmap(*page, sizeof(**page));
	*page = NULL;
}

void
metrics_page_sum(
    const struct metrics_page *page, bool alive, uint64_t sum[static METRICS])
{
	if (page == NULL)
		return;
	for (unsigned i = 0; i < METRICS; i++)
		if (alive || families[metrics[i].family].kind == METRIC_COUNTER)
			sum[i] += atomic_load_explicit(
			    &page->values[i], memory_order_relaxed);
}
