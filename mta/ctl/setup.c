/* See setup.h. */
#include "mta/ctl/setup.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "mta/account.h"
#include "mta/ctl/command.h"
#include "mta/load.h"
#include "mta/mailboxes.h"
#include "mta/peers.h"

#define PROBLEMS_MAX  (1u << 20)
#define SPOOL_DEFAULT "/var/spool/danelaw"
#define SPOOL_MAX     512

static void
tell(FILE *to, const struct buf *problems)
{
	if (problems->n > 0)
		(void)fwrite(problems->p, 1, problems->n, to);
}

int
setup_check(const char *file)
{
	struct config *config = NULL;
	struct bundle *bundle = NULL;
	struct buf problems;
	int rc;

	buf_init(&problems, PROBLEMS_MAX);
	rc = load_configuration(file, &config, &bundle, &problems);
	if (rc == 0) {
		mailboxes_check(config, &problems);
		peers_check(config, &problems);
		load_warn(config->log_syslog, &problems);
	}
	tell(rc == 0 ? stdout : stderr, &problems);
	if (rc == 0 && config->reporting.ndkim > 0)
		(void)puts("note: reporting: \"danelaw report dkim-check\" "
			   "tells whether the keys are published");
	if (rc == 0)
		(void)printf("%s: fine\n", file);
	buf_free(&problems);
	config_free(&config);
	bundle_free(&bundle);
	return rc == 0 ? EXIT_FINE : EXIT_WANTED;
}

int
setup_config(const char *file, struct config **ret)
{
	struct bundle *bundle = bundle_new();
	struct buf problems;
	struct err err;
	int rc = -1;

	buf_init(&problems, PROBLEMS_MAX);
	bundle_add(bundle, "config-file", "", span_of(file));
	if (bundle_add_file(bundle, "config", "", file, &err) < 0)
		(void)fprintf(stderr, "danelaw: %s\n", err.text);
	else
		rc = load_bundled(bundle, ret, &problems);
	if (rc < 0)
		tell(stderr, &problems);
	buf_free(&problems);
	bundle_free(&bundle);
	return rc;
}

/* Only the daemon makes it, for its account. */
bool
setup_has_state(const char *command, const struct config *config)
{
	struct stat st;

	if (stat(config->state, &st) == 0 || errno != ENOENT)
		return true;
	(void)fprintf(stderr,
	    "danelaw: %s: the state folder %s is not there; start danelawd "
	    "once\n",
	    command, config->state);
	return false;
}

int
setup_become(const struct config *config)
{
	struct account account;
	struct err err;

	if (account_find(config->user, &account, &err) < 0) {
		(void)command_complain("user", err.text);
		return -1;
	}
	if (account.uid == 0)
		return 0;
	if (setgroups(0, NULL) < 0 ||
	    setresgid(account.gid, account.gid, account.gid) < 0 ||
	    setresuid(account.uid, account.uid, account.uid) < 0) {
		(void)command_complain(config->user, strerrordesc_np(errno));
		return -1;
	}
	return 0;
}

/* The string of a line "KEY = STRING", in quotes; what follows is ignored. */
static bool
read_line(struct span line, const char *key, char *to, size_t size)
{
	size_t n = strlen(key);
	const char *end;

	while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = span_from(line, 1);
	if (!span_eq(span_first(line, n), span_of(key)))
		return false;
	line = span_from(line, n);
	n = 0;
	while (n < line.n &&
	       (line.p[n] == ' ' || line.p[n] == '\t' || line.p[n] == '='))
		n++;
	line = span_from(line, n);
	if (n == 0 || line.n < 2 || (line.p[0] != '"' && line.p[0] != '\''))
		return false;
	end = memchr(line.p + 1, line.p[0], line.n - 1);
	if (end == NULL || (size_t)(end - line.p - 1) >= size)
		return false;
	n = (size_t)(end - line.p - 1);
	memcpy(to, line.p + 1, n);
	to[n] = '\0';
	return true;
}

/*
 * The daemon runs, whatever has become of its file: where would the lines say
 * that its socket is?
 */
static bool
guess_socket(struct span text, char *to, size_t size)
{
	char spool[SPOOL_MAX] = SPOOL_DEFAULT;
	bool said = false;

	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		struct span line = span_first(
		    text, end == NULL ? text.n : (size_t)(end - text.p));

		said |= read_line(line, "control", to, size);
		(void)read_line(line, "spool", spool, sizeof(spool));
		text = span_from(text, line.n + 1);
	}
	return said || snprintf(to, size, "%s/control", spool) < (int)size;
}

static int
guess(const char *file, char *to, size_t size)
{
	struct bundle *bundle = bundle_new();
	struct err err;
	int rc = -1;

	if (bundle_add_file(bundle, "config", "", file, &err) == 0 &&
	    guess_socket(bundle_find(bundle, "config", ""), to, size))
		rc = 0;
	bundle_free(&bundle);
	if (rc == 0)
		(void)fprintf(stderr,
		    "danelaw: asking the daemon at %s all the same\n", to);
	return rc;
}

int
setup_socket(const char *file, char *to, size_t size)
{
	struct config *config = NULL;
	int rc;

	if (setup_config(file, &config) < 0)
		return guess(file, to, size);
	rc = text_copy(to, size, config->control) ? 0 : -1;
	config_free(&config);
	return rc;
}
