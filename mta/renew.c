/* See renew.h. */
#include "mta/renew.h"

#include "base/buf.h"
#include "mta/load.h"
#include "mta/problems.h"

#define PROBLEMS_MAX (64u << 10)

/* What one certificate { } is made of. */
static const char *const kinds[] = {"chain", "root", "key"};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

void
renew_take(struct bundle *to, const struct bundle *from, const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		bundle_take(to, from, kinds[i], name);
}

static bool
is_same(const struct bundle *a, const struct bundle *b, const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (!bundle_same(a, b, kinds[i], name))
			return false;
	return true;
}

bool
renew_all_same(
    const struct config *config, const struct bundle *a, const struct bundle *b)
{
	for (size_t i = 0; i < config->ncertificates; i++)
		if (!is_same(a, b, config->certificates[i].name))
			return false;
	return true;
}

/* Its key is not needed here any more, and no part of our memory. */
static int
load_sealed(const struct config *config, const struct config_certificate *cert,
    struct bundle *files, struct buf *problems)
{
	struct err err;

	if (load_certificate(config, cert, files, problems) < 0)
		return -1;
	if (bundle_seal(files, &err) == 0)
		return 0;
	(void)!buf_printf(problems, "%s\n", err.text);
	return -1;
}

struct bundle *
renew_bundle(const struct config *config, const struct bundle *current,
    renew_problem *problem, void *arg)
{
	struct bundle *made = bundle_copy(current);

	for (size_t i = 0; i < config->ncertificates; i++) {
		const struct config_certificate *cert = &config
		                                             ->certificates[i];
		struct bundle *files = bundle_new();
		struct buf problems;

		buf_init(&problems, PROBLEMS_MAX);
		if (load_sealed(config, cert, files, &problems) == 0)
			renew_take(made, files, cert->name);
		else
			problem(arg, cert->name, problems_one_line(&problems));
		buf_free(&problems);
		bundle_free(&files);
	}
	return made;
}
