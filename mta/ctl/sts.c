/*
 * danelaw sts: works without the daemon, on the file its deliver processes
 * keep policies in.  That file is theirs, so root becomes their account before
 * it looks.  They have policies in memory, too, and are told of a change.
 */
#include "mta/ctl/sts.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "dnssec/name.h"
#include "mta/config.h"
#include "mta/ctl/daemon.h"
#include "mta/ctl/setup.h"
#include "mta/ctl/sts_print.h"

/* Does one word for each domain; the worst of them is the exit status. */
int
sts_each_name(struct sts_work *work, sts_one *one)
{
	int status = EXIT_FINE;

	for (int i = 0; i < work->nnames; i++) {
		char domain[DNS_NAME_SIZE];
		struct err err;
		int rc;

		if (dns_name_from_domain(work->names[i], domain, &err) < 0)
			rc = command_complain(work->names[i], err.text);
		else
			rc = one(work, domain);
		if (rc != EXIT_FINE)
			status = rc;
	}
	return status;
}

/* --- the daemon ----------------------------------------------------------- */

static int
ask_to_look(struct daemon *daemon, const char *domain, struct err *err)
{
	struct control_request request = {.command = CONTROL_STS_CHANGED};

	if (!text_copy(request.domain, sizeof(request.domain), domain))
		return err_set(err, ERR_PERM, "5.1.2", "the name is too long");
	return daemon_do(daemon, &request, err);
}

/* Of a domain, or "" for all.  One that does not run has nothing in memory. */
int
sts_tell_daemon(const struct sts_work *work, const char *domain)
{
	const char *socket = work->options->socket;
	struct daemon *daemon = NULL;
	struct err err;
	int rc;

	rc = daemon_open(
	    socket == NULL ? work->config->control : socket, &daemon, &err);
	if (rc == DAEMON_AWAY)
		return EXIT_FINE;
	if (rc == 0)
		rc = ask_to_look(daemon, domain, &err);
	daemon_close(&daemon);
	return rc == 0 ? EXIT_FINE
	               : command_complain("the daemon was not told", err.text);
}

/* --- commands ------------------------------------------------------------- */

int
sts_show_one(struct sts_work *work, const char *domain)
{
	struct arena *arena = arena_new(STS_POLICY_ARENA);
	struct sts_entry entry;
	struct err err;
	int status = EXIT_FINE;

	if (sts_store_get(work->store, domain, arena, &entry, &err) < 0)
		status = command_complain(domain, err.text);
	else if (entry.state == STS_ENTRY_EMPTY && entry.last_try == 0)
		status = command_complain(domain, "nothing is kept of it");
	else if (work->options->json)
		sts_print_json(domain, &entry, true);
	else
		sts_print_record(domain, &entry, clock_wall());
	arena_free(&arena);
	return status;
}

static void
list_one(const char *domain, const struct sts_entry *entry, void *arg)
{
	sts_list_add(arg, domain, entry);
}

static void
dump_one(const char *domain, const struct sts_entry *entry, void *arg)
{
	const bool *with_text = arg;

	sts_print_json(domain, entry, *with_text);
}

static int
list_all(struct sts_work *work)
{
	struct sts_list *list = sts_list_new(clock_wall());
	struct err err;
	int rc = sts_store_each(work->store, list_one, list, &err);

	if (!sts_list_end(&list) && rc == 0)
		command_nothing(work->options, "is kept");
	return rc == 0 ? EXIT_FINE : command_complain("sts", err.text);
}

static int
dump_all(struct sts_work *work, bool with_text)
{
	struct err err;

	if (sts_store_each(work->store, dump_one, &with_text, &err) == 0)
		return EXIT_FINE;
	return command_complain("sts", err.text);
}

static int
show(struct sts_work *work)
{
	if (work->nnames > 0)
		return sts_each_name(work, sts_show_one);
	return work->options->json ? dump_all(work, false) : list_all(work);
}

static int
export_all(struct sts_work *work)
{
	return dump_all(work, true);
}

static int
forget_one(struct sts_work *work, const char *domain)
{
	struct err err;
	size_t n;
	int status;

	if (sts_store_forget(work->store, domain, &n, &err) < 0)
		return command_complain(domain, err.text);
	status = sts_tell_daemon(work, domain);
	return n == 0 ? command_complain(domain, "nothing was kept of it")
	              : status;
}

static int
forget_all(struct sts_work *work)
{
	struct err err;
	int rc = sts_store_reset(work->config->state, STS_WAIT_MS, &err);

	if (rc < 0)
		return command_complain("sts", err.text);
	if (rc > 0)
		(void)fprintf(stderr,
		    "danelaw: sts.db was unreadable and is kept as "
		    "%s/sts.db.damaged\n",
		    work->config->state);
	return sts_tell_daemon(work, "");
}

static int
forget(struct sts_work *work)
{
	return work->options->all ? forget_all(work)
	                          : sts_each_name(work, forget_one);
}

/* --- the command line ----------------------------------------------------- */

static const struct verb {
	const char *name;
	int (*run)(struct sts_work *work);
} verbs[] = {{"show", show}, {"export", export_all}, {"refresh", sts_refresh},
    {"forget", forget}};

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

/* What is wrong with the command line, or NULL. */
static const char *
judge_words(const struct verb *verb, const struct options *options)
{
	bool named = options->argc > 1;

	if (verb == NULL)
		return "sts what? show, export, refresh, or forget";
	if (options->all && verb->run != forget)
		return "--all is for sts forget";
	if (verb->run == export_all && named)
		return "sts export takes no domains";
	if (verb->run == sts_refresh && !named)
		return "sts refresh wants domains";
	if (verb->run == forget && named == options->all)
		return "sts forget wants domains, or --all";
	if (verb->run == forget && options->json)
		return "--json is not for sts forget";
	return NULL;
}

/* Everything can be forgotten of a file that cannot be read. */
static int
run(struct sts_work *work, const struct verb *verb)
{
	struct err err;
	int rc = sts_store_open(
	    work->config->state, STS_WAIT_MS, &work->store, &err);
	int status;

	if (rc < 0 && !work->options->all)
		status = command_complain("sts", err.text);
	else
		status = verb->run(work);
	sts_store_close(&work->store);
	return status;
}

int
sts_run(const struct options *options)
{
	const struct verb *verb = find_verb(
	    options->argc == 0 ? "" : options->argv[0]);
	const char *wrong = judge_words(verb, options);
	struct sts_work work = {.options = options};
	struct config *config = NULL;
	int status = EXIT_WANTED;

	if (wrong != NULL)
		return command_misused(wrong);
	work.names = options->argv + 1;
	work.nnames = options->argc - 1;
	if (setup_config(options->file, &config) < 0)
		return EXIT_WANTED;
	work.config = config;
	if (setup_become(config) == 0 && setup_has_state("sts", config))
		status = run(&work, verb);
	config_free(&config);
	return status;
}
