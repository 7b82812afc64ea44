/* What all sessions know of a filter; see filter.h. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/metrics.h"
#include "mta/net/conn.h"
#include "mta/receive/filter.h"

const char *
filter_failure_name(enum config_failure failure)
{
	switch (failure) {
	case FAILURE_TEMPFAIL:
		return "tempfail";
	case FAILURE_ACCEPT:
		return "accept";
	case FAILURE_REJECT:
		return "reject";
	}
	return "tempfail";
}

void
filter_failure(const struct filter_state *state, struct err *ret)
{
	*ret = (struct err){0};
	switch (state->config->on_failure) {
	case FAILURE_ACCEPT:
		return;
	case FAILURE_REJECT:
		(void)err_set(
		    ret, ERR_PERM, "5.3.0", "a mail filter is not available");
		return;
	case FAILURE_TEMPFAIL:
		break;
	}
	if (ret->kind == ERR_NONE)
		(void)err_set(ret, ERR_TEMP, "4.3.0",
		    "a mail filter is not available, try again later");
}

static void
count_down(const struct filters *filters)
{
	uint64_t n = 0;

	for (size_t i = 0; i < filters->n; i++)
		n += filters->list[i].down;
	metrics_set(METRIC_FILTERS_DOWN, n);
}

/* For `danelaw status`: those that are down, and what that means for mail. */
static void
tell(const struct filters *filters)
{
	char text[480] = "";
	size_t n = 0;

	count_down(filters);
	for (size_t i = 0; i < filters->n && n < sizeof(text); i++) {
		const struct filter_state *state = &filters->list[i];

		if (state->down)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%sfilter %s is down (%s): %s", n == 0 ? "" : "; ",
			    state->config->name, state->why,
			    filter_failure_name(state->config->on_failure));
	}
	receive_tell_trouble(filters->receive, RECEIVE_FILTERS, text);
}

static void
log_state(const struct filter_state *state)
{
	struct log_line line;

	log_begin(&line, state->down ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	    state->down ? "filter-down" : "filter-up");
	log_str(&line, "filter", state->config->name);
	log_str(&line, "address", state->config->address);
	if (state->down)
		log_str(&line, "reason", state->why);
	log_end(&line);
}

void
filter_is_down(struct filter_state *state, const struct err *why)
{
	bool news = !state->down;
	uint32_t retry = state->config->retry_ms;

	state->down = true;
	state->until = loop_now(state->filters->receive->role->loop) + retry;
	(void)text_copy(state->why, sizeof(state->why), why->text);
	timer_start(state->try, retry);
	if (!news)
		return;
	log_state(state);
	tell(state->filters);
}

void
filter_is_up(struct filter_state *state)
{
	if (!state->down)
		return;
	state->down = false;
	timer_stop(state->try);
	log_state(state);
	tell(state->filters);
}

static void
on_probe_up(void *arg)
{
	struct filter_state *state = arg;

	conn_close(&state->probe);
	filter_is_up(state);
}

static void
on_probe_down(void *arg, const struct err *err)
{
	struct filter_state *state = arg;
	struct err why = *err;

	conn_close(&state->probe);
	filter_is_down(state, &why);
}

static void
on_probe_deadline(void *arg)
{
	struct err why;

	(void)err_set(&why, ERR_TEMP, "4.4.1", "connect: it takes too long");
	on_probe_down(arg, &why);
}

static void
on_probe_data(void *arg, struct span bytes)
{
	(void)arg;
	(void)bytes;
}

static void
on_probe_drained(void *arg)
{
	(void)arg;
}

static const struct conn_ops probe_ops = {
    .on_up = on_probe_up,
    .on_data = on_probe_data,
    .on_drained = on_probe_drained,
    .on_deadline = on_probe_deadline,
    .on_down = on_probe_down,
};

/* Nobody has tried meanwhile: is it back? */
static void
on_try(void *arg)
{
	struct filter_state *state = arg;

	if (state->probe != NULL || state->filters->receive->draining)
		return;
	state->probe = conn_connect(state->filters->receive->role->loop,
	    &state->address, NULL, &probe_ops, state);
	conn_deadline(state->probe, state->config->connect_ms);
}

static void
set_address(const struct config_milter *config, struct net_address *ret)
{
	if (config->path != NULL)
		(void)net_address_unix(config->path, ret);
	else
		(void)net_address_ip(config->inet.ip, config->inet.port, ret);
}

struct filters *
filters_new(struct receive *receive)
{
	const struct config *config = receive->config;
	struct filters *filters;

	if (config->nmilters == 0)
		return NULL;
	filters = mem_new(sizeof(*filters));
	filters->receive = receive;
	filters->n = config->nmilters;
	filters->list = mem_array(filters->n, sizeof(filters->list[0]));
	for (size_t i = 0; i < filters->n; i++) {
		struct filter_state *state = &filters->list[i];

		state->config = &config->milters[i];
		state->filters = filters;
		state->try = timer_new(receive->role->loop, on_try, state);
		set_address(state->config, &state->address);
	}
	return filters;
}

void
filters_free(struct filters **filtersp)
{
	struct filters *filters = *filtersp;

	*filtersp = NULL;
	if (filters == NULL)
		return;
	for (size_t i = 0; i < filters->n; i++) {
		conn_close(&filters->list[i].probe);
		timer_free(&filters->list[i].try);
	}
	mem_free(filters->list);
	mem_free(filters);
}
