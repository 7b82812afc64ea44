/* See meter.h. */
#include "mta/supervisor/meter.h"

#include <string.h>

#include "mta/net/channel.h"
#include "mta/supervisor/private.h"
#include "mta/supervisor/renewal.h"
#include "mta/supervisor/status.h"
#include "mta/version.h"
#include "mta/web_words.h"

#define LABELS_SIZE 512

void
meter_add_gone(struct meter *meter, struct child *child)
{
	metrics_page_sum(child->page, false, meter->gone);
	metrics_page_free(&child->page);
}

/* --- samples -------------------------------------------------------------- */

struct meter_out {
	const struct supervisor *sup;
	meter_fn *fn;
	void *arg;
};

static int
tell(const struct meter_out *out, enum metric_family family, const char *labels,
    int64_t value)
{
	const struct metric_sample sample = {family, labels, value};

	return out->fn(&sample, out->arg);
}

/* With one label. */
static int
tell_with(const struct meter_out *out, enum metric_family family,
    const char *name, const char *word, int64_t value)
{
	char labels[LABELS_SIZE] = "";

	metrics_label(labels, sizeof(labels), name, word);
	return tell(out, family, labels, value);
}

static int
tell_counted(const struct meter_out *out)
{
	uint64_t sum[METRICS];

	memcpy(sum, out->sup->meter.gone, sizeof(sum));
	for (const struct child *c = out->sup->children; c != NULL; c = c->next)
		metrics_page_sum(c->page, true, sum);
	for (unsigned i = 0; i < METRICS; i++)
		if (tell(out, metric_family_of((enum metric)i),
			metric_labels((enum metric)i),
			sum[i] > INT64_MAX ? INT64_MAX : (int64_t)sum[i]) < 0)
			return -1;
	return 0;
}

static int
tell_states(const struct meter_out *out)
{
	static const char *const states[] = {
	    "starting", "running", "degraded", "stopping"};
	const char *is = status_state(out->sup);

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (tell_with(out, FAMILY_STATE, "state", states[i],
			strcmp(is, states[i]) == 0) < 0)
			return -1;
	return 0;
}

static int
tell_dnssec(const struct meter_out *out)
{
	enum dns_ability is = status_dnssec(out->sup);

	for (unsigned a = DNS_UNTESTED; a <= DNS_ABLE; a++)
		if (tell_with(out, FAMILY_DNSSEC, "result",
			dns_ability_name((enum dns_ability)a), a == is) < 0)
			return -1;
	return 0;
}

static int64_t
count_running(const struct supervisor *sup, enum role_kind kind)
{
	int64_t n = 0;

	for (const struct child *c = sup->children; c != NULL; c = c->next)
		n += c->kind == kind && c->process != NULL;
	return n;
}

static int
tell_processes(const struct meter_out *out)
{
	for (unsigned k = ROLE_RECEIVE; k <= ROLE_WEB; k++)
		if (tell_with(out, FAMILY_PROCESSES, "role",
			role_kind_name((enum role_kind)k),
			count_running(out->sup, (enum role_kind)k)) < 0)
			return -1;
	for (unsigned k = ROLE_RECEIVE; k <= ROLE_WEB; k++)
		if (tell_with(out, FAMILY_RESTARTS, "role",
			role_kind_name((enum role_kind)k),
			(int64_t)out->sup->meter.restarts[k]) < 0)
			return -1;
	return 0;
}

static int
tell_refusals(const struct meter_out *out)
{
	for (unsigned k = REFUSAL_NONE + 1; k < REFUSAL_KINDS; k++)
		if (tell_with(out, FAMILY_REFUSALS, "reason",
			refusal_name((enum refusal)k),
			(int64_t)out->sup->refusals.counts[k]) < 0)
			return -1;
	return 0;
}

static int
tell_renewals(const struct meter_out *out)
{
	const struct renewal_counts *counts = &out->sup->renewal->counts;

	if (tell(out, FAMILY_RENEWALS, "result=\"taken\"", counts->taken) < 0 ||
	    tell(out, FAMILY_RENEWALS, "result=\"refused\"", counts->refused) <
		0)
		return -1;
	return tell(out, FAMILY_RENEWALS, "result=\"waited\"", counts->waited);
}

static int
tell_refused_certificates(const struct meter_out *out)
{
	const struct config *config = out->sup->current->config;

	for (size_t i = 0; i < config->ncertificates; i++) {
		const char *name = config->certificates[i].name;

		if (tell_with(out, FAMILY_CERTIFICATE_REFUSED, "certificate",
			name, renewal_alarms(out->sup->renewal, name)) < 0)
			return -1;
	}
	return 0;
}

static int
tell_certificates(const struct meter_out *out)
{
	const struct generation *generation = out->sup->current;

	for (size_t i = 0; i < generation->config->ncertificates; i++) {
		const char *name = generation->config->certificates[i].name;
		int64_t end = expiry_end_of(generation, name);

		if (end != 0 && tell_with(out, FAMILY_CERTIFICATE,
				    "certificate", name, end) < 0)
			return -1;
	}
	return 0;
}

static int
tell_info(const struct meter_out *out)
{
	const struct supervisor *sup = out->sup;
	char labels[LABELS_SIZE] = "";

	metrics_label(labels, sizeof(labels), "version", DANELAW_VERSION);
	metrics_label(
	    labels, sizeof(labels), "hostname", sup->current->config->hostname);
	if (tell(out, FAMILY_INFO, labels, 1) < 0 ||
	    tell(out, FAMILY_STARTED, "", sup->started) < 0)
		return -1;
	return 0;
}

int
meter_each(const struct supervisor *sup, meter_fn *fn, void *arg)
{
	const struct meter_out out = {sup, fn, arg};

	if (tell_counted(&out) < 0 || tell_info(&out) < 0 ||
	    tell_states(&out) < 0 || tell_dnssec(&out) < 0 ||
	    tell(&out, FAMILY_DANE_OFF, "", dane_off_until(&sup->dane)) < 0 ||
	    tell(&out, FAMILY_RELOAD_REFUSED, "",
		sup->reload_problem[0] != '\0') < 0 ||
	    tell_processes(&out) < 0 || tell_refusals(&out) < 0 ||
	    tell_renewals(&out) < 0 || tell_certificates(&out) < 0)
		return -1;
	return tell_refused_certificates(&out);
}

/* --- for the web role ----------------------------------------------------- */

struct text_out {
	struct buf *out;
	enum metric_family last;
};

static int
put_sample(const struct metric_sample *sample, void *arg)
{
	struct text_out *to = arg;

	return metrics_write(sample, &to->last, to->out);
}

static int
put_page(const struct supervisor *sup, enum web_page page, struct buf *out)
{
	struct text_out to = {out, METRIC_FAMILIES};

	switch (page) {
	case WEB_METRICS:
		return meter_each(sup, put_sample, &to);
	case WEB_HEALTH:
		return buf_printf(out, "%s\n", status_state(sup));
	case WEB_NO_PAGE:
		break;
	}
	return -1;
}

void
meter_answer(struct child *child, const struct ipc_ask *ask)
{
	struct ipc_ask answer = {.id = ask->id, .last = true};
	struct buf text, out;

	if (child->channel == NULL)
		return;
	buf_init(&text, CHANNEL_MESSAGE_MAX / 2);
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	if (put_page(child->supervisor, web_page_find(ask->text), &text) == 0)
		answer.text = buf_span(&text); /* else none, which is told */
	ipc_put_ask(&out, &answer);
	channel_send(child->channel, IPC_ANSWER, buf_span(&out));
	buf_free(&text);
	buf_free(&out);
}
