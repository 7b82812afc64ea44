/* See sandbox.h. */
#include "mta/sandbox/sandbox.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "mta/sandbox/filter.h"
#include "mta/sandbox/grants.h"
#include "mta/sandbox/landlock.h"

void
sandbox_harden(void)
{
	const struct rlimit none = {0, 0};

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}

/* The kernel's word, where it has one. */
static void
look(struct ipc_sandbox *ret)
{
	struct rlimit core = {1, 1};

	(void)getrlimit(RLIMIT_CORE, &core);
	ret->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	ret->not_dumpable = core.rlim_max == 0 &&
	                    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static void
say_missing(const char *what, const char *why)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARN, "sandbox-incomplete");
	log_str(&line, "missing", what);
	log_str(&line, "reason", why);
	log_end(&line);
}

/* What is not there is no error unless it is asked for. */
static int
judge(enum config_sandbox how, enum sandbox_done done, const char *what,
    struct err *err)
{
	switch (done) {
	case SANDBOX_DONE:
		return 0;
	case SANDBOX_ABSENT:
		if (how == SANDBOX_REQUIRED)
			return err_set(err, ERR_PERM, "4.3.5",
			    "sandbox = required, but the kernel lacks %s",
			    what);
		say_missing(what, "the kernel lacks it");
		return 0;
	case SANDBOX_FAILED:
		break;
	}
	return err_set(err, ERR_PERM, "4.3.5",
	    "the kernel refuses %s: %s; sandbox = off does without", what,
	    strerrordesc_np(errno));
}

static int
confine_folders(enum role_kind kind, const struct config *config,
    struct ipc_sandbox *ret, struct err *err)
{
	struct grants *grants = grants_new(kind, config);
	enum sandbox_done done = landlock_enter(grants, &ret->landlock);
	int rc = judge(config->sandbox, done, "landlock", err);

	grants_free(&grants);
	return rc;
}

static int
confine_calls(enum role_kind kind, const struct config *config,
    struct ipc_sandbox *ret, struct err *err)
{
	bool logs = config->sandbox == SANDBOX_LOG;
	/* Lists of clients by DNS, milters, and others who exists. */
	bool asks = (kind == ROLE_RECEIVE && (config->defence.ndnsbls > 0 ||
						 config->nmilters > 0)) ||
	            ((kind == ROLE_RECEIVE || kind == ROLE_QUEUE) &&
			config_asks(config));
	enum sandbox_done done = filter_enter(kind, asks, logs);

	if (done == SANDBOX_DONE)
		ret->seccomp = logs ? SECCOMP_LOGS : SECCOMP_ENFORCES;
	return judge(config->sandbox, done, "seccomp", err);
}

int
sandbox_confine(enum role_kind kind, const struct config *config,
    struct ipc_sandbox *ret, struct err *err)
{
	enum config_sandbox how = config->sandbox;

	*ret = (struct ipc_sandbox){0};
	look(ret);
	if (how == SANDBOX_OFF)
		return 0;
	/* Landlock cannot only log: what it would refuse is done. */
	if (how != SANDBOX_LOG && kind != ROLE_SUPERVISOR &&
	    confine_folders(kind, config, ret, err) < 0)
		return -1;
	return confine_calls(kind, config, ret, err);
}
