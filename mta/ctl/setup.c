/* See setup.h. */
#include "mta/ctl/setup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "mta/ctl/command.h"
#include "mta/load.h"

#define PROBLEMS_MAX (1u << 20)

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
	tell(rc == 0 ? stdout : stderr, &problems);
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

int
setup_socket(const char *file, char *to, size_t size)
{
	struct config *config = NULL;
	int rc;

	if (setup_config(file, &config) < 0)
		return -1;
	rc = text_copy(to, size, config->control) ? 0 : -1;
	config_free(&config);
	return rc;
}
