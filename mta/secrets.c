/* See secrets.h. */
#include "mta/secrets.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mta/problems.h"

#define FOUND_MAX 8192

static bool
is_open(const char *path)
{
	char real[PATH_MAX];
	struct stat st;
	char *end;

	/* Keys are links, as often as not. */
	if (realpath(path, real) == NULL || stat(real, &st) < 0 ||
	    (st.st_mode & S_IROTH) == 0)
		return false;
	while ((end = strrchr(real, '/')) != NULL && end > real) {
		*end = '\0';
		if (stat(real, &st) < 0 || (st.st_mode & S_IXOTH) == 0)
			return false;
	}
	return true;
}

void
secrets_warn(const char *path, struct buf *problems)
{
	/* A full buffer has said enough. */
	if (is_open(path))
		(void)!buf_printf(problems,
		    "warning: every account may read the key in %s\n", path);
}

static void
check(
    const char *where, const char *name, const char *path, struct buf *problems)
{
	struct buf found;

	buf_init(&found, FOUND_MAX);
	secrets_warn(path, &found);
	problems_tell_lines(problems, where, name, &found);
	buf_free(&found);
}

void
secrets_check(const struct config *config, struct buf *problems)
{
	for (size_t i = 0; i < config->ncertificates; i++)
		check("certificate", config->certificates[i].name,
		    config->certificates[i].key, problems);
	for (size_t i = 0; i < config->reporting.ndkim; i++)
		check("dkim", config->reporting.dkim[i].selector,
		    config->reporting.dkim[i].key, problems);
}
