/*
 * What reports cost: sessions counted on disk, in batches of a second, and the
 * mails of a day built from them.
 *
 *     report_bench FOLDER [SESSIONS [DOMAINS [SESSIONS A SECOND]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "dnssec/name.h"
#include "reporting/gzip.h"
#include "reporting/mail.h"
#include "reporting/report_json.h"
#include "reporting/store.h"

#define DAY   INT64_C(20785)
#define LIMIT ((size_t)16 << 20)
#define NAMES 64

struct size {
	uint32_t sessions, domains, batch;
};

static int
give_up(const struct err *err)
{
	(void)fprintf(stderr, "%s\n", err->text);
	return 1;
}

/* --- counting ------------------------------------------------------------- */

/* What one session says; texts live until the next batch. */
struct session {
	char domain[NAMES], base[NAMES], record[100], mx[NAMES];
	const char *strings[4], *pattern;
	struct report_policy policy;
	struct report_failure failure;
};

/* Half of the mail goes to a tenth of the domains, and 1 in 50 fails. */
static uint32_t
pick(uint32_t *seed, uint32_t domains)
{
	uint32_t most = domains / 10 + 1;

	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % (*seed % 2 == 0 ? domains : most);
}

static void
say_tlsa(struct session *s, uint32_t domain)
{
	(void)snprintf(s->base, sizeof(s->base), "mx%u.host%u.example",
	    domain % 2, domain);
	(void)snprintf(s->record, sizeof(s->record), "3 1 1 %064x", domain);
	s->strings[0] = s->record;
	s->policy = (struct report_policy){.type = POLICY_TYPE_TLSA,
	    .domain = s->base,
	    .strings = s->strings,
	    .nstrings = 1};
}

static void
say_sts(struct session *s, uint32_t domain)
{
	(void)snprintf(s->mx, sizeof(s->mx), "mx: *.host%u.example", domain);
	s->strings[0] = "version: STSv1";
	s->strings[1] = "mode: enforce";
	s->strings[2] = s->mx;
	s->strings[3] = "max_age: 604800";
	s->pattern = s->mx + 4;
	s->policy = (struct report_policy){.type = POLICY_TYPE_STS,
	    .domain = s->domain,
	    .strings = s->strings,
	    .nstrings = 4,
	    .mx = &s->pattern,
	    .nmx = 1};
}

static struct report_event
say(struct session *s, uint32_t domain, uint32_t kind)
{
	(void)snprintf(s->domain, sizeof(s->domain), "d%u.example", domain);
	if (domain % 5 == 0)
		say_tlsa(s, domain);
	else if (domain % 5 == 1)
		say_sts(s, domain);
	else
		s->policy = (struct report_policy){
		    .type = POLICY_TYPE_NONE, .domain = s->domain};
	s->failure = (struct report_failure){
	    .result = RESULT_CERTIFICATE_EXPIRED,
	    .sending_mta_ip = "192.0.2.1",
	    .receiving_mx_hostname = s->domain,
	    .receiving_ip = "2001:db8::1",
	    .failure_reason_code = "certificate has expired"};
	return (struct report_event){.day = DAY,
	    .domain = s->domain,
	    .policy = &s->policy,
	    .failed = kind % 50 == 0 ? &s->failure : NULL,
	    .sessions = 1};
}

static int
count(struct report_store *store, const struct size *size)
{
	struct session *room = calloc(size->batch, sizeof(*room));
	struct report_event *events = calloc(size->batch, sizeof(*events));
	uint32_t seed = 1;
	uint64_t began = clock_mono_ms(), longest = 0, dropped;
	struct err err;

	for (uint32_t done = 0; done < size->sessions; done += size->batch) {
		uint64_t start = clock_mono_ms(), took;

		for (uint32_t i = 0; i < size->batch; i++)
			events[i] = say(
			    &room[i], pick(&seed, size->domains), done + i);
		if (report_store_add(
			store, events, size->batch, &dropped, &err) < 0)
			return give_up(&err);
		took = clock_mono_ms() - start;
		longest = took > longest ? took : longest;
	}
	(void)printf("counted %u sessions, %u a batch: %.1f s, the longest "
		     "batch %.2f s\n",
	    size->sessions, size->batch,
	    (double)(clock_mono_ms() - began) / 1000, (double)longest / 1000);
	free(room);
	free(events);
	return 0;
}

/* --- building ------------------------------------------------------------- */

struct work {
	struct arena *arena;
	struct buf json, packed, mail;
	uint64_t reports, octets;
};

static int
build_one(struct report_store *store, const char *domain, struct work *work)
{
	char id[REPORT_ID_SIZE];
	struct report report;
	struct report_outgoing mail = {.report = &report,
	    .domain = domain,
	    .to = "reports@receiver.example",
	    .number = 1};
	struct err err;

	arena_reset(work->arena);
	buf_clear(&work->json);
	buf_clear(&work->packed);
	buf_clear(&work->mail);
	if (report_store_load(store, DAY, domain, work->arena, &report, &err) <
	    0)
		return give_up(&err);
	report_id(report.start, domain, "mx.sender.example", id);
	report.id = id;
	report.organization = "Sender";
	report.contact = "tls@sender.example";
	if (report_json(&report, &work->json) < 0 ||
	    gzip_write(buf_span(&work->json), &work->packed) < 0)
		return 1;
	mail.gzipped = buf_span(&work->packed);
	if (report_mail_write(&mail, &work->mail) < 0)
		return 1;
	work->reports++;
	work->octets += work->mail.n;
	return 0;
}

static int
build_all(struct report_store *store, struct work *work)
{
	char domain[DNS_NAME_SIZE] = "", next[DNS_NAME_SIZE];
	struct err err;
	int rc;

	while ((rc = report_store_next(store, REPORT_UNPLANNED, DAY, domain,
		    next, sizeof(next), &err)) > 0) {
		(void)text_copy(domain, sizeof(domain), next);
		if (build_one(store, domain, work) != 0)
			return 1;
	}
	return rc < 0 ? give_up(&err) : 0;
}

static int
build(struct report_store *store)
{
	struct work work = {.arena = arena_new(REPORT_STORE_ARENA)};
	uint64_t began = clock_mono_ms();
	int rc;

	buf_init(&work.json, LIMIT);
	buf_init(&work.packed, LIMIT);
	buf_init(&work.mail, LIMIT);
	rc = build_all(store, &work);
	(void)printf("built %llu reports, %llu octets of mail: %.1f s\n",
	    (unsigned long long)work.reports, (unsigned long long)work.octets,
	    (double)(clock_mono_ms() - began) / 1000);
	buf_free(&work.json);
	buf_free(&work.packed);
	buf_free(&work.mail);
	arena_free(&work.arena);
	return rc;
}

static int
forget(struct report_store *store)
{
	uint64_t began = clock_mono_ms();
	struct err err;

	/* Two visits, a day apart. */
	for (int64_t i = 1; i < 3; i++)
		if (report_store_forget(
			store, (DAY + i) * REPORT_DAY_S, 0, &err) < 0)
			return give_up(&err);
	(void)printf("forgot the day: %.1f s\n",
	    (double)(clock_mono_ms() - began) / 1000);
	return 0;
}

int
main(int argc, char **argv)
{
	struct size size = {1000000, 50000, 10000};
	uint32_t *const numbers[] = {
	    &size.sessions, &size.domains, &size.batch};
	struct report_store_setup setup = {.wait_ms = 1000};
	struct report_store *store;
	struct err damaged, err;
	int rc = 0;

	if (argc < 2 || argc > 5)
		return 2;
	setup.folder = argv[1];
	for (int i = 2; i < argc; i++)
		if (!text_parse_u32(span_of(argv[i]), numbers[i - 2]) ||
		    *numbers[i - 2] == 0)
			return 2;
	store = report_store_open(&setup, &damaged, &err);
	if (store == NULL)
		return give_up(&err);
	rc = count(store, &size) || build(store) || forget(store);
	report_store_close(&store);
	return rc;
}
