/*
 * danelaw audit: works without the daemon, on the file its deliver processes
 * write.  That file is theirs, so root becomes their account before it looks.
 */
#include "mta/ctl/audit.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/name.h"
#include "mta/config.h"
#include "mta/ctl/command.h"
#include "mta/ctl/setup.h"
#include "mta/ctl/time.h"
#include "mta/target.h"

#define WAIT_MS 5000

/* What was asked for: some destinations, or all. */
struct wanted {
	struct audit_print *print;
	char *const *names; /* of argv */
	bool *known;        /* of each, whether anything was counted */
	int nnames;
};

/* --- which rows ----------------------------------------------------------- */

/* A domain, the host of a configured next hop, or a target as it is written. */
static bool
is_named(const char *name, const char *destination)
{
	char domain[DNS_NAME_SIZE];
	struct target target;
	struct err err;

	if (strcmp(name, destination) == 0)
		return true;
	return target_parse(span_of(destination), &target, &err) == 0 &&
	       dns_name_from_domain(name, domain, &err) == 0 &&
	       strcmp(domain, target.host) == 0;
}

static void
take_row(const struct audit_row *row, const struct audit_sums *sums, void *arg)
{
	struct wanted *wanted = arg;
	bool named = wanted->nnames == 0;

	for (int i = 0; i < wanted->nnames; i++) {
		if (!is_named(wanted->names[i], row->key.destination))
			continue;
		wanted->known[i] = true;
		named = true;
	}
	if (named)
		audit_print_row(wanted->print, row, sums);
}

/* --- commands ------------------------------------------------------------- */

/* A slip of the keyboard must not look as if nothing would be refused. */
static int
name_unknown(const struct wanted *wanted)
{
	int status = EXIT_FINE;

	for (int i = 0; i < wanted->nnames; i++)
		if (!wanted->known[i])
			status = command_complain(wanted->names[i],
			    "nothing was counted of it in that time");
	return status;
}

static int
summary(const struct options *options, const struct audit_store *store,
    int64_t since)
{
	struct wanted wanted = {
	    .names = options->argv + 1, .nnames = options->argc - 1};
	int rc, status;
	struct err err;

	wanted.known = mem_array(
	    (size_t)options->argc, sizeof(wanted.known[0]));
	wanted.print = audit_print_new(stdout, options->json, since);
	rc = audit_store_read(store, since, take_row, &wanted, &err);
	if (rc < 0) {
		audit_print_free(&wanted.print);
		status = command_complain("audit", err.text);
	} else {
		bool refused = audit_print_end(&wanted.print);

		status = name_unknown(&wanted);
		status = refused ? EXIT_WANTED : status;
	}
	mem_free(wanted.known);
	return status;
}

static int
reset(const struct audit_store *store)
{
	struct err err;

	if (audit_store_reset(store, &err) == 0)
		return EXIT_FINE;
	return command_complain("audit", err.text);
}

/* What is wrong with the command line, or NULL. */
static const char *
read_words(const struct options *options, bool *ret_reset, int64_t *ret_since)
{
	const char *what = options->argc == 0 ? "" : options->argv[0];
	int64_t now = clock_wall();

	*ret_reset = strcmp(what, "reset") == 0;
	*ret_since = now / AUDIT_DAY_S - AUDIT_DAYS + 1;
	if (!*ret_reset && strcmp(what, "summary") != 0)
		return "audit what? summary, or reset";
	if (*ret_reset && options->argc > 1)
		return "audit reset takes no names: everything is forgotten";
	if (*ret_reset && options->json)
		return "--json is not for audit reset";
	if (options->since == NULL)
		return NULL;
	if (*ret_reset)
		return "--since is for audit summary";
	return time_read_since(options->since, now, ret_since)
	           ? NULL
	           : "--since wants a day as 2026-11-20, or a time ago as 7d";
}

int
audit_run(const struct options *options)
{
	struct audit_store store = {.wait_ms = WAIT_MS};
	struct config *config = NULL;
	int status = EXIT_WANTED;
	int64_t since;
	bool forget;
	const char *wrong = read_words(options, &forget, &since);

	if (wrong != NULL)
		return command_misused(wrong);
	if (setup_config(options->file, &config) < 0)
		return EXIT_WANTED;
	store.folder = config->state;
	if (setup_become(config) == 0)
		status = forget ? reset(&store)
		                : summary(options, &store, since);
	config_free(&config);
	return status;
}
