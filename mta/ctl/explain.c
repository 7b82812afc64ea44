/* danelaw explain, danelaw probe */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "dnssec/health.h"
#include "dnssec/name.h"
#include "mta/ctl/command.h"
#include "mta/ctl/daemon.h"
#include "mta/ctl/setup.h"
#include "mta/ctl/table.h"
#include "mta/explain/print.h"
#include "mta/explain/probe.h"
#include "mta/net/loop.h"
#include "mta/resolver.h"
#include "mta/sts/finder.h"

#define SILENT_MS 3000

struct explain {
	const char *address; /* as it was typed */
	struct config *config;
	struct dns *dns;
	struct loop *loop;
	struct watch *watch;
	struct timer *slow;
	struct survey *survey;
	struct tls_client *tls;
	struct sts_finder *finder;
	struct probe *probe;
	bool connect;
	bool running; /* loop_run() is */
	bool finished;
};

static void
on_dns(void *arg)
{
	struct explain *explain = arg;

	dns_process(explain->dns);
}

/* Who sits in front of it, or reads the log of a script. */
static void
on_slow(void *arg)
{
	const struct explain *explain = arg;
	char shown[160];

	text_escape(span_of(explain->address), shown, sizeof(shown));
	(void)fprintf(stderr, "danelaw: waiting for what DNS%s of %s\n",
	    explain->connect ? " and hosts say" : " says", shown);
}

/* What needs no answer of anybody has an end before the loop begins. */
static void
finish(struct explain *explain)
{
	explain->finished = true;
	if (explain->running)
		loop_stop(explain->loop);
}

static void
on_probed(void *arg)
{
	finish(arg);
}

static void
on_surveyed(struct survey *survey, void *arg)
{
	struct explain *explain = arg;

	if (explain->connect && survey->n > 0)
		explain->probe = probe_new(
		    explain->loop, survey, explain->tls, on_probed, explain);
	else
		finish(explain);
}

static int
show(const struct options *options, const struct survey *survey)
{
	if (options->json)
		table_json(stdout, survey_json(survey));
	else
		survey_print(stdout, survey);
	return survey_status(survey);
}

static void
explain_close(struct explain *explain)
{
	probe_free(&explain->probe);
	if (explain->survey != NULL)
		probe_results_free(explain->survey);
	survey_free(&explain->survey);
	sts_finder_free(&explain->finder);
	if (explain->watch != NULL)
		watch_free(&explain->watch);
	timer_free(&explain->slow);
	dns_free(&explain->dns);
	if (explain->loop != NULL)
		loop_free(&explain->loop);
	tls_client_free(&explain->tls);
	config_free(&explain->config);
}

/* "example.org" or "user@example.org", in the form routes are looked up by. */
static int
read_address(const char *given, char to[DNS_NAME_SIZE + 2], struct err *err)
{
	const char *at = strrchr(given, '@');
	const char *domain = at == NULL ? given : at + 1;
	char name[DNS_NAME_SIZE];

	if (domain[0] == '[')
		return snprintf(to, DNS_NAME_SIZE + 2, "x@%s", domain) <
		               DNS_NAME_SIZE + 2
		           ? 0
		           : -1;
	if (dns_name_from_domain(domain, name, err) < 0)
		return -1;
	(void)snprintf(to, DNS_NAME_SIZE + 2, "x@%s", name);
	return 0;
}

/* What the daemon has cached, if we may read it; nothing is written. */
static void
open_finder(struct explain *explain)
{
	const struct sts_finder_setup setup = {.loop = explain->loop,
	    .dns = explain->dns,
	    .config = explain->config,
	    .only_look = true};

	explain->finder = sts_finder_new(&setup);
}

static int
explain_open(struct explain *explain, const struct options *options)
{
	struct tls_client_setup tls = {0};
	struct err err;

	if (setup_config(options->file, &explain->config) < 0)
		return -1;
	tls.ca_file = explain->config->ca_file;
	explain->dns = resolver_open(explain->config, &err);
	if (explain->dns == NULL ||
	    (explain->connect &&
		tls_client_new(&tls, &explain->tls, &err) < 0)) {
		(void)fprintf(stderr, "danelaw: %s\n", err.text);
		return -1;
	}
	explain->loop = loop_new();
	explain->watch = watch_new(
	    explain->loop, dns_fd(explain->dns), on_dns, explain);
	explain->slow = timer_new(explain->loop, on_slow, explain);
	timer_start(explain->slow, SILENT_MS);
	open_finder(explain);
	return 0;
}

static const char *
text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text == NULL ? "" : text;
}

/* "does not validate" is the one that denies: see dnssec/health.h. */
static void
heed_status(struct survey *survey, const json_t *line)
{
	static const struct dns_health unable = {.ability = DNS_UNABLE};

	survey->dane_off_until = json_integer_value(
	    json_object_get(line, "dane_off_until"));
	if (strcmp(text_of(line, "dnssec"), dns_ability_name(unable.ability)) ==
	    0)
		(void)text_copy(survey->unable, sizeof(survey->unable),
		    text_of(line, "dnssec_reason"));
}

/* Is there a daemon, and has it been told something that we have not? */
static void
ask_daemon(const struct options *options, struct explain *explain)
{
	struct control_request request = {.command = CONTROL_STATUS};
	struct daemon *daemon = NULL;
	const char *path = options->socket != NULL ? options->socket
	                                           : explain->config->control;
	enum daemon_line kind = DAEMON_FAILED;
	json_t *line = NULL;
	struct err err;

	if (daemon_open(path, &daemon, &err) < 0)
		return;
	if (daemon_ask(daemon, &request, &err) == 0)
		do
			kind = daemon_answer(daemon, &line, &err);
		while (kind == DAEMON_ITEM);
	if (kind == DAEMON_DONE)
		heed_status(explain->survey, line);
	daemon_close(&daemon);
}

/* RFC 8689: what the message asks for; false: no such word. */
static bool
read_wish(const char *word, enum tls_wish *ret)
{
	if (word == NULL)
		*ret = TLS_WISH_NONE;
	else if (strcmp(word, "requiretls") == 0)
		*ret = TLS_WISH_REQUIRED;
	else if (strcmp(word, "tls-required-no") == 0)
		*ret = TLS_WISH_WAIVED;
	else
		return false;
	return true;
}

static int
run(const struct options *options, bool connect)
{
	struct explain explain = {
	    .connect = connect, .address = options->argv[0]};
	char address[DNS_NAME_SIZE + 2];
	enum tls_wish wish;
	int status = EXIT_WANTED;
	struct err err = {0};

	if (options->argc != 1)
		return command_misused("expected one domain or address");
	if (!read_wish(options->mail, &wish))
		return command_misused(
		    "--mail wants requiretls or tls-required-no");
	if (read_address(options->argv[0], address, &err) < 0)
		return command_misused(
		    err.text[0] == '\0' ? "not a domain" : err.text);
	if (explain_open(&explain, options) == 0) {
		explain.survey = survey_new(
		    explain.dns, explain.config, address, clock_wall());
		explain.survey->finder = explain.finder;
		survey_wish(explain.survey, wish);
		ask_daemon(options, &explain);
		survey_start(explain.survey, on_surveyed, &explain);
		explain.running = !explain.finished;
		if (explain.running)
			loop_run(explain.loop);
		status = show(options, explain.survey);
	}
	explain_close(&explain);
	return status;
}

int
explain_run(const struct options *options)
{
	return run(options, false);
}

int
probe_run(const struct options *options)
{
	return run(options, true);
}
