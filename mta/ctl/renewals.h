/* Renewed certificates, as the daemon says. */
#pragma once
#include "mta/ctl/command.h"

struct json_t;

/*
 * The list "renewals" of its status, yours; NULL when there is no daemon to
 * ask, and nothing is said of that.
 */
struct json_t *renewals_ask(const struct options *options);

/* The one about this certificate, borrowed; or NULL. */
struct json_t *renewals_find(struct json_t *renewals, const char *name);
