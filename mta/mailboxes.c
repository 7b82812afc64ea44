/* See mailboxes.h. */
#include "mta/mailboxes.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "mta/account.h"

#define FOLDER_SIZE 1024 /* of a path with a domain in it, perhaps twice */

struct look {
	struct buf *problems;
	struct account account;
	char user[64]; /* for people */
};

/* Who has to write there; false: we cannot know what he may. */
static bool
find_writer(const struct config *config, struct look *look)
{
	struct passwd *pw;
	struct err err;

	/* A wrong one is told elsewhere. */
	if (account_find(config->user, &look->account, &err) < 0)
		return false;
	/* NOLINTBEGIN(concurrency-mt-unsafe): one thread at start */
	pw = config->user != NULL ? getpwnam(config->user)
	                          : getpwuid(geteuid());
	/* NOLINTEND(concurrency-mt-unsafe) */
	if (look->account.uid == 0 && config->user != NULL &&
	    (pw == NULL || pw->pw_uid != geteuid()))
		return false;
	(void)snprintf(look->user, sizeof(look->user), "%.60s",
	    pw == NULL ? "?" : pw->pw_name);
	return true;
}

struct template
{
	const char *path;
	const char *domain; /* for %d; NULL: as many as there are */
	char folder[FOLDER_SIZE];
	bool is_whole; /* the folder is the Maildir of everybody */
	bool is_last;  /* it is the one that Maildirs are made in */
};

static bool
add(struct template *template, const char *text, size_t n)
{
	size_t have = strlen(template->folder);

	if (n >= sizeof(template->folder) - have)
		return false;
	memcpy(template->folder + have, text, n);
	template->folder[have + n] = '\0';
	return true;
}

/* As far as it is the same for every user; false: too long. */
static bool
read_template(struct template *template)
{
	const char *at = template->path, *domain = template->domain;
	char *slash;
	bool fits = true;

	for (; fits && *at != '\0'; at++) {
		if (*at != '%') {
			fits = add(template, at, 1);
			continue;
		}
		at++;
		if (*at == '%')
			fits = add(template, at, 1);
		else if (*at == 'd' && domain != NULL)
			fits = add(template, domain, strlen(domain));
		else
			break;
	}
	template->is_whole = *at == '\0';
	slash = strrchr(template->folder, '/');
	if (template->is_whole || slash == NULL)
		return fits;
	at += strcspn(at, "/");
	template->is_last = at[strspn(at, "/")] == '\0';
	slash[slash == template->folder ? 1 : 0] = '\0';
	return fits;
}

/* The folder above it. */
static void
go_up(char *folder)
{
	size_t n = strlen(folder);
	char *slash;

	while (n > 1 && folder[n - 1] == '/')
		folder[--n] = '\0';
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
}

static void
tell(const struct look *look, const char *kind, const char *name,
    const char *what, const char *folder)
{
	/* A full buffer has said enough. */
	(void)!buf_printf(look->problems,
	    "warning: %s \"%s\": the account \"%s\" cannot %s %s: %s\n", kind,
	    name, look->user, what, folder, strerrordesc_np(errno));
}

static void
check_template(const struct look *look, const char *kind, const char *name,
    struct template *template)
{
	const char *what = "make a Maildir in";
	int how = W_OK | X_OK;
	struct stat st;

	if (!read_template(template))
		return;
	if (template->is_whole) {
		if (stat(template->folder, &st) < 0 && errno == ENOENT)
			go_up(template->folder);
		else
			what = "write to the Maildir";
	} else if (!template->is_last) {
		what = "come to";
		how = X_OK;
	}
	if (account_may_use(&look->account, template->folder, how) < 0)
		tell(look, kind, name, what, template->folder);
}

/* Told of a domain before it, with the same path. */
static bool
was_told(const struct config *config, size_t i)
{
	const struct target *target = &config->domains[i].deliver;

	for (size_t k = 0; k < i && strstr(target->path, "%d") == NULL; k++)
		if (config->domains[k].deliver.kind == TARGET_MAILDIR &&
		    strcmp(config->domains[k].deliver.path, target->path) == 0)
			return true;
	return false;
}

void
mailboxes_check(const struct config *config, struct buf *problems)
{
	struct look look = {.problems = problems};

	if (!find_writer(config, &look))
		return;
	for (size_t i = 0; i < config->ndomains; i++) {
		const struct config_domain *domain = &config->domains[i];
		struct template template = {
		    .path = domain->deliver.path, .domain = domain->name};

		if (domain->deliver.kind == TARGET_MAILDIR &&
		    !was_told(config, i))
			check_template(
			    &look, "domain", domain->name, &template);
	}
	for (size_t i = 0; i < config->nroutes; i++) {
		const struct config_route *route = &config->routes[i];
		struct template template = {.path = route->via.path};

		if (route->via.kind == TARGET_MAILDIR)
			check_template(
			    &look, "route", route->pattern, &template);
	}
}
