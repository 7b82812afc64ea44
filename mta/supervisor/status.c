/* See status.h. */
#include "mta/supervisor/status.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnssec/health.h"
#include "mta/ctl/control.h"
#include "mta/net/process.h"
#include "mta/supervisor/private.h"
#include "mta/supervisor/renewal.h"
#include "mta/version.h"

/* What the kernel keeps this process from, as far as it is told here. */
static void
put_sandbox(const struct ipc_sandbox *sandbox, struct control_item *item)
{
	control_put_flag(item, "no_new_privs", sandbox->no_new_privs);
	control_put_flag(item, "dumpable", !sandbox->not_dumpable);
	control_put_text(item, "seccomp", ipc_seccomp_name(sandbox->seccomp));
}

static int
put_child(const struct child *child, uint64_t now, struct buf *out)
{
	struct control_item *item = control_item_new();
	int rc;

	control_put_text(item, "role", role_kind_name(child->kind));
	control_put_number(item, "index", child->index);
	control_put_number(item, "generation", child->generation->number);
	control_put_text(item, "state", child_state_name(child->state));
	if (child->process != NULL)
		control_put_number(item, "pid", process_pid(child->process));
	control_put_number(item, "restarts", child->restarts);
	control_put_number(
	    item, "uptime", (int64_t)((now - child->started) / 1000));
	if (child->process != NULL) {
		put_sandbox(&child->sandbox, item);
		control_put_number(item, "landlock", child->sandbox.landlock);
	}
	rc = control_write_item(item, out);
	control_item_free(&item);
	return rc;
}

const char *
status_state(const struct supervisor *sup)
{
	if (supervisor_stopping(sup))
		return "stopping";
	if (sup->phase != PHASE_RUNNING)
		return "starting";
	if (sup->reload_problem[0] != '\0' || sup->expiry.text[0] != '\0' ||
	    renewal_alarms(sup->renewal, NULL))
		return "degraded";
	for (const struct child *c = sup->children; c != NULL; c = c->next)
		if (c->state == CHILD_WAITING ||
		    dns_ability_alarms(c->dnssec) || c->trouble[0] != '\0' ||
		    (c->state == CHILD_STARTING && c->restarts > 0))
			return "degraded";
	return "running";
}

/* Of several processes the one that fares worst; each tests for itself. */
static const struct child *
find_worst(const struct supervisor *sup)
{
	const struct child *worst = sup->children;

	for (const struct child *c = worst; c != NULL; c = c->next)
		if (dns_ability_is_worse(c->dnssec, worst->dnssec))
			worst = c;
	return worst;
}

enum dns_ability
status_dnssec(const struct supervisor *sup)
{
	const struct child *worst = find_worst(sup);

	return worst == NULL ? DNS_UNTESTED : worst->dnssec;
}

static void
put_dnssec(const struct supervisor *sup, struct control_item *more)
{
	const struct child *worst = find_worst(sup);

	if (worst == NULL)
		return;
	control_put_text(more, "dnssec", dns_ability_name(worst->dnssec));
	if (worst->dnssec_why[0] != '\0')
		control_put_text(more, "dnssec_reason", worst->dnssec_why);
}

/* Several processes have the same, as a rule: the first will do. */
static void
put_trouble(const struct supervisor *sup, struct control_item *more)
{
	for (const struct child *c = sup->children; c != NULL; c = c->next)
		if (c->trouble[0] != '\0') {
			control_put_text(more, "trouble", c->trouble);
			return;
		}
}

void
status_add_refusals(struct supervisor *sup, struct span bytes)
{
	struct refusals more;

	if (!refusals_take(bytes, &more))
		return;
	for (unsigned k = 0; k < REFUSAL_KINDS; k++)
		sup->refusals.counts[k] += more.counts[k];
}

/* Those there were. */
static void
put_refusals(const struct refusals *refusals, struct control_item *more)
{
	char key[64];

	for (unsigned k = REFUSAL_NONE + 1; k < REFUSAL_KINDS; k++) {
		uint64_t n = refusals->counts[k];

		(void)snprintf(key, sizeof(key), "refused_%s",
		    refusal_name((enum refusal)k));
		if (n > 0)
			control_put_number(
			    more, key, n < INT64_MAX ? (int64_t)n : INT64_MAX);
	}
}

void
status_put_dane(const struct dane *dane, struct control_item *more)
{
	int64_t until = dane_off_until(dane);

	control_put_text(more, "dane", until == 0 ? "on" : "off");
	if (until == 0)
		return;
	control_put_number(more, "dane_off_until", until);
	if (dane->reason[0] != '\0')
		control_put_text(more, "dane_off_reason", dane->reason);
}

int
status_write_reload(const struct supervisor *sup, struct buf *out)
{
	struct control_item *more = control_item_new();
	int rc;

	control_put_number(more, "generation", sup->current->number);
	if (renewal_alarms(sup->renewal, NULL))
		control_put_text(more, "state", "degraded");
	renewal_put(sup->renewal, more);
	rc = control_write_done(more, out);
	control_item_free(&more);
	return rc;
}

int
status_write(const struct supervisor *sup, struct buf *out)
{
	struct control_item *more = control_item_new();
	int rc = 0;

	for (const struct child *c = sup->children; c != NULL; c = c->next)
		rc |= put_child(c, loop_now(sup->loop), out);
	control_put_text(more, "version", DANELAW_VERSION);
	control_put_text(more, "hostname", sup->current->config->hostname);
	control_put_text(more, "config", sup->path);
	control_put_number(more, "pid", getpid());
	control_put_number(more, "generation", sup->current->number);
	control_put_number(more, "uptime",
	    (int64_t)((loop_now(sup->loop) - sup->began) / 1000));
	control_put_text(more, "state", status_state(sup));
	control_put_text(more, "enforcement",
	    sup->current->config->enforcement == ENFORCEMENT_AUDIT ? "audit"
								   : "enforce");
	put_sandbox(&sup->sandbox, more);
	status_put_dane(&sup->dane, more);
	status_put_tls(sup->current->config, clock_wall(), more);
	put_dnssec(sup, more);
	put_trouble(sup, more);
	put_refusals(&sup->refusals, more);
	if (sup->expiry.text[0] != '\0')
		control_put_text(more, "certificates", sup->expiry.text);
	renewal_put(sup->renewal, more);
	if (sup->reload_problem[0] != '\0')
		control_put_text(more, "reload_problem", sup->reload_problem);
	rc |= control_write_done(more, out);
	control_item_free(&more);
	return rc;
}
