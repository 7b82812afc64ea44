#include "mta/sendmail/sendmail.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/text.h"
#include "mta/ctl/ask.h"
#include "mta/ctl/daemon.h"
#include "mta/ctl/setup.h"
#include "mta/smtp/grammar.h"

#define ARENA_MAX (32u << 20)
/* What is not in sendmail_option() is taken and means nothing here. */
#define OPTIONS "+:A:B:C:F:GIL:N:O:R:UV:X:b:cd::e:f:h:imno:p:q::r:stvx:"

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static enum sendmail_mode
mode_of_name(const char *argv0)
{
	const char *name = base_name(argv0);

	if (strcmp(name, "mailq") == 0)
		return SENDMAIL_LIST;
	if (strcmp(name, "newaliases") == 0)
		return SENDMAIL_NOTHING;
	return SENDMAIL_MESSAGE;
}

bool
sendmail_is_name(const char *argv0)
{
	return mode_of_name(argv0) != SENDMAIL_MESSAGE ||
	       strcmp(base_name(argv0), "sendmail") == 0;
}

int
sendmail_failed(const struct err *err)
{
	(void)fprintf(stderr, "sendmail: %s\n", err->text);
	switch (err->kind) {
	case ERR_TEMP:
		return EX_TEMPFAIL;
	case ERR_PERM:
		return EX_DATAERR;
	case ERR_NONE:
	case ERR_BUG:
		break;
	}
	return EX_SOFTWARE;
}

static int
misused(const char *why)
{
	(void)fprintf(stderr, "sendmail: %s; see danelaw(8)\n", why);
	return EX_USAGE;
}

/* --- Options ----------------------------------------------------------- */

static int
option_mode(struct sendmail *sendmail, const char *value)
{
	static const struct {
		char letter;
		enum sendmail_mode mode;
	} modes[] = {
	    {'m', SENDMAIL_MESSAGE},
	    {'s', SENDMAIL_SMTP},
	    {'p', SENDMAIL_LIST},
	    {'i', SENDMAIL_NOTHING},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (value[0] == modes[i].letter && value[1] == '\0') {
			sendmail->mode = modes[i].mode;
			return 0;
		}
	return misused("-b wants m, s, p or i; the daemon is danelawd");
}

/* RFC 3461 4.1 */
static int
option_notify(struct sendmail *sendmail, const char *value)
{
	static const struct {
		const char *word;
		uint8_t bit;
	} words[] = {
	    {"never", NOTIFY_NEVER},
	    {"success", NOTIFY_SUCCESS},
	    {"failure", NOTIFY_FAILURE},
	    {"delay", NOTIFY_DELAY},
	};
	struct span rest = span_of(value);

	while (rest.n > 0) {
		const char *comma = memchr(rest.p, ',', rest.n);
		size_t n = comma == NULL ? rest.n : (size_t)(comma - rest.p);
		uint8_t bit = 0;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (span_eq_nocase(
				span_first(rest, n), span_of(words[i].word)))
				bit = words[i].bit;
		if (bit == 0)
			return misused("-N: unknown word");
		sendmail->notify |= bit;
		rest = span_from(rest, n + 1);
	}
	if ((sendmail->notify & NOTIFY_NEVER) != 0 &&
	    sendmail->notify != NOTIFY_NEVER)
		return misused("-N: never stands alone");
	return 0;
}

/* RFC 3461 4.3 */
static int
option_ret(struct sendmail *sendmail, const char *value)
{
	bool full = span_eq_nocase(span_of(value), SPAN("full"));

	if (!full && !span_eq_nocase(span_of(value), SPAN("hdrs")))
		return misused("-R wants full or hdrs");
	sendmail->envelope.ret = full ? RET_FULL : RET_HDRS;
	return 0;
}

/* RFC 3461 4.4 */
static int
option_envid(struct sendmail *sendmail, const char *value)
{
	struct span text = span_of(value);

	if (!grammar_is_envid(text))
		return misused("-V wants xtext of at most 100 characters");
	sendmail->envelope.envid = value;
	return 0;
}

static int
sendmail_option(
    struct sendmail *sendmail, struct options *options, int c, const char *arg)
{
	switch (c) {
	case 'b':
		return option_mode(sendmail, arg);
	case 'N':
		return option_notify(sendmail, arg);
	case 'R':
		return option_ret(sendmail, arg);
	case 'V':
		return option_envid(sendmail, arg);
	case 'C':
		options->file = arg;
		return 0;
	case 'F':
		sendmail->name = arg;
		return 0;
	case 'f':
	case 'r':
		sendmail->from = arg;
		return 0;
	default:
		return 0;
	}
}

static int
bad_option(int c, char *const *argv)
{
	char problem[OPTION_PROBLEM_SIZE];

	command_option_problem(c, argv, problem);
	return misused(problem);
}

static int
read_options(
    int argc, char **argv, struct sendmail *sendmail, struct options *options)
{
	int c, rc = 0;

	optind = 0; /* once more from the start */
	opterr = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while (rc == 0 && (c = getopt(argc, argv, OPTIONS)) != -1) {
		if (c == 't')
			sendmail->header = true;
		else if (c == 'i' || (c == 'o' && strcmp(optarg, "i") == 0))
			sendmail->dots = true;
		else if (c == 'q')
			sendmail->mode = SENDMAIL_FLUSH;
		else if (c == '?' || c == ':')
			rc = bad_option(c, argv);
		else
			rc = sendmail_option(sendmail, options, c, optarg);
	}
	sendmail->argc = argc - optind;
	sendmail->argv = argv + optind;
	return rc;
}

/* --- Ways -------------------------------------------------------------- */

static int
flush_queue(const struct options *options)
{
	struct control_request request = {.command = CONTROL_QUEUE_FLUSH};
	struct daemon *daemon = NULL;
	struct json_t *line;
	struct err err = {0};
	int status = EX_OK, rc;

	rc = ask_open(options, &daemon);
	if (rc < 0)
		return rc == ASK_NO_CONFIG ? EX_CONFIG : EX_UNAVAILABLE;
	if (daemon_ask(daemon, &request, &err) < 0 ||
	    daemon_answer(daemon, &line, &err) != DAEMON_DONE)
		status = sendmail_failed(&err);
	daemon_close(&daemon);
	return status;
}

static int
with_config(struct sendmail *sendmail)
{
	int status;

	if (setup_config(sendmail->options->file, &sendmail->config) < 0)
		return EX_CONFIG;
	sendmail->arena = arena_new(ARENA_MAX);
	if (sendmail->mode == SENDMAIL_SMTP)
		status = sendmail_smtp(sendmail);
	else
		status = sendmail_message(sendmail);
	arena_free(&sendmail->arena);
	config_free(&sendmail->config);
	return status;
}

int
sendmail_main(int argc, char **argv, struct options *options)
{
	struct sendmail sendmail = {
	    .options = options,
	    .mode = mode_of_name(argv[0]),
	    .envelope = {.sender = "",
		.envid = "",
		.helo = "",
		.client = "",
		.session = ""},
	};
	int status = read_options(argc, argv, &sendmail, options);

	if (status != 0)
		return status;
	switch (sendmail.mode) {
	case SENDMAIL_MESSAGE:
	case SENDMAIL_SMTP:
		return with_config(&sendmail);
	case SENDMAIL_LIST:
		return mailq_run(options);
	case SENDMAIL_FLUSH:
		return flush_queue(options);
	case SENDMAIL_NOTHING:
		break;
	}
	return EX_OK;
}
