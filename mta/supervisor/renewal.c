/* From a candidate to what comes into use; see renewal.h. */
#include "mta/supervisor/renewal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/net/tls_cert.h"
#include "mta/renew.h"
#include "mta/supervisor/gate.h"
#include "mta/supervisor/private.h"

#define LONGEST_MS 3600000u /* between two tries */

static void settle(struct renewal *renewal);

/* --- the candidate -------------------------------------------------------- */

static const struct config *
config_of(const struct renewal *renewal)
{
	return renewal->config != NULL ? renewal->config
	                               : renewal->supervisor->current->config;
}

static const struct bundle *
bundle_of(const struct renewal *renewal)
{
	return renewal->bundle != NULL ? renewal->bundle
	                               : renewal->supervisor->current->bundle;
}

void
renewal_drop_candidate(struct renewal *renewal)
{
	gate_free(&renewal->run);
	config_free(&renewal->config);
	bundle_free(&renewal->bundle);
	renewal_cases_free(&renewal->heard);
}

enum standing {
	STANDS_SAME = 0, /* as the one in use */
	STANDS_CHANGED,
	STANDS_NEW, /* no certificate of this name is in use */
};

static enum standing
standing_of(const struct renewal *renewal, const char *name)
{
	struct span old = bundle_find(
	    renewal->supervisor->current->bundle, "chain", name);

	if (old.p == NULL)
		return STANDS_NEW;
	return span_eq(old, bundle_find(bundle_of(renewal), "chain", name))
	           ? STANDS_SAME
	           : STANDS_CHANGED;
}

/* Is its chain in use, and should not be? */
static bool
is_misused(const struct renewal *renewal, const char *name)
{
	const struct renewal_case *one = renewal_case_find(
	    renewal->cases, name);

	return renewal->check_use || (one != NULL && one->in_use);
}

static bool
is_asked(const struct renewal *renewal, const char *name)
{
	if (standing_of(renewal, name) != STANDS_SAME)
		return true;
	/* What is in use keeps no reload waiting. */
	return renewal->cause < RENEWAL_OF_RELOAD && is_misused(renewal, name);
}

static void
digest_of(
    const struct renewal *renewal, const char *name, uint8_t ret_sha256[32])
{
	struct tls_cert cert = {.bits = 0};
	struct err err;
	size_t n = 0;

	(void)tls_cert_read(
	    bundle_find(bundle_of(renewal), "chain", name), &cert, 1, &n, &err);
	memcpy(ret_sha256, cert.sha256, 32);
}

/* What was learnt of the same chain before. */
static struct renewal_memory
memory_of(const struct renewal *renewal, const char *name)
{
	const struct renewal_case *one = renewal_case_find(
	    renewal->cases, name);
	uint8_t sha256[32];

	digest_of(renewal, name, sha256);
	if (one == NULL || memcmp(one->sha256, sha256, sizeof(sha256)) != 0)
		return (struct renewal_memory){0};
	return one->verdict.memory;
}

/* --- the gate ------------------------------------------------------------- */

static void
on_verdict(void *owner, const struct ipc_gate *verdict)
{
	struct renewal *renewal = owner;
	const struct config *config = config_of(renewal);

	for (size_t i = 0; i < config->ncertificates; i++)
		if (strcmp(config->certificates[i].name, verdict->name) == 0)
			renewal_case_get(&renewal->heard, verdict->name)
			    ->verdict = verdict->verdict;
}

/* Zero keeps what is in use. */
static void
answer_for_gate(struct renewal *renewal, const char *name, const char *why)
{
	struct renewal_verdict *verdict;

	if (renewal_case_find(renewal->heard, name) != NULL ||
	    !is_asked(renewal, name))
		return;
	verdict = &renewal_case_get(&renewal->heard, name)->verdict;
	verdict->rule = RENEWAL_BY_TLSA_UNKNOWN;
	verdict->memory = memory_of(renewal, name);
	(void)snprintf(verdict->reason, sizeof(verdict->reason),
	    "whether the chain fits what is published is not known: %s", why);
	(void)text_copy(verdict->remedy, sizeof(verdict->remedy),
	    "the log may say more; it is tried again by itself");
}

static void
on_end(void *owner, const char *why)
{
	struct renewal *renewal = owner;
	const struct config *config = config_of(renewal);

	gate_free(&renewal->run);
	for (size_t i = 0; i < config->ncertificates; i++)
		answer_for_gate(renewal, config->certificates[i].name, why);
	settle(renewal);
}

static const struct gate_ops gate_ops = {on_verdict, on_end};

static void
put_question(
    const struct renewal *renewal, struct bundle *questions, const char *name)
{
	struct renewal_memory memory = memory_of(renewal, name);
	struct buf out;

	buf_init(&out, 64);
	ipc_put_gate_memory(&out, &memory);
	bundle_add(questions, "gate", name, buf_span(&out));
	buf_free(&out);
	if (standing_of(renewal, name) == STANDS_CHANGED)
		bundle_add(questions, "old", name,
		    bundle_find(
			renewal->supervisor->current->bundle, "chain", name));
}

static void
go_to_gate(struct renewal *renewal)
{
	const struct config *config = config_of(renewal);
	struct bundle *questions;
	struct err err = {0};
	size_t n = 0;

	if (renewal->cause == RENEWAL_FORCED ||
	    (!config->renewal.tlsa && !config->renewal.mta_sts)) {
		settle(renewal);
		return;
	}
	questions = bundle_copy(bundle_of(renewal));
	for (size_t i = 0; i < config->ncertificates; i++) {
		const char *name = config->certificates[i].name;

		if (!is_asked(renewal, name))
			continue;
		put_question(renewal, questions, name);
		n++;
	}
	if (n == 0)
		settle(renewal);
	else if (gate_start(renewal->supervisor, config, questions, &gate_ops,
		     renewal, &renewal->run, &err) < 0)
		on_end(renewal, err.text);
	bundle_free(&questions);
}

/* --- what comes of it ----------------------------------------------------- */

static void
keep_case(struct renewal *renewal, const struct renewal_case *heard)
{
	struct renewal_case *one = renewal_case_get(
	    &renewal->cases, heard->name);
	enum renewal_rule before = one->verdict.rule;
	bool was_in_use = one->in_use;
	uint8_t sha256[32];
	bool same;

	digest_of(renewal, heard->name, sha256);
	one->in_use = standing_of(renewal, heard->name) != STANDS_CHANGED;
	same = before == heard->verdict.rule && was_in_use == one->in_use &&
	       memcmp(one->sha256, sha256, sizeof(sha256)) == 0;
	if (memcmp(one->sha256, sha256, sizeof(sha256)) != 0)
		renewal->backoff = 0;
	memcpy(one->sha256, sha256, sizeof(sha256));
	one->verdict = heard->verdict;
	one->is_heard = true;
	if (!same)
		renewal_case_tell(one, &renewal->counts);
}

static void
let_in(struct renewal *renewal, const struct renewal_case *heard)
{
	struct log_line line;

	renewal_case_drop(&renewal->cases, heard->name);
	if (heard->verdict.warning[0] == '\0')
		return;
	log_begin(&line, LOG_LEVEL_WARN, "certificate-warning");
	log_str(&line, "certificate", heard->name);
	log_str(&line, "reason", heard->verdict.warning);
	log_end(&line);
}

/* One that takes nobody's place, and breaks a promise: no such configuration.
 */
static bool
is_unfit(const struct renewal *renewal, const struct renewal_case *heard)
{
	return standing_of(renewal, heard->name) == STANDS_NEW &&
	       heard->verdict.step == RENEWAL_KEEP &&
	       renewal_rule_contradicts(heard->verdict.rule);
}

static const struct renewal_case *
find_unfit(const struct renewal *renewal)
{
	for (const struct renewal_case *one = renewal->heard; one != NULL;
	     one = one->next)
		if (is_unfit(renewal, one))
			return one;
	return NULL;
}

static void
refuse_all(struct renewal *renewal, const struct renewal_case *unfit)
{
	char why[3 * RENEWAL_TEXT_SIZE];

	(void)snprintf(why, sizeof(why), "certificate \"%.200s\": %s; %s",
	    unfit->name, unfit->verdict.reason, unfit->verdict.remedy);
	renewal_drop_candidate(renewal);
	if (renewal->check_use)
		timer_start(renewal->timer, RENEWAL_BUSY_MS);
	supervisor_refuse(renewal->supervisor, why);
}

/* What nobody spoke of this time is over. */
void
renewal_forget_the_rest(struct renewal *renewal)
{
	struct renewal_case *next;

	for (struct renewal_case *one = renewal->cases; one != NULL;
	     one = next) {
		bool has_gone = bundle_find(
				    bundle_of(renewal), "chain", one->name)
		                    .p == NULL;

		next = one->next;
		if (has_gone || (!one->is_heard && !one->in_use &&
				    renewal->cause != RENEWAL_OF_USE))
			renewal_case_drop(&renewal->cases, one->name);
		else
			one->is_heard = false;
	}
}

static bool
is_all_the_same(const struct renewal *renewal)
{
	return renew_all_same(config_of(renewal), bundle_of(renewal),
	    renewal->supervisor->current->bundle);
}

static uint64_t
pause_of(const struct renewal *renewal)
{
	uint64_t ms = renewal->backoff;
	int64_t now = clock_wall();

	for (const struct renewal_case *one = renewal->cases; one != NULL;
	     one = one->next) {
		int64_t left = one->verdict.memory.until - now;

		if (one->verdict.step != RENEWAL_LATER)
			continue;
		left = left < 0 ? 0 : left;
		if ((uint64_t)left * 1000 + RENEWAL_BUSY_MS < ms)
			ms = (uint64_t)left * 1000 + RENEWAL_BUSY_MS;
	}
	return ms;
}

/* Twice as long each time, up to an hour. */
void
renewal_plan_next(struct renewal *renewal)
{
	uint32_t first = config_of(renewal)->renewal.retry_ms;
	uint32_t most = first > LONGEST_MS ? first : LONGEST_MS;

	if (renewal->look_again) {
		timer_start(renewal->timer, RENEWAL_BUSY_MS);
		return;
	}
	if (renewal->cases == NULL) {
		renewal->backoff = 0;
		timer_stop(renewal->timer);
		return;
	}
	renewal->backoff = renewal->backoff == 0         ? first
	                   : renewal->backoff > most / 2 ? most
	                                                 : 2 * renewal->backoff;
	timer_start(renewal->timer, pause_of(renewal));
}

/* Into use with it, if there is anything new in it. */
static void
pass_on(struct renewal *renewal)
{
	struct config *config = renewal->config;
	struct bundle *bundle = renewal->bundle;
	bool is_nothing = renewal->cause == RENEWAL_OF_USE ||
	                  (renewal->cause == RENEWAL_OF_FILES &&
			      is_all_the_same(renewal));

	if (renewal->cause == RENEWAL_OF_USE)
		renewal->check_use = false;
	if (renewal->cause == RENEWAL_FORCED)
		renewal->check_use = true;
	if (!is_nothing)
		renewal->config = NULL, renewal->bundle = NULL;
	renewal_drop_candidate(renewal);
	if (!is_nothing)
		supervisor_take(renewal->supervisor, config, bundle,
		    renewal->cause == RENEWAL_OF_FILES);
}

/* What is said of the chain in use is nothing of one that waits outside. */
static bool
is_of_another(const struct renewal *renewal, const struct renewal_case *heard)
{
	const struct renewal_case *one = renewal_case_find(
	    renewal->cases, heard->name);

	return renewal->cause == RENEWAL_OF_USE && one != NULL && !one->in_use;
}

/* All verdicts are there. */
static void
settle(struct renewal *renewal)
{
	const struct bundle *current = renewal->supervisor->current->bundle;
	const struct renewal_case *unfit = find_unfit(renewal);

	if (unfit != NULL) {
		refuse_all(renewal, unfit);
		return;
	}
	for (const struct renewal_case *one = renewal->heard; one != NULL;
	     one = one->next) {
		if (is_of_another(renewal, one))
			continue;
		if (one->verdict.step == RENEWAL_LOAD) {
			let_in(renewal, one);
			continue;
		}
		keep_case(renewal, one);
		if (standing_of(renewal, one->name) == STANDS_CHANGED)
			renew_take(renewal->bundle, current, one->name);
	}
	renewal_forget_the_rest(renewal);
	renewal_plan_next(renewal);
	pass_on(renewal);
}

void
renewal_admit(struct supervisor *sup, struct config *config,
    struct bundle *bundle, enum renewal_cause cause)
{
	struct renewal *renewal = sup->renewal;

	renewal_drop_candidate(renewal);
	renewal->cause = cause;
	renewal->config = config;
	renewal->bundle = bundle;
	go_to_gate(renewal);
}
