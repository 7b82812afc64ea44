/*
 * danelawd: the daemon.  Reads the command line, loads the configuration and
 * becomes the supervisor; or, started by the supervisor, a role.
 */
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "mta/load.h"
#include "mta/mailboxes.h"
#include "mta/net/tls.h"
#include "mta/peers.h"
#include "mta/report/reader.h"
#include "mta/role.h"
#include "mta/sandbox/sandbox.h"
#include "mta/supervisor/supervisor.h"
#include "mta/version.h"

#define EXIT_USAGE   2
#define PROBLEMS_MAX 65536
#define DEFAULT_FILE "/etc/danelaw/danelaw.conf"

struct options {
	bool foreground;
	bool test; /* check and end */
	const char *file;
};

static void
usage(FILE *to)
{
	(void)fputs("usage: danelawd [-f] [-c FILE]\n"
		    "       danelawd -t [-c FILE]\n"
		    "       danelawd -h | -V\n"
		    "\n"
		    "  -f       stay in the foreground, log as configured\n"
		    "  -c FILE  configuration (" DEFAULT_FILE ")\n"
		    "  -t       check the configuration and end\n"
		    "  -h       this help\n"
		    "  -V       version\n",
	    to);
}

/* -1: go on; otherwise the exit status. */
static int
read_options(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread at start */
	while ((c = getopt_long(argc, argv, "fc:thV", longs, NULL)) != -1) {
		if (c == 'f')
			ret->foreground = true;
		else if (c == 't')
			ret->test = true;
		else if (c == 'c')
			ret->file = optarg;
		else if (c == 'V') {
			(void)puts("danelaw " DANELAW_VERSION);
			return EXIT_SUCCESS;
		} else {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return EXIT_USAGE;
}

/* danelawd --role KIND INDEX NFDS [syslog] */
static int
start_role(int argc, char **argv)
{
	enum role_kind kind = role_kind_find(argv[2]);
	bool syslog = argc == 6 && strcmp(argv[5], "syslog") == 0;
	uint32_t index, nfds;

	if (kind == ROLE_NONE || !text_parse_u32(span_of(argv[3]), &index) ||
	    !text_parse_u32(span_of(argv[4]), &nfds))
		return EXIT_USAGE;
	return role_main(kind, index, nfds, syslog);
}

/*
 * danelawd --read-report NOW, from the report role.  Nothing is left to be
 * done at an exit, and nothing may be that a stranger has prepared.
 */
static _Noreturn void
start_reader(const char *now)
{
	uint64_t seconds;

	_exit(text_parse_u64(span_of(now), &seconds) && seconds < INT64_MAX
		  ? reader_main((int64_t)seconds)
		  : EXIT_USAGE);
}

/* A path that still means the same after daemon(3) has changed folders; links
 * in it are followed anew at each reload. */
static const char *
absolute(const char *path, char to[PATH_MAX])
{
	char folder[PATH_MAX];
	int n;

	if (path[0] == '/' || getcwd(folder, sizeof(folder)) == NULL)
		return path;
	n = snprintf(to, PATH_MAX, "%s/%s", folder, path);
	return n < 0 || n >= PATH_MAX ? path : to;
}

/* The launching process: it ends when the daemon runs, or says why not. */
static int
await_start(int fd)
{
	char words[512];
	ssize_t n = read(fd, words, sizeof(words) - 1);

	if (n > 0 && strncmp(words, LAUNCHED, strlen(LAUNCHED)) == 0)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "danelawd: %.*s", n > 0 ? (int)n : 14,
	    n > 0 ? words : "did not start\n");
	return EXIT_FAILURE;
}

/* -1: this is the daemon; otherwise the exit status of the launcher. */
static int
detach(int *ret_fd)
{
	int fds[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid;

	if (null < 0 || pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		perror("danelawd");
		return EXIT_FAILURE;
	}
	if (pid > 0) {
		(void)close(fds[1]);
		return await_start(fds[0]);
	}
	(void)close(fds[0]);
	(void)setsid();
	if (chdir("/") < 0)
		perror("danelawd: /");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	*ret_fd = fds[1];
	return -1;
}

/* Until somebody listens to it: it must not end us, nor be lost. */
static void
hold_hangup(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* A start waits for no disk but its own, and comes before others. */
static void
warn(const struct config *config, bool test, bool syslog, struct buf *problems)
{
	if (test) {
		mailboxes_check(config, problems);
		peers_check(config, problems);
	}
	load_warn(syslog, problems);
}

int
main(int argc, char **argv)
{
	struct options options = {.file = DEFAULT_FILE};
	struct config *config = NULL;
	struct bundle *bundle = NULL;
	struct buf problems;
	char room[PATH_MAX];
	const char *path;
	bool syslog;
	int launcher = -1;
	int rc;

	/* Here nothing has come before, unless a library did. */
	if (!tls_wipe_memory())
		(void)fputs("danelawd: warning: OpenSSL's memory is not wiped "
			    "when it is given back\n",
		    stderr);
	if ((argc == 5 || argc == 6) && strcmp(argv[1], "--role") == 0)
		return start_role(argc, argv);
	if (argc == 3 && strcmp(argv[1], "--read-report") == 0)
		start_reader(argv[2]);
	rc = read_options(argc, argv, &options);
	if (rc >= 0)
		return rc;
	sandbox_harden();
	hold_hangup();
	path = absolute(options.file, room);
	buf_init(&problems, PROBLEMS_MAX);
	rc = load_configuration(path, &config, &bundle, &problems);
	/* A daemon's stderr leads nowhere. */
	syslog = rc == 0 &&
	         (config->log_syslog || !(options.foreground || options.test));
	if (rc == 0)
		warn(config, options.test, syslog, &problems);
	(void)fprintf(stderr, "%.*s", (int)problems.n,
	    problems.p == NULL ? "" : problems.p);
	buf_free(&problems);
	if (rc < 0)
		return EXIT_FAILURE;
	if (options.test) {
		(void)printf("%s: fine\n", options.file);
		config_free(&config);
		bundle_free(&bundle);
		return EXIT_SUCCESS;
	}
	if (!options.foreground && (rc = detach(&launcher)) >= 0) {
		config_free(&config);
		bundle_free(&bundle);
		return rc;
	}
	log_setup("supervisor",
	    config->log_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
	    config->log_json, syslog);
	return supervisor_main(path, config, bundle, syslog, launcher);
}
