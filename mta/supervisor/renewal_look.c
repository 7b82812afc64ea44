/* When certificates are looked at, and what status says; see renewal.h. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/ctl/control.h"
#include "mta/load.h"
#include "mta/net/tls_cert.h"
#include "mta/renew.h"
#include "mta/supervisor/private.h"
#include "mta/supervisor/renewal.h"
#include "mta/supervisor/renewal_files.h"

#define PROBLEMS_MAX 65536

bool
renewal_holds_reload(const struct renewal *renewal)
{
	return renewal->run != NULL && renewal->cause >= RENEWAL_OF_RELOAD;
}

/* --- the files ------------------------------------------------------------ */

/* What is there is no chain with its key: it may be half written. */
static void
on_problem(void *arg, const char *name, const char *why)
{
	struct renewal *renewal = arg;
	struct renewal_case *one = renewal_case_get(&renewal->cases, name);
	struct renewal_verdict *verdict = &one->verdict;
	bool same = verdict->rule == RENEWAL_BY_FILES;

	*verdict = (struct renewal_verdict){.rule = RENEWAL_BY_FILES};
	(void)text_copy(verdict->reason, sizeof(verdict->reason), why);
	(void)text_copy(verdict->remedy, sizeof(verdict->remedy),
	    "put a whole chain and the key of its first certificate there");
	one->in_use = false;
	one->is_heard = true;
	memset(one->sha256, 0, sizeof(one->sha256));
	if (!same)
		renewal_case_tell(one, &renewal->counts);
}

/* The text is the one that is in force: it cannot be wrong. */
static struct config *
parse_again(const struct bundle *bundle)
{
	struct config *config = NULL;
	struct buf problems;

	buf_init(&problems, PROBLEMS_MAX);
	(void)load_bundled(bundle, &config, &problems);
	buf_free(&problems);
	return config;
}

static bool
has_one_in_use(const struct renewal *renewal)
{
	for (const struct renewal_case *one = renewal->cases; one != NULL;
	     one = one->next)
		if (one->in_use)
			return true;
	return renewal->check_use;
}

static void
read_files(struct renewal *renewal)
{
	struct supervisor *sup = renewal->supervisor;
	const struct generation *current = sup->current;
	struct bundle *bundle = renew_bundle(
	    current->config, current->bundle, on_problem, renewal);
	struct config *config;

	renewal->cause = RENEWAL_OF_FILES;
	if (renew_all_same(current->config, bundle, current->bundle)) {
		bundle_free(&bundle);
		renewal_forget_the_rest(renewal);
		if (has_one_in_use(renewal))
			renewal_admit(sup, NULL, NULL, RENEWAL_OF_USE);
		else
			renewal_plan_next(renewal);
		return;
	}
	config = parse_again(bundle);
	if (config == NULL) {
		bundle_free(&bundle);
		return;
	}
	renewal_admit(sup, config, bundle, RENEWAL_OF_FILES);
}

/* What is in use is looked at again after what was written anew. */
static bool
is_busy(const struct renewal *renewal)
{
	return renewal->run != NULL && renewal->cause != RENEWAL_OF_USE;
}

void
renewal_look(struct supervisor *sup)
{
	struct renewal *renewal = sup->renewal;

	if (supervisor_stopping(sup))
		return;
	if (sup->next != NULL || is_busy(renewal) ||
	    sup->phase != PHASE_RUNNING) {
		renewal->look_again = true;
		timer_start(renewal->timer, RENEWAL_BUSY_MS);
		return;
	}
	renewal->look_again = false;
	renewal_drop_candidate(renewal);
	read_files(renewal);
}

static void
on_timer(void *arg)
{
	renewal_look(arg);
}

/* --- life ----------------------------------------------------------------- */

static void
say_renewed(const struct supervisor *sup, const struct bundle *old)
{
	const struct generation *current = sup->current;

	for (size_t i = 0; i < current->config->ncertificates; i++) {
		const char *name = current->config->certificates[i].name;
		struct span chain = bundle_find(current->bundle, "chain", name);
		struct tls_cert cert = {.bits = 0};
		struct log_line line;
		struct err err;
		size_t n = 0;

		if (span_eq(chain, bundle_find(old, "chain", name)))
			continue;
		sup->renewal->counts.taken++;
		(void)tls_cert_read(chain, &cert, 1, &n, &err);
		log_begin(&line, LOG_LEVEL_INFO, "certificate-renewed");
		log_str(&line, "certificate", name);
		log_i64(&line, "expires", cert.not_after);
		log_end(&line);
	}
}

void
renewal_taken(struct supervisor *sup, const struct bundle *old)
{
	struct renewal *renewal = sup->renewal;
	const struct config_renewal *how = &sup->current->config->renewal;

	renewal_files_free(&renewal->files);
	if (how->watch && sup->current->config->ncertificates > 0)
		renewal->files = renewal_files_new(sup);
	if (old == NULL)
		renewal->check_use = true;
	else
		say_renewed(sup, old);
	if (renewal->check_use && renewal->run == NULL)
		renewal_admit(sup, NULL, NULL, RENEWAL_OF_USE);
}

void
renewal_start(struct supervisor *sup)
{
	struct renewal *renewal = mem_new(sizeof(*renewal));

	sup->renewal = renewal;
	renewal->supervisor = sup;
	renewal->timer = timer_new(sup->loop, on_timer, sup);
}

void
renewal_end(struct supervisor *sup)
{
	struct renewal *renewal = sup->renewal;

	sup->renewal = NULL;
	if (renewal == NULL)
		return;
	renewal_drop_candidate(renewal);
	renewal_cases_free(&renewal->cases);
	renewal_files_free(&renewal->files);
	timer_free(&renewal->timer);
	mem_free(renewal);
}

/* --- status --------------------------------------------------------------- */

bool
renewal_alarms(const struct renewal *renewal, const char *name)
{
	for (const struct renewal_case *one = renewal->cases; one != NULL;
	     one = one->next)
		if ((name == NULL || strcmp(one->name, name) == 0) &&
		    renewal_case_alarms(one))
			return true;
	return false;
}

void
renewal_put(const struct renewal *renewal, struct control_item *more)
{
	for (const struct renewal_case *one = renewal->cases; one != NULL;
	     one = one->next) {
		struct control_item *item = control_item_new();

		renewal_case_put(one, item);
		control_put_member(more, "renewals", &item);
	}
}
